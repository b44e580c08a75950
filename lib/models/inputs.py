"""What a network sees before each symbol: the last one, the neighbours of a cell in a grid of frames, or those of a sample."""

from dataclasses import dataclass

import numpy as np

from lib.coding.streams import Streams
from lib.parameters import Parameters
from lib.sources.source import Source

_FEWEST_COLUMNS = 3           # of the window that is looked at in the same frame
_MOST_CELLS = 4096            # of a frame whose cells each have an embedding
_PLANES = 8                   # of an image: channels, times codes of a sample
_AROUND = ((-1, 0), (0, -1), (-1, -1), (1, -1))       # (columns, rows) from a sample to the neighbours that are seen
_IN_PIXEL = 2                 # codes before it that are seen besides


@dataclass(frozen=True)
class InputShape:
    """The sizes of what a step sees."""

    symbols: int      # V, the size of the vocabulary
    count: int        # N, how many values a step sees
    values: int       # R, of which it has embeddings

    @classmethod
    def of_last_symbol(cls, vocabulary_size: int) -> "InputShape":
        return cls(vocabulary_size, 1, vocabulary_size)


def input_shape_of(parameters: Parameters, source: Source) -> InputShape:
    """The InputShape of complete `parameters` for a source. Allocates nothing."""
    if _has_samples(parameters, source):
        return InputShape(source.vocabulary_size, len(_AROUND) + _IN_PIXEL + 1, source.vocabulary_size + 1 + _PLANES)
    if not _has_grid(parameters, source):
        return InputShape.of_last_symbol(source.vocabulary_size)
    count = len(_offsets(parameters.context_size, parameters.context_frames)) + 1
    return InputShape(source.vocabulary_size, count, source.vocabulary_size + 1 + _places(source.layout))


def inputs_of(parameters: Parameters, source: Source, streams: Streams) -> "LastSymbol | Grid | Samples":
    """The LastSymbol or the Grid of complete `parameters`, for a source whose symbols lie in `streams`."""
    if _has_grid(parameters, source):
        return Grid(source.vocabulary_size, source.layout, streams, parameters.context_size, parameters.context_frames)
    if _has_samples(parameters, source):
        return Samples(source.vocabulary_size, source.layout, streams)
    return LastSymbol()


def inputs_bytes(parameters: Parameters, source: Source) -> int:
    """Bytes of memory that `inputs_of` take, roughly."""
    if _has_samples(parameters, source):
        return 4 * parameters.batch_size * _longest_way(source.layout)
    if not _has_grid(parameters, source):
        return 0
    cells = int(source.layout.prod())
    return 8 * cells * input_shape_of(parameters, source).count + 4 * parameters.batch_size * (parameters.context_frames + 1) * cells


def _has_grid(parameters, source):
    return parameters.context_size > 0 and source.model_inputs == "grid"


def _has_samples(parameters, source):
    return parameters.image_neighbours == "yes" and source.model_inputs == "samples"


class LastSymbol:
    """The symbol before, of each stream."""

    def after(self, step: int, symbols: np.ndarray) -> np.ndarray:
        """What the step after `step` sees, whole numbers of shape (B, 1), once its symbols, shape (B,), are known."""
        return symbols[:, None]

    def arrays(self) -> dict[str, np.ndarray]:
        """{name: array} of the complete state between two steps: the arrays themselves, to be kept or filled in."""
        return {}


