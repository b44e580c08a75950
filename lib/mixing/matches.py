"""Match models: what followed when the newest symbols stood somewhere before.

A pointer goes along the symbols that were coded after that place, in whatever stream. It may only follow what is
coded: the places before `base`, of a primer, are, and a place in a stream is once its step is before the current one.
"""

import numpy as np

from lib.compiling import part

POINTER, LENGTH = 0, 1           # of a match's state; a length of 0 is no match
LONGEST = (1 << 16) - 1
_LONGEST_CHECKED = 400


@part
def follow(table, state, context, shortest, codes, position, base, steps):
    """Move a match on to `position`, where the next symbol will be, and look for one where there is none.

    table: int32, places after the contexts of a hash, plus one; state: int64 (2,). `context` is the hash of the
    newest symbols of the stream that `position` lies in; streams begin at `base` and have `steps` steps each.
    """
    if state[LENGTH] > 0:
        state[POINTER] += 1
        state[LENGTH] = min(state[LENGTH] + 1, LONGEST) if state[POINTER] < len(codes) - 1 else 0
    entry = np.int64(context >> np.uint64(20)) & len(table) - 1
    if state[LENGTH] == 0:
        candidate = np.int64(table[entry]) - 1
        if candidate >= 0 and is_coded(candidate, position, base, steps):
            before = min(_symbols_before(candidate, base, steps), _symbols_before(position, base, steps))
            length = _common(codes, candidate, position, min(before, _LONGEST_CHECKED))
            if length >= shortest:
                state[POINTER], state[LENGTH] = candidate, length
    table[entry] = position + 1


@part
def is_coded(candidate, position, base, steps):
    """Whether the symbols up to place `candidate` are coded when that at `position` is next in its stream."""
    return candidate < base or (candidate - base) % steps < (position - base) % steps


@part
def expected(codes, state):
    """The code that a match expects next, plus one; 0 where there is no match."""
    return np.int64(codes[state[POINTER]]) + 1 if state[LENGTH] > 0 else np.int64(0)


@part
def _symbols_before(place, base, steps):
    """How many symbols before a place belong to the same stream, or to the primer."""
    return place if place < base else (place - base) % steps


@part
def _common(codes, first, second, most):
    """How many symbols before two places are the same, at most `most`."""
    length = 0
    while length < most and codes[first - 1 - length] == codes[second - 1 - length]:
        length += 1
    return length
