"""The exact network in keras.ops: one forward step, and one update, each compiled once with fixed shapes.

The network is that of `lib.models.keras_lstm`, in the formats of `lib.models.exact.bounds`. Each forward step leaves
a trace: the inputs of its products and the slopes of its gates. An update runs backwards over the traces of the
window alone. With the weights fixed between updates that is the true gradient for the newest `interval` steps.
"""

from collections import deque

import numpy as np

from lib.models.backend import KerasBackend
from lib.models.exact import bounds
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.fixed_point import FixedPoint, Tensor
from lib.models.exact.state import State


class KerasEngine:
    """Runs a network of `dimensions` from a State on one backend. `decay`: Adam's, as in schedule.decay_bits."""

    _weights: dict[str, Tensor]         # these and the next ones as in State
    _squares: dict[str, Tensor]
    _factors: dict[str, Tensor]         # what enters a step
    _next_factors: dict[str, Tensor]    # and what will, while an update does not count yet
    _cells: Tensor
    _newest: Tensor
    _traces: deque[Tensor]
    _tokens: deque[Tensor]
    _frequencies: list[Tensor]
    _targets: list[Tensor]
    _active: list[Tensor]

    def __init__(self, dimensions: Dimensions, decay: int, state: State, backend: KerasBackend) -> None:
        self._dimensions, self._decay = dimensions, decay
        self._ops = backend.ops
        self._exact = FixedPoint(backend.ops)
        self._forward = backend.compile(self._compute_step)
        self._learn = backend.compile(self._compute_update)
        self._load(state)

    def predict(self) -> np.ndarray:
        """int32 frequencies (B, V) of the next step; call once a step."""
        self._tokens.append(self._newest)
        frequencies, self._cells, trace = self._forward(self._factors, self._newest, self._traces[-1], self._cells)
        self._traces.append(trace)
        self._frequencies.append(frequencies)
        return self._ops.convert_to_numpy(frequencies)

    def take(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        """Note the symbols (B,) that came, of which the first `active` count, and what the next step sees (B, N)."""
        self._newest = self._ops.convert_to_tensor(seen.astype(np.int32))
        self._targets.append(self._ops.convert_to_tensor(symbols.astype(np.int32)))
        self._active.append(self._ops.convert_to_tensor(np.int32(active)))

    def begin_update(self, rate: np.floating) -> None:
        """Learn from the steps since the last update. rate: float32, in units of a weight's last place."""
        self._weights, self._squares, self._next_factors = self._learn(
            self._weights, self._squares, self._factors, self._ops.convert_to_tensor(rate), list(self._tokens),
            list(self._traces), self._frequencies, self._targets, self._active)
        self._frequencies, self._targets, self._active = [], [], []

    def end_update(self) -> None:
        """Let what the update that was begun has learned count from the next step on."""
        self._factors, self._next_factors = self._next_factors, {}

    def state(self) -> State:
        """The State now, as NumPy arrays."""
        streams, symbols = self._dimensions.streams, self._dimensions.symbols
        names, array = self._dimensions.parameters(), self._ops.convert_to_numpy
        return State(
            weights={name: array(self._weights[name]) for name in names},     # JAX sorts the keys of a dict
            squares={name: array(self._squares[name]) for name in names},
            cells=array(self._cells), newest=array(self._newest),
            traces=np.stack([array(trace).astype(np.int16) for trace in self._traces]),
            tokens=np.stack([array(tokens) for tokens in self._tokens]),
            frequencies=_stacked([array(value) for value in self._frequencies], (streams, symbols)),
            targets=_stacked([array(value) for value in self._targets], (streams,)),
            active=_stacked([array(value) for value in self._active], ()),
            factors={name: array(self._factors[name]).astype(np.int16 if len(names[name]) == 2 else np.int32)
                     for name in names if self._next_factors})

    def _load(self, state: State) -> None:
        tensor, window = self._ops.convert_to_tensor, self._dimensions.window
        self._weights = {name: tensor(value) for name, value in state.weights.items()}
        self._squares = {name: tensor(value) for name, value in state.squares.items()}
        self._factors, self._next_factors = self._factors_of(self._weights), {}
        if state.factors:
            self._next_factors = self._factors
            self._factors = {name: tensor(value.astype(np.float32 if value.ndim == 2 else np.int32)) for name, value in state.factors.items()}
        self._cells, self._newest = tensor(state.cells), tensor(state.newest)
        self._traces = deque([tensor(trace.astype(np.int32)) for trace in state.traces], maxlen=window)
        self._tokens = deque([tensor(tokens) for tokens in state.tokens], maxlen=window)
        self._frequencies = [tensor(value) for value in state.frequencies]
        self._targets = [tensor(value) for value in state.targets]
        self._active = [tensor(value) for value in state.active]

    def _factors_of(self, weights):
        """{name: what enters a step}: float32 factors of a matrix, an int32 bias of 15 fraction bits."""
        factors = {}
        for name, value in weights.items():
            if len(value.shape) == 1:
                factors[name] = self._exact.shift(value, bounds.WEIGHT_FRACTION - bounds.SUM_FRACTION)
                continue
            fraction = bounds.HIDDEN_FRACTION if name == "embedding" else bounds.FACTOR_FRACTION
            rounded = self._exact.shift(value, bounds.WEIGHT_FRACTION - fraction)
            factors[name] = self._ops.cast(self._exact.clip(rounded, bounds.FACTOR_LIMIT), "float32")
        return factors

    # One step forward

    def _compute_step(self, factors, tokens, trace, cells):
        """(frequencies, cells, trace) of a step that sees `tokens` (B, N), after one that left `trace`."""
        ops, exact, layers = self._ops, self._exact, self._dimensions.layers
        embedded = ops.reshape(ops.take(factors["embedding"], tokens, axis=0), (-1, self._dimensions.embedded))
        before = self._by_layer(ops.cast(self._parts(trace)[layers], "float32"))
        inputs, slopes, cells_after = [], [], []
        hidden: list[Tensor] = []
        for layer, cell in enumerate(self._by_layer(cells)):
            joined = ops.concatenate([embedded, *hidden[-1:], before[layer]], -1)
            sums = exact.product(joined, factors[f"kernel_{layer}"], bounds.FORWARD_BLOCK) + factors[f"bias_{layer}"]
            unit, cell, slope = self._gates(sums, cell)
            inputs.append(joined)
            hidden.append(unit)
            slopes.append(slope)
            cells_after.append(cell)
        all_hidden = ops.concatenate(hidden, -1)
        logits = exact.product(all_hidden, factors["output_kernel"], bounds.FORWARD_BLOCK) + factors["output_bias"]
        frequencies = exact.frequencies(exact.clip(logits, bounds.SUM_LIMIT))
        whole = [ops.cast(part, "int32") for part in (*inputs, all_hidden)]
        return frequencies, ops.concatenate(cells_after, -1), ops.concatenate([*whole, *slopes], -1)

    def _gates(self, sums, cell):
        """(float32 hidden units, int32 cell, the slopes of one layer side by side), each (B, U) but the last."""
        exact, one = self._exact, 1 << bounds.GATE_FRACTION
        enter, forget, candidate, leave = self._ops.split(sums, 4, -1)
        enter, forget, leave = exact.sigmoid(enter), exact.sigmoid(forget), exact.sigmoid(leave)
        candidate = exact.tanh(candidate)
        after = exact.clip(self._shifted(forget * cell + enter * candidate), bounds.CELL_LIMIT)
        squashed = exact.tanh(after, bounds.GATE_FRACTION)
        slopes = [
            self._shifted(self._bell(enter, fine=True) * candidate),
            self._ops.right_shift(self._bell(forget) * cell, bounds.GATE_FRACTION),
            self._shifted((one - self._ops.right_shift(candidate * candidate, bounds.GATE_FRACTION)) * enter),
            self._shifted(self._bell(leave, fine=True) * squashed),
            self._shifted((one - self._ops.right_shift(squashed * squashed, bounds.GATE_FRACTION)) * leave),
            forget]
        hidden = exact.shift(self._shifted(leave * squashed), bounds.GATE_FRACTION - bounds.HIDDEN_FRACTION)
        hidden = self._ops.cast(exact.clip(hidden, bounds.FACTOR_LIMIT), "float32")
        slopes = self._ops.concatenate(slopes, -1)
        bounds.check_values("a slope", slopes, bounds.TRACE_LIMIT)
        return hidden, after, slopes

    def _bell(self, gate, fine=False):
        """gate * (1 - gate): of 12 fraction bits, or of 14."""
        fraction = bounds.SLOPE_FRACTION if fine else bounds.GATE_FRACTION
        return self._ops.right_shift(gate * ((1 << bounds.GATE_FRACTION) - gate), 2 * bounds.GATE_FRACTION - fraction)

    def _shifted(self, values):
        return self._exact.shift(values, bounds.GATE_FRACTION)

    # One update

    def _compute_update(self, weights, squares, factors, rate, tokens, traces, frequencies, targets, active):
        """(weights, squares, factors) after learning from the last `interval` steps, lists of which are given."""
        gradients: dict[str, tuple[Tensor, Tensor]] = self._gradients(factors, tokens, traces, frequencies, targets, active)
        after = {name: self._adam(weights[name], squares[name], *gradients[name], rate) for name in weights}
        weights = {name: value for name, (value, _) in after.items()}
        squares = {name: value for name, (_, value) in after.items()}
        return weights, squares, self._factors_of(weights)

    def _gradients(self, factors, tokens, traces, frequencies, targets, active):
        """{name: (int32 gradient, int32 shifts by which it is to be scaled)} of every parameter."""
        ops, dimensions = self._ops, self._dimensions
        traces, errors = ops.stack(traces), self._errors(frequencies, targets, active)
        parts = self._parts(traces)
        inputs, hidden, slopes = (parts[:dimensions.layers], parts[dimensions.layers][-dimensions.interval:],
                                  parts[dimensions.layers + 1:])
        from_output = self._output_gradient(errors, factors["output_kernel"])
        pre_gradients, embedding_gradients = self._back_through_time(from_output, slopes, factors)
        gradients = {"embedding": self._embedding_gradient(ops.concatenate(tokens), embedding_gradients)}
        for layer in range(dimensions.layers):
            gradients[f"kernel_{layer}"] = self._outer(inputs[layer], pre_gradients[layer])
            gradients[f"bias_{layer}"] = self._total(pre_gradients[layer], bounds.PRE_GRADIENT_LIMIT)
        return gradients | {"output_kernel": self._outer(hidden, errors),
                            "output_bias": self._total(errors, 1 << bounds.ERROR_FRACTION)}

    def _errors(self, frequencies, targets, active):
        """int32 (K, B, V): p - y of 15 fraction bits, zero for streams that had no symbol."""
        ops, streams = self._ops, self._dimensions.streams
        frequencies, targets, active = ops.stack(frequencies), ops.stack(targets), ops.stack(active)
        cut = self._exact.shift(frequencies, bounds.FREQUENCY_CUT)
        predicted = ops.floor_divide(ops.left_shift(cut, bounds.ERROR_FRACTION), ops.sum(cut, -1, keepdims=True))
        came = ops.equal(ops.expand_dims(targets, -1), ops.arange(self._dimensions.symbols, dtype="int32"))
        errors = predicted - ops.left_shift(ops.cast(came, "int32"), bounds.ERROR_FRACTION)
        has_symbol = ops.less(ops.arange(streams, dtype="int32"), ops.expand_dims(active, -1))
        return errors * ops.expand_dims(ops.cast(has_symbol, "int32"), -1)

    def _output_gradient(self, errors, kernel):
        """int32 (T, B, L * U): what the output layer asks of the hidden units; zero before the interval."""
        ops, dimensions = self._ops, self._dimensions
        rows = ops.cast(ops.reshape(errors, (-1, dimensions.symbols)), "float32")
        gradient = self._exact.product(rows, ops.transpose(kernel), block=dimensions.symbols)
        gradient = self._exact.shift(
            gradient, bounds.ERROR_FRACTION + bounds.FACTOR_FRACTION - bounds.GRADIENT_FRACTION)
        gradient = self._exact.clip(gradient, bounds.GRADIENT_LIMIT)
        gradient = ops.reshape(gradient, (dimensions.interval, dimensions.streams, dimensions.hidden))
        return ops.pad(gradient, [[dimensions.window - dimensions.interval, 0], [0, 0], [0, 0]])

    def _back_through_time(self, from_output, slopes, factors):
        """([int32 (T, B, 4U) pre-activation gradients of each layer], int32 (T, B, N * E) of what was embedded)."""
        ops, dimensions = self._ops, self._dimensions
        transposed = [ops.transpose(factors[f"kernel_{layer}"]) for layer in range(dimensions.layers)]

        def step_back(carried, step):
            hidden_gradients, cell_gradients = (self._by_layer(part) for part in carried[:2])
            (output, *layer_slopes), below, embedded = step, 0, 0
            asked = self._by_layer(output)
            hidden_before: list[Tensor] = []
            cell_before: list[Tensor] = []
            pre_gradients: list[Tensor] = []
            for layer in reversed(range(dimensions.layers)):
                wanted = self._exact.clip(asked[layer] + hidden_gradients[layer] + below, bounds.GRADIENT_LIMIT)
                gradient, cell = self._gates_back(wanted, cell_gradients[layer], layer_slopes[layer])
                to_inputs = self._through(gradient, transposed[layer])
                embedded = embedded + to_inputs[:, :dimensions.embedded]
                below = to_inputs[:, dimensions.embedded:dimensions.embedded + dimensions.units]
                hidden_before.insert(0, to_inputs[:, -dimensions.units:])
                cell_before.insert(0, cell)
                pre_gradients.insert(0, gradient)
            found = (*(ops.concatenate(part, -1) for part in (hidden_before, cell_before, pre_gradients)),
                     self._exact.clip(embedded, bounds.GRADIENT_LIMIT))
            return found, found

        # The scan of the TensorFlow backend gives out only what looks like what it carries, so all of it is carried.
        widths = (dimensions.hidden, dimensions.hidden, 4 * dimensions.hidden, dimensions.embedded)
        nothing = tuple(ops.zeros((dimensions.streams, width), "int32") for width in widths)
        _, (_, _, pre_gradients, embedded) = ops.scan(step_back, nothing, (from_output, *slopes), reverse=True)
        return self._by_layer(pre_gradients), embedded

    def _gates_back(self, wanted, cell_gradient, slopes):
        """(int32 (B, 4U) gradients of a layer's pre-activations, (B, U) of its cell before) from those after."""
        exact, units = self._exact, self._dimensions.units
        enter, forget, candidate, leave, output, kept = (slopes[:, units * k:units * (k + 1)] for k in range(6))
        cell = exact.clip(cell_gradient + exact.times(wanted, output, bounds.GATE_FRACTION), bounds.GRADIENT_LIMIT)
        gradients = [exact.times(cell, enter, bounds.SLOPE_FRACTION), exact.times(cell, forget, bounds.GATE_FRACTION),
                     exact.times(cell, candidate, bounds.GATE_FRACTION),
                     exact.times(wanted, leave, bounds.SLOPE_FRACTION)]
        return self._ops.concatenate(gradients, -1), exact.times(cell, kept, bounds.GATE_FRACTION)

    def _through(self, gradients, transposed):
        """int32 (B, n): gradients (B, 4U) of pre-activations through a layer's transposed kernel."""
        operands, shifts = self._exact.fit(gradients, axis=1, block=bounds.UNITS_BLOCK)
        product = self._exact.shift(self._exact.product(operands, transposed, bounds.UNITS_BLOCK),
                                    bounds.FACTOR_FRACTION)
        return self._exact.clip(self._ops.left_shift(product, shifts), bounds.GRADIENT_LIMIT)

    def _outer(self, inputs, gradients):
        """(int32 (n, m), int32 shifts (1, m)): the sum over steps and streams of inputs times gradients."""
        inputs = self._ops.reshape(inputs, (-1, inputs.shape[-1]))
        gradients = self._ops.reshape(gradients, (-1, gradients.shape[-1]))
        block = bounds.rows_block(gradients.shape[0])
        operands, shifts = self._exact.fit(gradients, axis=0, block=block)
        return self._exact.product(self._ops.cast(self._ops.transpose(inputs), "float32"), operands, block), shifts

    def _total(self, gradients, limit):
        """(int32 (m,), 0): the sum of gradients over steps and streams, shifted where it could leave int32."""
        gradients = self._ops.reshape(gradients, (-1, gradients.shape[-1]))
        shift = bounds.total_shift(gradients.shape[0], limit.bit_length())
        return self._ops.sum(self._exact.shift(gradients, shift), 0), self._ops.zeros((1,), "int32")

    def _embedding_gradient(self, tokens, gradients):
        """(int32 (R, E), 0): the sum of the gradients of each embedding."""
        gradients, tokens = self._ops.reshape(gradients, (-1, self._dimensions.embedding)), self._ops.reshape(tokens, (-1,))
        shift = bounds.total_shift(gradients.shape[0], bounds.GRADIENT_LIMIT.bit_length())
        sums = self._ops.segment_sum(self._exact.shift(gradients, shift), tokens, self._dimensions.known)
        return sums, self._ops.zeros((1,), "int32")

    def _adam(self, weights, squares, gradient, shifts, rate):
        """(weights, means of squares) after one step down a gradient * 2^shifts; beta_1 is 0."""
        ops, exact = self._ops, self._exact
        gradient = exact.significant(ops.cast(gradient, "float32")) * exact.power_of_two(shifts)
        change = exact.apart(gradient * gradient - squares)
        squares = exact.apart(squares + change * (0.5 ** self._decay))
        squares = ops.where(squares > bounds.SMALLEST_SQUARE, squares, ops.zeros_like(squares))
        roots, powers = exact.inverse_root(squares)
        step = exact.apart(gradient * roots) * (powers * rate)
        weights = exact.clip(weights - ops.cast(step, "int32"), bounds.WEIGHT_LIMIT)
        return weights, squares

    # Layout

    def _parts(self, trace):
        """The parts of a trace, or of traces: see Dimensions.trace_parts."""
        return self._ops.split(trace, np.cumsum(self._dimensions.trace_parts)[:-1].tolist(), -1)

    def _by_layer(self, values):
        """(B, L * U) as L times (B, U)."""
        return self._ops.split(values, self._dimensions.layers, -1)


def _stacked(arrays, shape):
    """Arrays of `shape` as one, also where there are none."""
    return np.stack(arrays).astype(np.int32) if arrays else np.zeros((0, *shape), np.int32)
