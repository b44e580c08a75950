"""One step of the network: from the newest symbols to the frequencies of the next."""

import numpy as np

from lib.compiling import compiled, part
from lib.models.exact import bounds, tables
from lib.models.exact.dimensions import SLOPES
from lib.models.exact.kernels.layout import embedded_of, input_start, matrix
from lib.models.exact.kernels.numbers import Int, clip, shifted, times
from lib.models.exact.kernels.products import dots

_GATES = bounds.GATE_FRACTION
_ONE = Int(1 << _GATES)
_STEP_SHIFT = bounds.SUM_FRACTION - tables.STEP_BITS
_CELL_SHIFT = _GATES - tables.STEP_BITS
_FINE = 2 * _GATES - bounds.SLOPE_FRACTION
_HIDDEN_SHIFT = _GATES - bounds.HIDDEN_FRACTION


@part
def _entry(table, steps):
    """What a table of sigmoid or tanh holds for an argument in steps of 2^-10."""
    return Int(table[min(max(steps, -tables.HALF), tables.HALF - 1) + tables.HALF])


@compiled
def forward(first, last, dimensions, newest, before, activations, slopes, cells, factors, biases, sigmoid, tanh,
            exponential, frequencies):
    """One step of the streams first to last, which see `newest` (B, N): see KerasEngine._compute_step.

    before and activations int16 (B, dimensions.activations), slopes int16 (B, L * 6U), cells (B, L * U), frequencies (B, V);
    factors: int16, flat as lib.models.exact.kernels.layout has them.
    """
    embedding, units, layers = dimensions.embedding, dimensions.units, dimensions.layers
    width = embedded_of(dimensions)
    rows, all_hidden = activations[first:last], input_start(dimensions, layers)
    sums = np.empty((last - first, 4 * units), np.int32)
    embedded = matrix(factors, dimensions, 0)
    for layer in range(layers):
        start = input_start(dimensions, layer)
        for stream in range(first, last):
            for seen in range(dimensions.seen):
                at = start + seen * embedding
                activations[stream, at:at + embedding] = embedded[newest[stream, seen]]
            own, below = start + width, all_hidden + (layer - 1) * units
            if layer:
                activations[stream, own:own + units] = activations[stream, below:below + units]
                own += units
            activations[stream, own:own + units] = before[stream, below + units:below + 2 * units]
        dots(rows, start, matrix(factors, dimensions, layer + 1), sums)
        for stream in range(first, last):
            at = all_hidden + layer * units
            _gates(sums[stream - first], biases[layer * 4 * units:(layer + 1) * 4 * units], sigmoid, tanh,
                   cells[stream, layer * units:(layer + 1) * units], activations[stream, at:at + units],
                   slopes[stream, layer * SLOPES * units:(layer + 1) * SLOPES * units])
    logits = np.empty((last - first, dimensions.symbols), np.int32)
    dots(rows, all_hidden, matrix(factors, dimensions, layers + 1), logits)
    for stream in range(first, last):
        _frequencies(logits[stream - first], biases[layers * 4 * units:], exponential, frequencies[stream])


@part
def _gates(sums, bias, sigmoid, tanh, cells, hidden, slopes):
    """KerasEngine._gates of one layer and stream."""
    units = len(cells)
    for unit in range(units):
        enter = _entry(sigmoid, Int(sums[unit] + bias[unit]) >> _STEP_SHIFT)
        forget = _entry(sigmoid, Int(sums[units + unit] + bias[units + unit]) >> _STEP_SHIFT)
        candidate = _entry(tanh, Int(sums[2 * units + unit] + bias[2 * units + unit]) >> _STEP_SHIFT)
        leave = _entry(sigmoid, Int(sums[3 * units + unit] + bias[3 * units + unit]) >> _STEP_SHIFT)
        before = cells[unit]
        cell = Int(clip(shifted(Int(Int(forget * before) + Int(enter * candidate)), _GATES), bounds.CELL_LIMIT))
        squashed = _entry(tanh, cell >> _CELL_SHIFT)
        cells[unit] = cell
        hidden[unit] = clip(shifted(times(leave, squashed, _GATES), _HIDDEN_SHIFT), bounds.FACTOR_LIMIT)
        slopes[unit] = times(enter * (_ONE - enter) >> _FINE, candidate, _GATES)
        slopes[units + unit] = (forget * (_ONE - forget) >> _GATES) * before >> _GATES
        slopes[2 * units + unit] = times(_ONE - (candidate * candidate >> _GATES), enter, _GATES)
        slopes[3 * units + unit] = times(leave * (_ONE - leave) >> _FINE, squashed, _GATES)
        slopes[4 * units + unit] = times(_ONE - (squashed * squashed >> _GATES), leave, _GATES)
        slopes[5 * units + unit] = forget


@part
def _frequencies(sums, bias, exponential, out):
    """Frequencies of one stream from the output layer's sums, which are overwritten."""
    largest = Int(-bounds.SUM_LIMIT)
    for symbol in range(len(sums)):
        sums[symbol] = clip(Int(sums[symbol] + bias[symbol]), bounds.SUM_LIMIT)
        largest = max(largest, sums[symbol])
    for symbol in range(len(sums)):
        out[symbol] = exponential[min(largest - sums[symbol] >> _STEP_SHIFT, tables.EXPONENTS - 1)] + 1
