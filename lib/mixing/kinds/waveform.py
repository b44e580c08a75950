"""What a sample of a sound is expected to be, from those before it in its channel and in the one beside it.

Several fits by least squares, of other lengths and memories; after the first of them a cascade of long filters that learn by least mean
squares, each what the one before left over; last a fit of what all of these say. Numbers are in samples of 16 bits, or of 8.
"""

import numpy as np

from lib.compiling import also_plain, part
from lib.mixing import regression

FITS = 3
_OWN = np.array([32, 16, 16])            # samples of the channel itself that a fit goes by
_BESIDE = np.array([16, 8, 8])            # and of the channel beside it
_KEPT = np.array([0.998, 0.9995, 0.99])
_RIDGE = np.array([1.0, 1.0, 1.0])
_WINDOW = 32
FILTERS = 3
_TAPS = np.array([256, 32, 16])
_PACE = np.array([0.005, 0.01, 0.02])
_STACK_KEPT, _STACK_RIDGE = 0.995, 1.0
OPINIONS = FITS + FILTERS
PREDICTIONS = OPINIONS + 1               # the fit of all of them first
_MOST = 1e7
_ALL = _STACKED = 0

WORK = regression.sums(48) + 64


@also_plain
def _beside(fit, channels):
    return _BESIDE[fit] if channels > 1 else 0


@also_plain
def _taken(fit, channels):
    """Features of a fit."""
    return _OWN[fit] + _beside(fit, channels)


@also_plain
def _start_of_fit(fit, channels):
    start = 2 * _WINDOW
    for other in range(fit):
        start += regression.sums(_taken(other, channels)) + 2 * _taken(other, channels)
    return start


@also_plain
def _start_of_filter(stage, channels):
    """A ring, weights, power."""
    start = _start_of_fit(FITS, channels)
    for other in range(stage):
        start += 3 * _TAPS[other] + 1
    return start


@also_plain
def _start_of_stack(channels):
    return _start_of_filter(FILTERS, channels)


@also_plain
def record(channels):
    """How many numbers a channel takes."""
    return _start_of_stack(channels) + regression.sums(OPINIONS) + OPINIONS + 2 * OPINIONS + PREDICTIONS + 2


def floats(channels):
    return channels * record(channels)


@part
def _gathered(features, own, at, beside, beside_at, count, beside_count):
    for index in range(count):
        features[index] = own[at + _WINDOW - count + index]
    for index in range(beside_count):
        features[count + index] = beside[beside_at + _WINDOW - beside_count + index]


@part
def _sane(value):
    return value if -_MOST < value < _MOST else 0.0


@part
def predict(fits, taken, channel, channels, predictions):
    """Set predictions, float64 (PREDICTIONS,).

    taken: int64 (channels,): samples so far of each.
    """
    size = record(channels)
    mine = fits[channel * size:(channel + 1) * size]
    other = channel - 1 if channel else channels - 1
    beside = fits[other * size:other * size + 2 * _WINDOW]
    at, beside_at = taken[channel] % _WINDOW, taken[other] % _WINDOW
    stack = mine[_start_of_stack(channels):]
    opinions = stack[regression.sums(OPINIONS) + 2 * OPINIONS:]
    for fit in range(FITS):
        known = mine[_start_of_fit(fit, channels):]
        count = _taken(fit, channels)
        features = known[regression.sums(count):]
        factors = features[count:]
        _gathered(features, mine, at, beside, beside_at, _OWN[fit], _beside(fit, channels))
        opinions[fit] = _sane(regression.product(factors, features, count))
    total = opinions[0]
    for stage in range(FILTERS):
        known, taps = mine[_start_of_filter(stage, channels):], _TAPS[stage]
        ring = known[taken[channel] % taps:]
        total += _sane(regression.product(known[2 * taps:], ring, taps))
        opinions[FITS + stage] = total
    features, factors = stack[regression.sums(OPINIONS):], stack[regression.sums(OPINIONS) + OPINIONS:]
    mixed = total
    for index in range(OPINIONS - 1):
        features[index] = opinions[index] - total
        mixed += factors[index] * features[index]
    opinions[OPINIONS] = mixed if -_MOST < mixed < _MOST else total
    predictions[0] = opinions[OPINIONS]
    for index in range(OPINIONS):
        predictions[1 + index] = opinions[index]


@part
def learn(fits, taken, channel, channels, value, work):
    """Take in the sample."""
    size = record(channels)
    mine = fits[channel * size:(channel + 1) * size]
    count_so_far = taken[channel]
    stack = mine[_start_of_stack(channels):]
    opinions = stack[regression.sums(OPINIONS) + 2 * OPINIONS:]
    for fit in range(FITS):
        known = mine[_start_of_fit(fit, channels):]
        count = _taken(fit, channels)
        features = known[regression.sums(count):]
        weight = 1.0 / (stack[regression.sums(OPINIONS) + 2 * OPINIONS + PREDICTIONS] + 1.0)
        regression.learn(known, features, count, value, weight, _KEPT[fit])
        if (count_so_far + fit) % 2 == 0:
            regression.solve(known, count, _RIDGE[fit], features[count:], work)
    stack[regression.sums(OPINIONS) + 2 * OPINIONS + PREDICTIONS] += (abs(value - opinions[OPINIONS]) - stack[regression.sums(OPINIONS) + 2 * OPINIONS + PREDICTIONS]) / 16
    left = value - opinions[0]
    for stage in range(FILTERS):
        known, taps = mine[_start_of_filter(stage, channels):], _TAPS[stage]
        at = count_so_far % taps
        ring, weights = known[at:], known[2 * taps:]
        off = value - opinions[FITS + stage]
        power = known[3 * taps]
        regression.move(weights, ring, taps, _PACE[stage] * off / (power / taps * 8 + 1.0) if power > 0 else 0.0)
        known[3 * taps] = max(power + left * left - ring[0] * ring[0], 0.0)
        _push(known, at, taps, left)
        left = off
    features = stack[regression.sums(OPINIONS):]
    regression.learn(stack, features, OPINIONS - 1, value - opinions[OPINIONS - 1], 1.0, _STACK_KEPT)
    regression.solve(stack, OPINIONS - 1, _STACK_RIDGE, features[OPINIONS:], work)
    _push(mine, count_so_far % _WINDOW, _WINDOW, value)
    taken[channel] += 1


@part
def _push(ring, at, count, value):
    """Put a value behind the newest `count` from `at` on, in a ring of twice as many."""
    ring[at + count] = value
    if at + 1 == count:
        for index in range(count):
            ring[index] = ring[count + index]
