"""Arithmetic on whole numbers in compiled loops.

Numba takes the sum or product of two int32 as int64; `Int` brings results back, which lets the compiler use whole
vectors of 32-bit numbers.
"""

import numpy as np

from lib.compiling import part
from lib.models.exact import bounds

Int, Float = np.int32, np.float32


@part
def clip(value, limit):
    return min(max(value, -limit), limit)


@part
def shifted(value, bits):
    """value / 2^bits, rounded to the nearest and half up."""
    return Int(Int(value + (1 << bits - 1)) >> bits)


@part
def times(left, right, bits):
    return shifted(Int(left * right), bits)


@part
def shift_for(total, largest, limit):
    """The least shift that brings a sum of magnitudes under `limit`, and the largest under that of an operand."""
    shift = Int(0)
    while total >> shift >= limit or largest >> shift >= bounds.GRADIENT_OPERAND:
        shift += Int(1)
    return shift
