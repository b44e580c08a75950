"""The exact network on a processor, as compiled loops shared by a few threads: the same bits as KerasEngine.

The window's steps lie in slots, step s in slot s % T.
"""

import numpy as np

from lib.models.backend import available_cores
from lib.models.exact import bounds, tables
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.kernels import backward, forward, layout, learning
from lib.models.exact.state import State
from lib.models.exact.team import Team

_FEWEST_STREAMS = 2           # of a thread: fewer would leave it waiting for weights
_MOST_THREADS = 16


class NumbaEngine:
    """Runs a network of `dimensions` from a State; see KerasEngine for the methods."""

    def __init__(self, dimensions: Dimensions, decay: int, state: State) -> None:
        self._dimensions, self._decay = dimensions, decay
        self._team = Team(min(available_cores(), _MOST_THREADS))
        self._shares = self._team.shares(dimensions.streams, _FEWEST_STREAMS)
        self._tables = tables.sigmoid().astype(np.int16), tables.tanh().astype(np.int16), tables.exponential()
        self._load(state)
        self._reserve()

    def predict(self) -> np.ndarray:
        slot, window = self._step % self._dimensions.window, self._dimensions.window
        self._tokens[slot] = self._newest
        frequencies = self._frequencies[self._pending]
        self._team.run([
            (forward.forward, *streams, self._dimensions, self._newest, self._activations[(slot - 1) % window],
             self._activations[slot], self._slopes[slot], self._cells, self._factors, self._bias_factors,
             *self._tables, frequencies) for streams in self._shares])
        return frequencies

    def take(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        self._newest[:] = seen
        self._targets[self._pending] = symbols
        self._active[self._pending] = active
        self._pending += 1
        self._step += 1

    def update(self, rate: np.floating) -> None:
        dimensions, team, newest_slot = self._dimensions, self._team, (self._step - 1) % self._dimensions.window
        self._pending = 0
        team.run([(backward.backward, *streams, dimensions, newest_slot, self._frequencies, self._targets, self._active,
                   self._slopes, self._factors, self._errors, self._pre_gradients, self._embedded)
                  for streams in self._shares])
        kernel_numbers = range(1, dimensions.layers + 2)
        team.run([(self._fit, number) for number in kernel_numbers])
        team.run([(self._learn_rows, number, *rows, rate) for number in reversed(kernel_numbers)
                  for rows in team.shares(layout.shape_of(dimensions, number)[0])]
                 + [(self._learn_bias, number, rate) for number in kernel_numbers] + [(self._learn_embedding, rate)])

    def state(self) -> State:
        dimensions, pending = self._dimensions, self._pending
        order = [step % dimensions.window for step in range(self._step, self._step + dimensions.window)]
        traces = np.concatenate([self._activations[order].astype(np.int16), self._slopes[order]], -1)
        return State(weights=self._by_name(self._weights, self._biases),
                     squares=self._by_name(self._squares, self._bias_squares), cells=self._cells, traces=traces,
                     tokens=self._tokens[order], newest=self._newest, frequencies=self._frequencies[:pending],
                     targets=self._targets[:pending], active=self._active[:pending])

    def _by_name(self, matrices, biases):
        """{name: array} of flat arrays, in the order of Dimensions.parameters."""
        dimensions, start, named = self._dimensions, 0, {}
        number = 0
        for name, shape in dimensions.parameters().items():
            if len(shape) == 2:
                named[name] = layout.matrix(matrices, dimensions, number)
                number += 1
            else:
                named[name] = biases[start:start + shape[0]]
                start += shape[0]
        return named

    def _load(self, state):
        dimensions = self._dimensions
        self._step, self._pending = 0, len(state.targets)
        self._weights, self._biases = _flattened(state.weights, 2), _flattened(state.weights, 1)
        self._squares, self._bias_squares = _flattened(state.squares, 2), _flattened(state.squares, 1)
        embedding = layout.start_of(dimensions, 1)
        self._factors = np.concatenate([_factors(self._weights[:embedding], bounds.HIDDEN_FRACTION),
                                        _factors(self._weights[embedding:], bounds.FACTOR_FRACTION)])
        self._bias_factors = _shifted(self._biases, bounds.SUM_FRACTION)
        self._cells, self._newest, self._tokens = state.cells.copy(), state.newest.copy(), state.tokens.copy()
        self._activations = state.traces[:, :, :dimensions.activations].astype(np.float32)
        self._slopes = np.ascontiguousarray(state.traces[:, :, dimensions.activations:])
        interval, streams, symbols = dimensions.interval, dimensions.streams, dimensions.symbols
        self._frequencies = np.zeros((interval, streams, symbols), np.int32)
        self._targets, self._active = np.zeros((interval, streams), np.int32), np.zeros(interval, np.int32)
        for ring, values in ((self._frequencies, state.frequencies), (self._targets, state.targets),
                             (self._active, state.active)):
            ring[:self._pending] = values

    def _reserve(self):
        """Room for what an update computes."""
        dimensions = self._dimensions
        window, streams, interval = dimensions.window, dimensions.streams, dimensions.interval
        self._errors = np.empty((interval, streams, dimensions.symbols), np.int32)
        self._pre_gradients = np.empty((window, streams, 4 * dimensions.hidden), np.int32)
        self._embedded = np.empty((window, streams, dimensions.embedded), np.int32)
        self._operands, self._shifts = {}, {}
        for number in range(1, dimensions.layers + 2):
            gradients, first, last, slots = self._gradients(number)
            self._operands[number] = np.empty((len(slots) * streams, last - first), np.float32)
            self._shifts[number] = np.empty(last - first, np.int32)

    def _gradients(self, number):
        """(gradients, first and last column, slots from the oldest to the newest step) of what a kernel's products give."""
        dimensions = self._dimensions
        if number > dimensions.layers:
            return self._errors, 0, dimensions.symbols, np.arange(dimensions.interval)
        width = 4 * dimensions.units
        return self._pre_gradients, (number - 1) * width, number * width, self._slots(dimensions.window)

    def _slots(self, steps):
        """Where the newest steps lie, from the oldest of them on."""
        return np.arange(self._step - steps, self._step) % self._dimensions.window

    def _fit(self, number):
        gradients, first, last, slots = self._gradients(number)
        operands = self._operands[number]
        learning.fit_columns(gradients, slots, first, last, bounds.rows_block(len(operands)), operands,
                            self._shifts[number])

    def _learn_rows(self, number, first, last, rate):
        """A step of the rows first to last of a kernel."""
        dimensions, operands = self._dimensions, self._operands[number]
        slots = self._slots(len(operands) // dimensions.streams)
        arrays = [layout.matrix(flat, dimensions, number) for flat in (self._weights, self._squares, self._factors)]
        learning.learn_rows(first, last, self._activations, layout.input_start(dimensions, number - 1), slots, operands,
                           self._shifts[number], bounds.rows_block(len(operands)), rate, self._decay, *arrays)

    def _learn_bias(self, number, rate):
        gradients, first, last, _ = self._gradients(number)
        gradients = gradients.reshape(-1, gradients.shape[-1])
        limit = 1 << bounds.ERROR_FRACTION if number > self._dimensions.layers else bounds.PRE_GRADIENT_LIMIT
        start = 4 * self._dimensions.units * (number - 1)
        part, total = slice(start, start + last - first), np.empty((1, last - first), np.int32)
        learning.column_totals(gradients, first, last, bounds.total_shift(len(gradients), limit.bit_length()), total)
        learning.adam(total, np.zeros(last - first, np.int32), rate, self._decay, bounds.FACTOR_FRACTION,
                     self._biases[part][None], self._bias_squares[part][None], np.empty(total.shape, np.float32))
        self._bias_factors[part] = _shifted(self._biases[part], bounds.SUM_FRACTION)

    def _learn_embedding(self, rate):
        dimensions, tokens = self._dimensions, self._tokens.reshape(-1)
        totals = np.empty((dimensions.known, dimensions.embedding), np.int32)
        shift = bounds.total_shift(len(tokens), bounds.GRADIENT_LIMIT.bit_length())
        learning.embedding_totals(self._embedded.reshape(-1, dimensions.embedding), tokens, shift, totals)
        arrays = [layout.matrix(flat, dimensions, 0) for flat in (self._weights, self._squares, self._factors)]
        learning.adam(totals, np.zeros(dimensions.embedding, np.int32), rate, self._decay, bounds.HIDDEN_FRACTION, *arrays)


def _flattened(arrays, axes):
    """All arrays of that many axes in a dict, one after the other in a flat one."""
    return np.concatenate([array.reshape(-1) for array in arrays.values() if array.ndim == axes])


def _shifted(weights, fraction):
    """int32 weights rounded to `fraction` fraction bits."""
    shift = bounds.WEIGHT_FRACTION - fraction
    return weights + np.int32(1 << shift - 1) >> shift


def _factors(weights, fraction):
    return np.clip(_shifted(weights, fraction), -bounds.FACTOR_LIMIT, bounds.FACTOR_LIMIT).astype(np.float32)
