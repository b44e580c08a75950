"""Adaptive probability maps: what a probability turned out to be worth in a context.

A map holds a probability for each of STEPS logits, and what lies between is interpolated. (Mahoney's "secondary
symbol estimation".)
"""

import numpy as np

from lib.compiling import part
from lib.mixing.logistic import LIMIT, SQUASH

WIDTH_BITS = 7                                     # logits from one entry to the next
STEPS = (2 * LIMIT >> WIDTH_BITS) + 2
_FRACTION = 6                                      # of an entry, over the 16 bits of a probability
_TOP = (1 << 16 + _FRACTION) - 1


def fresh(contexts: int) -> np.ndarray:
    """int32 of shape (contexts * STEPS,): maps that change nothing."""
    entries = SQUASH[np.minimum(np.arange(STEPS) << WIDTH_BITS, 2 * LIMIT + 2)] << _FRACTION
    return np.tile(entries.astype(np.int32), contexts)


@part
def refined(maps, context, logit):
    """The probability, 16 bits, that a context's map has for a logit."""
    place, weight = _place(context, logit)
    return (np.int64(maps[place]) * ((1 << WIDTH_BITS) - weight) + np.int64(maps[place + 1]) * weight
            ) >> WIDTH_BITS + _FRACTION


@part
def refine(maps, context, logit, bit, rate_bits):
    """Move the two entries around a logit by 2^-rate_bits of the way to the bit, shared by nearness."""
    place, weight = _place(context, logit)
    goal = _TOP * bit
    maps[place] += np.int32((goal - np.int64(maps[place])) * ((1 << WIDTH_BITS) - weight) >> WIDTH_BITS + rate_bits)
    maps[place + 1] += np.int32((goal - np.int64(maps[place + 1])) * weight >> WIDTH_BITS + rate_bits)


@part
def _place(context, logit):
    from_lowest = np.int64(logit) + LIMIT + 1
    return context * STEPS + (from_lowest >> WIDTH_BITS), from_lowest & (1 << WIDTH_BITS) - 1
