"""What token an encoder would write next: zlib's search for matches (deflate.c, levels 1 to 9, all strategies), by parameters.

The finder follows the tokens that there are, and not those that it expected: after a token that differs it goes on from there.
A match is (length, where it begins); a length below SHORTEST is none.
"""

from typing import NamedTuple

import numpy as np

from lib.compiling import part

SHORTEST, LONGEST = 3, 258
LITERALS, RUNS, GREEDY, LAZY = range(4)          # kinds of search: none at all, of the byte before, zlib's deflate_fast and deflate_slow

# Parameters, int64. What they mean in zlib is said there: GOOD, EASY, NICE and CHAIN are good_length, max_lazy, nice_length and max_chain.
KIND = 0
WINDOW = 1               # bits of the window's size
MARGIN = 2               # by how much less than the window a distance can be at most
HASH_BITS = 3
HASHED = 4               # bytes that a hash is of: 3 as in zlib, or 4
GOOD = 5
EASY = 6                 # for GREEDY: the longest match all of whose places are found later
NICE = 7
CHAIN = 8
FAR = 9                  # the farthest match of three bytes, for LAZY
LEAST = 10               # the shortest match, for LAZY
FULL = 11                # tokens of a full block
PARAMETERS = 12
LOWEST = (0, 8, 0, 8, 3, 0, 0, 3, 1, 0, 3, 1)
HIGHEST = (3, 15, 262, 16, 4, 258, 258, 258, 4096, 1 << 15, 258, 1 << 28)

_INSERTED, _WAITS, _LENGTH, _WHERE, _FOLLOWS, _NEXT_LENGTH, _NEXT_WHERE, STEPS, REFUSED, _REFUSED_WHERE = range(10)
_MULTIPLIER = np.int64(2654435761)


class Finder(NamedTuple):
    """What a search knows. STEPS of `state` counts places looked at, and eight bytes compared as one."""

    settings: np.ndarray     # int64, shape (PARAMETERS,)
    heads: np.ndarray        # int32: the last place of each hash, -1 for none
    before: np.ndarray       # int32: the place before each one of the window that has its hash
    state: np.ndarray        # int64


def new_finder(settings: tuple) -> Finder:
    has_table = settings[KIND] >= GREEDY
    return Finder(np.array(settings, np.int64), np.full(1 << settings[HASH_BITS] if has_table else 1, -1, np.int32),
                  np.full(1 << settings[WINDOW] if has_table else 1, -1, np.int32), np.zeros(10, np.int64))


@part
def _hash(data, place, settings):
    bits = settings[HASH_BITS]
    if settings[HASHED] == SHORTEST:
        shift = (bits + 2) // 3
        return ((np.int64(data[place]) << shift ^ np.int64(data[place + 1])) << shift ^ np.int64(data[place + 2])) & (1 << bits) - 1
    word = np.int64(data[place]) | np.int64(data[place + 1]) << 8 | np.int64(data[place + 2]) << 16 | np.int64(data[place + 3]) << 24
    return (word * _MULTIPLIER & 0xFFFFFFFF) >> 32 - bits


@part
def _insert(finder, data, last):
    """Put all places up to `last` that were not yet there into the hash table."""
    settings, heads, before, state = finder
    mask, most = len(before) - 1, len(data) - settings[HASHED]
    for place in range(state[_INSERTED], min(last, most) + 1):
        index = _hash(data, place, settings)
        before[place & mask] = heads[index]
        heads[index] = place
    state[_INSERTED] = max(state[_INSERTED], last + 1)


@part
def forget(finder):
    """Empty the hash table."""
    if finder.settings[KIND] >= GREEDY:
        finder.heads[:] = -1


@part
def _same(data, first, second, most):
    """How many bytes from two places on are the same, `most` at most."""
    length = 0
    while length < most and data[first + length] == data[second + length]:
        length += 1
    return length


@part
def is_match(data, place, distance, length):
    """Whether the bytes at a place are those at that distance before it."""
    return _same(data, place - distance, place, length) == length


@part
def _longest(finder, data, place, end, best, chain):
    """The longest match of `place`, which is in the table, that is longer than `best`; (best, -1) where there is none."""
    settings, _, before, state = finder
    mask, found, most = len(before) - 1, np.int64(-1), min(end - place, LONGEST)
    reach = len(before) - settings[MARGIN]
    if most <= best or most < SHORTEST or place + settings[HASHED] > len(data):
        return best, found
    nice, limit, other = min(settings[NICE], most), place - reach, np.int64(before[place & mask])
    if other < limit or other <= 0:                      # zlib takes place 0 for none
        return best, found
    while True:
        state[STEPS] += 1
        if data[other + best] == data[place + best] and data[other + best - 1] == data[place + best - 1]:
            length = _same(data, other, place, most)
            state[STEPS] += length >> 3
            if length > best:
                best, found = length, other
                if length >= nice:
                    break
        other = np.int64(before[other & mask])
        chain -= 1
        if other <= limit or other <= 0 or chain == 0:
            break
    return best, found