class Grid:
    """The neighbours of a cell that are known before it: some in its frame, a square of them in frames before, and its place.

    Values are symbols, V for a neighbour that is none, and from there on places.
    """

    def __init__(self, vocabulary_size: int, layout: np.ndarray, streams: Streams, size: int, frames: int) -> None:
        """layout: (height, width) of a frame; size: of the square, odd; frames: how many before are looked at."""
        height, width = (int(side) for side in layout)
        self._cells, self._steps, self._none = height * width, streams.steps, vocabulary_size
        self._back = _steps_back(height, width, size, frames)
        self._history = np.zeros(((frames + 1) * self._cells + width, streams.batch_size), np.int32)
        self._streams = np.arange(streams.batch_size)
        self._places = _places(layout)

    def after(self, step: int, symbols: np.ndarray) -> np.ndarray:
        """What the step after `step` sees, int32 of shape (B, N), once its symbols, shape (B,), are known."""
        next_step = step + 1
        self._history[step % len(self._history)] = symbols
        cells = (self._streams * self._steps + next_step) % self._cells
        back = self._back[cells]
        is_there = (back > 0) & (back <= next_step)
        seen = self._history[(next_step - back) % len(self._history), self._streams[:, None]]
        return np.concatenate([np.where(is_there, seen, self._none), self._none + 1 + cells[:, None] % self._places], 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """As LastSymbol.arrays."""
        return {"inputs": self._history}


def _places(layout):
    """How many places in a frame have an embedding."""
    cells = int(layout.prod())
    return cells if cells <= _MOST_CELLS else 1


def _offsets(size, frames):
    """[(frames, rows, columns)] from a cell to its neighbours."""
    reach, reach_here = size // 2, max(size, _FEWEST_COLUMNS) // 2
    here = [(0, row, column) for row in range(-reach_here, 1) for column in range(-reach_here, reach_here + 1)
            if (row, column) < (0, 0)]
    return here + [(-frame, row, column) for frame in range(1, frames + 1) for row in range(-reach, reach + 1)
                   for column in range(-reach, reach + 1)]


def _steps_back(height, width, size, frames):
    """int64 (cells, n): how many steps before each cell its neighbours were coded; 0 for those beyond the edge."""
    rows, columns = np.divmod(np.arange(height * width)[:, None], width)
    frame, row, column = np.array(_offsets(size, frames)).T
    is_there = (0 <= rows + row) & (rows + row < height) & (0 <= columns + column) & (columns + column < width)
    return np.where(is_there, -(frame * height * width + row * width + column), 0)


class Samples:
    """The neighbours of a sample in its plane, what is known of its pixel, and which plane it is in.

    Values are symbols, V for a neighbour that is none, and from there on planes.
    """

    def __init__(self, vocabulary_size: int, layout: np.ndarray, streams: Streams) -> None:
        """layout: that of lib.sources.image, six numbers for each picture."""
        self._pictures, self._steps, self._none = layout.reshape(-1, 6), streams.steps, vocabulary_size
        self._history = np.zeros((_longest_way(layout), streams.batch_size), np.int32)
        self._starts = np.arange(streams.batch_size) * streams.steps

    def after(self, step: int, symbols: np.ndarray) -> np.ndarray:
        """What the step after `step` sees, int32 of shape (B, N), once its symbols, shape (B,), are known."""
        next_step, none = step + 1, self._none
        self._history[step % len(self._history)] = symbols
        seen = np.full((len(symbols), len(_AROUND) + _IN_PIXEL + 1), none, np.int32)
        for stream, start in enumerate(self._starts):
            index = start + next_step
            picture = np.searchsorted(self._pictures[:, 1], index, side="right")
            if picture == len(self._pictures):
                continue                          # this stream has ended
            begin, _, width, channels, codes_each, _ = self._pictures[picture].tolist()
            pixel = channels * codes_each
            column = (index - begin) // pixel % width
            back = [(width * -down - across) * pixel if 0 <= column + across < width else 0 for across, down in _AROUND]
            plane = (index - begin) % pixel
            back += [age if age <= plane else 0 for age in range(1, _IN_PIXEL + 1)]
            most = min(next_step, index - begin)
            for place, distance in enumerate(back):
                if 0 < distance <= most:
                    seen[stream, place] = self._history[(next_step - distance) % len(self._history), stream]
            seen[stream, -1] = none + 1 + plane % _PLANES
        return seen

    def arrays(self) -> dict[str, np.ndarray]:
        """As LastSymbol.arrays."""
        return {"inputs": self._history}


def _longest_way(layout):
    """How many codes before a sample the farthest of its neighbours is, at most."""
    pictures = layout.reshape(-1, 6)
    return int(((pictures[:, 2] + 2) * pictures[:, 3] * pictures[:, 4]).max())
