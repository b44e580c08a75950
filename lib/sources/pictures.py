"""Where the pixels of uncompressed images lie in the bytes of a file: BMP, PBM, PGM, PPM, PAM, TIFF, .npy.

A stretch of pixels is `height` rows of `stride` bytes, each a row of samples, packed where they have less than 8 bits, and
zeros. Headers are read and not trusted: what does not fit into the file is no image.
"""

import builtins
import io
import logging
import re
import struct
import warnings
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from lib.limits import MOST_SAMPLES, MOST_SIDE
from lib.sources import npy

_DEPTHS = (1, 2, 4, 8, 16)
_ORDERS = {1: (0,), 2: (0, 1), 3: (1, 0, 2), 4: (1, 0, 2, 3)}              # green first: the others follow it
_ORDERS_FROM_BLUE = _ORDERS | {3: (1, 2, 0), 4: (1, 2, 0, 3)}


@dataclass(frozen=True)
class Pixels:
    """A stretch of pixels."""

    width: int
    height: int
    channels: int
    depth: int               # bits of a sample
    stride: int              # bytes of a row
    from_blue: bool = False  # blue, green, red, as BMP has them
    from_low: bool = False   # of 16 bits the lower byte first
    are_names: bool = False  # of a palette's colours, and not amounts of light

    @property
    def bytes(self) -> int:
        return self.height * self.stride

    @property
    def codes_each(self) -> int:
        """Codes of a sample: two of 16 bits, the higher first."""
        return 2 if self.depth == 16 else 1

    @property
    def count(self) -> int:
        """Codes in all."""
        return self.width * self.height * self.channels * self.codes_each

    @property
    def _row_bytes(self):
        return -(-self.width * self.channels * self.depth // 8)

    @property
    def are_possible(self) -> bool:
        """Whether there is an image like this; what is none is neither written nor read."""
        return (0 < self.width <= MOST_SIDE and 0 < self.height <= MOST_SIDE and self.channels in _ORDERS
                and self.depth in _DEPTHS and self._row_bytes <= self.stride <= self._row_bytes + 8
                and self.count <= MOST_SAMPLES)

    def take(self, data: builtins.bytes) -> np.ndarray | None:
        """uint8 codes, shape (count,), of the stretch's bytes; None where there is more in it than samples."""
        rows = np.frombuffer(data, np.uint8).reshape(self.height, self.stride)
        if rows[:, self._row_bytes:].any():
            return None
        rows = rows[:, :self._row_bytes]
        if self.depth < 8:
            samples = _unpacked(rows, self.depth)
            if samples[:, self.width * self.channels:].any():
                return None
            rows = samples[:, :self.width * self.channels]
        return self._ordered(rows.reshape(self.height * self.width, self.channels, self.codes_each), self._order).reshape(-1)

    def give(self, codes: np.ndarray) -> builtins.bytes:
        """The stretch's bytes, from its codes."""
        back = tuple(np.argsort(self._order))
        rows = self._ordered(codes.reshape(self.height * self.width, self.channels, self.codes_each), back)
        rows = rows.reshape(self.height, -1)
        if self.depth < 8:
            rows = _packed(rows, self.depth)
        return np.pad(rows, [(0, 0), (0, self.stride - self._row_bytes)]).tobytes()

    @property
    def _order(self):
        return (_ORDERS_FROM_BLUE if self.from_blue else _ORDERS)[self.channels]

    def _ordered(self, samples, order):
        samples = samples[:, order]
        return samples[..., ::-1] if self.from_low else samples

    def to_list(self) -> list[int]:
        return [int(value) for value in astuple(self)]

    @classmethod
    def from_list(cls, values: Sequence[int]) -> "Pixels":
        """Raises TypeError or ValueError for what `to_list` cannot have made."""
        fields: list[Any] = [*map(int, values[:5]), *map(bool, values[5:])]
        pixels = cls(*fields)
        if not pixels.are_possible:
            raise ValueError("no image is like this")
        return pixels


def pixels_in(data: bytes) -> tuple[int, Pixels] | None:
    """(where they begin, Pixels) of an image's bytes, or None where it is none of those known here."""
    for reader in (_in_pnm, _in_bmp, _in_tiff, _in_npy):
        found = reader(data)
        if found:
            start, pixels = found
            return found if pixels.are_possible and 0 <= start <= len(data) - pixels.bytes else None
    return None


def header_in(data: bytes) -> tuple[int, Pixels] | None:
    """As `pixels_in`, of the first bytes of a file whose pixels follow its header at once, as far as those say it; the file may be shorter."""
    found = _in_pnm(data) or _in_bmp(data)
    return found if found and found[1].are_possible else None


def _unpacked(rows, depth):
    """Samples of less than 8 bits, the highest first, shape (rows, any)."""
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    return (rows[:, :, None] >> shifts & (1 << depth) - 1).reshape(len(rows), -1)


def _packed(samples, depth):
    """The inverse of `_unpacked`, with zeros after the last sample."""
    each = 8 // depth
    samples = np.pad(samples, [(0, 0), (0, -samples.shape[1] % each)]).reshape(len(samples), -1, each)
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    return np.bitwise_or.reduce(samples << shifts, axis=2)


_PNM = re.compile(rb"P([456])(?:\s|#[^\n]*\n)+(\d{1,8})(?:\s|#[^\n]*\n)+(\d{1,8})(?:(?:\s|#[^\n]*\n)+(\d{1,5}))?\s")
_PAM = re.compile(rb"P7\n((?:[^\n]*\n){1,40}?)ENDHDR\n")


def _in_pnm(data):
    header = data[:2000]
    if pam := _PAM.match(header):
        fields = dict(line.split(maxsplit=1) for line in pam[1].splitlines() if line[:1] != b"#" and len(line.split()) == 2)
        try:
            width, height, channels, most = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
        except (KeyError, ValueError):
            return None
        return pam.end(), _plain(width, height, channels, 16 if most > 255 else 8)
    if header[:2] == b"P4":
        header = re.sub(rb"^(P4(?:\s|#[^\n]*\n)+\d{1,8}(?:\s|#[^\n]*\n)+\d{1,8})\s", rb"\1 1 ", header, count=1)
        found = _PNM.match(header)
        return found and (found.end() - 2, _plain(int(found[2]), int(found[3]), 1, 1))
    found = _PNM.match(header)
    if not found or not found[4]:
        return None
    return found.end(), _plain(int(found[2]), int(found[3]), 3 if found[1] == b"6" else 1, 16 if int(found[4]) > 255 else 8)


def _plain(width, height, channels, depth, **more):
    return Pixels(width, height, channels, depth, -(-width * channels * depth // 8), **more)


_BMP_FILE_HEADER = 14
_GREYS = b"".join(bytes([level, level, level, 0]) for level in range(256))
_BMP = struct.Struct("<2sI4xIIiiHHI")


def _in_bmp(data):
    if data[:2] != b"BM" or len(data) < _BMP.size:
        return None
    _, _, start, size, width, height, planes, depth, compression = _BMP.unpack_from(data)
    if size < 40 or planes != 1 or compression not in (0, 3):
        return None
    channels = {24: 3, 32: 4}.get(depth, 1)
    if channels == 1 and depth > 8 or width <= 0:
        return None
    stride = -(-width * depth // 32) * 4
    palette = data[_BMP_FILE_HEADER + size:start]
    return start, Pixels(width, abs(height), channels, depth if channels == 1 else 8, stride, from_blue=channels > 1,
                         are_names=channels == 1 and palette[:len(_GREYS)] != _GREYS)


_PLAIN, _RGB, _WHITE_IS_ZERO, _PALETTE = 1, 2, 0, 3


def _in_tiff(data):
    """By Pillow, which reads the tags, and whose decoders are not used."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    from PIL import Image
    logging.getLogger("PIL").addHandler(logging.NullHandler())       # what it finds odd in a file is no news of ours
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")              # on odd tags
            image: Any = Image.open(io.BytesIO(data), formats=["TIFF"])
            tags = image.tag_v2
        width, height, channels = int(tags[256]), int(tags[257]), int(tags.get(277, 1))
        bits, starts, sizes = (list(map(int, numbers)) for numbers in (tags.get(258, (1,)), tags[273], tags[279]))
        plain = tags.get(259, 1) == 1 and tags.get(284, 1) == 1 and tags.get(266, 1) == 1 and len(set(bits)) == 1
        in_a_row = all(start + size == after for start, size, after in zip(starts, sizes, starts[1:]))
        kind = tags.get(262, _PLAIN)
    except Exception:       # Pillow raises many sorts for files that were damaged or made to do harm
        return None
    if not plain or not starts or not in_a_row or kind not in (_PLAIN, _RGB, _WHITE_IS_ZERO, _PALETTE):
        return None
    pixels = _plain(width, height, channels, bits[0], from_low=bits[0] == 16 and data[:2] == b"II", are_names=kind == _PALETTE)
    return (starts[0], pixels) if sum(sizes) == pixels.bytes else None


def _in_npy(data):
    found = npy.arrays_in(data) if data[:len(npy.MAGIC)] == npy.MAGIC else []
    if len(found) != 1:
        return None
    (start, header), = found
    shape = header.shape
    if header.dtype.kind != "u" or header.dtype.itemsize > 2 or header.fortran_order or len(shape) not in (2, 3) or not header.count:
        return None
    channels = shape[2] if len(shape) == 3 and shape[2] <= 4 else 1
    width = shape[1] if len(shape) == 2 or shape[2] <= 4 else shape[2]
    array = header.read(data, start)
    if len(shape) == 2 or shape[2] > 4:                  # or it is a video of tokens
        rows = array.reshape(-1, width)
        if width < 2 or not _is_smooth(rows):
            return None
    return start, _plain(width, header.count // (width * channels), channels, 8 * header.dtype.itemsize,
                         from_low=header.dtype.itemsize == 2 and header.dtype.str[0] != ">")


def _is_smooth(rows):
    """Whether neighbours are nearer to each other than samples far apart."""
    rows = rows[:4096].astype(np.int64)
    beside = np.abs(np.diff(rows, axis=1)).mean()
    flat = rows.reshape(-1)
    apart = np.abs(flat - np.roll(flat, len(flat) // 2 + rows.shape[1] // 3 + 1)).mean()
    return beside < 0.5 * apart
