"""The compiled loops of the Numba engine, each a long stretch of work that runs without Python's lock.

They do what KerasEngine does, in the formats of `bounds`, and are cached on disk. Numba takes the sum or product of
two int32 as int64; `_int` brings results back, which lets the compiler use whole vectors of 32-bit numbers.

Matrices lie one after the other in flat arrays, numbered: the embedding is 0, the layers' kernels 1 to L, the output
layer's L + 1. So a network of any number of layers runs on the same compiled code.
"""

import numba
import numpy as np

from lib.models.exact import bounds, tables
from lib.models.exact.dimensions import SLOPES

_int, _float = np.int32, np.float32
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
_inlined = numba.njit(nogil=True, error_model="numpy")       # by LLVM, as each is small

_GATES = bounds.GATE_FRACTION
_ONE = _int(1 << _GATES)
_STEP_SHIFT = bounds.SUM_FRACTION - tables.STEP_BITS
_CELL_SHIFT = _GATES - tables.STEP_BITS
_FINE = 2 * _GATES - bounds.SLOPE_FRACTION
_HIDDEN_SHIFT = _GATES - bounds.HIDDEN_FRACTION
_ERROR_SHIFT = bounds.ERROR_FRACTION + bounds.FACTOR_FRACTION - bounds.GRADIENT_FRACTION
_CUT = _int(-1 << bounds.FLOAT_BITS - bounds.SIGNIFICANT_BITS)
_APART = _int(-2)
_EXPONENT_BIAS, _MANTISSA_BITS = 127, 23
_ROWS_AT_ONCE = 32            # of a kernel's gradient: they stay in the cache until its weights have moved


# Layout

@_inlined
def shape_of(dimensions, number):
    """(rows, columns) of a matrix."""
    if number == 0:
        return dimensions.symbols, dimensions.embedding
    if number > dimensions.layers:
        return dimensions.layers * dimensions.units, dimensions.symbols
    return dimensions.embedding + dimensions.units * (1 if number == 1 else 2), 4 * dimensions.units


@_inlined
def start_of(dimensions, number):
    """Where a matrix begins in a flat array of all."""
    start = 0
    for before in range(number):
        rows, columns = shape_of(dimensions, before)
        start += rows * columns
    return start


@_inlined
def matrix(flat, dimensions, number):
    """A matrix in a flat array of all."""
    rows, columns = shape_of(dimensions, number)
    start = start_of(dimensions, number)
    return flat[start:start + rows * columns].reshape(rows, columns)


@_inlined
def input_start(dimensions, layer):
    """Where a layer's input begins in a step's activations; for layer L, where the hidden units of all begin."""
    if layer == 0:
        return 0
    return dimensions.embedding + dimensions.units + (layer - 1) * (dimensions.embedding + 2 * dimensions.units)


# Whole numbers

@_inlined
def _clip(value, limit):
    return min(max(value, -limit), limit)


@_inlined
def _shift(value, bits):
    """value / 2^bits, rounded to the nearest and half up."""
    return _int(_int(value + (1 << bits - 1)) >> bits)


@_inlined
def _times(left, right, bits):
    return _shift(_int(left * right), bits)


@_inlined
def _entry(table, steps):
    """What a table of sigmoid or tanh holds for an argument in steps of 2^-10."""
    return _int(table[min(max(steps, -tables.HALF), tables.HALF - 1) + tables.HALF])


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})      # fused or not, whole numbers stay what they are
def _add_products(left, start, right, first, last, out):
    """Add left[:, start + term] * right[term], for the terms first to last, to out: float32, exact below 2^24.

    Two rows and four terms at a time: a vector of columns is loaded and stored once for four products. For the few
    rows here that is as fast as BLAS, which copies `right` first; and nothing stops for Python between two products.
    """
    rows = len(out)
    term = first
    while term + 4 <= last:
        values0, values1, values2, values3 = right[term], right[term + 1], right[term + 2], right[term + 3]
        for row in range(0, rows - 1, 2):
            f = left[row, start + term:start + term + 4]
            g = left[row + 1, start + term:start + term + 4]
            f0, f1, f2, f3 = f[0], f[1], f[2], f[3]
            g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
            sums, sums_next = out[row], out[row + 1]
            for column in range(len(sums)):
                v0, v1, v2, v3 = values0[column], values1[column], values2[column], values3[column]
                sums[column] = sums[column] + f0 * v0 + f1 * v1 + f2 * v2 + f3 * v3
                sums_next[column] = sums_next[column] + g0 * v0 + g1 * v1 + g2 * v2 + g3 * v3
        if rows % 2:
            for rest in range(term, term + 4):
                _add_scaled(left[rows - 1, start + rest], right[rest], out[rows - 1])
        term += 4
    for rest in range(term, last):
        for row in range(rows):
            _add_scaled(left[row, start + rest], right[rest], out[row])


