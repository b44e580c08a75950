"""The functions of the exact network as tables of whole numbers, and its square root.

Everything here comes from `decimal` and whole numbers, never from floating-point functions, whose last bits differ
between platforms. A test pins the tables' hashes: they are part of the file format.
"""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache

import numpy as np

from lib.models.exact.bounds import FREQUENCY_FRACTION, GATE_FRACTION, ROOT_BITS

STEP_BITS = 10                               # an argument moves by 2^-10 from one entry to the next
HALF = 8 << STEP_BITS                        # sigmoid and tanh: arguments from -8 to 8
EXPONENTS = 16 << STEP_BITS                  # exp: arguments from 0 down to -16
_DIGITS = 40


@cache
def sigmoid() -> np.ndarray:
    """int32 of shape (2 * HALF,): entry HALF + k is the sigmoid of k * 2^-10, times 2^12."""
    return _table([1 / (1 + power) for power in _powers(-1, 2 * HALF, _exp(8))], GATE_FRACTION)


@cache
def tanh() -> np.ndarray:
    """int32 of shape (2 * HALF,): entry HALF + k is the hyperbolic tangent of k * 2^-10, times 2^12."""
    return _table([(1 - power) / (1 + power) for power in _powers(-2, 2 * HALF, _exp(16))], GATE_FRACTION)


@cache
def exponential() -> np.ndarray:
    """int32 of shape (EXPONENTS,): entry k is exp(-k * 2^-10), times 2^20."""
    return _table(_powers(-1, EXPONENTS, Decimal(1)), FREQUENCY_FRACTION)


# 1/sqrt(x) for x = 1 + m / 2^10, times 2^12, is about 4095 - m * (1805 - (m * 606 >> 10)) >> 10, within 0.6 %. A step
# of the optimizer needs no more, and unlike a table's, a polynomial's work is the same on every lane of a processor.
ROOT_START, ROOT_SLOPE, ROOT_CURVE, ROOT_MANTISSA_BITS = (1 << ROOT_BITS) - 1, 1805, 606, 10
ROOT_OF_HALF = 2896                          # 2^12 / sqrt(2)


def _exp(exponent):
    with localcontext() as context:
        context.prec = _DIGITS
        return Decimal(exponent).exp()


def _powers(sign, count, first):
    """first * exp(sign * k * 2^-10) for k = 0, 1, ... count - 1."""
    with localcontext() as context:
        context.prec = _DIGITS
        factor = (Decimal(sign) / (1 << STEP_BITS)).exp()
        powers = [first]
        for _ in range(count - 1):
            powers.append(powers[-1] * factor)
        return powers


def _table(values, fraction):
    """Decimals as int32 of `fraction` fraction bits, rounded to the nearest."""
    scale = 1 << fraction
    return np.array([int((value * scale).to_integral_value(ROUND_HALF_EVEN)) for value in values], np.int32)
