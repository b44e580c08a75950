"""The table of context slots: what came after a context, bit by bit.

A slot is a uint64: 22 bits of probability and 10 of count (as in `logistic`), 8 bits of history (the last seven bits
after a leading one), 8 unused, and 16 bits of check. A context of four bits of a symbol has a group of 16 slots, two
cache lines, that it shares with those of the same hash. A bit has two places in its group and one in the group beside
it; where all are taken, the slot that has seen least gives way.
"""

import numpy as np

from lib.compiling import part
from lib.mixing.hashing import spread
from lib.mixing.logistic import MOST_COUNT, moved

GROUP = 16
GROUP_DEPTH = 4                                  # bits of a symbol that a group is for
MOST_SEEN = 1000
_CHECK_SHIFT, _HISTORY_SHIFT, _COUNT_SHIFT = np.uint64(48), np.uint64(32), np.uint64(22)
_COUNT, _PROBABILITY, _HISTORY = np.uint64(MOST_COUNT), np.uint64((1 << 22) - 1), np.uint64(255)
_NEW = np.uint64(1 << 21)
_BY_NODE = np.uint64(0xD6E8FEB86659FD93)


@part
def find_group(slots, context, node):
    """(where the group of a context's hash begins, check) for the bits after `node`, the bits of the symbol so far."""
    hashed = spread(context + np.uint64(node) * _BY_NODE)
    check = np.int64(hashed & np.uint64(0xFFFF) | np.uint64(1))
    return np.int64(hashed >> np.uint64(16)) & len(slots) - 1 & -GROUP, check


@part
def find(slots, group, check, local):
    """Where a bit's slot lies; `local` is the node within the group, 1 to 15."""
    own = np.uint64(check ^ local << 12)
    place = group + (local ^ check & GROUP - 1)
    slot = slots[place]
    if slot >> _CHECK_SHIFT == own:
        return place
    least, fewest = place, seen(slot)
    for other in (place ^ 1, place ^ GROUP):
        slot = slots[other]
        if slot >> _CHECK_SHIFT == own:
            return other
        if seen(slot) < fewest:
            least, fewest = other, seen(slot)
    slots[least] = own << _CHECK_SHIFT | _NEW
    return least


@part
def seen(slot):
    """How many bits a slot has seen, at most MOST_SEEN."""
    return np.int64(slot >> _COUNT_SHIFT & _COUNT)


@part
def probability(slot):
    """The probability of a 1, 16 bits."""
    return np.int64((slot & _PROBABILITY) >> np.uint64(6))


@part
def history(slot):
    """The last seven bits after a leading one; 0 for a slot that has seen none."""
    return np.int64(slot >> _HISTORY_SHIFT & _HISTORY)


@part
def after(slot, bit):
    """A slot after one more bit."""
    count, past = seen(slot), max(history(slot), 1) << 1 | bit
    if past > 255:
        past = past & 127 | 128
    new = moved(np.int64(slot & _PROBABILITY), bit, count)
    return (slot >> _CHECK_SHIFT << _CHECK_SHIFT | np.uint64(past) << _HISTORY_SHIFT
            | np.uint64(min(count + 1, MOST_SEEN)) << _COUNT_SHIFT | np.uint64(new))
