"""Sounds as symbols: the bytes of the samples of one sound or of all in an archive, of each sample the highest first.

All other bytes, the headers and what is around them, are kept as they are, so the very bytes of the file come back.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.errors import FormatError
from lib.sources import base
from lib.sources.waves import Waves, waves_in

_MOST_CODE = 255


class SoundSource(base.WholeSource):
    """Bytes of samples as symbols 0 to V - 1: the codes that occur, in ascending order."""

    kind = 5
    unit = "bytes of samples"
    model_inputs = "last"
    context_kinds = ("sound",)
    code_bits = 8

    def __init__(self, codes: np.ndarray, pieces: Sequence[bytes], sounds: Sequence[Waves], samples: np.ndarray | None = None) -> None:
        """codes: uint16, ascending, shape (V,); pieces: bytes before each sound and after the last; samples: uint8, the codes of all
        sounds, where there are any yet.
        """
        self.codes, self._pieces, self._sounds = codes, pieces, sounds
        self._samples: Any = samples
        self.symbol_count = sum(waves.count for waves in sounds)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SoundSource | None":
        """The source of a file's bytes, or None where they hold no sound, or much beside it."""
        files = base.files_with(data, sound_in)
        return cls.of_files(files) if files and base.is_mostly(data, files) else None

    @classmethod
    def of_files(cls, files: Sequence[tuple[bytes, base.Found]]) -> "SoundSource":
        """The source of files that follow each other, each with what `sound_in` found in it."""
        samples = np.concatenate([found.codes for _, found in files])
        return cls(base.occurring(samples), base.pieces_around(files), [found.what for _, found in files], samples)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "SoundSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        try:
            values, pieces, sounds = base.unpacked_description(description)
            codes = base.unpacked_values(values, _MOST_CODE)
            sounds = [Waves.from_list(waves) for waves in sounds]
            fits = type(pieces) is list and len(pieces) == len(sounds) + 1 > 1 and all(isinstance(piece, bytes) for piece in pieces)
        except base.FAULTS as error:
            raise base.damaged("a sound") from error
        if not fits:
            raise base.damaged("a sound")
        if original_bytes != sum(map(len, pieces)) + sum(waves.count for waves in sounds):
            raise FormatError("the header's size is not that of the sound it describes", "the file is damaged")
        return cls(codes, pieces, sounds)

    @property
    def layout(self) -> np.ndarray:
        """int64 (4 * sounds,): of each where its codes begin and end, bytes of a sample, channels."""
        layout, start = [], 0
        for waves in self._sounds:
            layout += [start, start + waves.count, waves.each, waves.channels]
            start += waves.count
        return np.array(layout, np.int64)

    @property
    def around(self) -> int:
        """Bytes that are no samples, as they are in the description."""
        return sum(map(len, self._pieces))

    def suitable_contexts(self) -> str:
        return "sound"

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: no prior is of use here yet."""
        return None

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        index = np.zeros(_MOST_CODE + 1, np.uint16)
        index[self.codes] = np.arange(len(self.codes))
        return index[self._samples]

    def description(self) -> bytes:
        """All but the samples; deflated."""
        return base.packed_description([base.packed_values(self.codes), self._pieces, [waves.to_list() for waves in self._sounds]])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        codes, parts, start = self.codes[symbols].astype(np.uint8), [], 0
        for piece, waves in zip(self._pieces, self._sounds):
            parts += [piece, waves.write(codes[start:start + waves.count])]
            start += waves.count
        return b"".join([*parts, self._pieces[-1]])


def sound_in(data: bytes) -> base.Found | None:
    """The sound that a file's bytes are, or None."""
    found = waves_in(data)
    if found is None:
        return None
    start, waves = found
    return base.Found(waves, waves.take(data[start:start + waves.count]), start, start + waves.count)
