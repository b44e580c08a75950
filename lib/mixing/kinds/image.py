"""Contexts for images: what a sample's neighbours, and what is known of its pixel, let one expect.

A guess is a sum of neighbours with small factors. It is made of what each neighbour has over the plane coded before (red over green,
blue over red), and what that plane has here is added: edges are in the same place in all planes. Contexts are such guesses, each with
how rough the surroundings are. Palettes and bitmaps have names for samples, and their contexts are the neighbours as they are.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import engine, matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds.kind import Kind

_BEGIN, _END, _WIDTH, _CHANNELS, _CODES_EACH, _ARE_NAMES, _FIELDS = range(7)       # of each picture, in the Memory's layout

# Neighbours: (columns, rows) from a sample, the nearest first.
_W, _N, _NW, _NE, _WW, _NN, _NWW, _NEE, _NNW, _NNE, _WWW, _NNN = range(12)
_AROUND = np.array([(-1, 0), (0, -1), (-1, -1), (1, -1), (-2, 0), (0, -2), (-2, -1), (2, -1), (-1, -2), (1, -2), (-3, 0), (0, -3),
                    (-2, -2), (2, -2), (-3, -1), (3, -1), (-1, -3), (1, -3), (-4, 0), (0, -4), (-5, 0), (4, -1), (-4, -1), (0, -5)])
_TONES, _NAMES = 12, len(_AROUND)        # neighbours that tones and names are told by


def _guess(divisor=1, **factors):
    """A guess's factors, of 4: int64 (12,)."""
    row = np.zeros(_TONES, np.int64)
    for name, factor in factors.items():
        row[globals()[f"_{name}"]] = 4 * factor // divisor
    return row


# Guesses over the plane before, those over green, and those of the plane by itself.
_OVER_BEFORE = np.array([
    _guess(W=1), _guess(N=1), _guess(W=1, N=1, NW=-1), _guess(W=1, NE=1, N=-1), _guess(2, W=2, NE=1, NW=-1),
    _guess(N=3, NN=-3, NNN=1), _guess(W=3, WW=-3, WWW=1), _guess(N=1, NW=1, NNW=-1), _guess(N=1, NE=1, NNE=-1),
    _guess(W=1, NW=1, NWW=-1), _guess(N=2, NN=-1), _guess(W=2, WW=-1), _guess(NE=1), _guess(NEE=1)])
_OVER_GREEN = np.array([_guess(W=1, N=1, NW=-1), _guess(2, W=1, N=1), _guess(W=1), _guess(N=1)])
_ALONE = np.array([_guess(N=2, NN=-1), _guess(W=2, WW=-1), _guess(4, W=1, N=1, NW=1, NE=1)])
_WEST, _NORTH, _PLANE, _PAST_NORTH, _SLANT = range(5)
_ROUGH = (3, 5, 6, 7, 8, 9, 10, 11, 12)           # guesses over the plane before whose context has how rough it is around
_FAR_EAST = 13

# A stream's state: which picture, and room for what is gathered
_PICTURE, _PLACES, _OVER, _OVER_2, _OWN, _GUESSES = 0, 1, 25, 37, 49, 73
_STATE = _GUESSES + len(_OVER_BEFORE)

