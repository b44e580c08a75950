"""What sources of a whole input have in common."""

import struct
import zlib
from typing import TYPE_CHECKING

import msgpack
import numpy as np

from lib.coding.streams import AnyStreams, Streams
from lib.errors import FormatError
from lib.limits import LARGEST_DESCRIPTION, LONGEST_BESIDE_DESCRIPTION, LONGEST_HEADER

if TYPE_CHECKING:
    from lib.sources.part import PartDescription
    from lib.sources.source import Source

_RAW = -15               # deflated data without a frame around it, as zlib has it
# What reading a description raises that was damaged or made to do harm.
FAULTS = (zlib.error, struct.error, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, RecursionError, MemoryError,
          msgpack.UnpackException)


class WholeSource:
    """A source that is no part of another: `codes` (uint16, ascending, shape (V,)) and `symbol_count` are its own."""

    place: "PartDescription | None" = None       # which part of which whole; see lib.sources.part
    left_out = 0             # bytes of the original that are neither symbols nor in the description

    def streams_for(self: "Source", batch_size: int) -> AnyStreams:
        """The Streams to code in `batch_size` streams."""
        return Streams(self.symbol_count, batch_size)

    @property
    def vocabulary_size(self: "Source") -> int:
        return len(self.codes)


def packed_description(parts: list) -> bytes:
    """A list as bytes: MessagePack, deflated. Raises FormatError where it is more than a reader takes."""
    packed = msgpack.packb(parts)
    if len(packed) > LARGEST_DESCRIPTION:        # before it is deflated, which takes long
        raise _too_large(len(packed), LARGEST_DESCRIPTION)
    deflate = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    description = deflate.compress(packed) + deflate.flush()
    if len(description) > LONGEST_HEADER - LONGEST_BESIDE_DESCRIPTION:
        raise _too_large(len(description), LONGEST_HEADER - LONGEST_BESIDE_DESCRIPTION)
    return description


def _too_large(size, most):
    return FormatError(f"{size:,} bytes would be kept beside the symbols, and a file holds {most:,}")


def unpacked_description(description: bytes) -> list:
    """The list. Raises one of FAULTS for what `packed_description` cannot have made."""
    return msgpack.unpackb(zlib.decompressobj(_RAW).decompress(description, LARGEST_DESCRIPTION), strict_map_key=False)


def damaged(what: str) -> FormatError:
    """The FormatError for a description that is none."""
    return FormatError(f"the description of {what} is damaged", "get another copy of the file")


def occurring(codes: np.ndarray) -> np.ndarray:
    """uint16, ascending: the values to code over: those that occur, or all up to the largest where it would take more to say which.
    """
    values = np.flatnonzero(np.bincount(codes)).astype(np.uint16)
    return values if 2 * len(values) <= values[-1] else np.arange(int(values[-1]) + 1, dtype=np.uint16)


def packed_values(values: np.ndarray) -> int | bytes:
    """A set of values as the largest one, where none below it is missing, or a bitmap."""
    largest = int(values[-1])
    if len(values) == largest + 1:
        return largest
    bitmap = np.zeros(largest + 1, np.uint8)
    bitmap[values] = 1
    return np.packbits(bitmap).tobytes()


def unpacked_values(packed: int | bytes, most: int) -> np.ndarray:
    """The inverse of `packed_values`, for values up to `most`: uint16, ascending. Raises ValueError where there are others, or none."""
    if isinstance(packed, int):
        values = np.arange(packed + 1 if 0 <= packed <= most else 0)
    else:
        values = np.flatnonzero(np.unpackbits(np.frombuffer(packed[:(most >> 3) + 2], np.uint8)))
    if not len(values) or values[-1] > most:
        raise ValueError("no source has such values")
    return values.astype(np.uint16)
