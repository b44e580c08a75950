"""Files that are mostly long runs of one byte, as disk images are: what is coded is the bytes around the runs.

Contexts code a megabyte of zeros in next to no bytes, and take as long for it as for any other megabyte. So of a long run
only the beginning is left among the symbols, for contexts to see; how often its byte comes again is in the description.
"""

from collections.abc import Iterator

import numpy as np

from lib.limits import MOST_ORIGINAL
from lib.sources import base
from lib.sources.bytes import ByteSource, pack_values, unpack_values

_SHORTEST = 4096             # bytes of a run that is taken out: less costs as much to describe as to code
_KEPT = 32                   # bytes of it that stay
_BLOCK = _SHORTEST // 2      # a run of _SHORTEST bytes fills one of these, wherever it begins
_LEAST_SHARE = 1 / 4         # of the file that has to be taken out
_LEAST = 1 << 16             # bytes of it: some seconds


class RunSource(ByteSource):
    """The bytes of a file, but for those that long runs of one byte go on with, as symbols 0 to V - 1."""

    kind = 4

    def __init__(self, values: np.ndarray, symbol_count: int, gaps: list, lengths: list, data: np.ndarray | None = None) -> None:
        """gaps, lengths: after so many more symbols the last one comes so many times again, run by run. The rest as for ByteSource."""
        super().__init__(values, symbol_count, data)
        self._gaps, self._lengths = gaps, lengths
        self.left_out = sum(lengths)

    @classmethod
    def from_bytes(cls, data: bytes) -> "RunSource | None":      # type: ignore[override]  # few files have one
        """The source of a file's bytes, or None where runs are too little of it."""
        array = np.frombuffer(data, np.uint8)
        runs = list(_long_runs(array))
        if sum(end - start - _KEPT for start, end in runs) < max(_LEAST, _LEAST_SHARE * len(array)):
            return None
        pieces, gaps, done = [], [], 0
        for start, end in runs:
            pieces.append(array[done:start + _KEPT])
            gaps.append(len(pieces[-1]))
            done = end
        kept = np.concatenate([*pieces, array[done:]])
        plain = ByteSource.from_bytes(kept)           # type: ignore[arg-type]  # any buffer will do
        return cls(plain.values, len(kept), gaps, [end - start - _KEPT for start, end in runs], kept)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "RunSource":
        """Raises FormatError where `description` is none that `description()` could have made. Allocates nothing of the runs' sizes."""
        try:
            packed, gaps, lengths = base.unpacked_description(description)
            values = unpack_values(packed)
            fits = (len(values) and pack_values(values) == packed and type(gaps) is type(lengths) is list
                    and len(gaps) == len(lengths) > 0
                    and all(type(number) is int and 0 < number <= MOST_ORIGINAL for number in (*gaps, *lengths)))
        except base.FAULTS as error:
            raise base.damaged("runs of bytes") from error
        symbol_count = original_bytes - sum(lengths) if fits else 0
        if not fits or sum(gaps) > symbol_count:
            raise base.damaged("runs of bytes")
        return cls(values, symbol_count, gaps, lengths)

    def description(self) -> bytes:
        """The set of byte values, and where which runs are; deflated."""
        return base.packed_description([pack_values(self.values), self._gaps, self._lengths])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (symbol_count,) stand for."""
        kept, parts, done = self.values[symbols], [], 0
        for gap, length in zip(self._gaps, self._lengths):
            done += gap
            parts += [kept[done - gap:done], kept[done - 1:done].tobytes() * length]
        return b"".join([*parts, kept[done:]])


def _long_runs(array: np.ndarray) -> Iterator[tuple[int, int]]:
    """(start, end) of all runs of _SHORTEST bytes or more, in order."""
    blocks = array[:len(array) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    uniform = np.flatnonzero(blocks[:, 0] == blocks[:, -1])                    # most others are told by their ends
    uniform = uniform[[(block == block[0]).all() for block in blocks[uniform]]] if len(uniform) else uniform
    goes_on = (np.diff(uniform) == 1) & (blocks[uniform[1:], 0] == blocks[uniform[:-1], 0])
    firsts = uniform[np.concatenate([[True], ~goes_on])] if len(uniform) else uniform
    lasts = uniform[np.concatenate([~goes_on, [True]])] if len(uniform) else uniform
    for first, last in zip((firsts * _BLOCK).tolist(), ((lasts + 1) * _BLOCK).tolist()):
        before, after = array[max(0, first - _BLOCK):first][::-1], array[last:last + _BLOCK]
        start, end = first - _alike(before, array[first]), last + _alike(after, array[first])
        if end - start >= _SHORTEST:
            yield start, end


def _alike(array: np.ndarray, value: int) -> int:
    """How many bytes from the first on are `value`."""
    others = array != value
    return int(others.argmax()) if others.any() else len(array)
