"""How long the records of binary data are, found from what is coded.

A byte that is the same as the one so far before it speaks for records of that length: the more, the rarer the byte is.
Every length has a score that such evidence adds to and that fades, so that a file may hold tables of several lengths.
The length with the best score is taken, and kept until another's is clearly better.
"""

import numpy as np

from lib.compiling import part

FIRST_LENGTH = 4                 # before anything is known
LENGTHS = 1024                   # a length is less
_SHORTEST = 2

# What the search keeps, in an int64 array of STATE numbers that are zero at first
_LENGTH, _TOTAL, _COUNTS, _SCORES = 0, 1, 2, 2 + 256
STATE = _SCORES + LENGTHS        # the score of a length lies at STATE - length: the order of the bytes before a place

_MOST_COUNTED = 1 << 12
_RARITY_FRACTION = 8
_PERIOD = 16                     # bytes from one choice to the next
_FADE_BITS = 5                   # scores lose 1/32 in each period
_LEAD = (31, 32)                 # a length is better than shorter ones where its score is by 1/31
_STAY = (8, 9)                   # a length is kept while its score has 8/9 of the best, unless it is several of that


def _logarithms(count):
    """Base 2, with 8 fraction bits, rounded down; from whole numbers alone. That of 0 is 0."""
    return np.array([max((number ** (1 << _RARITY_FRACTION)).bit_length() - 1, 0) for number in range(count)])


_LOGARITHM = _logarithms(_MOST_COUNTED)


@part
def length_of(state):
    return state[_LENGTH] if state[_LENGTH] > 0 else np.int64(FIRST_LENGTH)


@part
def take(state, codes, start, place):
    """Take in the byte at `place` of `codes`, of a stream that begins at `start`."""
    byte = np.int64(codes[place])
    _count(state, byte)
    _score(state, codes, start, place, _rarity(state, byte))
    if (place - start) % _PERIOD == _PERIOD - 1:
        _fade(state)
        state[_LENGTH] = _best(state)


@part
def _count(state, byte):
    state[_COUNTS + byte] += 1
    state[_TOTAL] += 1
    if state[_TOTAL] + 256 >= _MOST_COUNTED:         # every byte value counts as seen once before the first
        state[_TOTAL] = 0
        for value in range(256):
            state[_COUNTS + value] = (state[_COUNTS + value] + 1) >> 1
            state[_TOTAL] += state[_COUNTS + value]


@part
def _rarity(state, byte):
    """The cost of the byte, by how often each one came."""
    return _LOGARITHM[state[_TOTAL] + 256] - _LOGARITHM[state[_COUNTS + byte] + 1]


@part
def _score(state, codes, start, place, rarity):
    """Add to the scores of all lengths that the byte speaks for. Slices, as LLVM makes vectors of them."""
    byte = codes[place]
    first = max(start, place - (LENGTHS - 1))
    before = codes[first:max(first, place - (_SHORTEST - 1))]
    scores = state[STATE - (place - first):]
    for index in range(len(before)):
        scores[index] += rarity if before[index] == byte else 0


@part
def _fade(state):
    scores = state[_SCORES:]
    for index in range(len(scores)):
        scores[index] -= scores[index] >> _FADE_BITS


@part
def _best(state):
    """The length to go on with."""
    best, score = length_of(state), np.int64(0)
    for length in range(_SHORTEST, LENGTHS):
        if state[STATE - length] * _LEAD[0] > score * _LEAD[1]:
            best, score = length, state[STATE - length]
    present = length_of(state)
    settled = state[STATE - present] * _STAY[1] > score * _STAY[0] and present % best > 0
    return present if settled else best
