"""Any file as symbols over the byte values that occur in it."""

from typing import Any

import numpy as np

from lib.errors import FormatError
from lib.sources.base import WholeSource

_ALL_VALUES = b""        # description of data in which every byte value occurs
_BITMAP_BYTES = 32
_CONTROL = np.array([byte for byte in range(32) if chr(byte) not in "\t\n\v\f\r\x1b"] + [127])   # bytes that text has not
_MOST_CONTROL = 0.005    # share of such bytes in what still counts as text


class ByteSource(WholeSource):
    """The bytes of a file as symbols 0 to V - 1: the byte values that occur, in ascending order."""

    kind = 0
    unit = "bytes"           # what a symbol is, in the plural
    model_inputs = "last"            # what a network sees, see lib.models.inputs
    context_kinds = ("text", "binary")     # that can look at its codes
    code_bits = 8            # of the codes that contexts see: the bytes themselves
    layout = np.zeros(0, np.int64)     # bytes lie in no grid

    def __init__(self, values: np.ndarray, symbol_count: int, data: np.ndarray | None = None) -> None:
        """values: uint8, ascending, shape (V,); data: the file's bytes, where there are any yet."""
        self.values = values
        self.symbol_count = symbol_count
        self._data: Any = data

    @classmethod
    def from_bytes(cls, data: bytes) -> "ByteSource":
        array = np.frombuffer(data, np.uint8)
        values = np.flatnonzero(np.bincount(array, minlength=256)).astype(np.uint8)
        return cls(values, len(array), array)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "ByteSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        values = unpack_values(description)
        if not len(values) or pack_values(values) != description:
            raise FormatError("the header's set of byte values is damaged", "get another copy of the file")
        return cls(values, original_bytes)

    @property
    def codes(self) -> np.ndarray:
        """uint16, shape (V,): what contexts see of each symbol."""
        return self.values.astype(np.uint16)

    def suitable_contexts(self) -> str:
        """The kind of contexts that the data looks like: "text" or "binary"."""
        padding = (self._data[1:] == 0) & (self._data[:-1] == 0)
        return looks(np.bincount(self._data, minlength=256), int(padding.sum()))

    def codes_of(self, text: bytes) -> np.ndarray:
        """uint16: the codes of a prior's text."""
        return np.frombuffer(text, np.uint8).astype(np.uint16)

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        index = np.zeros(256, np.uint16)
        index[self.values] = np.arange(len(self.values))
        return index[self._data]

    def description(self) -> bytes:
        """The set of byte values, in at most 32 bytes."""
        return pack_values(self.values)

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        return self.values[symbols].tobytes()


def looks(counts: np.ndarray, padding: int) -> str:
    """"text" or "binary": of data with so many bytes of each value, and so many zeros after zeros, as in an archive of texts."""
    counts = counts.copy()
    counts[0] -= padding
    return "text" if counts[_CONTROL].sum() <= _MOST_CONTROL * counts.sum() else "binary"


def pack_values(values: np.ndarray) -> bytes:
    """A set of byte values as nothing (all 256), an offset and the bitmap from there on, or a whole bitmap."""
    if len(values) == 256:
        return _ALL_VALUES
    bitmap = np.packbits(np.isin(np.arange(256), values))
    used = np.flatnonzero(bitmap)
    first, end = used[0], used[-1] + 1
    short = bytes([first]) + bitmap[first:end].tobytes()
    return short if len(short) < _BITMAP_BYTES else bitmap.tobytes()


def unpack_values(description: bytes) -> np.ndarray:
    """The inverse of `pack_values`; an empty set for what it cannot have made."""
    if description == _ALL_VALUES:
        return np.arange(256, dtype=np.uint8)
    bitmap = np.zeros(_BITMAP_BYTES, np.uint8)
    block = np.frombuffer(description, np.uint8)
    if len(block) == _BITMAP_BYTES:
        bitmap = block
    elif len(block) < _BITMAP_BYTES and (end := description[0] + len(block) - 1) <= _BITMAP_BYTES:
        bitmap[description[0]:end] = block[1:]
    return np.flatnonzero(np.unpackbits(bitmap)).astype(np.uint8)
