"""The size of Adam's steps over a run, from whole numbers alone."""

import math

import numpy as np

from lib.models.exact.bounds import FEWEST_DECAY_BITS, MOST_DECAY_BITS, WEIGHT_FRACTION

_BITS = 60           # fraction bits of rates and powers: a float's value times 2^60 is a whole number for all we allow
_RATE_BITS = 4       # a rate is a float32 of at most 24 bits: 2^-4 of a weight's last place


def decay_bits(beta_2: float) -> int:
    """The k that makes 1 - 2^-k nearest to Adam's beta_2: a mean that forgets by a shift is exact."""
    remaining = _fixed(1.0) - _fixed(beta_2)
    return min(range(FEWEST_DECAY_BITS, MOST_DECAY_BITS + 1), key=lambda k: abs(remaining - (1 << _BITS >> k)))


class Schedule:
    """Learning rates, linear from start to end over `steps` steps, with Adam's bias correction."""

    def __init__(self, start: float, end: float, steps: int, beta_2: float) -> None:
        self._start, self._end, self._steps = _fixed(start), _fixed(end), steps
        self._decay = decay_bits(beta_2)
        self._count, self._power = 0, 1 << _BITS      # (1 - 2^-k)^count

    def rate(self, step: int, updates: int) -> np.floating:
        """The rate of the update after step `step`, `updates` updates after the first: float32, in units of 2^-20.

        Adam divides the mean of squares by 1 - beta_2^n; the root of that goes into the rate.
        """
        rate = self._start + (self._end - self._start) * step // self._steps
        corrected = rate * math.isqrt((1 << _BITS) - self._remaining(updates + 1) << _BITS) >> _BITS
        return np.float32(corrected >> _BITS - WEIGHT_FRACTION - _RATE_BITS) / np.float32(1 << _RATE_BITS)

    def _remaining(self, count):
        """(1 - 2^-k)^count with 60 fraction bits. Counts mostly rise by one from call to call."""
        if count < self._count:
            self._count, self._power = 0, 1 << _BITS
        while self._count < count and self._power >> self._decay:
            self._power -= self._power >> self._decay
            self._count += 1
        return self._power


def _fixed(value):
    """A float as a whole number of 60 fraction bits; scaling by a power of two is exact."""
    return int(value * (1 << _BITS))
