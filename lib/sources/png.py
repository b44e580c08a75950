"""PNG files taken apart and made again: to the last byte, or not at all.

Of the deflated stream a recipe of lib.transforms.deflate is kept. Files of earlier versions have the settings with which zlib makes it
instead. That depends on the zlib that Python has: forks of it that are made for speed make other streams, which the SHA-256 tells.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from lib.compiling import compiled, part
from lib.limits import MOST_FILTERED, MOST_INFLATED
from lib.sources.pictures import Pixels
from lib.transforms.deflate import done_again, undone

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}       # by colour type
_PALETTE = 3
_MOST_SAMPLES_PER_BYTE = 512                     # of the deflated stream, see docs/images.md
_FILTERS = 5
_CHUNK_AROUND = 12                               # bytes of a chunk beside its body
_MOST_SHARE, _SHORT_RECIPE = 0.25, 16            # of the stream that a recipe may be, and bytes that it may be of any
_ZLIB_HEADER = 2                                 # bytes before the deflated ones; behind them is an Adler-32


@dataclass(frozen=True)
class FilteredRows:
    """Rows as PNG filters them, as far as pixels do not say it."""

    pixels: Pixels
    filters: bytes           # of each row

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return self.pixels.bytes + self.pixels.height

    def write(self, rows: bytes) -> bytes:
        """Rows, the bytes of all of them, each with its filter before it."""
        return _filtered(rows, self.filters, self.pixels)

    def to_list(self) -> list:
        return [self.filters]


@dataclass(frozen=True)
class Png:
    """A PNG file's image data, as far as pixels do not say it."""

    pixels: Pixels
    filters: bytes           # of each row
    deflate: tuple | bytes   # the stream's two bytes of header and its recipe; or (level, window bits, memory level, strategy) of zlib
    chunks: tuple            # bytes in each IDAT chunk

    @property
    def size(self) -> int:
        """Bytes of the IDAT chunks."""
        return sum(self.chunks) + _CHUNK_AROUND * len(self.chunks)

    def to_list(self) -> list:
        return [self.filters, self.deflate, self.chunks]

    def write(self, rows: bytes) -> bytes:
        """The IDAT chunks of rows, the bytes of all of them, unfiltered."""
        filtered = _filtered(rows, self.filters, self.pixels)
        if isinstance(self.deflate, bytes):
            head, recipe = self.deflate[:_ZLIB_HEADER], self.deflate[_ZLIB_HEADER:]
            stream = head + done_again(filtered, recipe) + struct.pack(">I", zlib.adler32(filtered))
        else:
            stream = deflated_with(filtered, *self.deflate)
        parts, start = [], 0
        for size in self.chunks:
            parts.append(chunk(b"IDAT", stream[start:start + size]))
            start += size
        return b"".join(parts)


@dataclass(frozen=True)
class Stream:
    """The IDAT chunks of a PNG file, inflated."""

    start: int               # where they begin in the file
    end: int
    pixels: Pixels
    deflated: bytes
    filtered: bytes          # rows, each with its filter before it
    chunks: tuple

    def taken_apart(self) -> tuple[Png, bytes] | None:
        """(Png, the bytes of all rows), or None where nothing makes the stream again."""
        deflate = self._recipe()
        if deflate is None:
            return None
        rows, filters = _unfiltered(self.filtered, self.pixels)
        return Png(self.pixels, filters, deflate, self.chunks), rows

    def _recipe(self):
        """The stream's two bytes of header and its recipe, or None."""
        found = undone(self.deflated, _ZLIB_HEADER, share=max(_MOST_SHARE, _SHORT_RECIPE / len(self.deflated)))
        end = struct.pack(">I", zlib.adler32(self.filtered))
        if found is None or found.inflated != self.filtered or self.deflated[_ZLIB_HEADER + found.size:] != end:
            return None
        return self.deflated[:_ZLIB_HEADER] + found.recipe


def stream_in(data: bytes) -> Stream | None:
    """The Stream of a PNG file's bytes, or None where it is none, damaged, or interlaced."""
    if data[:len(SIGNATURE)] != SIGNATURE:
        return None
    parts: list[bytes] = []
    pixels, start, end, position = None, 0, 0, len(SIGNATURE)
    while position + 12 <= len(data):
        length, name = _CHUNK.unpack_from(data, position)
        body = data[position + 8:position + 8 + length]
        if len(body) < length:
            return None
        if name == b"IHDR":
            pixels = _pixels_of(body)
        if name == b"IDAT":
            if not parts:
                start = position
            elif position != end:
                return None
            if data[position:position + 12 + length] != chunk(name, body):
                return None
            parts.append(body)
            end = position + 12 + length
        elif parts:
            break
        position += 12 + length
    if pixels is None or not parts:
        return None
    return _stream_of(pixels, parts, start, end)


