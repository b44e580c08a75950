"""Probabilities, their logits, and what adapts them: whole numbers in tables and compiled loops.

A probability has 16 bits, 1 to 65,535. Its logit ln(p / (1 - p)) has 8 fraction bits and goes from -LIMIT to LIMIT,
about -12 to 12. The tables come from `decimal`, never from floating-point functions, whose last bits differ between
platforms; a test pins their hashes: they are part of the file format.
"""

from decimal import Decimal, localcontext

import numpy as np

from lib.compiling import part

PROBABILITY_BITS = 16
ONE = 1 << PROBABILITY_BITS
LOGIT_FRACTION = 8
LIMIT = (12 << LOGIT_FRACTION) - 1

# An adaptive probability is a uint32: 22 bits of probability, then 10 bits that count what it has seen.
COUNT_BITS = 10
MOST_COUNT = (1 << COUNT_BITS) - 1
EVEN = 1 << 31                   # probability 1/2, nothing seen
LIKELY = EVEN + (1 << 30)        # 3/4

_FINE_BITS = 40


def _logistic(logits):
    """1 / (1 + exp(-x)) of logits, as whole numbers of 40 bits."""
    with localcontext() as context:
        context.prec = 30
        scale = 1 << LOGIT_FRACTION
        return np.array([int((1 << _FINE_BITS) / (1 + (-logit / scale).exp())) for logit in logits], np.int64)


def _squash_table():
    """int32: entry LIMIT + 1 + x is the probability of logit x, for x from -LIMIT - 1 to LIMIT + 1."""
    fine = _logistic(map(Decimal, range(-LIMIT - 1, LIMIT + 2)))
    shift = _FINE_BITS - PROBABILITY_BITS
    return np.clip(fine + (1 << shift - 1) >> shift, 1, ONE - 1).astype(np.int32)


def _stretch_table():
    """int16: entry p is the logit of probability p + 1/2, to the nearest."""
    between = _logistic(x + Decimal("0.5") for x in range(-LIMIT - 1, LIMIT + 1))
    middles = (2 * np.arange(ONE, dtype=np.int64) + 1) << _FINE_BITS - PROBABILITY_BITS - 1
    return np.clip(np.searchsorted(between, middles) - LIMIT - 1, -LIMIT, LIMIT).astype(np.int16)


def _cost_table():
    """uint16: entry p is what an event of probability (p + 1/2) / 2^12 code_lengths, in parts of a bit."""
    with localcontext() as context:
        context.prec = 20
        unit = LENGTH_PARTS / Decimal(2).ln()
        return np.array([round(-(Decimal(2 * p + 1) / (2 << _COST_BITS)).ln() * unit) for p in range(1 << _COST_BITS)], np.uint16)


LENGTH_PARTS = 256                 # of a bit
_COST_BITS = 12
SQUASH, STRETCH = _squash_table(), _stretch_table()
COSTS = _cost_table()
RATES = np.array([(1 << 17) // (2 * count + 3) for count in range(MOST_COUNT + 1)], np.int32)   # 2^16 / (count + 1.5)


@part
def stretch(probability):
    """The logit of a probability of 16 bits, int32."""
    return np.int32(STRETCH[probability])


@part
def squash(logit):
    """The probability, 16 bits, of any logit."""
    return SQUASH[min(max(logit, -LIMIT), LIMIT) + LIMIT + 1]


@part
def code_length_of(probability, bit):
    """The code length of a bit whose probability of being 1 is this, in parts of a bit. For people to look at, and for nothing else."""
    return np.int64(COSTS[(probability if bit else ONE - probability) >> PROBABILITY_BITS - _COST_BITS])


@part
def moved(probability, bit, count):
    """A probability of 22 bits after one more bit: by 1 / (count + 1.5) of the way."""
    return probability + (((bit << 22) - bit - probability) * np.int64(RATES[count]) >> 16)


@part
def probability_of(adaptive):
    """The probability, 16 bits, that an adaptive one stands for."""
    return np.int64(adaptive >> np.uint32(16))


@part
def adapted(adaptive, bit, most):
    """An adaptive probability after one more bit; its count stops at `most`."""
    state = np.int64(adaptive)
    count = state & MOST_COUNT
    probability = moved(state >> COUNT_BITS, bit, count)
    return np.uint32(probability << COUNT_BITS | min(count + 1, most))
