"""Gradients of the window's steps: errors of the softmax, and their way back through time."""

import numpy as np

from lib.compiling import compiled, part
from lib.models.exact import bounds
from lib.models.exact.dimensions import SLOPES
from lib.models.exact.kernels.layout import embedded_of, matrix
from lib.models.exact.kernels.numbers import Int, clip, shift_for, shifted, times
from lib.models.exact.kernels.products import sums_of_rows

_GATES = bounds.GATE_FRACTION
_ERROR_SHIFT = bounds.ERROR_FRACTION + bounds.FACTOR_FRACTION - bounds.GRADIENT_FRACTION


@compiled
def backward(first, last, dimensions, slots, frequencies, targets, active, slopes, factors, errors, pre_gradients, embedded):
    """Gradients of the streams first to last: see KerasEngine._errors and _back_through_time.

    slots: where the window's steps lie, from the oldest on. By slot: frequencies (R, B, V), targets (R, B), active (R,), slopes
    (R, B, L * 6U). factors: as for `forward`. Filled, from the oldest step on: errors (K, B, V), of the newest K; pre_gradients
    (T, B, L * 4U) and embedded (T, B, N * E).

    A layer's steps come before the layer below, so that what does not lead from step to step is done for all steps at once, while a row
    of a kernel is in the cache.
    """
    width, units, layers, steps = embedded_of(dimensions), dimensions.units, dimensions.layers, len(slots)
    streams = last - first
    asked = _asked(first, last, dimensions, slots, frequencies, targets, active, factors, errors)
    below = np.zeros((steps, streams, units), np.int32)
    operands, shifts = np.empty((steps * streams, 4 * units), np.int16), np.empty(steps * streams, np.int32)
    own, room = np.empty((streams, units), np.int32), np.empty(steps * streams * (width + units), np.int32)
    embedded[:, first:last] = 0
    for layer in range(layers - 1, -1, -1):
        kernel = matrix(factors, dimensions, layer + 1)
        columns = kernel.shape[1]
        hidden, cells = np.zeros((streams, units), np.int32), np.zeros((streams, units), np.int32)
        for step in range(steps - 1, -1, -1):
            rows = operands[step * streams:(step + 1) * streams]
            for stream in range(streams):
                pre = pre_gradients[step, first + stream, layer * 4 * units:(layer + 1) * 4 * units]
                _gates_back(asked[step, stream, layer * units:(layer + 1) * units], hidden[stream], below[step, stream], cells[stream],
                            slopes[slots[step], first + stream, layer * SLOPES * units:(layer + 1) * SLOPES * units], pre)
                shifts[step * streams + stream] = _fit_row(pre, rows[stream])
            sums_of_rows(rows, kernel, columns - units, columns, own)
            for stream in range(streams):
                for unit in range(units):
                    hidden[stream, unit] = _to_input(own[stream, unit], shifts[step * streams + stream])
        rest = room[:len(operands) * (columns - units)].reshape(len(operands), columns - units)
        sums_of_rows(operands, kernel, 0, columns - units, rest)
        for step in range(steps):
            for stream in range(streams):
                row, shift = rest[step * streams + stream], shifts[step * streams + stream]
                for column in range(width):
                    embedded[step, first + stream, column] += _to_input(row[column], shift)
                if layer:
                    for unit in range(units):
                        below[step, stream, unit] = _to_input(row[width + unit], shift)
    for step in range(steps):
        for stream in range(first, last):
            for column in range(width):
                embedded[step, stream, column] = clip(embedded[step, stream, column], bounds.GRADIENT_LIMIT)


@part
def _asked(first, last, dimensions, slots, frequencies, targets, active, factors, errors):
    """int32 (T, streams, L * U): what the output layer asks of the hidden units; zero before the newest K steps. Fills errors."""
    streams, steps, interval = last - first, len(slots), dimensions.interval
    rows = np.empty((interval * streams, dimensions.symbols), np.int32)
    for step in range(interval):
        slot = slots[steps - interval + step]
        for stream in range(first, last):
            _errors(frequencies[slot, stream], targets[slot, stream], stream < active[slot], errors[step, stream])
            rows[step * streams + stream - first] = errors[step, stream]
    hidden = dimensions.layers * dimensions.units
    asked = np.zeros((steps * streams, hidden), np.int32)
    newest = asked[(steps - interval) * streams:]
    sums_of_rows(rows, matrix(factors, dimensions, dimensions.layers + 1), 0, hidden, newest)
    for row in range(len(newest)):
        for unit in range(hidden):
            newest[row, unit] = clip(shifted(newest[row, unit], _ERROR_SHIFT), bounds.GRADIENT_LIMIT)
    return asked.reshape(steps, streams, hidden)


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
        operands[column] = Int(values[column] + half) >> shift
    return shift


@part
def _to_input(product, shift):
    return Int(clip(Int(shifted(product, bounds.FACTOR_FRACTION) << shift), bounds.GRADIENT_LIMIT))
