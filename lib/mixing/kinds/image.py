"""Contexts for images: what a sample's neighbours, and what is known of its pixel, let one expect.

A prediction is a sum of neighbours with small factors. It is made of what each neighbour has over the plane coded before (red over green,
blue over red), and what that plane has here is added: edges are in the same place in all planes. Two predictions have factors that are
fitted to what lies around (lib.mixing.kinds.fitted). Each prediction is an input by how far off it lies (lib.mixing.distances), and some
are contexts. Palettes and bitmaps have names for samples, and their contexts are the neighbours as they are.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import distances, engine, matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds import fitted, neighbours
from lib.mixing.kinds.context_set import ContextSet
from lib.mixing.kinds.neighbours import COUNT, EACH, NAMED, NE, NW, OVER, OVER_FIRST, OWN, PLACES, N, W, sample_at

_BEGIN, _END, _WIDTH, _CHANNELS, _CODES_EACH, _ARE_NAMES, _FIELDS = range(7)       # of each picture, in the PredictorState's layout



def _prediction(divisor=1, **factors):
    """A prediction's factors by the names of neighbours, in quarters: int64 (12,)."""
    row = np.zeros(len(NAMED), np.int64)
    for name, factor in factors.items():
        row[NAMED.index(name)] = 4 * factor // divisor
    return row


# Predictions over the plane before, those over green, and those of the plane by itself.
_OVER_BEFORE = np.array([
    _prediction(W=1), _prediction(N=1), _prediction(W=1, N=1, NW=-1), _prediction(W=1, NE=1, N=-1), _prediction(2, W=2, NE=1, NW=-1),
    _prediction(N=1, NE=1, NNE=-1), _prediction(NEE=1)])
_OVER_GREEN = np.array([_prediction(W=1, N=1, NW=-1), _prediction(2, W=1, N=1), _prediction(W=1), _prediction(N=1)])
_ALONE = np.array([_prediction(N=2, NN=-1), _prediction(W=2, WW=-1), _prediction(4, W=1, N=1, NW=1, NE=1)])
_PREDICTED = len(_OVER_BEFORE) + len(_OVER_GREEN) + len(_ALONE)
_WEST, _NORTH, _PLANE, _EAST, _SLANT, _NEXT_ROW, _FAR_EAST, _GREEN_PLANE, _GREEN_MEAN = range(9)       # some of them by name
_MORE = 3 + fitted.FITS          # predictions before these

# Of the state, behind what neighbours and fitted predictions have there: which picture, and row; what is predicted.
_PICTURE, _ROW, _VALUES = fitted.STATE, fitted.STATE + 1, fitted.STATE + 2
_STATE = _VALUES + _PREDICTED

