"""Contexts for images: what a sample's neighbours, and what is known of its pixel, let one expect.

A guess is a sum of neighbours with small factors. It is made of what each neighbour has over the plane coded before (red over green,
blue over red), and what that plane has here is added: edges are in the same place in all planes. One more guess has factors that are
learned as it goes (normalised least mean squares). Each guess is an input by how far off it lies (lib.mixing.distances), and
some are contexts. Palettes and bitmaps have names for samples, and their contexts are the neighbours as they are.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import distances, engine, matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds.kind import Kind

_BEGIN, _END, _WIDTH, _CHANNELS, _CODES_EACH, _ARE_NAMES, _FIELDS = range(7)       # of each picture, in the Memory's layout

# Neighbours: (columns, rows) from a sample, the nearest first.
_NEAREST = ("W", "N", "NW", "NE", "WW", "NN", "NWW", "NEE", "NNW", "NNE", "WWW", "NNN")
_W, _N, _NW, _NE = range(4)
_AROUND = np.array([(-1, 0), (0, -1), (-1, -1), (1, -1), (-2, 0), (0, -2), (-2, -1), (2, -1), (-1, -2), (1, -2), (-3, 0), (0, -3),
                    (-2, -2), (2, -2), (-3, -1), (3, -1), (-1, -3), (1, -3), (-4, 0), (0, -4), (-5, 0), (4, -1), (-4, -1), (0, -5)])
_TONES, _NAMES = 12, len(_AROUND)        # neighbours that tones and names are told by


def _guess(divisor=1, **factors):
    """A guess's factors by the names of neighbours, in quarters: int64 (12,)."""
    row = np.zeros(_TONES, np.int64)
    for name, factor in factors.items():
        row[_NEAREST.index(name)] = 4 * factor // divisor
    return row


# Guesses over the plane before, those over green, and those of the plane by itself.
_OVER_BEFORE = np.array([
    _guess(W=1), _guess(N=1), _guess(W=1, N=1, NW=-1), _guess(W=1, NE=1, N=-1), _guess(2, W=2, NE=1, NW=-1),
    _guess(N=3, NN=-3, NNN=1), _guess(W=3, WW=-3, WWW=1), _guess(N=1, NW=1, NNW=-1), _guess(N=1, NE=1, NNE=-1),
    _guess(W=1, NW=1, NWW=-1), _guess(N=2, NN=-1), _guess(W=2, WW=-1), _guess(NE=1), _guess(NEE=1)])
_OVER_GREEN = np.array([_guess(W=1, N=1, NW=-1), _guess(2, W=1, N=1), _guess(W=1), _guess(N=1)])
_ALONE = np.array([_guess(N=2, NN=-1), _guess(W=2, WW=-1), _guess(4, W=1, N=1, NW=1, NE=1)])
_WEST, _NORTH, _PLANE, _EAST, _SLANT = range(5)
_NEXT_ROW, _FAR_EAST = 8, 13                      # others of these guesses by name

# The guess that is learned: the neighbours over the plane before, three over the one before that, three as they are.
_LEARNED_FROM = _TONES + 6
_FACTOR_BITS, _MOST_FACTOR = 16, 1 << 19
_RATE_BITS = 14                                   # 2^-6 of the way, by the energy of what it is learned from
_LEAST_ENERGY = 64
_MOST_ERROR = 20_000                              # 2^-9 of a code, for samples of 8 bits
_ERROR_BITS = 3                                   # a mean of errors forgets 2^-3 at each sample

# A stream's state: which picture; of the sample that is coded its plane, what is added to guesses, the learned guess over that, and the
# energy of what it came from, or -1 where there is none; the mean errors of planes; and room for what is gathered.
_PICTURE, _PLANE_HERE, _ADDED, _LEARNED, _ENERGY, _EACH, _LAST, _ERRORS = 0, 1, 2, 3, 4, 5, 6, 7
_PLACES = _ERRORS + 4
_OVER, _OVER_2, _OWN = _PLACES + _NAMES, _PLACES + _NAMES + _TONES, _PLACES + _NAMES + 2 * _TONES
_FROM = _OWN + _NAMES
_VALUES = _FROM + _LEARNED_FROM                   # of all guesses but the learned ones
_GUESSED = len(_OVER_BEFORE) + len(_OVER_GREEN) + len(_ALONE)
_STATE = _VALUES + _GUESSED

