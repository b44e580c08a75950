"""Videos of tokens as symbols: arrays of whole numbers, frame after frame, in a .npy file, an .npz or a zip of them.

What is coded is the tokens of all arrays, one after the other, as if they were one video. All other bytes, the headers of
the arrays and what an archive has around them, are kept as they are: the very bytes of the file come back.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.errors import FormatError, SettingsError
from lib.limits import MOST_CELLS, MOST_TOKEN
from lib.sources import base, npy

_MOST_CHANNELS = 4                       # of the last axis of what is a picture and no video
_MOST_AROUND = 0.2                       # share of the bytes that are no tokens
_FRAMES_LOOKED_AT = 2000                 # to recognise a grid


class VideoSource(base.WholeSource):
    """Tokens as symbols 0 to V - 1: the values that occur, in ascending order."""

    kind = 2
    unit = "tokens"
    model_inputs = "grid"
    context_kinds = ("video",)

    def __init__(self, codes: np.ndarray, grid: tuple[int, int], pieces: Sequence[bytes], tokens: np.ndarray | None = None) -> None:
        """codes: uint16, ascending, shape (V,); grid: (height, width) of a frame; pieces: bytes, what is before each array and
        after the last one, each but the last ending in the array's .npy header; tokens: uint16, of all arrays, where
        there are any yet.

        Raises FormatError where the pieces' headers are not of such a video.
        """
        self.codes, self.grid, self._pieces = codes, grid, pieces
        self._tokens: Any = tokens
        headers = [npy.trailing_header(piece) for piece in pieces[:-1]]
        self._arrays = [header for header in headers if header and _frames_of(header, grid)]
        if not headers or len(self._arrays) < len(headers):
            raise base.damaged("a video")
        self.symbol_count = sum(header.count for header in self._arrays)

    @classmethod
    def from_bytes(cls, data: bytes, width: int = 0) -> "VideoSource | None":
        """The source of a file's bytes, or None where they hold no video of tokens.

        width: of a frame, for arrays of (frames, cells); 0: as it is recognised. Raises SettingsError where it does not fit.
        """
        found = npy.arrays_in(data)
        if not found or len(data) * (1 - _MOST_AROUND) > sum(header.bytes for _, header in found) + npy.USUAL_HEADER:
            return None
        if not all(_has_frames(header) for _, header in found):
            return None
        arrays = [header.read(data, start) for start, header in found]
        if any(int(array.min()) < 0 or int(array.max()) > MOST_TOKEN for array in arrays):
            return None
        tokens = np.concatenate([array.reshape(-1).astype(np.uint16) for array in arrays])
        grids, cells = {array.shape[1:] for array in arrays if array.ndim == 3}, {math.prod(array.shape[1:]) for array in arrays}
        if len(grids) > 1 or len(cells) > 1:
            return None
        grid = grids.pop() if grids else _grid_of(tokens.reshape(-1, *cells), width)
        ends = [0, *(start + header.bytes for start, header in found)]
        pieces = [data[end:start] for end, start in zip(ends, [*(start for start, _ in found), len(data)])]
        if [npy.trailing_header(piece) for piece in pieces[:-1]] != [header for _, header in found]:
            return None                          # a header that a decoder would not find again
        return cls(base.occurring(tokens), grid, pieces, tokens)

    @classmethod
    def of_files(cls, files: Sequence["VideoSource"]) -> "VideoSource":
        """The source of files of one grid that follow each other."""
        pieces, after = [], b""
        for file in files:
            pieces += [after + file._pieces[0], *file._pieces[1:-1]]
            after = file._pieces[-1]
        tokens = np.concatenate([file._tokens for file in files])
        return cls(base.occurring(tokens), files[0].grid, [*pieces, after], tokens)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "VideoSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        try:
            codes, *grid, pieces = _unpacked(description)
        except base.FAULTS as error:
            raise base.damaged("a video") from error
        source = cls(codes, tuple(grid), pieces)
        if original_bytes != sum(map(len, pieces)) + sum(header.bytes for header in source._arrays):
            raise FormatError("the header's size is not that of the video it describes", "the file is damaged")
        return source

    @property
    def code_bits(self) -> int:
        return max(1, int(self.codes[-1]).bit_length())

    @property
    def layout(self) -> np.ndarray:
        """int64 (2,): height and width of a frame, in cells."""
        return np.array(self.grid, np.int64)

    @property
    def around(self) -> int:
        """Bytes that are no samples, as they are in the description."""
        return sum(map(len, self._pieces))

    def suitable_contexts(self) -> str:
        return "video"

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: the codes of a prior's text, arrays one after the other; None where they are of no such video."""
        try:
            other = VideoSource.from_bytes(text, self.grid[1])
        except SettingsError:
            return None
        return other._tokens if other and other.grid == self.grid and other.code_bits <= self.code_bits else None

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        index = np.zeros(MOST_TOKEN + 1, np.uint16)
        index[self.codes] = np.arange(len(self.codes))
        return index[self._tokens]

    def frames(self) -> np.ndarray:
        """The tokens of all arrays, uint16 of shape (frames, height, width)."""
        return self._tokens.reshape(-1, *self.grid)

    def description(self) -> bytes:
        """All but the tokens: the values that occur, the grid, the bytes around the arrays; deflated."""
        return base.packed_description([base.packed_values(self.codes), *self.grid, *map(npy.described, self._pieces)])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        tokens, parts, start = self.codes[symbols], [], 0
        for piece, header in zip(self._pieces, self._arrays):
            parts += [piece, header.write(tokens[start:start + header.count])]
            start += header.count
        return b"".join([*parts, self._pieces[-1]])


