"""Mixing logits: weight sets picked by contexts, each with an opinion of its own, and a second layer over those.

A weight has 16 fraction bits. It is stored as its difference from what it starts at, so that memory that was never
used is zero. (Mahoney, "Adaptive weighing of context models for lossless data compression", 2005.)
"""

import numpy as np

from lib.compiling import part
from lib.mixing.logistic import LIMIT, squash

WEIGHT_FRACTION = 16
WEIGHT_LIMIT = (8 << WEIGHT_FRACTION) - 1        # 19 bits; times a logit of LIMIT: 31 bits
TERM_SHIFT = 8                                  # a term of a sum has 23 bits: 256 of them fit
_SUM_SHIFT = WEIGHT_FRACTION - TERM_SHIFT
_ERROR_SHIFT, _STEP_SHIFT = 10, 14               # an error of 16 bits times a rate under 2^10, times a logit
_int = np.int32


@part
def weighed(weights, inputs):
    """What inputs add up to under weights, both int32, with 16 fraction bits."""
    result = _int(0)
    for index in range(len(inputs)):
        result = _int(result + (_int(weights[index] * inputs[index]) >> TERM_SHIFT))
    return result


@part
def mixed(weights, inputs, from_start):
    """The logit that a weight set makes of inputs; from_start: `weighed` by the weights it started with."""
    return _int(min(max(_int(weighed(weights, inputs) + from_start) >> _SUM_SHIFT, -LIMIT), LIMIT))


@part
def learn(weights, inputs, logit, bit, rate):
    """Move a weight set that made `logit` of inputs along the gradient of the bit's cost."""
    error = _int(((bit << 16) - np.int64(squash(logit))) * rate >> _ERROR_SHIFT)
    for index in range(len(inputs)):
        step = _int(_int(error * inputs[index]) + _int(1 << _STEP_SHIFT - 1)) >> _STEP_SHIFT
        weights[index] = min(max(_int(weights[index] + step), -WEIGHT_LIMIT), WEIGHT_LIMIT)
