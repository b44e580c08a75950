"""What sources of a whole input have in common."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np

from lib.coding.streams import AnyStreams, Streams
from lib.errors import FormatError
from lib.limits import LARGEST_DESCRIPTION, LONGEST_BESIDE_DESCRIPTION, LONGEST_HEADER
from lib.sources.archives import stored_files

if TYPE_CHECKING:
    from lib.sources.part import PartDescription
    from lib.sources.source import Source

_RAW = -15               # deflated data without a frame around it, as zlib has it
_MOST_AROUND, _USUAL_AROUND = 0.2, 2048  # of the bytes that are no samples: a share, and what headers and a palette take
# What reading a description raises that was damaged or made to do harm.
FAULTS = (zlib.error, struct.error, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, RecursionError, MemoryError,
          msgpack.UnpackException)


@dataclass(frozen=True)
class Found:
    """Samples in the bytes of a file."""

    what: Any                # says how they lie, and makes the bytes of them again
    codes: np.ndarray        # uint8
    start: int               # where their bytes begin and end
    end: int


def files_with(data: bytes, found_in: Callable[[bytes], Found | None]) -> list[tuple[bytes, Found]]:
    """Of a file's bytes, or of all files in an archive: [(bytes from the samples before on, what was found there)]. Together they are
    `data`."""
    files, end = [], 0
    for _, start, size in stored_files(data) or [("", 0, len(data))]:
        found = found_in(data[start:start + size])
        if found:
            first, last = start + found.start, start + found.end
            files.append((data[end:last], Found(found.what, found.codes, first - end, last - end)))
            end = last
    if files:
        files[-1] = files[-1][0] + data[end:], files[-1][1]
    return files


def is_mostly(data: bytes, files: Sequence[tuple[bytes, Found]]) -> bool:
    """Whether there is little in `data` but the samples of files in it."""
    return len(data) - sum(found.end - found.start for _, found in files) <= max(_MOST_AROUND * len(data), _USUAL_AROUND)


def pieces_around(files: Sequence[tuple[bytes, Found]]) -> list[bytes]:
    """The bytes before the samples of each file, from those of the file before on, and after the last ones."""
    pieces, after = [], b""
    for data, found in files:
        pieces.append(after + data[:found.start])
        after = data[found.end:]
    return [*pieces, after]


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


def packed_description(parts: list, usual: bytes = b"") -> bytes:
    """A list as bytes: MessagePack, deflated. usual: what is likely in it. Raises FormatError where it is more than a reader takes."""
    packed = msgpack.packb(parts)
    if len(packed) > LARGEST_DESCRIPTION:        # before it is deflated, which takes long
        raise _too_large(len(packed), LARGEST_DESCRIPTION)
    deflate = zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=usual)
    description = deflate.compress(packed) + deflate.flush()
    if len(description) > LONGEST_HEADER - LONGEST_BESIDE_DESCRIPTION:
        raise _too_large(len(description), LONGEST_HEADER - LONGEST_BESIDE_DESCRIPTION)
    return description


def _too_large(size, most):
    return FormatError(f"{size:,} bytes would be kept beside the symbols, and a file holds {most:,}")


def unpacked_description(description: bytes, usual: bytes = b"") -> list:
    """The list. Raises one of FAULTS for what `packed_description` cannot have made."""
    return msgpack.unpackb(zlib.decompressobj(_RAW, zdict=usual).decompress(description, LARGEST_DESCRIPTION), strict_map_key=False)


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