def _unpacked(description):
    """(codes, height, width, pieces). Raises one of base.FAULTS for what `description()` cannot have made."""
    values, height, width, *pieces = base.unpacked_description(description)
    if not (type(height) is type(width) is int and 0 < height and 0 < width and height * width <= MOST_CELLS):
        raise ValueError("no video has such frames")
    return base.unpacked_values(values, MOST_TOKEN), height, width, [npy.undescribed(piece) for piece in pieces]


def _has_frames(header):
    """Whether an array is of whole numbers in frames: (frames, cells) or (frames, height, width)."""
    shape = header.shape
    return (header.dtype.kind in "iu" and len(shape) in (2, 3) and header.count > 0 and shape[-1] > _MOST_CHANNELS
            and math.prod(shape[1:]) <= MOST_CELLS)


def _frames_of(header, grid):
    """How many frames of that grid an array has; 0 where it has none, or is no array of tokens."""
    shape = header.shape
    fits = (header.dtype.kind in "iu" and header.count
            and (shape[1:] == tuple(grid) or len(shape) == 2 and shape[1] == math.prod(grid)))
    return shape[0] if fits else 0


def _grid_of(frames, width):
    """(height, width) of frames of shape (n, cells)."""
    cells = frames.shape[1]
    width = width or _recognised_width(frames[:_FRAMES_LOOKED_AT])
    if cells % width:
        raise SettingsError(f"grid_width must divide the {cells:,} cells of a frame, got {width}", parameter="grid_width")
    return cells // width, width


def _recognised_width(frames):
    """How many cells a row has: the distance at which cells change together more than at those beside it.

    Where a token changes, so do most often those around it. All cells, one row, where nothing stands out.
    """
    cells = frames.shape[1]
    changed = frames[1:] != frames[:-1]
    if not len(changed):
        return cells
    unusual = changed - changed.mean(axis=0)

    def together(distance):
        return float((unusual[:, distance:] * unusual[:, :-distance]).mean()) if 0 < distance < cells else -1.0

    peaks = [(together(width), width) for width in range(2, cells) if cells % width == 0
             and together(width) > max(together(width - 1), together(width + 1), 0.0)]
    return max(peaks, default=(0, cells))[1]