_CONTEXTS = 13
_NEAR_ENOUGH = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)      # how many of the nearest neighbours the contexts of names hold
_KNOWN = 4                                        # contexts, from the first on, of which as many as are known select weights
_PLANES = 4                                       # that are told apart
_ROUGHNESSES = 16
_SELECTORS = (
    (_PLANES * 256, selectors.BY_DEPTH),          # how rough it is around
    (_PLANES * 256, selectors.BY_NODE),           # a guess
    (_PLANES * 256, selectors.BY_NODE),           # the sample to the left
    (_PLANES * _ROUGHNESSES, selectors.BY_NODE),
    (_PLANES * 256, selectors.BY_NODE),           # the plane before
)
_FINAL_SELECTORS = (
    (_PLANES, selectors.BY_NODE),
    (_PLANES * _ROUGHNESSES, selectors.BY_DEPTH),
)
_MAPS = 2


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            _look(memory, stream, place)
            symbols[step, stream] = engine.code_symbol(
                memory, _KNOWN, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding)
            _take(memory, stream, place)


@part
def _look(memory, stream, place):
    """Set the contexts of the code at `place`."""
    state, layout, codes = memory.state[stream], memory.layout, memory.codes
    index = place - memory.base
    while index >= layout[_FIELDS * state[_PICTURE] + _END]:
        state[_PICTURE] += 1
    picture = layout[_FIELDS * state[_PICTURE]:_FIELDS * (state[_PICTURE] + 1)]
    each, channels = picture[_CODES_EACH], picture[_CHANNELS]
    sample, is_second = (index - picture[_BEGIN]) // each, (index - picture[_BEGIN]) % each
    channel = sample % channels
    lowest = memory.base + max(picture[_BEGIN], stream * memory.steps)
    here = place - is_second
    state[_EACH], state[_LAST] = each, here + each - 1
    _gather_places(state, here, lowest, sample // channels % picture[_WIDTH], picture[_WIDTH], channels * each)
    memory.match_state[stream, 0, matches.LENGTH] = 0
    if picture[_ARE_NAMES]:
        state[_ENERGY] = memory.sureness[0] = -1
        _look_at_names(memory, state, codes)
    else:
        base = np.int64(codes[here]) << 8 if is_second else np.int64(-1)
        _look_at_tones(memory, state, codes, here, channel, each, base)


@part
def _gather_places(state, here, lowest, column, width, pixel):
    """Note the places of the neighbours; one that is none is that above, or to the left, or -1."""
    line = width * pixel
    instead = here - line if here - line >= lowest else here - pixel if column > 0 and here - pixel >= lowest else np.int64(-1)
    for near in range(_NAMES):
        across, down = _AROUND[near, 0], _AROUND[near, 1]
        place = here + down * line + across * pixel
        is_there = place >= lowest and 0 <= column + across < width
        state[_PLACES + near] = place if is_there else instead


@part
def _sample(codes, place, each):
    return np.int64(codes[place]) if each == 1 else np.int64(codes[place]) << 8 | np.int64(codes[place + 1])


@part
def _code_of(value, most, base):
    """The code that a guess stands for: the sample, its higher byte, or its lower one where the higher, `base`, is known."""
    if base >= 0:
        return min(max(value - base, 0), 255)
    value = min(max(value, 0), most)
    return value >> 8 if most > 255 else value


@part
def _guessed(factors, values):
    total = np.int64(2)
    for near in range(_TONES):
        total += factors[near] * values[near]
    return total >> 2


@part
def _look_at_tones(memory, state, codes, here, channel, each, base):
    contexts, most = memory.contexts, np.int64(255 if each == 1 else 65535)
    over, over_2, own, values = state[_OVER:], state[_OVER_2:], state[_OWN:], state[_VALUES:]
    before = _sample(codes, here - each, each) if channel else np.int64(0)
    green = _sample(codes, here - channel * each, each) if channel else np.int64(0)
    for near in range(_TONES):
        place = state[_PLACES + near]
        if place < 0:
            own[near] = most + 1 >> 1
            over[near] = over_2[near] = 0 if channel else own[near]
            continue
        own[near] = over[near] = over_2[near] = _sample(codes, place, each)
        if channel:
            over[near] -= _sample(codes, place - each, each)
            over_2[near] -= _sample(codes, place - channel * each, each)
    roughness = abs(own[_W] - own[_NW]) + abs(own[_N] - own[_NW]) + abs(own[_N] - own[_NE])
    rough = _bits_of(roughness)
    learned = _learned_guess(memory, state, channel, before)
    best = _code_of(before + (learned + (1 << _FACTOR_BITS) >> _FACTOR_BITS + 1), most, base)
    for guess in range(len(_OVER_BEFORE)):
        values[guess] = _code_of(before + _guessed(_OVER_BEFORE[guess], over), most, base)
    for guess in range(len(_OVER_GREEN)):
        values[len(_OVER_BEFORE) + guess] = _code_of(green + _guessed(_OVER_GREEN[guess], over_2), most, base)
    for guess in range(len(_ALONE)):
        values[len(_OVER_BEFORE) + len(_OVER_GREEN) + guess] = _code_of(_guessed(_ALONE[guess], own), most, base)
    of_green, alone = values[len(_OVER_BEFORE):], values[len(_OVER_BEFORE) + len(_OVER_GREEN):]
    _set_guesses(memory, state, values, best, rough, before, learned, each)
    known, known_2 = _code_of(green, most, base), _code_of(before if channel > 1 else 0, most, base)

    contexts[0], contexts[1], contexts[2] = values[_WEST], values[_NORTH], values[_PLANE]
    contexts[3] = known << 8 | known_2
    contexts[4] = (values[_WEST] >> 2) << 12 | (values[_NORTH] >> 2) << 6 | values[_PLANE] >> 2
    contexts[5] = known
    contexts[6] = alone[0] << 8 | alone[1]
    contexts[7] = alone[2] << 8 | known
    contexts[8] = values[_SLANT] << 8 | known_2
    contexts[9] = values[_FAR_EAST]
    contexts[10] = of_green[0] << 4 | rough
    contexts[11] = of_green[1] << 8 | known
    contexts[12] = of_green[2] << 8 | of_green[3]
    plane = channel * each + (base >= 0)
    high = base >> 8 if base >= 0 else 0
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], (high * 64 + plane) * 32 + index)

    plane &= _PLANES - 1
    memory.selected[0] = plane * 256 + min(roughness >> 1 if each == 1 else roughness >> 9, 255)
    memory.selected[1] = plane * 256 + best
    memory.selected[2] = plane * 256 + _code_of(own[_W], most, base)
    memory.selected[3] = memory.final_selected[1] = plane * _ROUGHNESSES + rough
    memory.selected[4] = plane * 256 + _code_of(before if channel else own[_N], most, base)
    memory.final_selected[0] = plane
    middle = max(min(own[_W], own[_N]), min(max(own[_W], own[_N]), own[_W] + own[_N] - own[_NW]))
    memory.refined_by[0] = joined(best, plane)
    memory.refined_by[1] = joined(_code_of(middle, most, base), plane + _PLANES)


