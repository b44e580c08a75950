"""Where NumPy's .npy arrays lie in the bytes of a file, alone or stored in a zip. Nothing is ever unpickled."""

import builtins
import io
import math
import re
import struct
import warnings
from dataclasses import dataclass

import numpy as np

from lib.limits import MOST_ORIGINAL
from lib.sources.archives import stored_files

MAGIC = b"\x93NUMPY"
USUAL_HEADER = 128                       # bytes before an array
_ALIGNMENT = 64                          # of the data
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_LONGEST_HEADER = 4096
_PLAIN_TYPE = re.compile("[<>|][iuf][0-9]{1,2}")


@dataclass(frozen=True)
class ArrayHeader:
    """What a .npy header says."""

    dtype: np.dtype
    shape: tuple
    fortran_order: bool

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of the array's data."""
        return self.count * self.dtype.itemsize

    def usual_bytes(self) -> builtins.bytes:
        """The header as numpy.save writes it, since its version 1.14."""
        text = f"{{'descr': {self.dtype.str!r}, 'fortran_order': {self.fortran_order}, 'shape': {self.shape}, }}"
        start = len(MAGIC) + 4
        padding = " " * (-(start + len(text) + 1) % _ALIGNMENT)
        return MAGIC + b"\x01\x00" + struct.pack("<H", len(text + padding) + 1) + (text + padding).encode() + b"\n"

    def read(self, data: builtins.bytes, start: int) -> np.ndarray:
        """The array whose data begins at `start`, in the machine's byte order or not."""
        flat = np.frombuffer(data, self.dtype, self.count, start)
        return flat.reshape(self.shape, order="F" if self.fortran_order else "C")

    def write(self, values: np.ndarray) -> builtins.bytes:
        """The data of an array of that shape whose values, in C order, are these."""
        return values.astype(self.dtype).reshape(self.shape).tobytes("F" if self.fortran_order else "C")


def arrays_in(data: bytes) -> list[tuple[int, ArrayHeader]]:
    """[(where its data begins, its ArrayHeader)] of all arrays in .npy files, one after the other, or in a zip that stores such.

    Only whole ones of plain numbers count.
    """
    if data[:len(MAGIC)] == MAGIC:
        return _in_a_row(data)
    found = []
    for name, start, size in stored_files(data):
        header, end = _read_header(data[start:start + _LONGEST_HEADER])
        if name.endswith(".npy") and header and end + header.bytes <= size:
            found.append((start + end, header))
    return found


def end_of(data: bytes, start: int) -> int | None:
    """Where the .npy file ends that begins at `start`; None where there is no whole one of plain numbers."""
    header, end = _read_header(data[start:start + _LONGEST_HEADER])
    return start + end + header.bytes if header and start + end + header.bytes <= len(data) else None


def _in_a_row(data):
    """As arrays_in, of .npy files one after the other, as numpy.save makes of several arrays; up to what is none."""
    found, start = [], 0
    while data[start:start + len(MAGIC)] == MAGIC:
        header, end = _read_header(data[start:start + _LONGEST_HEADER])
        if not header or start + end + header.bytes > len(data):
            break
        found.append((start + end, header))
        start += end + header.bytes
    return found


def described(piece: bytes) -> list | bytes:
    """What `undescribed` makes a piece from that ends in a header: [what is before it, dtype, Fortran order, shape], or the piece."""
    header = trailing_header(piece)
    if header and piece.endswith(usual := header.usual_bytes()):
        return [piece[:len(piece) - len(usual)], header.dtype.str, header.fortran_order, *header.shape]
    return piece


def undescribed(description: list | bytes) -> bytes:
    """The piece. Raises ValueError or TypeError for what `described` cannot have made."""
    if isinstance(description, bytes):
        return description
    before, dtype, fortran_order, *shape = description
    if not isinstance(dtype, str) or not _PLAIN_TYPE.fullmatch(dtype) or not all(map(_is_size, shape)):
        raise ValueError("no array has such a header")
    return before + ArrayHeader(np.dtype(dtype), tuple(shape), bool(fortran_order)).usual_bytes()


def _is_size(size):
    """Whether something is what an axis can have: no boolean, which NumPy takes in a header and refuses in a shape."""
    return type(size) is int and 0 <= size < MOST_ORIGINAL


def trailing_header(piece: bytes) -> ArrayHeader | None:
    """The ArrayHeader that bytes end in, or None."""
    start = piece.rfind(MAGIC)
    header, end = _read_header(piece[start:]) if start >= 0 else (None, 0)
    return header if header and start + end == len(piece) else None


def _read_header(data):
    """(the ArrayHeader that data begins with, its length), or (None, 0)."""
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")              # on headers that Python 2 wrote
            shape, fortran_order, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    except Exception:       # NumPy raises many sorts for headers that were damaged or made to do harm
        return None, 0
    if dtype.kind not in "iuf" or not all(map(_is_size, shape)):
        return None, 0
    return ArrayHeader(dtype, shape, fortran_order and len(shape) > 1), file.tell()