_CONTEXTS = 10
_NEAR_ENOUGH = (1, 2, 3, 4, 6, 8, 12, 16, 22)     # how many of the nearest neighbours the contexts of names hold
_NEAR_SAMPLES, _NEAR_PIXELS = 4, 6                # that contexts hold as they are; of pixels the samples of all planes
_KNOWN = 4                                        # contexts, from the first on, of which as many as are known select weights
_PLANES = 4                                       # that are told apart
_CLASSES = 16                                     # of how rough it is, and of how far predictions were off
_SELECTORS = (
    (_PLANES * 256, selectors.BY_DEPTH),          # how rough it is around
    (_PLANES * 256, selectors.BY_NODE),           # a prediction
    (_PLANES * 256, selectors.BY_NODE),           # the sample to the left
    (_PLANES * _CLASSES, selectors.BY_NODE),      # how far predictions were off around
    (_PLANES * 256, selectors.BY_NODE),           # the plane before
)
_FINAL_SELECTORS = (
    (_PLANES, selectors.BY_NODE),
    (_PLANES * _CLASSES, selectors.BY_DEPTH),
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
    state, fits, layout, codes = memory.state[stream], memory.fits[stream], memory.layout, memory.codes
    index = place - memory.base
    while index >= layout[_FIELDS * state[_PICTURE] + _END]:
        state[_PICTURE] += 1
        state[_ROW] = 0
        fitted.begin_picture(fits)
    begin, each, channels, width, channel, column, row, is_second = _where(layout, state, index)
    here = place - is_second
    state[EACH] = each
    neighbours.gather_places(state, here, memory.base + max(begin, stream * memory.steps), column, width, channels * each)
    memory.match_state[stream, 0, matches.LENGTH] = 0
    if layout[_FIELDS * state[_PICTURE] + _ARE_NAMES]:
        memory.confidence[0] = -1
        _look_at_names(memory, state)
        return
    if row != state[_ROW]:
        state[_ROW] = row
        fitted.end_row(fits, channels, width, memory.work)
    neighbours.gather_samples(state, codes, channel)
    if not is_second:
        fitted.fit(state, fits, codes, here, channel, channels, column, width, memory.work)
    _look_at_tones(memory, state, here, channel, channels, np.int64(codes[here]) << 8 if is_second else np.int64(-1))


@part
def _take(memory, stream, place):
    """Let the fitted predictions learn from the sample whose last code is at `place`."""
    state, layout = memory.state[stream], memory.layout
    _, each, channels, width, channel, column, _, is_second = _where(layout, state, place - memory.base)
    if not layout[_FIELDS * state[_PICTURE] + _ARE_NAMES] and is_second == each - 1:
        fitted.learn(state, memory.fits[stream], memory.codes, place - is_second, channel, channels, column, width)


@part
def _where(layout, state, index):
    """(where its codes begin, codes of a sample, channels, width) of the picture, (channel, column, row) of a code in it, whether
    that is a sample's lower byte.
    """
    picture = layout[_FIELDS * state[_PICTURE]:_FIELDS * (state[_PICTURE] + 1)]
    begin, each, channels, width = picture[_BEGIN], picture[_CODES_EACH], picture[_CHANNELS], picture[_WIDTH]
    sample, is_second = (index - begin) // each, (index - begin) % each
    return begin, each, channels, width, sample % channels, sample // channels % width, sample // (channels * width), is_second


@part
def _code_of(value, most, base):
    """The code that a prediction stands for: the sample, its higher byte, or its lower one where the higher, `base`, is known."""
    if base >= 0:
        return min(max(value - base, 0), 255)
    value = min(max(value, 0), most)
    return value >> 8 if most > 255 else value


@part
def _predicted(factors, values):
    total = np.int64(2)
    for near in range(len(NAMED)):
        total += factors[near] * values[near]
    return total >> 2


@part
def _look_at_tones(memory, state, here, channel, channels, base):
    """Predictions, and contexts of some of them and of neighbours.

    base: of a sample's lower byte what the higher one stands for, or -1.
    """
    codes, each, own = memory.codes, state[EACH], state[OWN:]
    most = np.int64(255 if each == 1 else 65535)
    before = sample_at(codes, here - each, each) if channel else np.int64(0)
    green = sample_at(codes, here - channel * each, each) if channel else np.int64(0)
    best = _code_of(state[fitted.FITTED] + state[fitted.FITTED + 1] + 4 >> 3, most, base)
    _predict_all(state, before, green, most, base)
    known, known_2 = _code_of(green, most, base), _code_of(before if channel > 1 else 0, most, base)
    plane = channel * each + (base >= 0)
    _set_contexts(memory, state, best, known, known_2, channel, channels, (base >> 8) * 64 + plane if base >= 0 else plane)

    plane &= _PLANES - 1
    roughness = abs(own[W] - own[NW]) + abs(own[N] - own[NW]) + abs(own[N] - own[NE])
    _set_predictions(memory, state, best, _class_of(roughness), channel, base)
    memory.selected[0] = plane * 256 + min(roughness >> 1 if each == 1 else roughness >> 9, 255)
    memory.selected[1] = plane * 256 + best
    memory.selected[2] = plane * 256 + _code_of(own[W], most, base)
    memory.selected[3] = memory.final_selected[1] = plane * _CLASSES + _class_of(state[fitted.OFF_AROUND])
    memory.selected[4] = plane * 256 + _code_of(before if channel else own[N], most, base)
    memory.final_selected[0] = plane
    middle = max(min(own[W], own[N]), min(max(own[W], own[N]), own[W] + own[N] - own[NW]))
    memory.map_contexts[0] = joined(best, plane)
    memory.map_contexts[1] = joined(_code_of(middle, most, base), plane + _PLANES)


@part
def _predict_all(state, before, green, most, base):
    """Note what neighbours let one prediction: codes."""
    at = _VALUES
    for prediction in range(len(_OVER_BEFORE)):
        state[at] = _code_of(before + _predicted(_OVER_BEFORE[prediction], state[OVER:]), most, base)
        at += 1
    for prediction in range(len(_OVER_GREEN)):
        state[at] = _code_of(green + _predicted(_OVER_GREEN[prediction], state[OVER_FIRST:]), most, base)
        at += 1
    for prediction in range(len(_ALONE)):
        state[at] = _code_of(_predicted(_ALONE[prediction], state[OWN:]), most, base)
        at += 1


@part
def _set_contexts(memory, state, best, known, known_2, channel, channels, salt):
    """Contexts of predictions; of the pixel's codes that are known; and of neighbours as they are: charts and screenshots repeat themselves."""
    contexts, values = memory.contexts, state[_VALUES:]
    contexts[0], contexts[1] = values[_WEST], values[_NORTH]
    contexts[2] = known << 8 | known_2
    contexts[3] = known
    contexts[4] = values[_FAR_EAST]
    contexts[5] = values[_GREEN_MEAN] << 8 | known
    samples = pixels = joined(known, known_2)
    for near in range(_NEAR_SAMPLES):
        samples = joined(state[OWN + near], samples)
    contexts[6] = samples
    contexts[7] = joined(best, samples)
    for near in range(_NEAR_PIXELS):
        pixels = _joined_pixel(memory.codes, state[PLACES + near], channel, channels, state[EACH], pixels)
        if near == N:
            contexts[8] = pixels
    contexts[9] = pixels
    for index in range(len(contexts)):
        contexts[index] = joined(salt * 32 + index, contexts[index])


@part
def _joined_pixel(codes, place, channel, channels, each, hashed):
    """A hash, and of all planes of a pixel, one of whose samples is at `place`."""
    if place >= 0:
        for sample in range(place - channel * each, place + (channels - channel) * each):
            hashed = joined(codes[sample], hashed)
    return hashed


@part
def _class_of(value):
    """How many bits a number has, as a class."""
    bits = np.int64(0)
    while 1 << bits < value + 1:
        bits += 1
    return min(bits, _CLASSES - 1)


@part
def _set_predictions(memory, state, best, rough, channel, base):
    """Set the predictions: the mean of the fitted ones by how rough it is, then by errors; each of them; a mean with others; the others."""
    each, values = state[EACH], state[_VALUES:]
    predictions, confidence = memory.predictions, memory.confidence
    total = np.int64(0)
    for fit in range(fitted.FITS):
        total += state[fitted.FITTED + fit]
        predictions[2 + fit] = _fine(state[fitted.FITTED + fit], each, base)
    mean = _fine(total // fitted.FITS, each, base)
    off = _class_of(state[fitted.OFF_AROUND] + state[fitted.OFF_LATELY + channel])
    predictions[0] = predictions[1] = mean
    confidence[0] = rough << 2 | mean & 3
    confidence[1] = off << 2 | mean & 3
    for fit in range(fitted.FITS):
        confidence[2 + fit] = off << 2 | predictions[2 + fit] & 3
    predictions[_MORE - 1] = mean + distances.FRACTION * (values[_PLANE] + values[_NEXT_ROW] + values[_EAST]) >> 2
    confidence[_MORE - 1] = rough << 2
    for prediction in range(_PREDICTED):
        predictions[_MORE + prediction] = distances.FRACTION * values[prediction]
        confidence[_MORE + prediction] = rough << 2 | min(abs(values[prediction] - best), 3)


@part
def _fine(quarters, each, base):
    """A prediction of the code in quarters, from one of the sample in quarters."""
    if base >= 0:
        quarters -= distances.FRACTION * base
    elif each == 2:
        quarters >>= 8
    return min(max(quarters, -distances.FRACTION * 256), distances.FRACTION * 512)


@part
def _look_at_names(memory, state):
    """Contexts of more and more neighbours, then of some of them."""
    contexts, own = memory.contexts, state[OWN:]
    for near in range(COUNT):
        place = state[PLACES + near]
        own[near] = memory.codes[place] if place >= 0 else 0
    hashed, filled = np.uint64(0), 0
    for near in range(COUNT):
        hashed = joined(own[near], hashed)
        if near + 1 in _NEAR_ENOUGH:
            contexts[filled] = joined(hashed, filled)
            filled += 1
    contexts[filled] = joined(own[N], filled)
    near = np.int64(hashed >> np.uint64(40)) & 255
    memory.selected[0], memory.selected[1], memory.selected[2] = own[NE], own[N], own[W]
    memory.selected[3], memory.selected[4] = 0, near
    memory.final_selected[0] = memory.final_selected[1] = 0
    memory.map_contexts[0] = joined(own[W], own[N])
    memory.map_contexts[1] = hashed


def _numbers_fitted(layout):
    """How many numbers a stream keeps for the fitted predictions of the pictures of a source's layout."""
    return max((fitted.floats(width, channels) for _, _, width, channels, _, are_names in layout.reshape(-1, _FIELDS).tolist()
                if not are_names), default=fitted.floats(1, 1))


CONTEXTS = ContextSet(
    "image", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=1, state=_STATE, indirect=0, predictions=_MORE + _PREDICTED, start_weight=2_000, rates=(900, 60),
    fits=_numbers_fitted, work=fitted.WORK)
