"""How the symbols of an input lie in streams that are coded side by side."""

import bisect
import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """`symbol_count` symbols as `batch_size` streams of `steps` steps, of which a run codes [first, end).

    Stream b holds symbols [b * steps, (b + 1) * steps). Step s codes the s-th symbol of all
    streams at once. The last streams may end early or be empty, so the streams that still have
    a symbol at a step are always the first `active(step)` ones. A part of a split input codes some of the
    steps; an input that is whole codes all.
    """

    symbol_count: int
    batch_size: int
    first: int = 0
    end: int = -1                  # below 0: all steps

    def __post_init__(self) -> None:
        if self.end < 0:
            object.__setattr__(self, "end", self.steps)

    @property
    def steps(self) -> int:
        """Steps that code everything: symbol_count / batch_size, rounded up."""
        return -(-self.symbol_count // self.batch_size)

    @property
    def coded_count(self) -> int:
        """How many symbols the steps from `first` to `end` code."""
        return self.symbols_before(self.end)

    def active(self, steps: np.ndarray) -> np.ndarray:
        """How many streams have a symbol at each of `steps`, an array of whole numbers: int64, of the same shape."""
        return np.clip(-(-(self.symbol_count - steps) // self.steps), 0, self.batch_size)

    def symbols_before(self, step: int) -> int:
        """How many symbols the steps from `first` to before `step` code."""
        return self._of_whole_before(step) - self._of_whole_before(self.first)

    def _of_whole_before(self, step: int) -> int:
        full, rest = divmod(self.symbol_count, self.steps) if self.steps else (0, 0)
        return full * step + min(rest, step)

    @property
    def breaks(self) -> list[int]:
        """The steps at which a predictor may change, the end among them."""
        return [self.end]

    def stretches(self) -> list[tuple[int, int]]:
        """(start, end) of each stream's symbols among those of the whole input: what the steps from `first` to `end` code."""
        starts = np.arange(self.batch_size) * self.steps
        return [(min(int(start) + self.first, self.symbol_count), min(int(start) + self.end, self.symbol_count))
                for start in starts]

    def empty(self) -> np.ndarray:
        """A matrix for the symbols, all zero: uint16 of shape (end - first, batch_size)."""
        return np.zeros((self.end - self.first, self.batch_size), np.uint16)

    def lay_out(self, symbols: np.ndarray) -> np.ndarray:
        """Symbols of shape (coded_count,), stream by stream, as a matrix of shape (end - first, batch_size).

        It is zero where there is none.
        """
        matrix, taken = np.zeros((self.batch_size, self.end - self.first), np.uint16), 0
        for stream, (start, end) in enumerate(self.stretches()):
            matrix[stream, :end - start] = symbols[taken:taken + end - start]
            taken += end - start
        return np.ascontiguousarray(matrix.T)

    def join(self, matrix: np.ndarray) -> np.ndarray:
        """The symbols of shape (coded_count,), stream by stream, from a matrix of shape (end - first, batch_size)."""
        columns = np.ascontiguousarray(matrix.T)
        return np.concatenate([columns[stream, :end - start] for stream, (start, end) in enumerate(self.stretches())])


@dataclass(frozen=True)
class StackedStreams:
    """Streams of several groups of symbols, one group after the other: what `Streams` is for one.

    groups: Streams of whole inputs. Step s is the step s - first of the group that begins at `first`. A group of fewer streams than
    another leaves columns of the matrix free.
    """

    groups: tuple[Streams, ...]
    first = 0

    @property
    def batch_size(self) -> int:
        return max(group.batch_size for group in self.groups)

    @property
    def symbol_count(self) -> int:
        return sum(group.symbol_count for group in self.groups)

    coded_count = symbol_count

    @property
    def steps(self) -> int:
        return sum(group.steps for group in self.groups)

    end = steps

    @property
    def breaks(self) -> list[int]:
        """The step that each group ends at."""
        return list(itertools.accumulate(group.steps for group in self.groups))

    def group_at(self, step: int) -> int:
        """The number of the group that codes a step; of the end, the last one."""
        return min(bisect.bisect_right(self.breaks, step), len(self.groups) - 1)

    def first_of(self, number: int) -> int:
        """The step that a group begins at."""
        return self.breaks[number] - self.groups[number].steps

    def active(self, steps: np.ndarray) -> np.ndarray:
        counts = np.zeros(np.shape(steps), np.int64)
        for number, group in enumerate(self.groups):
            inside = (steps >= self.first_of(number)) & (steps < self.breaks[number])
            counts[inside] = group.active(steps[inside] - self.first_of(number))
        return counts

    def symbols_before(self, step: int) -> int:
        return sum(group.symbols_before(min(max(step - self.first_of(number), 0), group.steps)) for number, group in enumerate(self.groups))

    def empty(self) -> np.ndarray:
        return np.zeros((self.steps, self.batch_size), np.uint16)

    def lay_out(self, symbols: np.ndarray) -> np.ndarray:
        matrix, start = self.empty(), 0
        for group, end in zip(self.groups, self.breaks):
            matrix[end - group.steps:end, :group.batch_size] = group.lay_out(symbols[start:start + group.symbol_count])
            start += group.symbol_count
        return matrix

    def join(self, matrix: np.ndarray) -> np.ndarray:
        return np.concatenate([group.join(matrix[end - group.steps:end, :group.batch_size]) for group, end in zip(self.groups, self.breaks)])


AnyStreams = Streams | StackedStreams
