"""Where the samples of uncompressed sounds lie in the bytes of a file: WAV (RIFF, RIFX, RF64, BW64) and AIFF, AIFF-C.

A stretch of samples is whole frames of one sample for each channel. Headers are read and not trusted: a stretch ends with the file at the
latest, and where a writer to a pipe left no size, there.
"""

import builtins
import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from lib.limits import MOST_CHANNELS, MOST_SOUND

_MOST_EACH = 3                   # bytes of a sample
_MOST_CHUNKS = 1000              # that are looked through for what a sound needs


@dataclass(frozen=True)
class Waves:
    """A stretch of samples."""

    frames: int
    channels: int
    each: int                    # bytes of a sample
    from_low: bool               # the lowest byte first
    is_signed: bool              # in two's complement; else from zero on

    @property
    def count(self) -> int:
        """Bytes, and codes, in all."""
        return self.frames * self.channels * self.each

    @property
    def size(self) -> int:
        """Bytes of the stretch: as many as there are codes."""
        return self.count

    @property
    def fields(self) -> list[int]:
        return [self.each, self.channels]

    @property
    def are_possible(self) -> bool:
        """Whether there is a sound like this; what is none is neither written nor read."""
        return (0 < self.channels <= MOST_CHANNELS and 0 < self.each <= _MOST_EACH and 0 < self.frames and self.count <= MOST_SOUND)

    def take(self, data: builtins.bytes) -> np.ndarray:
        """uint8 codes, shape (count,), of the stretch's bytes: of each sample the highest byte first, amplitudes from zero on."""
        samples = np.frombuffer(data, np.uint8).reshape(-1, self.each)
        return self._turned(samples[:, ::-1] if self.from_low else samples)

    def write(self, codes: np.ndarray) -> builtins.bytes:
        """The stretch's bytes, from its codes."""
        samples = self._turned(codes.reshape(-1, self.each)).reshape(-1, self.each)
        return (samples[:, ::-1] if self.from_low else samples).tobytes()

    def _turned(self, samples):
        """Samples whose highest bytes come first, with their signs turned where they have some: flat, and its own inverse."""
        turned = samples.copy()
        if self.is_signed:
            turned[:, 0] ^= 128
        return turned.reshape(-1)

    def to_list(self) -> list[int]:
        return [int(value) for value in astuple(self)]

    @classmethod
    def from_list(cls, values: Sequence[int]) -> "Waves":
        """Raises TypeError or ValueError for what `to_list` cannot have made."""
        frames, channels, each, from_low, is_signed = values
        if any(type(value) is not int for value in values) or not {from_low, is_signed} <= {0, 1}:
            raise ValueError("no sound is like this")
        waves = cls(frames, channels, each, bool(from_low), bool(is_signed))
        if not waves.are_possible:
            raise ValueError("no sound is like this")
        return waves


@dataclass(frozen=True)
class _Form:
    """What a header says of samples."""

    channels: int
    each: int
    from_low: bool
    is_signed: bool


def waves_in(data: bytes) -> tuple[int, Waves] | None:
    """(where they begin, Waves) of a sound's bytes, or None where it is none of those known here."""
    for reader in (_in_wav, _in_aiff):
        found = reader(data)
        if found:
            form, start, end = found
            if not 0 < form.channels <= MOST_CHANNELS or not 0 < form.each <= _MOST_EACH:
                return None
            waves = Waves((end - start) // (form.channels * form.each), form.channels, form.each, form.from_low, form.is_signed)
            return (start, waves) if waves.are_possible else None
    return None


def _chunks(data: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, where it begins, the size it claims) of the chunks of a RIFF or IFF file."""
    header, position = struct.Struct(order + "4sI"), 12
    for _ in range(_MOST_CHUNKS):
        if position + header.size > len(data):
            return
        name, size = header.unpack_from(data, position)
        yield name, position + header.size, size
        position += header.size + size + size % 2


_NO_SIZE = (1 << 32) - 1         # RF64's size is in another chunk; writers to pipes leave this, or 0
_PCM, _EXTENSIBLE = 1, 0xFFFE
_FORMAT = "HHIIHH"


def _in_wav(data):
    if data[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or data[8:12] != b"WAVE":
        return None
    order = ">" if data[:4] == b"RIFX" else "<"
    form = long_size = None
    for name, start, size in _chunks(data, order):
        if name == b"ds64" and size >= 16 and start + 16 <= len(data):
            (long_size,) = struct.unpack_from("<Q", data, start + 8)
        elif name == b"fmt " and size >= 16 and start + 16 <= len(data):
            form = _wav_form(data[start:start + size], order)
            if form is None:
                return None
        elif name == b"data":
            if form is None:
                return None
            if size == _NO_SIZE:
                size = long_size if long_size is not None else size
            elif size == 0 and not _is_chunk(data, start, order):
                size = _NO_SIZE
            return form, start, min(start + size, len(data))
    return None


def _wav_form(body, order):
    tag, channels, _, _, frame, _ = struct.unpack_from(order + _FORMAT, body)
    if tag == _EXTENSIBLE and body[24:26] == struct.pack(order + "H", _PCM):
        tag = _PCM
    if tag != _PCM or not channels or frame % channels:
        return None
    each = frame // channels
    return _Form(channels, each, order == "<", each > 1)


def _is_chunk(data, position, order):
    """Whether a chunk begins at a position, or the data ends there."""
    name, size = data[position:position + 4], data[position + 4:position + 8]
    if len(data) == position:
        return True
    return len(size) == 4 and name.isascii() and name.decode("ascii").isprintable() and struct.unpack(order + "I", size)[0] <= len(data) - position


_COMMON = struct.Struct(">hIh")
_OF_AIFC = {b"NONE": (False, True), b"twos": (False, True), b"sowt": (True, True), b"raw ": (False, False)}


def _in_aiff(data):
    if data[:4] != b"FORM" or data[8:12] not in (b"AIFF", b"AIFC"):
        return None
    form = place = None
    for name, start, size in _chunks(data, ">"):
        if name == b"COMM" and start + 22 <= len(data):
            channels, _, bits = _COMMON.unpack_from(data, start)
            how = data[start + 18:start + 22] if data[8:12] == b"AIFC" else b"NONE"
            if how not in _OF_AIFC:
                return None
            form = _Form(channels, -(-bits // 8), *_OF_AIFC[how])
        elif name == b"SSND" and start + 8 <= len(data):
            offset = struct.unpack_from(">I", data, start)[0]
            place = start + 8 + offset, min(start + size, len(data))
        if form and place:
            return (form, *place) if place[0] < place[1] else None
    return None