@_inlined
def _add_scaled(factor, values, out):
    for column in range(len(out)):
        out[column] += factor * values[column]


@_inlined
def _product(left, start, right, block, part, out):
    """left[:, start:start + terms] times right (terms, m) into out, int32; `part` is float32 room of out's shape."""
    terms = len(right)
    for first in range(0, terms, block):
        part[:] = 0
        _add_products(left, start, right, first, min(first + block, terms), part)
        _add_whole(part, first == 0, out)


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})      # nor does the order matter
def _dot_products(left, right, first, last, out):
    """left times right transposed, for the terms first to last, into out: float32, exact below 2^24.

    Two rows of either at a time and four, for the same reason as above.
    """
    rows, columns = out.shape
    for column in range(0, columns - 3, 4):
        r0, r1 = right[column, first:last], right[column + 1, first:last]
        r2, r3 = right[column + 2, first:last], right[column + 3, first:last]
        for row in range(0, rows - 1, 2):
            f, g = left[row, first:last], left[row + 1, first:last]
            f0 = f1 = f2 = f3 = g0 = g1 = g2 = g3 = _float(0)
            for term in range(last - first):
                x, y = f[term], g[term]
                f0 += x * r0[term]
                f1 += x * r1[term]
                f2 += x * r2[term]
                f3 += x * r3[term]
                g0 += y * r0[term]
                g1 += y * r1[term]
                g2 += y * r2[term]
                g3 += y * r3[term]
            out[row, column], out[row, column + 1], out[row, column + 2], out[row, column + 3] = f0, f1, f2, f3
            out[row + 1, column], out[row + 1, column + 1] = g0, g1
            out[row + 1, column + 2], out[row + 1, column + 3] = g2, g3
        if rows % 2:
            for rest in range(column, column + 4):
                out[rows - 1, rest] = _dot(left[rows - 1, first:last], right[rest, first:last])
    for rest in range(columns - columns % 4, columns):
        for row in range(rows):
            out[row, rest] = _dot(left[row, first:last], right[rest, first:last])


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _dot(left, right):
    total = _float(0)
    for term in range(len(left)):
        total += left[term] * right[term]
    return total


@_inlined
def _product_with_transposed(left, right, block, part, out):
    """left (rows, terms) times right (m, terms) transposed into out, int32; `part` as for _product."""
    terms = right.shape[1]
    for first in range(0, terms, block):
        _dot_products(left, right, first, min(first + block, terms), part)
        _add_whole(part, first == 0, out)


@_inlined
def _add_whole(part, is_first, out):
    """Add whole numbers, float32, to out, int32; or put them there, where they are the first."""
    for row in range(len(out)):
        sums, total = part[row], out[row]
        if is_first:
            for column in range(len(total)):
                total[column] = _int(sums[column])
        else:
            for column in range(len(total)):
                total[column] += _int(sums[column])


# One step forward

@_compiled
def forward(first, last, dimensions, newest, before, activations, slopes, cells, factors, biases, sigmoid, tanh,
            exponential, frequencies):
    """One step of the streams first to last, whose symbols are `newest`: see KerasEngine._compute_step.

    before and activations (B, dimensions.activations), slopes (B, L * 6U), cells (B, L * U), frequencies (B, V).
    """
    embedding, units, layers = dimensions.embedding, dimensions.units, dimensions.layers
    rows, all_hidden = activations[first:last], input_start(dimensions, layers)
    part, sums = np.empty((last - first, 4 * units), np.float32), np.empty((last - first, 4 * units), np.int32)
    embedded = matrix(factors, dimensions, 0)
    for layer in range(layers):
        start = input_start(dimensions, layer)
        for stream in range(first, last):
            activations[stream, start:start + embedding] = embedded[newest[stream]]
            own, below = start + embedding, all_hidden + (layer - 1) * units
            if layer:
                activations[stream, own:own + units] = activations[stream, below:below + units]
                own += units
            activations[stream, own:own + units] = before[stream, below + units:below + 2 * units]
        _product(rows, start, matrix(factors, dimensions, layer + 1), bounds.FORWARD_BLOCK, part, sums)
        for stream in range(first, last):
            at = all_hidden + layer * units
            _gates(sums[stream - first], biases[layer * 4 * units:(layer + 1) * 4 * units], sigmoid, tanh,
                   cells[stream, layer * units:(layer + 1) * units], activations[stream, at:at + units],
                   slopes[stream, layer * SLOPES * units:(layer + 1) * SLOPES * units])
    part = np.empty((last - first, dimensions.symbols), np.float32)
    logits = np.empty((last - first, dimensions.symbols), np.int32)
    _product(rows, all_hidden, matrix(factors, dimensions, layers + 1), bounds.FORWARD_BLOCK, part, logits)
    for stream in range(first, last):
        _frequencies(logits[stream - first], biases[layers * 4 * units:], exponential, frequencies[stream])


