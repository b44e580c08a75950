"""A coefficient and its magnitude as sums of what is around, with factors fitted by weighted least squares as coding goes on.

For each component and place in a block its own factors. Sums of products fade by KEPT at each sample; the factors follow from them by
Cholesky's decomposition, every few samples. float64, by operations that IEEE 754 defines to the last bit, in a fixed order.
"""

import numpy as np

from lib.compiling import part
from lib.mixing.kinds import jpeg_blocks as blocks
from lib.mixing.kinds.jpeg_blocks import (
    ABOVE,
    ABOVE_LEFT,
    ABOVE_RIGHT,
    ABOVE_TWICE,
    BEFORE,
    COEFFICIENTS,
    CURRENT,
    FIRST,
    LEFT,
    LEFT_TWICE,
    STEP,
)

FEATURES = 16
VALUE, MAGNITUDE = range(2)              # what is fitted
_KEPT = 0.998
_RIDGE = 2.0
_EVERY = 4                               # samples from one fit to the next
_NEVER_ZERO = 1e-30                      # keeps sums that fade from numbers so small that some devices take them for zero
_MOST_FEATURE = 200.0
_LEAST_MAGNITUDE = 0.3
# What is kept of one fit: products of features (half of them, row by row), of features and the value; factors; samples.
_PRODUCTS = FEATURES * (FEATURES + 1) // 2
_SUMS = _PRODUCTS + FEATURES
_FACTORS = _SUMS
_SAMPLES = _FACTORS + FEATURES
_KEPT_OF_ONE = _SAMPLES + 1
FITS = blocks.MOST_COMPONENTS * COEFFICIENTS * 2 * _KEPT_OF_ONE
# To work on: features of the value and of the magnitude, what came out, a triangle.
_EXPECTED = 2 * FEATURES
_TRIANGLE = _EXPECTED + 2
WORK = _TRIANGLE + _PRODUCTS + FEATURES


@part
def _fit_of(memory, stream, component, place, what):
    start = ((component * COEFFICIENTS + place) * 2 + what) * _KEPT_OF_ONE
    return memory.fits[stream, start:start + _KEPT_OF_ONE]


@part
def expect(memory, stream, component, place, left):
    """(the coefficient, its magnitude), float64, that the factors give; left: coefficients of the block that are to come."""
    state, work = memory.state[stream], memory.work
    _gather(state, work, place)
    value = _summed(_fit_of(memory, stream, component, place, VALUE), work[:FEATURES])
    value = _bounded(value, -float(blocks.MOST))
    _gather_magnitudes(state, work, place, value, left)
    magnitude = _summed(_fit_of(memory, stream, component, place, MAGNITUDE), work[FEATURES:2 * FEATURES])
    magnitude = _bounded(magnitude, 0.0)
    work[_EXPECTED], work[_EXPECTED + 1] = value, magnitude
    return value, magnitude


@part
def learn(memory, stream, component, place, value, activity):
    """Take in a coefficient, whose features stay from `expect`; activity: how large those around are, in some unit."""
    work, magnitude = memory.work, memory.work[_EXPECTED + 1] + _LEAST_MAGNITUDE
    _take(_fit_of(memory, stream, component, place, VALUE), work, work[:FEATURES], float(value), 1.0 / (1.0 + activity * 0.05))
    _take(_fit_of(memory, stream, component, place, MAGNITUDE), work, work[FEATURES:2 * FEATURES],
          min(float(abs(value)), 20.0 + 4.0 * magnitude), 1.0 / (magnitude * magnitude))


@part
def _summed(fit, features):
    """The sum; before anything is fitted, a mean of the two features that are nearest."""
    total = 0.0
    if fit[_SAMPLES] < _EVERY:
        return 0.25 * (features[0] + features[1])
    for index in range(FEATURES):
        total += fit[_FACTORS + index] * features[index]
    return total


@part
def _bounded(number, least):
    """A number that is at least `least` and at most MOST; for what is none, as of sums that cannot be told apart, 0."""
    if number > blocks.MOST:
        return float(blocks.MOST)
    if number < least:
        return least
    return number if number == number else 0.0


@part
def _in_steps(state, block, place, step):
    """A coefficient at another place of a block, in steps of this one's."""
    return float(state[block + place] * state[STEP + place]) / step