@part
def _bits_of(value):
    """How many bits a number has, as a class."""
    bits = np.int64(0)
    while 1 << bits < value + 1:
        bits += 1
    return min(bits, _ROUGHNESSES - 1)


@part
def _learned_guess(memory, state, channel, before):
    """The learned guess over the plane before, in 2^-17 of a sample; notes what `_take` learns from."""
    over, over_2, own, source = state[_OVER:], state[_OVER_2:], state[_OWN:], state[_FROM:]
    mean, mean_2, mean_own = over[_W] + over[_N], over_2[_W] + over_2[_N], own[_W] + own[_N]          # twice the mean
    for near in range(_TONES):
        source[near] = 2 * over[near] - mean
    for near in range(3):
        source[_TONES + near] = 2 * over_2[near] - mean_2 if channel == 2 else 0
        source[_TONES + 3 + near] = 2 * own[near] - mean_own if channel > 0 else 0
    factors = memory.indirect[channel * _LEARNED_FROM:]
    total, energy = mean << _FACTOR_BITS, np.int64(0)
    for index in range(_LEARNED_FROM):
        total += factors[index] * source[index]
        energy += source[index] * source[index]
    state[_PLANE_HERE], state[_ADDED], state[_LEARNED], state[_ENERGY] = channel, before, total, energy
    return total


