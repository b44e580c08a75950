"""A JPEG file as quantised DCT coefficients and all else that it is made of, and the very file again.

Of each scan it is kept how far its coefficients, coded again, give its bytes, and those after: so files that are cut short, damaged or have
bytes beside the coded ones come back too. What a progressive file leaves open is kept by libjpeg's rules. None where that does not give
the very bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.errors import FormatError
from lib.limits import MOST_BLOCKS
from lib.transforms.jpeg import reading, scans
from lib.transforms.jpeg.headers import COEFFICIENTS, Frame, Headers, Unsupported
from lib.transforms.jpeg.reading import MOST_COEFFICIENT
from lib.transforms.jpeg.scans import Written

_SIGNATURE = b"\xff\xd8"
_FOR_APPLICATIONS, _COMMENT = range(0xE0, 0xF0), 0xFE
_BLOCKS_OF_BYTE, _ANY_BLOCKS = 8, 1 << 12        # as many blocks as the bytes of a file can have; their coefficients take 128 bytes each
_VISITS_OF_BYTE, _ANY_VISITS = 64, 1 << 17       # likewise of blocks in all scans together
_LARGEST_LEFT, _SMALLEST_LEFT = 1 / 8, 64        # of a file, kept as it is from where its scans cannot be made again


@dataclass(frozen=True)
class Layout:
    """All of a file but its coefficients."""

    headers: Headers
    _pieces: tuple[bytes, ...]           # before each scan and after the last
    _written: tuple[Written, ...]

    @property
    def frame(self) -> Frame:
        frame = self.headers.frame
        assert frame
        return frame

    @property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """(blocks high, blocks wide, 64) of each component."""
        return tuple((component.high, component.wide, COEFFICIENTS) for component in self.frame.components)

    @property
    def quantisation(self) -> np.ndarray:
        """uint16, shape (components, 64), zigzag: the steps of the coefficients; 1 where none are stated."""
        ones = (1,) * COEFFICIENTS
        return np.array([self.headers.quantisation.get(index, ones) for index in range(len(self.frame.components))], np.uint16)

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return sum(map(len, self._pieces)) + sum(scan.size + len(scan.left) for scan in self._written)

    def to_list(self) -> list:
        """What `from_list` makes it from: the pieces, and of each scan what was written."""
        return [list(self._pieces), [scan.to_list() for scan in self._written]]

    @classmethod
    def from_list(cls, values: list) -> "Layout":
        """Nothing of the coefficients' size is allocated. Raises ValueError or TypeError for what `to_list` cannot have made."""
        pieces, written = values
        if type(pieces) is not list or any(type(piece) is not bytes for piece in pieces) or len(pieces) != len(written) + 1:
            raise ValueError("pieces of other sorts")
        headers = Headers()
        for index, piece in enumerate(pieces):
            at = len(_SIGNATURE) if not index and piece.startswith(_SIGNATURE) else 0
            if headers.read(piece, at) != (len(piece), index < len(written)):
                raise ValueError("headers that end elsewhere")
        layout = cls(headers, tuple(pieces), tuple(map(Written.from_list, written)))
        if not headers.scans or not _is_bounded(headers, layout.size):
            raise ValueError("a picture too large for its file")
        return layout

    def write(self, coefficients: Sequence[np.ndarray]) -> bytes:
        """The file. coefficients: int16, of `shapes`. Raises FormatError where they cannot be coded as the file has them."""
        if [array.shape for array in coefficients] != list(self.shapes) or any(array.dtype != np.int16 for array in coefficients):
            raise FormatError("coefficients of other shapes than the JPEG that they are for")
        if any(array.min() < -MOST_COEFFICIENT or array.max() > MOST_COEFFICIENT for array in coefficients):
            raise FormatError("coefficients larger than those of a JPEG")
        return self._write(_joined(coefficients))

    def _write(self, blocks):
        out = [self._pieces[0]]
        for scan, written, piece in zip(self.headers.scans, self._written, self._pieces[1:]):
            coded = scans.write(self.frame, scan, blocks, written)
            if len(coded) < written.size:
                raise FormatError("a JPEG's coefficients do not fill its scans", "the file is damaged")
            out += [coded, written.left, piece]
        return b"".join(out)


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file taken apart."""

    coefficients: tuple[np.ndarray, ...]     # of each component int16, shape (blocks high, blocks wide, 64), zigzag, up to +-2047
    layout: Layout
    used: int                                # bytes of the data, from where it starts

    def write(self) -> bytes:
        """The file: `used` bytes."""
        return self.layout.write(self.coefficients)


def tables_of(data: bytes, start: int) -> int:
    """Where the tables of the JPEG that begins at `start`, with its signature, do: after what is for applications and people."""
    at = start + len(_SIGNATURE)
    while at + 4 <= len(data) and data[at] == 0xFF and (data[at + 1] in _FOR_APPLICATIONS or data[at + 1] == _COMMENT):
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    return at


def taken_apart(data: bytes, start: int = 0) -> Jpeg | None:
    """The JPEG that begins at `start`, with its signature or with the tables after that, up to the end of its image or of the data.

    None where it would not come back to the byte. What follows the end (another picture, as in MPO files) is left to the caller.
    """
    walked = _walk(data, start)
    if walked is None:
        return None
    headers, pieces, ranges, end = walked
    used, array = end - start, np.frombuffer(data, np.uint8)
    if not _is_bounded(headers, used):
        return None
    assert headers.frame
    blocks = np.zeros((headers.frame.blocks, COEFFICIENTS), np.int16)
    read = [scans.read(headers.frame, scan, blocks, array[first:last]) for scan, (first, last) in zip(headers.scans, ranges)]
    written, left = [], 0
    for scan, known, (first, last) in zip(headers.scans, read, ranges):
        coded = scans.write(headers.frame, scan, blocks, known)
        size = _common(np.frombuffer(coded, np.uint8), array[first:last])
        left += last - first - size
        if left > max(_LARGEST_LEFT * used, _SMALLEST_LEFT):
            return None
        written.append(Written(size, data[first + size:last], known.markers, known.longest_run, known.pads))
    layout = Layout(headers, tuple(pieces), tuple(written))
    jpeg = Jpeg(tuple(_parted(headers.frame, blocks)), layout, used)
    try:
        same = Layout.from_list(layout.to_list()) == layout and (not left or jpeg.write() == data[start:start + used])
    except (FormatError, ValueError):
        return None
    return jpeg if same else None


def end_of(data: bytes, start: int) -> int | None:
    """Where the JPEG ends that begins as `taken_apart` has it; None where it is none that this module knows."""
    walked = _walk(data, start)
    return walked[3] if walked else None


def _walk(data, start):
    """(Headers, the pieces before each scan and after the last, [where each begins and ends], the end) of a JPEG, or None."""
    headers, array = Headers(), np.frombuffer(data, np.uint8)
    pieces: list[bytes] = []
    ranges: list[tuple[int, int]] = []
    at = start
    begin = at + (len(_SIGNATURE) if data.startswith(_SIGNATURE, at) else 0)
    try:
        while True:
            end, more = headers.read(data, begin)
            pieces.append(data[at:end])
            if not more:
                return (headers, pieces, ranges, end) if ranges else None
            begin = at = reading.end_of_scan(array, end)
            ranges.append((end, at))
    except Unsupported:
        return None


def _is_bounded(headers, size):
    """Whether a file of so many bytes can have so many blocks, and scans through so many."""
    frame = headers.frame
    if frame is None or frame.blocks > min(_BLOCKS_OF_BYTE * size + _ANY_BLOCKS, MOST_BLOCKS):
        return False
    visits = sum(frame.components[index].high * frame.components[index].wide for scan in headers.scans for index in scan.components)
    return visits <= _VISITS_OF_BYTE * size + _ANY_VISITS


def _joined(coefficients):
    """int16 (blocks, 64): the blocks of all components, one after the other."""
    return np.concatenate([array.reshape(-1, COEFFICIENTS) for array in coefficients])


def _parted(frame, blocks):
    """The inverse of `_joined`."""
    start = 0
    for component in frame.components:
        yield blocks[start:start + component.high * component.wide].reshape(component.high, component.wide, COEFFICIENTS)
        start += component.high * component.wide


def _common(first, second):
    """How many bytes two arrays begin with that are the same."""
    size = min(len(first), len(second))
    other = np.flatnonzero(first[:size] != second[:size])
    return int(other[0]) if len(other) else size