@part
def _gather(state, work, place):
    """Features of a coefficient: what the pixels at the borders say, the same coefficients of blocks around, those beside it in this one."""
    for kind in range(2):
        above, left = blocks.expected(state, place, kind)
        work[2 * kind] = min(max(above * 0.125, -_MOST_FEATURE), _MOST_FEATURE)
        work[2 * kind + 1] = min(max(left * 0.125, -_MOST_FEATURE), _MOST_FEATURE)
    work[4], work[5] = state[ABOVE + place], state[LEFT + place]
    work[6], work[7] = state[ABOVE_LEFT + place], state[ABOVE_RIGHT + place]
    is_first = state[blocks.COMPONENT] == 0
    work[8] = state[ABOVE_TWICE + place] if is_first else state[FIRST + place]
    work[9] = state[LEFT_TWICE + place] if is_first else state[BEFORE + place]
    step, across, down = float(state[STEP + place]), place & 7, place >> 3
    work[10:FEATURES] = 0.0
    if across > 1:
        work[10] = _in_steps(state, CURRENT, place - 2, step)
    if down > 1:
        work[11] = _in_steps(state, CURRENT, place - 16, step)
    if across > 0:
        work[12] = _in_steps(state, CURRENT, place - 1, step)
        work[15] = _in_steps(state, LEFT, place - 1, step)
    if down > 0:
        work[13] = _in_steps(state, CURRENT, place - 8, step)
        work[14] = _in_steps(state, ABOVE, place - 8, step)


@part
def _gather_magnitudes(state, work, place, value, left):
    """Features of a magnitude: those of the same coefficients, of those beside, and how many are not zero of those to come."""
    step, across, down = float(state[STEP + place]), place & 7, place >> 3
    into = work[FEATURES:2 * FEATURES]
    into[0], into[1] = abs(work[4]), abs(work[5])
    into[2], into[3] = abs(work[6]), abs(work[7])
    for index in range(4):
        into[4 + index] = abs(work[10 + index])
    into[8] = abs(_in_steps(state, CURRENT, place - 9, step)) if across > 0 and down > 0 else 0.0
    into[9] = abs(_in_steps(state, ABOVE, place + 1, step)) + abs(_in_steps(state, LEFT, place + 1, step)) if across < 7 else 0.0
    into[10] = abs(_in_steps(state, ABOVE, place + 8, step)) + abs(_in_steps(state, LEFT, place + 8, step)) if down < 7 else 0.0
    into[11], into[12], into[13] = abs(value), abs(work[8]), abs(work[9])
    into[14] = 0.0
    if across > 0 and down < 7:
        into[14] += abs(_in_steps(state, CURRENT, place + 7, step))
    if across < 7 and down > 0:
        into[14] += abs(_in_steps(state, CURRENT, place - 7, step))
    into[15] = float(state[blocks.REMAINING]) / float(left)


@part
def _take(fit, work, features, value, weight):
    index = 0
    for first in range(FEATURES):
        factor = weight * features[first]
        for second in range(first + 1):
            fit[index] = fit[index] * _KEPT + (factor * features[second] + _NEVER_ZERO)
            index += 1
    for first in range(FEATURES):
        fit[_PRODUCTS + first] = fit[_PRODUCTS + first] * _KEPT + (weight * features[first] * value + _NEVER_ZERO)
    fit[_SAMPLES] += 1.0
    if fit[_SAMPLES] % _EVERY == 0.0:
        _solve(fit, work[_TRIANGLE:])


@part
def _solve(fit, triangle):
    """Set the factors: the products and a ridge are a triangle times itself; then two substitutions."""
    found = triangle[_PRODUCTS:]
    for row in range(FEATURES):
        start = row * (row + 1) // 2
        for column in range(row + 1):
            other = column * (column + 1) // 2
            total = fit[start + column] + (_RIDGE if row == column else 0.0)
            for index in range(column):
                total -= triangle[start + index] * triangle[other + index]
            triangle[start + column] = np.sqrt(max(total, 1e-9)) if row == column else total / triangle[other + column]
    for row in range(FEATURES):
        start, total = row * (row + 1) // 2, fit[_PRODUCTS + row]
        for index in range(row):
            total -= triangle[start + index] * found[index]
        found[row] = total / triangle[start + row]
    for row in range(FEATURES - 1, -1, -1):
        total = found[row]
        for index in range(row + 1, FEATURES):
            total -= triangle[index * (index + 1) // 2 + row] * fit[_FACTORS + index]
        fit[_FACTORS + row] = total / triangle[row * (row + 1) // 2 + row]