@part
def _set_guesses(memory, state, values, best, rough, before, learned, each):
    """Set the guesses: the learned one by how rough it is around, then by its errors lately, the others, a mean of four."""
    guesses, sureness = memory.guesses, memory.sureness
    fine = distances.FRACTION * before + (learned + (1 << _FACTOR_BITS - 2) >> _FACTOR_BITS - 1)
    if each == 2:
        fine = distances.FRACTION * best
    guesses[0] = guesses[1] = fine
    sureness[0] = rough << 2 | fine & 3
    sureness[1] = _bits_of(state[_ERRORS + state[_PLANE_HERE]]) << 2 | fine & 3
    guesses[2] = fine + distances.FRACTION * (values[_PLANE] + values[_NEXT_ROW] + values[_EAST]) >> 2
    sureness[2] = rough << 2
    for guess in range(_GUESSED):
        guesses[3 + guess] = distances.FRACTION * values[guess]
        sureness[3 + guess] = rough << 2 | min(abs(values[guess] - best), 3)


@part
def _take(memory, stream, place):
    """Let the learned guess learn from the sample that ends at `place`."""
    state = memory.state[stream]
    each = state[_EACH]
    if state[_ENERGY] < 0 or place != state[_LAST]:
        return
    plane, factors = state[_PLANE_HERE], memory.indirect[state[_PLANE_HERE] * _LEARNED_FROM:]
    off = _sample(memory.codes, place - (each - 1), each) - state[_ADDED]
    most = _MOST_ERROR << 8 * (each - 1)
    error = min(max((off << 9) - (state[_LEARNED] >> 8), -most), most)
    state[_ERRORS + plane] += (abs(error) >> 4) - (state[_ERRORS + plane] >> _ERROR_BITS)
    step = (error << _RATE_BITS) // (state[_ENERGY] + _LEAST_ENERGY)
    for index in range(_LEARNED_FROM):
        change = step * state[_FROM + index] >> 12
        factors[index] = min(max(factors[index] + change, -_MOST_FACTOR), _MOST_FACTOR)


@part
def _look_at_names(memory, state, codes):
    """Contexts of more and more neighbours, then of some of them."""
    contexts, own = memory.contexts, state[_OWN:]
    for near in range(_NAMES):
        place = state[_PLACES + near]
        own[near] = codes[place] if place >= 0 else 0
    hashed, filled = np.uint64(0), 0
    for near in range(_NAMES):
        hashed = joined(own[near], hashed)
        if near + 1 in _NEAR_ENOUGH:
            contexts[filled] = joined(hashed, filled)
            filled += 1
    contexts[filled] = joined(own[_N], filled)
    near = np.int64(hashed >> np.uint64(40)) & 255
    memory.selected[0], memory.selected[1], memory.selected[2] = own[_NE], own[_N], own[_W]
    memory.selected[3], memory.selected[4] = 0, near
    memory.final_selected[0] = memory.final_selected[1] = 0
    memory.refined_by[0] = joined(own[_W], own[_N])
    memory.refined_by[1] = hashed


KIND = Kind(
    "image", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=1, state=_STATE, indirect=4 * _LEARNED_FROM, guesses=3 + _GUESSED, start_weight=1_500, rates=(900, 60))