@_inlined
def _gates(sums, bias, sigmoid, tanh, cells, hidden, slopes):
    """KerasEngine._gates of one layer and stream."""
    units = len(cells)
    for unit in range(units):
        enter = _entry(sigmoid, _int(sums[unit] + bias[unit]) >> _STEP_SHIFT)
        forget = _entry(sigmoid, _int(sums[units + unit] + bias[units + unit]) >> _STEP_SHIFT)
        candidate = _entry(tanh, _int(sums[2 * units + unit] + bias[2 * units + unit]) >> _STEP_SHIFT)
        leave = _entry(sigmoid, _int(sums[3 * units + unit] + bias[3 * units + unit]) >> _STEP_SHIFT)
        before = cells[unit]
        cell = _int(_clip(_shift(_int(_int(forget * before) + _int(enter * candidate)), _GATES), bounds.CELL_LIMIT))
        squashed = _entry(tanh, cell >> _CELL_SHIFT)
        cells[unit] = cell
        hidden[unit] = _clip(_shift(_times(leave, squashed, _GATES), _HIDDEN_SHIFT), bounds.FACTOR_LIMIT)
        slopes[unit] = _times(enter * (_ONE - enter) >> _FINE, candidate, _GATES)
        slopes[units + unit] = (forget * (_ONE - forget) >> _GATES) * before >> _GATES
        slopes[2 * units + unit] = _times(_ONE - (candidate * candidate >> _GATES), enter, _GATES)
        slopes[3 * units + unit] = _times(leave * (_ONE - leave) >> _FINE, squashed, _GATES)
        slopes[4 * units + unit] = _times(_ONE - (squashed * squashed >> _GATES), leave, _GATES)
        slopes[5 * units + unit] = forget


@_inlined
def _frequencies(sums, bias, exponential, out):
    """Frequencies of one stream from the output layer's sums, which are overwritten."""
    largest = _int(-bounds.SUM_LIMIT)
    for symbol in range(len(sums)):
        sums[symbol] = _clip(_int(sums[symbol] + bias[symbol]), bounds.SUM_LIMIT)
        largest = max(largest, sums[symbol])
    for symbol in range(len(sums)):
        out[symbol] = exponential[min(largest - sums[symbol] >> _STEP_SHIFT, tables.EXPONENTS - 1)] + 1


# One update

@_compiled
def backward(first, last, dimensions, newest_slot, frequencies, targets, active, slopes, factors, errors,
             pre_gradients, embedded):
    """Gradients of the streams first to last: see KerasEngine._errors and _back_through_time.

    frequencies (K, B, V), targets (K, B) and active (K,) of the steps since the last update; slopes (T, B, L * 6U) by
    slot. Filled: errors (K, B, V), and by slot pre_gradients (T, B, L * 4U) and embedded (T, B, E).
    """
    embedding, units, layers = dimensions.embedding, dimensions.units, dimensions.layers
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
            _product_with_transposed(rows, matrix(factors, dimensions, layers + 1), dimensions.symbols, part_asked, asked)
            for stream in range(streams):
                for unit in range(layers * units):
                    asked[stream, unit] = _clip(_shift(asked[stream, unit], _ERROR_SHIFT), bounds.GRADIENT_LIMIT)
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
            _product_with_transposed(operands, matrix(factors, dimensions, layer + 1), bounds.UNITS_BLOCK,
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
                embedded[slot, stream, column] = _clip(embedded[slot, stream, column], bounds.GRADIENT_LIMIT)


@_inlined
def _errors(frequencies, target, is_active, out):
    """p - y of one step and stream; zero where there was no symbol."""
    if not is_active:
        out[:] = 0
        return
    total = _int(0)
    for symbol in range(len(out)):
        total += _shift(frequencies[symbol], bounds.FREQUENCY_CUT)
    for symbol in range(len(out)):
        out[symbol] = _int(_shift(frequencies[symbol], bounds.FREQUENCY_CUT) << bounds.ERROR_FRACTION) // total
    out[target] -= 1 << bounds.ERROR_FRACTION


@_inlined
def _gates_back(asked, hidden, below, cells, slopes, out):
    """KerasEngine._gates_back of one layer and stream: gradients before the gates into out; `cells` one step on."""
    units = len(below)
    for unit in range(units):
        wanted = _int(_clip(_int(asked[unit] + hidden[unit] + below[unit]), bounds.GRADIENT_LIMIT))
        cell = _int(_clip(_int(cells[unit] + _times(wanted, slopes[4 * units + unit], _GATES)), bounds.GRADIENT_LIMIT))
        out[unit] = _times(cell, slopes[unit], bounds.SLOPE_FRACTION)
        out[units + unit] = _times(cell, slopes[units + unit], _GATES)
        out[2 * units + unit] = _times(cell, slopes[2 * units + unit], _GATES)
        out[3 * units + unit] = _times(wanted, slopes[3 * units + unit], bounds.SLOPE_FRACTION)
        cells[unit] = _times(cell, slopes[5 * units + unit], _GATES)


@_inlined
def _fit_row(values, operands):
    """FixedPoint.fit of one row; returns its shift."""
    length = len(values)
    block = min(bounds.UNITS_BLOCK, length)
    largest, largest_sum = _int(0), _int(0)
    for start in range(0, length, block):
        total = _int(0)
        for column in range(start, min(start + block, length)):
            magnitude = _int(abs(values[column]))
            total += magnitude
            largest = max(largest, magnitude)
        largest_sum = max(largest_sum, total)
    shift = _shift_for(largest_sum, largest, bounds.GRADIENT_SUM - block // 2)
    half = _int((1 << shift) >> 1)
    for column in range(length):
        operands[column] = _float(_int(values[column] + half) >> shift)
    return shift


@_inlined
def _shift_for(total, largest, limit):
    """The least shift that brings a sum of magnitudes under `limit`, and the largest under that of an operand."""
    shift = _int(0)
    while total >> shift >= limit or largest >> shift >= bounds.GRADIENT_OPERAND:
        shift += _int(1)
    return shift


@_inlined
def _to_input(product, shift):
    return _int(_clip(_int(_shift(product, bounds.FACTOR_FRACTION) << shift), bounds.GRADIENT_LIMIT))


@_compiled
def fit_columns(values, slots, first, last, block, operands, shifts):
    """FixedPoint.fit of the columns first to last of values (any, B, any), in blocks of rows.

    operands (slots * B, m) in the order of `slots`: which rows share a block is part of the arithmetic.
    """
    streams, columns = values.shape[1], last - first
    rows = len(slots) * streams
    largest, largest_sum = np.zeros(columns, np.int32), np.zeros(columns, np.int32)
    for start in range(0, rows, block):
        total = np.zeros(columns, np.int32)
        for row in range(start, min(start + block, rows)):
            gradients = values[slots[row // streams], row % streams, first:last]
            for column in range(columns):
                magnitude = _int(abs(gradients[column]))
                total[column] = _int(total[column] + magnitude)
                largest[column] = max(largest[column], magnitude)
        for column in range(columns):
            largest_sum[column] = max(largest_sum[column], total[column])
    halves, limit = np.empty(columns, np.int32), bounds.GRADIENT_SUM - min(block, rows) // 2
    for column in range(columns):
        shifts[column] = _shift_for(largest_sum[column], largest[column], limit)
        halves[column] = _int((1 << shifts[column]) >> 1)
    for row in range(rows):
        gradients, fit = values[slots[row // streams], row % streams, first:last], operands[row]
        for column in range(columns):
            fit[column] = _float(_int(gradients[column] + halves[column]) >> shifts[column])


@_compiled
def learn_rows(first, last, activations, start, slots, operands, shifts, block, rate, decay, weights, squares, factors):
    """A step of Adam for the rows first to last of a kernel; its input begins at `start` of the activations.

    activations (T, B, any) by slot; operands (slots * B, m) in the order of `slots`.
    """
    streams, terms = activations.shape[1], len(slots) * activations.shape[1]
    inputs, columns = np.empty((_ROWS_AT_ONCE, terms), np.float32), operands.shape[1]
    part, gradient = np.empty((_ROWS_AT_ONCE, columns), np.float32), np.empty((_ROWS_AT_ONCE, columns), np.int32)
    for top in range(first, last, _ROWS_AT_ONCE):
        end = min(top + _ROWS_AT_ONCE, last)
        for step in range(len(slots)):
            for stream in range(streams):
                for row in range(top, end):
                    inputs[row - top, step * streams + stream] = activations[slots[step], stream, start + row]
        rows = end - top
        _product(inputs, 0, operands, block, part[:rows], gradient[:rows])
        adam(gradient[:rows], shifts, rate, decay, bounds.FACTOR_FRACTION, weights[top:end], squares[top:end],
             factors[top:end])


@_compiled
def column_totals(values, first, last, shift, out):
    """The sum of the rows of values (rows, any), columns first to last, each rounded to 2^shift: into out (1, m)."""
    out[:] = 0
    half = _int((1 << shift) >> 1)
    for row in range(len(values)):
        for column in range(last - first):
            out[0, column] += _int(values[row, first + column] + half) >> shift


@_compiled
def embedding_totals(values, tokens, shift, out):
    """Likewise the rows of each token: of values (rows, E) into out (V, E)."""
    out[:] = 0
    half = _int((1 << shift) >> 1)
    for row in range(len(values)):
        for column in range(values.shape[1]):
            out[tokens[row], column] += _int(values[row, column] + half) >> shift


@_inlined
def _bits(value):
    """The bits of a float32, as an int32."""
    return np.float32(value).view(np.int32)


@_inlined
def _number(bits):
    """The float32 of some bits."""
    return np.int32(bits).view(np.float32)


@_inlined
def _apart(value, mask):
    """FixedPoint.apart of one number."""
    return _number(_int(_bits(value) & mask))


@_compiled
def adam(gradients, shifts, rate, decay, fraction, weights, squares, factors):
    """KerasEngine._adam in place, of int32 gradients (n, m); and the factors (n, m) of `fraction` fraction bits."""
    rows, columns = weights.shape
    scales = np.empty(columns, np.float32)
    for column in range(columns):
        scales[column] = _float(1 << shifts[column])
    forget, smallest = _float(0.5 ** decay), _float(bounds.SMALLEST_SQUARE)
    to_factor = bounds.WEIGHT_FRACTION - fraction
    for row in range(rows):
        for column in range(columns):
            gradient = _apart(_float(gradients[row, column]), _CUT) * scales[column]
            square = squares[row, column]
            change = _apart(_float(_float(gradient * gradient) - square), _APART)
            square = _apart(_float(square + _float(change * forget)), _APART)
            bits = _bits(square) if square > smallest else _int(0)
            squares[row, column] = _number(bits)
            exponent = _int(_int(bits >> _MANTISSA_BITS) - _EXPONENT_BIAS)
            mantissa = _int(_int(bits >> _MANTISSA_BITS - tables.ROOT_MANTISSA_BITS)
                            & (1 << tables.ROOT_MANTISSA_BITS) - 1)
            curved = _int(tables.ROOT_SLOPE - (_int(mantissa * tables.ROOT_CURVE) >> tables.ROOT_MANTISSA_BITS))
            root = _int(tables.ROOT_START - (_int(mantissa * curved) >> tables.ROOT_MANTISSA_BITS))
            if exponent & 1:
                root = _int(_int(root * tables.ROOT_OF_HALF) >> bounds.ROOT_BITS)
            power = _number(_int(_EXPONENT_BIAS - bounds.ROOT_BITS - (exponent >> 1) << _MANTISSA_BITS))
            step = _float(_apart(_float(gradient * _float(root)), _APART) * _float(power * rate))
            weight = _int(_clip(_int(weights[row, column] - _int(step)), bounds.WEIGHT_LIMIT))
            weights[row, column] = weight
            factors[row, column] = _float(_clip(_shift(weight, to_factor), bounds.FACTOR_LIMIT))
