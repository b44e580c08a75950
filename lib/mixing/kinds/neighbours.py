"""The samples around one of an image: where they lie and what they are, in a stream's state."""

import numpy as np

from lib.compiling import part

# (columns, rows) from a sample, the nearest first.
_AROUND = np.array([(-1, 0), (0, -1), (-1, -1), (1, -1), (-2, 0), (0, -2), (-2, -1), (2, -1), (-1, -2), (1, -2), (-3, 0), (0, -3),
                    (-2, -2), (2, -2), (-3, -1), (3, -1), (-1, -3), (1, -3), (-4, 0), (0, -4), (-5, 0), (4, -1), (-4, -1), (0, -5)])
W, N, NW, NE = range(4)
NAMED = ("W", "N", "NW", "NE", "WW", "NN", "NWW", "NEE", "NNW", "NNE", "WWW", "NNN")
COUNT = len(_AROUND)
BOTH = len(NAMED)         # so many of them are also known over other planes

# Of the state: codes of a sample; places; samples over those of the plane coded before, over those of the plane coded first,
# as they are.
EACH, PLACES = 0, 1
OVER = PLACES + COUNT
OVER_FIRST = OVER + BOTH
OWN = OVER_FIRST + BOTH
STATE = OWN + COUNT


@part
def gather_places(state, here, lowest, column, width, pixel):
    """Note where the neighbours of the sample at `here` lie; one that is none is that above, or to the left, or -1.

    lowest: the first place that is known; pixel: codes of one.
    """
    line = width * pixel
    instead = here - line if here - line >= lowest else here - pixel if column > 0 and here - pixel >= lowest else np.int64(-1)
    for near in range(COUNT):
        across, down = _AROUND[near, 0], _AROUND[near, 1]
        place = here + down * line + across * pixel
        is_there = place >= lowest and 0 <= column + across < width
        state[PLACES + near] = place if is_there else instead


@part
def sample_at(codes, place, each):
    return np.int64(codes[place]) if each == 1 else np.int64(codes[place]) << 8 | np.int64(codes[place + 1])


@part
def gather_samples(state, codes, channel):
    """Note the neighbours' samples."""
    each = state[EACH]
    middle = np.int64(128) << 8 * (each - 1)
    for near in range(COUNT):
        place = state[PLACES + near]
        state[OWN + near] = sample_at(codes, place, each) if place >= 0 else middle
    for near in range(BOTH):
        place, own = state[PLACES + near], state[OWN + near]
        state[OVER + near] = state[OVER_FIRST + near] = 0 if channel else own
        if channel and place >= 0:
            state[OVER + near] = own - sample_at(codes, place - each, each)
            state[OVER_FIRST + near] = own - sample_at(codes, place - channel * each, each)
