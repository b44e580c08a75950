"""Sounds as symbols: the bytes of the samples of one sound or of all in an archive, of each sample the highest first.

All other bytes, the headers and what is around them, are kept as they are, so the very bytes of the file come back.
"""

from lib.sources import base
from lib.sources.stretches import StretchSource
from lib.sources.waves import Waves, waves_in


class SoundSource(StretchSource):
    """Bytes of samples of sounds. Of each its contexts are told the bytes of a sample, and the channels."""

    kind = 5
    unit = "bytes of samples"
    model_inputs = "last"
    context_kinds = ("sound",)
    stretch = Waves
    noun = "sound"

    @classmethod
    def from_bytes(cls, data: bytes) -> "SoundSource | None":
        """The source of a file's bytes, or None where they hold no sound, or much beside it."""
        files = base.files_with(data, sound_in)
        return cls.of_files(files) if files and base.is_mostly(data, files) else None


def sound_in(data: bytes) -> base.Found | None:
    """The sound that a file's bytes are, or None."""
    found = waves_in(data)
    if found is None:
        return None
    start, waves = found
    return base.Found(waves, waves.take(data[start:start + waves.count]), start, start + waves.count)