_CONTEXTS = 22
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
_BIAS = np.uint64(0x5851F42D4C957F2D)


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            _look(memory, stream, place)
            symbols[step, stream] = engine.code_symbol(
                memory, _KNOWN, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding)


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
    _gather_places(state, here, lowest, sample // channels % picture[_WIDTH], picture[_WIDTH], channels * each)
    memory.match_state[stream, 0, matches.LENGTH] = 0
    if picture[_ARE_NAMES]:
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
    over, over_2, own, guesses = state[_OVER:], state[_OVER_2:], state[_OWN:], state[_GUESSES:]
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
    rough = np.int64(0)
    while 1 << rough < roughness + 1:
        rough += 1
    rough = min(rough, _ROUGHNESSES - 1)
    for guess in range(len(_OVER_BEFORE)):
        guesses[guess] = _code_of(before + _guessed(_OVER_BEFORE[guess], over), most, base)
    known, known_2 = _code_of(green, most, base), _code_of(before if channel > 1 else 0, most, base)

    contexts[0], contexts[1], contexts[2] = guesses[_WEST], guesses[_NORTH], guesses[_PLANE]
    contexts[3] = known << 8 | known_2
    contexts[4] = (guesses[_WEST] >> 2) << 12 | (guesses[_NORTH] >> 2) << 6 | guesses[_PLANE] >> 2
    contexts[5] = known
    contexts[6] = _code_of(_guessed(_ALONE[0], own), most, base) << 8 | _code_of(_guessed(_ALONE[1], own), most, base)
    contexts[7] = _code_of(_guessed(_ALONE[2], own), most, base) << 8 | known
    contexts[8] = guesses[_SLANT] << 8 | known_2
    contexts[9] = guesses[_FAR_EAST]
    contexts[10] = _code_of(green + _guessed(_OVER_GREEN[0], over_2), most, base) << 4 | rough
    contexts[11] = _code_of(green + _guessed(_OVER_GREEN[1], over_2), most, base) << 8 | known
    contexts[12] = (_code_of(green + _guessed(_OVER_GREEN[2], over_2), most, base) << 8
                    | _code_of(green + _guessed(_OVER_GREEN[3], over_2), most, base))
    for index in range(len(_ROUGH)):
        contexts[13 + index] = guesses[_ROUGH[index]] << 4 | rough
    plane = channel * each + (base >= 0)
    own_byte = base >> 8 if base >= 0 else 0
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], (own_byte * 64 + plane) * 32 + index)

    plane &= _PLANES - 1
    left = _code_of(own[_W], most, base)
    scaled = roughness >> 1 if each == 1 else roughness >> 9
    memory.selected[0] = plane * 256 + min(scaled, 255)
    memory.selected[1] = plane * 256 + guesses[_PLANE]
    memory.selected[2] = plane * 256 + left
    memory.selected[3] = memory.final_selected[1] = plane * _ROUGHNESSES + rough
    memory.selected[4] = plane * 256 + (_code_of(before if channel else own[_N], most, base))
    memory.final_selected[0] = plane
    middle = max(min(own[_W], own[_N]), min(max(own[_W], own[_N]), own[_W] + own[_N] - own[_NW]))
    memory.refined_by[0] = joined(guesses[_PLANE], plane)
    memory.refined_by[1] = joined(_code_of(middle, most, base), plane + _PLANES)


@part
def _look_at_names(memory, state, codes):
    """Contexts of more and more neighbours, then of some of them."""
    contexts, own = memory.contexts, state[_OWN:]
    for near in range(_NAMES):
        place = state[_PLACES + near]
        own[near] = codes[place] if place >= 0 else 0
    hashed = np.uint64(0)
    for near in range(_NAMES):
        hashed = joined(own[near], hashed)
        if near < 14:
            contexts[near] = hashed
    contexts[14] = hashed
    contexts[15] = own[_N]
    contexts[16] = joined(own[_W], joined(own[_WW], own[_WWW]))
    contexts[17] = joined(own[_N], joined(own[_NN], own[_NNN]))
    contexts[18] = joined(own[_NE], joined(own[_NEE], own[_N]))
    contexts[19] = joined(own[_NW], joined(own[_NWW], own[_W]))
    contexts[20] = 0
    contexts[21] = joined(joined(own[_W], own[_N]), joined(own[_WW], own[_NN]))
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index] ^ _BIAS, index)
    near = np.int64(hashed >> np.uint64(40)) & 255
    memory.selected[0], memory.selected[1], memory.selected[2] = own[_NE], own[_N], own[_W]
    memory.selected[3], memory.selected[4] = 0, near
    memory.final_selected[0] = memory.final_selected[1] = 0
    memory.refined_by[0] = joined(own[_W], own[_N])
    memory.refined_by[1] = hashed


KIND = Kind(
    "image", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=1, state=_STATE, indirect=0, start_weight=1_500, rates=(900, 60))
