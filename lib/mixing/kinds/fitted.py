"""Predictions for images whose factors are fitted to what lies around: a wide one and a close one, of many neighbours and of few.

Features are differences: of neighbours in the plane itself from the mean of those to the left and above, and of the other planes' samples
at the same places from such means of theirs. Where noise or edges make neighbours differ much, a sample says little about
the factors, and weighs less.
"""

import numpy as np

from lib.compiling import also_plain, part
from lib.mixing import least_squares
from lib.mixing.kinds.neighbours import EACH, OWN, PLACES, N, W, sample_at
from lib.mixing.kinds.neighbours import STATE as _FIRST

FITS = 2
_PLANES_SEEN = 3
# To how many of the nearest neighbours: in the plane itself, in the one coded before and in the one before that (of green: those of the
# pixels before); where there is one plane only; and by what a column or a row between makes a sample count less.
_IN_PLANES = np.array([(12, 10, 8), (6, 6, 4)])
_IN_ONE = np.array([18, 8])
_NEARNESS = np.array([0.88, 0.65])
_MOST_FEATURES = 12 + 11 + 9
_MOST_PLANES = 4
_RIDGE = 0.5                     # times the mean error
_KEPT = 255 / 256                # of the mean error, at each sample
_LEAST_ERROR = 0.125             # in samples of 8 bits
_MOST_OFF = 1024.0               # that is believed, in samples of 8 bits
_MOST_COLUMNS = 8192             # that are kept, some 160 MB: wider rows begin anew in them
_LATELY_BITS = 3                 # errors lately lose 2^-3 at each sample

# Of the state: the predictions, in quarters of a sample; how far they were off around; and in each plane lately.
FITTED = _FIRST
OFF_AROUND = FITTED + FITS
OFF_LATELY = OFF_AROUND + 1
STATE = OFF_LATELY + _MOST_PLANES

# Of the numbers that are fitted: features, the mean errors of planes; then how far predictions were off in the last row of each plane, and
# what is known of each plane for each fit.
_MEAN_ERRORS = FITS * _MOST_FEATURES
_OFF = _MEAN_ERRORS + _MOST_PLANES
WORK = least_squares.scratch(_MOST_FEATURES)


def floats(width, channels):
    """How many numbers a stream keeps."""
    return _start(FITS, 0, channels, width)


@also_plain
def _features(channels, fit):
    """How many features a prediction is a sum of."""
    if channels == 1:
        return _IN_ONE[fit] - 1
    count = -1
    for seen in range(min(channels, _PLANES_SEEN)):
        count += _IN_PLANES[fit, seen]
    return count


@also_plain
def _start(fit, channel, channels, width):
    """Where what is known of a plane begins."""
    columns = min(width, _MOST_COLUMNS)
    start = _OFF + channels * columns
    for other in range(fit):
        start += channels * least_squares.floats(_features(channels, other), columns)
    return start + (channel * least_squares.floats(_features(channels, fit), columns) if channel else 0)


@part
def begin_picture(fits):
    """Forget the picture before."""
    fits[_OFF:] = 0.0


@part
def end_row(fits, channels, width, work):
    """Take in that a row has ended."""
    for fit in range(FITS):
        for channel in range(channels):
            plane = fits[_start(fit, channel, channels, width):]
            least_squares.end_row(plane, min(width, _MOST_COLUMNS), _features(channels, fit), _NEARNESS[fit], work)


@part
def fit(state, fits, codes, here, channel, channels, column, width, work):
    """Set the predictions for the sample at `here`; its features stay where `learn` finds them."""
    one = np.int64(1) << 8 * (state[EACH] - 1)
    for fit in range(FITS):
        features, count = fits[fit * _MOST_FEATURES:], _features(channels, fit)
        _gather_features(state, features, codes, here, channel, channels, fit)
        off = least_squares.expected(fits[_start(fit, channel, channels, width):], column % _MOST_COLUMNS, features, count,
                                     _RIDGE * fits[_MEAN_ERRORS + channel] + _LEAST_ERROR, work)
        off = min(max(off, -_MOST_OFF), _MOST_OFF)
        state[FITTED + fit] = 2 * _left_and_above(state) + np.int64(np.floor(4 * one * off + 0.5))
    state[OFF_AROUND] = _off_around(fits, channel, column, width)


@part
def learn(state, fits, codes, here, channel, channels, column, width):
    """Take in the sample at `here`."""
    each = state[EACH]
    sample = sample_at(codes, here, each)
    value = _difference(2 * sample - _left_and_above(state), each)
    for fit in range(FITS):
        features, count, energy = fits[fit * _MOST_FEATURES:], _features(channels, fit), 0.0
        for feature in range(count):
            energy += features[feature] * features[feature]
        weight = 1 / (fits[_MEAN_ERRORS + channel] + np.sqrt(energy / count) + _LEAST_ERROR)
        least_squares.learn(fits[_start(fit, channel, channels, width):], column % _MOST_COLUMNS, features, count, value, weight,
                            _NEARNESS[fit])
    eighths = abs(8 * sample - state[FITTED] - state[FITTED + 1]) >> 8 * (each - 1)
    state[OFF_LATELY + channel] += 2 * eighths - (state[OFF_LATELY + channel] >> _LATELY_BITS)
    fits[_MEAN_ERRORS + channel] = _KEPT * fits[_MEAN_ERRORS + channel] + (1 - _KEPT) * (eighths / 8 + _LEAST_ERROR)
    _off(fits, channel, width)[column % _MOST_COLUMNS] = eighths


@part
def _left_and_above(state):
    """The sum of the two nearest neighbours."""
    return state[OWN + W] + state[OWN + N]


@part
def _difference(doubled, each):
    """float64, in samples of 8 bits, from twice a difference of samples."""
    return doubled * (0.5 if each == 1 else 0.5 / 256)


@part
def _gather_features(state, features, codes, here, channel, channels, fit):
    each, filled, sum_of_two = state[EACH], 0, _left_and_above(state)
    for near in range(_IN_ONE[fit] if channels == 1 else _IN_PLANES[fit, 0]):
        if near != N:                              # which is as far off as the one to the left
            features[filled] = _difference(2 * state[OWN + near] - sum_of_two, each)
            filled += 1
    left, above = state[PLACES + W], state[PLACES + N]
    for seen in range(1, min(channels, _PLANES_SEEN)):
        back = each * (seen if channel >= seen else seen - channels)
        sum_of_two = sample_at(codes, left - back, each) + sample_at(codes, above - back, each) if left >= 0 and above >= 0 else 0
        features[filled] = _difference(2 * sample_at(codes, here - back, each) - sum_of_two, each) if back > 0 else 0.0
        filled += 1
        for near in range(_IN_PLANES[fit, seen]):
            place = state[PLACES + near]
            if near != N:
                is_there = place >= 0
                features[filled] = _difference(2 * sample_at(codes, place - back, each) - sum_of_two, each) if is_there else 0.0
                filled += 1


@part
def _off(fits, channel, width):
    """How far predictions were off, by column."""
    columns = min(width, _MOST_COLUMNS)
    return fits[_OFF + channel * columns:_OFF + (channel + 1) * columns]


@part
def _off_around(fits, channel, column, width):
    """How far the predictions were off to the left, above and above to the right, in 64ths of a sample of 8 bits."""
    off, column = _off(fits, channel, width), column % _MOST_COLUMNS
    above = off[column] + off[min(column + 1, len(off) - 1)]
    left = off[column - 1] + off[max(column - 2, 0)] if column > 0 else above
    return np.int64(2 * (above + left))
