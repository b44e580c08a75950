"""Decisions as bits with adaptive probabilities, by the coder of lib.coders. One function for both ways."""

from typing import NamedTuple

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import part
from lib.mixing.logistic import COUNT_BITS, MOST_COUNT, adapted, probability_of

MARGIN = 1 << 16                 # bytes that a buffer has to have beyond the most that a coder may write
POSITION = 3                     # in the coder's state
LONGEST_NUMBER = 32              # bits
OF_A_NUMBER = LONGEST_NUMBER + 1
UNLIKELY = (1 << 16) << COUNT_BITS | 4           # models that have not learned yet: 1/64, and 63/64
LIKELY = ((1 << 22) - (1 << 16)) << COUNT_BITS | 4
_HALF = 1 << 15


class Coder(NamedTuple):
    """`state` and `buffer` are those of lib.coders.arithmetic; `models`: uint32, adaptive probabilities."""

    state: np.ndarray
    buffer: np.ndarray
    models: np.ndarray
    decodes: bool


@part
def code(coder, model, bit):
    """Code a bit with the probability of a model, which learns; returns the bit."""
    probability = max(probability_of(coder.models[model]), 1)
    bit = code_bit(coder.state, coder.buffer, probability, np.int64(bit), coder.decodes)
    coder.models[model] = adapted(coder.models[model], bit, MOST_COUNT)
    return bit


@part
def code_bits(coder, value, count):
    """Code the lowest `count` bits of a value as they are."""
    coded = np.int64(0)
    for place in range(count - 1, -1, -1):
        coded = coded << 1 | code_bit(coder.state, coder.buffer, _HALF, value >> place & 1, coder.decodes)
    return coded


@part
def code_tree(coder, models, value, bits):
    """Code a value of so many bits, each by those before it; takes 1 << bits models."""
    node = 1
    for place in range(bits - 1, -1, -1):
        node = node << 1 | code(coder, models + node, value >> place & 1)
    return node - (1 << bits)


@part
def code_number(coder, models, value):
    """Code a number from 0 on: how many bits it has, and then these. Takes OF_A_NUMBER models."""
    bits, left = 0, value + 1
    while left > 1:
        left >>= 1
        bits += 1
    counted = 0
    while counted < LONGEST_NUMBER and code(coder, models + counted, counted < bits):
        counted += 1
    return (1 << counted | code_bits(coder, value + 1, counted)) - 1