def rows_in(filtered: bytes, pixels: Pixels) -> tuple[FilteredRows, bytes] | None:
    """(FilteredRows, the bytes of all rows) of rows with their filters; None where they are none."""
    if max(filtered[::pixels.stride + 1]) >= _FILTERS:
        return None
    rows, filters = _unfiltered(filtered, pixels)
    return FilteredRows(pixels, filters), rows


def end_of(data: bytes, start: int) -> int | None:
    """Where the PNG file ends that begins at `start`; None where its chunks do not lead to an end."""
    position = start + len(SIGNATURE)
    while position + 12 <= len(data):
        length, name = _CHUNK.unpack_from(data, position)
        position += 12 + length
        if name == b"IEND" and position <= len(data):
            return position
    return None


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file: length, name, body, CRC-32."""
    return _CHUNK.pack(len(body), name) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def deflated_with(filtered: bytes, level: int, window: int, memory: int, strategy: int) -> bytes:
    """The stream that Python's zlib makes with these settings."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    return deflate.compress(filtered) + deflate.flush()


def written_anew(data: bytes) -> bytes:
    """A PNG file that can be made again, with all that is in this one but how its rows were deflated; or the file itself.

    That is where it can be made again as it is, and where it is none that can be read.
    """
    stream = stream_in(data)
    if stream is None or stream.taken_apart():
        return data
    return data[:stream.start] + chunk(b"IDAT", deflated_with(stream.filtered, 9, 15, 9, zlib.Z_FILTERED)) + data[stream.end:]


def _pixels_of(header):
    if len(header) != _HEADER.size:
        return None
    width, height, depth, colour, compression, filtering, interlaced = _HEADER.unpack(header)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16) or compression or filtering or interlaced:
        return None
    channels = _CHANNELS[colour]
    pixels = Pixels(width, height, channels, depth, -(-width * channels * depth // 8), are_names=colour == _PALETTE)
    return pixels if pixels.are_possible else None


def _stream_of(pixels, parts, start, end):
    deflated, size = b"".join(parts), pixels.height * (pixels.stride + 1)
    if size > min(MOST_FILTERED, MOST_INFLATED * len(deflated)) or pixels.count > _MOST_SAMPLES_PER_BYTE * len(deflated):
        return None
    try:
        inflate = zlib.decompressobj()
        filtered = inflate.decompress(deflated, size + 1)
    except zlib.error:
        return None
    if len(filtered) != size or not inflate.eof or inflate.unused_data:
        return None
    if max(filtered[::pixels.stride + 1]) >= _FILTERS:
        return None
    return Stream(start, end, pixels, deflated, filtered, tuple(map(len, parts)))


def _unfiltered(filtered, pixels):
    """(the bytes of all rows, the filter of each)."""
    rows = np.frombuffer(bytearray(filtered), np.uint8).reshape(pixels.height, pixels.stride + 1)
    filters, rows = rows[:, 0].copy(), np.ascontiguousarray(rows[:, 1:])
    _filter(rows, rows, filters, _back(pixels), True)
    return rows.tobytes(), filters.tobytes()


def _filtered(rows, filters, pixels):
    """The inverse of `_unfiltered`."""
    rows = np.frombuffer(rows, np.uint8).reshape(pixels.height, pixels.stride)
    out = np.empty((pixels.height, pixels.stride + 1), np.uint8)
    out[:, 0] = np.frombuffer(filters, np.uint8)
    _filter(rows, out[:, 1:], out[:, 0], _back(pixels), False)
    return out.tobytes()


def _back(pixels):
    """How many bytes before a byte that of the sample to the left is."""
    return max(1, pixels.channels * pixels.depth // 8)


@compiled
def _filter(rows, out, filters, back, undo):
    """Write rows, filtered, to `out`; or undo the filters of rows, in place."""
    for row in range(len(rows)):
        for column in range(rows.shape[1]):
            left = np.int64(rows[row, column - back]) if column >= back else np.int64(0)
            up = np.int64(rows[row - 1, column]) if row else np.int64(0)
            corner = np.int64(rows[row - 1, column - back]) if row and column >= back else np.int64(0)
            expected = _expected(filters[row], left, up, corner)
            out[row, column] = np.int64(rows[row, column]) + (expected if undo else -expected) & 255


@part
def _expected(kind, left, up, corner):
    """What a PNG filter takes a byte for: none, left, up, their mean, Paeth's choice."""
    if kind == 0:
        return np.int64(0)
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return left + up >> 1
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner
