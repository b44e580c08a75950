"""A step of Adam: from gradients to weights, and to what enters the next products."""

import numpy as np

from lib.compiling import compiled, part
from lib.models.exact import bounds, tables
from lib.models.exact.kernels.numbers import Float, Int, clip, shift_for, shifted
from lib.models.exact.kernels.products import product

_CUT = Int(-1 << bounds.FLOAT_BITS - bounds.SIGNIFICANT_BITS)
_APART = Int(-2)
_EXPONENT_BIAS, _MANTISSA_BITS = 127, 23
_ROWS_AT_ONCE = 16            # of a kernel's gradient: they stay in the cache until its weights have moved


@compiled
def fit_columns(values, first, last, block, operands, shifts):
    """FixedPoint.fit of the columns first to last of values (rows, any), in blocks of rows; transposed, into operands (m, rows).

    Rows are in the order of steps: which of them share a block is part of the arithmetic.
    """
    rows, columns = len(values), last - first
    largest, largest_sum = np.zeros(columns, np.int32), np.zeros(columns, np.int32)
    for start in range(0, rows, block):
        total = np.zeros(columns, np.int32)
        for row in range(start, min(start + block, rows)):
            gradients = values[row, first:last]
            for column in range(columns):
                magnitude = Int(abs(gradients[column]))
                total[column] = Int(total[column] + magnitude)
                largest[column] = max(largest[column], magnitude)
        for column in range(columns):
            largest_sum[column] = max(largest_sum[column], total[column])
    limit = bounds.GRADIENT_SUM - min(block, rows) // 2
    for column in range(columns):
        shift = shift_for(largest_sum[column], largest[column], limit)
        half = Int((1 << shift) >> 1)
        shifts[column] = shift
        for row in range(rows):
            operands[column, row] = Float(Int(values[row, first + column] + half) >> shift)


@compiled
def learn_rows(first, last, inputs, operands, shifts, block, rate, decay, weights, squares, factors):
    """A step of Adam for the rows first to last of a kernel: inputs float32 (rows, n), operands and shifts as of `fit_columns`."""
    columns = inputs.shape[1]
    part, gradient = np.empty((_ROWS_AT_ONCE, columns), np.float32), np.empty((_ROWS_AT_ONCE, columns), np.int32)
    for top in range(first, last, _ROWS_AT_ONCE):
        end = min(top + _ROWS_AT_ONCE, last)
        rows = end - top
        product(operands[top:end], inputs, block, part[:rows], gradient[:rows])
        adam(gradient[:rows], shifts[top:end], rate, decay, bounds.FACTOR_FRACTION, weights[top:end], squares[top:end],
             factors[top:end])


@compiled
def column_totals(values, first, last, shift, out):
    """The sum of the rows of values (rows, any), columns first to last, each rounded to 2^shift: into out (1, m)."""
    out[:] = 0
    half = Int((1 << shift) >> 1)
    for row in range(len(values)):
        for column in range(last - first):
            out[0, column] += Int(values[row, first + column] + half) >> shift


@compiled
def embedding_totals(values, tokens, shift, out):
    """Likewise the rows of each token: of values (rows, E) into out (V, E)."""
    out[:] = 0
    half = Int((1 << shift) >> 1)
    for row in range(len(values)):
        for column in range(values.shape[1]):
            out[tokens[row], column] += Int(values[row, column] + half) >> shift


@part
def _bits(value):
    """The bits of a float32, as an int32."""
    return np.float32(value).view(np.int32)


@part
def _number(bits):
    """The float32 of some bits."""
    return np.int32(bits).view(np.float32)


@part
def _apart(value, mask):
    """FixedPoint.apart of one number."""
    return _number(Int(_bits(value) & mask))


@compiled
def adam(gradients, shifts, rate, decay, fraction, weights, squares, factors):
    """KerasEngine._adam in place, of int32 gradients (n, m) and a shift for each row; and the int16 factors (n, m) of `fraction`
    fraction bits."""
    rows, columns = weights.shape
    forget, smallest = Float(0.5 ** decay), Float(bounds.SMALLEST_SQUARE)
    to_factor = bounds.WEIGHT_FRACTION - fraction
    for row in range(rows):
        scale = Float(1 << shifts[row])
        for column in range(columns):
            gradient = _apart(Float(gradients[row, column]), _CUT) * scale
            square = squares[row, column]
            change = _apart(Float(Float(gradient * gradient) - square), _APART)
            square = _apart(Float(square + Float(change * forget)), _APART)
            bits = _bits(square) if square > smallest else Int(0)
            squares[row, column] = _number(bits)
            exponent = Int(Int(bits >> _MANTISSA_BITS) - _EXPONENT_BIAS)
            mantissa = Int(Int(bits >> _MANTISSA_BITS - tables.ROOT_MANTISSA_BITS)
                            & (1 << tables.ROOT_MANTISSA_BITS) - 1)
            curved = Int(tables.ROOT_SLOPE - (Int(mantissa * tables.ROOT_CURVE) >> tables.ROOT_MANTISSA_BITS))
            root = Int(tables.ROOT_START - (Int(mantissa * curved) >> tables.ROOT_MANTISSA_BITS))
            if exponent & 1:
                root = Int(Int(root * tables.ROOT_OF_HALF) >> bounds.ROOT_BITS)
            power = _number(Int(_EXPONENT_BIAS - bounds.ROOT_BITS - (exponent >> 1) << _MANTISSA_BITS))
            step = Float(_apart(Float(gradient * Float(root)), _APART) * Float(power * rate))
            weight = Int(clip(Int(weights[row, column] - Int(step)), bounds.WEIGHT_LIMIT))
            weights[row, column] = weight
            factors[row, column] = clip(shifted(weight, to_factor), bounds.FACTOR_LIMIT)