@part
def _lazily(finder, data, place, end, best, chain):
    """`_longest`, but for matches that cost more than they bring."""
    settings = finder.settings
    length, where = _longest(finder, data, place, end, best, chain)
    if where >= 0 and (length < settings[LEAST] or length == SHORTEST and place - where > settings[FAR]):
        return np.int64(SHORTEST - 1), np.int64(-1)
    return length, where


@part
def expected(finder, data, place, end):
    """The token expected at `place` of a stretch that ends at `end`: (length, distance), (1, 0) for a literal."""
    settings, state = finder.settings, finder.state
    kind = settings[KIND]
    state[_FOLLOWS] = state[REFUSED] = 0
    if kind == LITERALS:
        return np.int64(1), np.int64(0)
    if kind == RUNS:
        length = _same(data, place - 1, place, min(end - place, LONGEST)) if place else 0
        return (np.int64(length), np.int64(1)) if length >= SHORTEST else (np.int64(1), np.int64(0))
    if state[_WAITS]:
        length, where = state[_LENGTH], state[_WHERE]
    else:
        _insert(finder, data, place)
        none = np.int64(SHORTEST - 1)
        if kind == GREEDY:
            length, where = _longest(finder, data, place, end, none, settings[CHAIN])
        else:
            length, where = _lazily(finder, data, place, end, none, settings[CHAIN])
    if where < 0:
        return np.int64(1), np.int64(0)
    if kind == LAZY and length < settings[EASY] and place + 1 < end:
        _insert(finder, data, place + 1)
        chain = settings[CHAIN] >> 2 if length >= settings[GOOD] else settings[CHAIN]
        next_length, next_where = _lazily(finder, data, place + 1, end, length, max(chain, 1))
        if next_where >= 0 and next_length > length:
            state[_FOLLOWS], state[_NEXT_LENGTH], state[_NEXT_WHERE] = 1, next_length, next_where
            state[REFUSED], state[_REFUSED_WHERE] = length, where
            return np.int64(1), np.int64(0)
    return length, place - where


@part
def refused(finder, place):
    """The match (length, distance) that was left for the one after it; the length is 0 where none was."""
    return finder.state[REFUSED], place - finder.state[_REFUSED_WHERE]


@part
def follow(finder, data, place, end, length):
    """Go on after the token at `place`, which `expected` was asked about, and which was of that length."""
    settings, state = finder.settings, finder.state
    if settings[KIND] < GREEDY:
        return
    state[_WAITS] = 0
    if length == 1:
        if state[_FOLLOWS]:
            state[_WAITS], state[_LENGTH], state[_WHERE] = 1, state[_NEXT_LENGTH], state[_NEXT_WHERE]
    elif settings[KIND] == LAZY or length <= settings[EASY] and end - place - length >= SHORTEST:
        _insert(finder, data, place + length - 1)
    else:
        state[_INSERTED] = max(state[_INSERTED], place + length)


@part
def skip(finder, data, place, last, end):
    """Go on from `place` to `last` through bytes whose tokens are not known, as if they were those expected."""
    while place < last and finder.settings[KIND] >= GREEDY:
        length, _ = expected(finder, data, place, end)
        length = min(length, last - place)
        follow(finder, data, place, end, length)
        place += length


@part
def hops_to(finder, data, place, length, distance, most):
    """How many nearer places begin with the same `length` bytes; -1 where the search does not come to that distance."""
    before, state = finder.before, finder.state
    mask, hops = len(before) - 1, 0
    other, last = np.int64(before[place & mask]), max(place - len(before), 0)
    for _ in range(most):
        state[STEPS] += 1
        if other < last or place - other > distance:
            break
        if place - other == distance:
            return hops
        hops += _same(data, other, place, length) == length
        state[STEPS] += length >> 3
        if other == last:
            break
        other = np.int64(before[other & mask])
    return -1


@part
def distance_after(finder, data, place, length, hops, most):
    """The distance that `hops_to` gives `hops` for, or -1."""
    before, state = finder.before, finder.state
    mask = len(before) - 1
    other, last = np.int64(before[place & mask]), max(place - len(before), 0)
    for _ in range(most):
        state[STEPS] += 1 + (length >> 3)
        if other < last:
            break
        if _same(data, other, place, length) == length:
            if hops == 0:
                return place - other
            hops -= 1
        if other == last:
            break
        other = np.int64(before[other & mask])
    return np.int64(-1)
