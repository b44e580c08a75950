"""What a sample of a sound is expected to be, from those before it in its channel and in the channel beside it.

Several fits by least squares, of other lengths and memories; after the first of them a cascade of filters that learn by least mean squares,
each what those before it left over; last a fit of what all of these say, which is the first prediction. (The cascade is that of
MPEG-4 RLS-LMS, Yu et al., 2006, and of Sac; both code what is left of one prediction.) Numbers are in samples of 8 or 16 bits, of
24 bits in 256ths.
"""

import numpy as np

from lib.compiling import also_plain, part
from lib.mixing import regression

_FITS = 4
_OWN = np.array([32, 16, 16, 8])              # newest samples of the channel itself that a fit goes by
_BESIDE = np.array([16, 8, 8, 8])            # and of the channel beside it
_KEPT = np.array([0.998, 0.9995, 0.99, 0.97])     # of what a fit knows, at each sample
_RIDGE = 1.0
_MOST_FEATURES = 48
_SOLVED_EVERY = 2                        # samples
_WINDOW = 32                             # samples that are kept
_FILTERS = 4
_TAPS = np.array([1024, 256, 32, 16])
_PACE = np.array([0.16, 0.08, 0.04, 0.04])   # of a filter: at 1 it would be right about the sample that it has just seen
_QUIET = 1 / 8                           # is added to the mean square of what a filter sees
_LAST_KEPT, _LAST_RIDGE = 0.995, 1.0
_OPINIONS = _FITS + _FILTERS             # that the last fit is of
PREDICTIONS = 1 + _OPINIONS
_MOST = 1e7                              # that is believed
_ERROR_KEPT, _ERROR_TAKEN = 15 / 16, 1 / 16
_NEVER_ZERO = 2.0 ** -20

WORK = regression.sums(_MOST_FEATURES)

# Of a channel: a ring of its samples; of each fit the products, features and factors; of each filter a ring, weights and the ring's power;
# of the last fit likewise, the predictions, the mean error.
_LAST_FEATURES = regression.sums(_OPINIONS - 1)
_LAST_FACTORS = _LAST_FEATURES + _OPINIONS - 1
_PREDICTED = _LAST_FACTORS + _OPINIONS - 1
_MEAN_ERROR = _PREDICTED + PREDICTIONS


@also_plain
def _beside(fit, channels):
    return _BESIDE[fit] if channels > 1 else 0


@also_plain
def _features(fit, channels):
    """How many features a fit has."""
    return _OWN[fit] + _beside(fit, channels)


@also_plain
def _start_of_fit(fit, channels):
    start = 2 * _WINDOW
    for other in range(fit):
        start += regression.sums(_features(other, channels)) + 2 * _features(other, channels)
    return start


@also_plain
def _start_of_filter(stage, channels):
    start = _start_of_fit(_FITS, channels)
    for other in range(stage):
        start += 3 * _TAPS[other] + 1
    return start


@also_plain
def _start_of_last(channels):
    return _start_of_filter(_FILTERS, channels)


@also_plain
def _size(channels):
    """How many numbers a channel takes."""
    return _start_of_last(channels) + _MEAN_ERROR + 1


def floats(channels: int) -> int:
    """How many numbers a stream keeps for a sound of so many channels."""
    return int(channels * _size(channels))


@part
def predict(fits, taken, channel, channels):
    """Predict a channel's next sample; returns the predictions, float64 (PREDICTIONS,).

    fits: float64, `floats` of it, zero at first; taken: int64 (channels,), samples so far of each. The first channel goes by the last
    one's samples before, each other by those of the channel before it, which are one more.
    """
    size = _size(channels)
    known, beside = fits[channel * size:], fits[(channel - 1 if channel else channels - 1) * size:]
    own_end = taken[channel] % _WINDOW + _WINDOW
    beside_end = taken[channel - 1 if channel else channels - 1] % _WINDOW + _WINDOW
    last = known[_start_of_last(channels):]
    predictions = last[_PREDICTED:_PREDICTED + PREDICTIONS]
    for fit in range(_FITS):
        count, own, others = _features(fit, channels), _OWN[fit], _beside(fit, channels)
        features = known[_start_of_fit(fit, channels) + regression.sums(count):]
        for index in range(own):
            features[index] = known[own_end - own + index]
        for index in range(others):
            features[own + index] = beside[beside_end - others + index]
        predictions[1 + fit] = _believed(regression.product(features[count:], features, count))
    total = predictions[1]
    for stage in range(_FILTERS):
        ring, taps = known[_start_of_filter(stage, channels):], _TAPS[stage]
        total += _believed(regression.product(ring[2 * taps:], ring[taken[channel] % taps:], taps))
        predictions[1 + _FITS + stage] = total
    mixed = total
    for index in range(_OPINIONS - 1):
        last[_LAST_FEATURES + index] = predictions[1 + index] - total
        mixed += last[_LAST_FACTORS + index] * last[_LAST_FEATURES + index]
    predictions[0] = _believed(mixed)
    return predictions


@part
def _believed(value):
    """A number, or 0 for what is none or far from all samples."""
    return value if -_MOST < value < _MOST else 0.0


@part
def learn(fits, taken, channel, channels, value, work):
    """Take in the sample that `predict` predicted. work: float64 (WORK,)."""
    size, done = _size(channels), taken[channel]
    known = fits[channel * size:]
    last = known[_start_of_last(channels):]
    predictions = last[_PREDICTED:_PREDICTED + PREDICTIONS]
    weight = 1.0 / (last[_MEAN_ERROR] + 1.0)
    for fit in range(_FITS):
        products, count = known[_start_of_fit(fit, channels):], _features(fit, channels)
        features = products[regression.sums(count):]
        regression.learn(products, features, count, value, weight, _KEPT[fit])
        if (done + fit) % _SOLVED_EVERY == 0:
            regression.solve(products, count, _RIDGE, features[count:], work)
    left = value - predictions[1]
    for stage in range(_FILTERS):
        ring, taps, off = known[_start_of_filter(stage, channels):], _TAPS[stage], value - predictions[1 + _FITS + stage]
        window, power = ring[done % taps:], ring[3 * taps]
        regression.move(ring[2 * taps:], window, taps, _PACE[stage] * off / (power + _QUIET * taps))
        ring[3 * taps] = max(power + left * left - window[0] * window[0], 0.0)
        _push(ring, done, taps, left)
        left = off
    regression.learn(last, last[_LAST_FEATURES:], _OPINIONS - 1, value - predictions[_OPINIONS], 1.0, _LAST_KEPT)
    regression.solve(last, _OPINIONS - 1, _LAST_RIDGE, last[_LAST_FACTORS:], work)
    last[_MEAN_ERROR] = _ERROR_KEPT * last[_MEAN_ERROR] + _ERROR_TAKEN * (abs(value - predictions[0]) + _NEVER_ZERO)
    _push(known, done, _WINDOW, value)
    taken[channel] += 1


@part
def _push(ring, done, count, value):
    """Put a value behind the `done` before it into a ring of 2 `count`, whose newest `count` begin at `done` % `count`."""
    at = done % count
    ring[at + count] = value
    if at + 1 == count:
        for index in range(count):
            ring[index] = ring[count + index]
