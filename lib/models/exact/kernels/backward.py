"""Gradients of the window's steps: errors of the softmax, and their way back through time."""

import numpy as np

from lib.compiling import compiled, part
from lib.models.exact import bounds
from lib.models.exact.dimensions import SLOPES
from lib.models.exact.kernels.layout import embedded_of, matrix, shape_of
from lib.models.exact.kernels.numbers import Float, Int, clip, shift_for, shifted, times
from lib.models.exact.kernels.products import product_with_transposed

_GATES = bounds.GATE_FRACTION
_ERROR_SHIFT = bounds.ERROR_FRACTION + bounds.FACTOR_FRACTION - bounds.GRADIENT_FRACTION


@compiled
def backward(first, last, dimensions, newest_slot, frequencies, targets, active, slopes, factors, errors,
             pre_gradients, embedded):
    """Gradients of the streams first to last: see KerasEngine._errors and _back_through_time.

    frequencies (K, B, V), targets (K, B) and active (K,) of the steps since the last update; slopes (T, B, L * 6U) by
    slot. Filled: errors (K, B, V), and by slot pre_gradients (T, B, L * 4U) and embedded (T, B, N * E).
    """
    embedding, units, layers = embedded_of(dimensions), dimensions.units, dimensions.layers
    streams = last - first
    hidden, cells = np.zeros((streams, layers * units), np.int32), np.zeros((streams, layers * units), np.int32)
    below, asked = np.empty((streams, units), np.int32), np.zeros((streams, layers * units), np.int32)
    operands, shifts = np.empty((streams, 4 * units), np.float32), np.empty(streams, np.int32)
    rows = np.empty((streams, dimensions.symbols), np.float32)
    widest = embedding + 2 * units
    part_asked, part = np.empty((streams, layers * units), np.float32), np.empty(streams * widest, np.float32)
    flat_sums = np.empty(streams * widest, np.int32)
    for age in range(dimensions.window):
        slot = (newest_slot - age) % dimensions.window
        if age < dimensions.interval:
            step = dimensions.interval - 1 - age
            for stream in range(first, last):
                _errors(frequencies[step, stream], targets[step, stream], stream < active[step], errors[step, stream])
                rows[stream - first] = errors[step, stream]
            product_with_transposed(rows, matrix(factors, dimensions, layers + 1), dimensions.symbols, part_asked, asked)
            for stream in range(streams):
                for unit in range(layers * units):
                    asked[stream, unit] = clip(shifted(asked[stream, unit], _ERROR_SHIFT), bounds.GRADIENT_LIMIT)
        else:
            asked[:] = 0
        below[:] = 0
        embedded[slot, first:last] = 0
        for layer in range(layers - 1, -1, -1):
            of_layer = slice(layer * units, (layer + 1) * units)
            for stream in range(streams):
                pre = pre_gradients[slot, first + stream, layer * 4 * units:(layer + 1) * 4 * units]
                _gates_back(asked[stream, of_layer], hidden[stream, of_layer], below[stream], cells[stream, of_layer],
                            slopes[slot, first + stream, layer * SLOPES * units:(layer + 1) * SLOPES * units], pre)
                shifts[stream] = _fit_row(pre, operands[stream])
            inputs = shape_of(dimensions, layer + 1)[0]
            sums = flat_sums[:streams * inputs].reshape(streams, inputs)
            product_with_transposed(operands, matrix(factors, dimensions, layer + 1), bounds.UNITS_BLOCK,
                                     part[:streams * inputs].reshape(streams, inputs), sums)
            for stream in range(streams):
                shift, row, own = shifts[stream], sums[stream], embedding
                for column in range(embedding):
                    embedded[slot, first + stream, column] += _to_input(row[column], shift)
                if layer:
                    for unit in range(units):
                        below[stream, unit] = _to_input(row[own + unit], shift)
                    own += units
                for unit in range(units):
                    hidden[stream, layer * units + unit] = _to_input(row[own + unit], shift)
        for stream in range(first, last):
            for column in range(embedding):
                embedded[slot, stream, column] = clip(embedded[slot, stream, column], bounds.GRADIENT_LIMIT)


@part
def _errors(frequencies, target, is_active, out):
    """p - y of one step and stream; zero where there was no symbol."""
    if not is_active:
        out[:] = 0
        return
    total = Int(0)
    for symbol in range(len(out)):
        total += shifted(frequencies[symbol], bounds.FREQUENCY_CUT)
    for symbol in range(len(out)):
        out[symbol] = Int(shifted(frequencies[symbol], bounds.FREQUENCY_CUT) << bounds.ERROR_FRACTION) // total
    out[target] -= 1 << bounds.ERROR_FRACTION


@part
def _gates_back(asked, hidden, below, cells, slopes, out):
    """KerasEngine._gates_back of one layer and stream: gradients before the gates into out; `cells` one step on."""
    units = len(below)
    for unit in range(units):
        wanted = Int(clip(Int(asked[unit] + hidden[unit] + below[unit]), bounds.GRADIENT_LIMIT))
        cell = Int(clip(Int(cells[unit] + times(wanted, slopes[4 * units + unit], _GATES)), bounds.GRADIENT_LIMIT))
        out[unit] = times(cell, slopes[unit], bounds.SLOPE_FRACTION)
        out[units + unit] = times(cell, slopes[units + unit], _GATES)
        out[2 * units + unit] = times(cell, slopes[2 * units + unit], _GATES)
        out[3 * units + unit] = times(wanted, slopes[3 * units + unit], bounds.SLOPE_FRACTION)
        cells[unit] = times(cell, slopes[5 * units + unit], _GATES)


@part
def _fit_row(values, operands):
    """FixedPoint.fit of one row; returns its shift."""
    length = len(values)
    block = min(bounds.UNITS_BLOCK, length)
    largest, largest_sum = Int(0), Int(0)
    for start in range(0, length, block):
        total = Int(0)
        for column in range(start, min(start + block, length)):
            magnitude = Int(abs(values[column]))
            total += magnitude
            largest = max(largest, magnitude)
        largest_sum = max(largest_sum, total)
    shift = shift_for(largest_sum, largest, bounds.GRADIENT_SUM - block // 2)
    half = Int((1 << shift) >> 1)
    for column in range(length):
        operands[column] = Float(Int(values[column] + half) >> shift)
    return shift


@part
def _to_input(product, shift):
    return Int(clip(Int(shifted(product, bounds.FACTOR_FRACTION) << shift), bounds.GRADIENT_LIMIT))
