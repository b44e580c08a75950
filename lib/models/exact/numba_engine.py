"""The exact network on a processor, as compiled loops shared by a few threads: the same bits as KerasEngine.

Step s lies in slot s % R of the rings. R is larger than the window by the delay of updates, so that an update finds its steps as they were
while further ones are coded beside it.
"""

import weakref
from concurrent.futures import Future, ThreadPoolExecutor

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

    _factors: np.ndarray                # int16, flat: what enters products
    _next_factors: np.ndarray           # what will, once the update that is computed counts
    _bias_factors: np.ndarray           # int32, and likewise
    _next_bias_factors: np.ndarray

    def __init__(self, dimensions: Dimensions, decay: int, state: State) -> None:
        self._dimensions, self._decay = dimensions, decay
        cores = min(available_cores(), _MOST_THREADS)
        self._team = self._learners = Team(cores)
        self._beside: ThreadPoolExecutor | None = None
        self._update: Future | None = None
        if dimensions.delay:
            self._team = Team(max(1, cores // 2))
            self._learners = Team(max(1, cores - len(self._team.shares(dimensions.streams, _FEWEST_STREAMS))))
            self._beside = ThreadPoolExecutor(1, "lockstep-update")
            weakref.finalize(self, self._beside.shutdown, False)
        self._shares = self._team.shares(dimensions.streams, _FEWEST_STREAMS)
        self._tables = tables.sigmoid().astype(np.int16), tables.tanh().astype(np.int16), tables.exponential()
        self._slot_count = dimensions.window + dimensions.delay
        self._load(state)
        self._reserve()

    def predict(self) -> np.ndarray:
        slot = self._step % self._slot_count
        before = (self._step - 1) % self._slot_count
        self._tokens[slot] = self._newest
        frequencies = self._frequencies[slot]
        self._team.run([
            (forward.forward, *streams, self._dimensions, self._newest, self._activations[before], self._activations[slot],
             self._slopes[slot], self._cells, self._factors, self._bias_factors, *self._tables, frequencies) for streams in self._shares])
        return frequencies

    def take(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        slot = self._step % self._slot_count
        self._newest[:] = seen
        self._targets[slot] = symbols
        self._active[slot] = active
        self._pending += 1
        self._step += 1

    def begin_update(self, rate: np.floating) -> None:
        self._pending = 0
        if self._beside:
            self._update = self._beside.submit(self._learn, self._slots(self._dimensions.window), rate)
        else:
            self._learn(self._slots(self._dimensions.window), rate)

    def end_update(self) -> None:
        self._wait()
        self._update = None
        self._factors, self._next_factors = self._next_factors, self._factors
        self._bias_factors, self._next_bias_factors = self._next_bias_factors, self._bias_factors

    def state(self) -> State:
        dimensions, pending = self._dimensions, self._slots(self._pending)
        self._wait()
        slots = self._slots(dimensions.window)
        traces = np.concatenate([self._activations[slots], self._slopes[slots]], -1)
        return State(weights=self._by_name(self._weights, self._biases),
                     squares=self._by_name(self._squares, self._bias_squares), cells=self._cells, traces=traces,
                     tokens=self._tokens[slots], newest=self._newest, frequencies=self._frequencies[pending],
                     targets=self._targets[pending], active=self._active[pending],
                     factors=self._by_name(self._factors, self._bias_factors) if self._update else {})

    def _wait(self):
        """Until the update that was begun is done."""
        if self._update:
            self._update.result()

    def _by_name(self, matrices, biases):
        """{name: array} of flat arrays, in the order and the shapes of Dimensions.parameters."""
        dimensions, start, named = self._dimensions, 0, {}
        number = 0
        for name, shape in dimensions.parameters().items():
            if len(shape) == 2:
                array = layout.matrix(matrices, dimensions, number)
                named[name] = array.T if number else array
                number += 1
            else:
                named[name] = biases[start:start + shape[0]]
                start += shape[0]
        return named

    def _load(self, state):
        dimensions, slot_count = self._dimensions, self._slot_count
        streams, symbols = dimensions.streams, dimensions.symbols
        self._pending = len(state.targets)
        self._step = slot_count              # steps before the first lie in slots, too
        self._weights, self._biases = _flattened(state.weights, 2), _flattened(state.weights, 1)
        self._squares, self._bias_squares = _flattened(state.squares, 2), _flattened(state.squares, 1)
        embedding = layout.start_of(dimensions, 1)
        self._factors = np.concatenate([_factors(self._weights[:embedding], bounds.HIDDEN_FRACTION),
                                        _factors(self._weights[embedding:], bounds.FACTOR_FRACTION)])
        self._bias_factors = _shifted(self._biases, bounds.SUM_FRACTION)
        self._next_factors, self._next_bias_factors = self._factors.copy(), self._bias_factors.copy()
        if state.factors:
            self._factors, self._bias_factors = _flattened(state.factors, 2), _flattened(state.factors, 1)
            self._update = Future()
            self._update.set_result(None)    # what it made is what is next
        self._cells, self._newest = state.cells.copy(), state.newest.copy()
        self._activations = np.zeros((slot_count, streams, dimensions.activations), np.int16)
        self._slopes = np.zeros((slot_count, streams, dimensions.trace_width - dimensions.activations), np.int16)
        self._tokens = np.zeros((slot_count, streams, dimensions.seen), np.int32)
        self._frequencies = np.zeros((slot_count, streams, symbols), np.int32)
        self._targets, self._active = np.zeros((slot_count, streams), np.int32), np.zeros(slot_count, np.int32)
        slots = self._slots(dimensions.window)
        self._activations[slots], self._slopes[slots] = np.split(state.traces, [dimensions.activations], -1)
        self._tokens[slots] = state.tokens
        pending = self._slots(self._pending)
        self._frequencies[pending], self._targets[pending], self._active[pending] = state.frequencies, state.targets, state.active

    def _slots(self, steps):
        """Where the newest steps lie, from the oldest of them on."""
        return np.arange(self._step - steps, self._step) % self._slot_count

    def _reserve(self):
        """Room for what an update computes."""
        dimensions = self._dimensions
        window, streams, interval = dimensions.window, dimensions.streams, dimensions.interval
        self._errors = np.empty((interval, streams, dimensions.symbols), np.int32)
        self._pre_gradients = np.empty((window, streams, 4 * dimensions.hidden), np.int32)
        self._embedded = np.empty((window, streams, dimensions.embedded), np.int32)
        self._operands, self._shifts = {}, {}
        for number in range(1, dimensions.layers + 2):
            gradients, first, last = self._gradients(number)
            self._operands[number] = np.empty((last - first, len(gradients)), np.float32)
            self._shifts[number] = np.empty(last - first, np.int32)

    def _learn(self, slots, rate):
        """Learn from the steps in `slots`, the window's: from the weights and what enters products to the next of either."""
        dimensions, team = self._dimensions, self._learners
        team.run([(backward.backward, *streams, dimensions, slots, self._frequencies, self._targets, self._active,
                   self._slopes, self._factors, self._errors, self._pre_gradients, self._embedded)
                  for streams in team.shares(dimensions.streams, _FEWEST_STREAMS)])
        kernel_numbers = range(1, dimensions.layers + 2)
        team.run([(self._fit, number) for number in kernel_numbers])
        inputs = {number: self._inputs(number, slots) for number in kernel_numbers}
        team.run([(self._learn_rows, number, *rows, inputs[number], rate) for number in reversed(kernel_numbers)
                  for rows in team.shares(layout.shape_of(dimensions, number)[0])]
                 + [(self._learn_bias, number, rate) for number in kernel_numbers] + [(self._learn_embedding, slots, rate)])

    def _gradients(self, number):
        """(gradients of all steps and streams, first and last column) of what a kernel's products give."""
        dimensions = self._dimensions
        if number > dimensions.layers:
            return self._errors.reshape(-1, dimensions.symbols), 0, dimensions.symbols
        width = 4 * dimensions.units
        return self._pre_gradients.reshape(-1, 4 * dimensions.hidden), (number - 1) * width, number * width

    def _inputs(self, number, slots):
        """float32 (steps and streams, n): what entered a kernel's products."""
        dimensions = self._dimensions
        if number > dimensions.layers:
            slots = slots[-dimensions.interval:]
        start = layout.input_start(dimensions, number - 1)
        width = layout.shape_of(dimensions, number)[1]
        return self._activations[slots, :, start:start + width].reshape(-1, width).astype(np.float32)

    def _fit(self, number):
        gradients, first, last = self._gradients(number)
        learning.fit_columns(gradients, first, last, bounds.rows_block(len(gradients)), self._operands[number], self._shifts[number])

    def _learn_rows(self, number, first, last, inputs, rate):
        """A step of the rows first to last of a kernel."""
        arrays = [layout.matrix(flat, self._dimensions, number) for flat in (self._weights, self._squares, self._next_factors)]
        learning.learn_rows(first, last, inputs, self._operands[number], self._shifts[number], bounds.rows_block(len(inputs)), rate,
                            self._decay, *arrays)

    def _learn_bias(self, number, rate):
        gradients, first, last = self._gradients(number)
        limit = 1 << bounds.ERROR_FRACTION if number > self._dimensions.layers else bounds.PRE_GRADIENT_LIMIT
        start = 4 * self._dimensions.units * (number - 1)
        part, total = slice(start, start + last - first), np.empty((1, last - first), np.int32)
        learning.column_totals(gradients, first, last, bounds.total_shift(len(gradients), limit.bit_length()), total)
        learning.adam(total, np.zeros(1, np.int32), rate, self._decay, bounds.FACTOR_FRACTION,
                      self._biases[part][None], self._bias_squares[part][None], np.empty(total.shape, np.int16))
        self._next_bias_factors[part] = _shifted(self._biases[part], bounds.SUM_FRACTION)

    def _learn_embedding(self, slots, rate):
        dimensions, tokens = self._dimensions, self._tokens[slots].reshape(-1)
        totals = np.empty((dimensions.known, dimensions.embedding), np.int32)
        shift = bounds.total_shift(len(tokens), bounds.GRADIENT_LIMIT.bit_length())
        learning.embedding_totals(self._embedded.reshape(-1, dimensions.embedding), tokens, shift, totals)
        arrays = [layout.matrix(flat, dimensions, 0) for flat in (self._weights, self._squares, self._next_factors)]
        learning.adam(totals, np.zeros(dimensions.known, np.int32), rate, self._decay, bounds.HIDDEN_FRACTION, *arrays)


def _flattened(arrays, axes):
    """All arrays of that many axes in a dict, one after the other in a flat one, kernels transposed."""
    return np.concatenate([(array.T if axes == 2 and name != "embedding" else array).reshape(-1)
                           for name, array in arrays.items() if array.ndim == axes])


def _shifted(weights, fraction):
    """int32 weights rounded to `fraction` fraction bits."""
    shift = bounds.WEIGHT_FRACTION - fraction
    return weights + np.int32(1 << shift - 1) >> shift


def _factors(weights, fraction):
    return np.clip(_shifted(weights, fraction), -bounds.FACTOR_LIMIT, bounds.FACTOR_LIMIT).astype(np.int16)
