"""Contexts for sounds: predictions of the next sample, of which each byte, the highest first, is coded by lib.mixing.kinds.amplitudes.

A sample is one to three bytes, an amplitude from zero on. Channels take turns; each is predicted from its own past and from the channel beside
it (lib.mixing.kinds.waveform). Contexts that hold samples as they are, and a match, are for sounds that repeat themselves or have few amplitudes.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.limits import MOST_CHANNELS
from lib.mixing import matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds import waveform
from lib.mixing.kinds.amplitudes import CLASSES, FRACTION, MIDDLES, SCALES, SIZES, code_byte, scale_class
from lib.mixing.kinds.context_set import ContextSet

_BEGIN, _END, _EACH, _CHANNELS, _FIELDS = range(5)       # of each sound, in the PredictorState's layout
_MOST_EACH = 3

# Of the state: which sound; samples taken of each channel; of the sample that is being coded the predictions in parts of one, the first of them
# twice, with two scales of its errors, these scales, how sure each is and two classes that select weights; how far off the predictions of
# each channel were, lately and for long.
_EXPECTED = 1 + waveform.PREDICTIONS
_SOUND, _TAKEN = 0, 1
_EXPECTATIONS = _TAKEN + MOST_CHANNELS
_SCALES = _EXPECTATIONS + _EXPECTED
_SURENESS = _SCALES + _EXPECTED
_SELECTED = _SURENESS + _EXPECTED
_OFF_LATELY = _SELECTED + 2
_OFF_LONG = _OFF_LATELY + MOST_CHANNELS * waveform.PREDICTIONS
_STATE = _OFF_LONG + MOST_CHANNELS * waveform.PREDICTIONS
_LATELY_BITS, _LONG_BITS = 4, 7          # errors lose 2^-4 and 2^-7 at each sample
_LEAST_SCALE = 2                         # parts of a sample

_CONTEXTS = 3
_SHORTEST_MATCH = 16                     # bytes
_SELECTORS = (
    (SIZES * MIDDLES, selectors.BY_VALUE),           # how the first prediction lies in the interval
    (_MOST_EACH * SCALES, selectors.BY_DEPTH),       # how far off it has been
    (_MOST_EACH * MOST_CHANNELS, selectors.BY_NODE),
    (SIZES * CLASSES, selectors.BY_VALUE),           # how far predictions are apart
    (SIZES * CLASSES, selectors.BY_VALUE),           # how much more it was off lately
)
_FINAL_SELECTORS = (
    (SIZES, selectors.BY_VALUE),
    (_MOST_EACH, selectors.BY_DEPTH),
)
_MAPS = 2


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            known, below = _look(memory, stream, place)
            state = memory.state[stream]
            symbols[step, stream] = code_byte(
                memory, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding, known, below,
                state[_EXPECTATIONS:_SCALES], state[_SCALES:_SURENESS], state[_SELECTED:_OFF_LATELY])
            _take(memory, stream, place)


@part
def _look(memory, stream, place):
    """Set the contexts of the code at `place`, and predictions where a sample begins; returns (the sample's higher bytes, bits below)."""
    state, layout, codes, start = memory.state[stream], memory.layout, memory.codes, memory.base + stream * memory.steps
    while place - memory.base >= layout[_FIELDS * state[_SOUND] + _END]:
        _end_sound(state, memory.fits[stream], layout)
    each, channels, channel, which = _where(layout, state, place - memory.base)
    if which == 0 or place == start:
        _expect(state, memory.fits[stream], each, channels, channel)
    memory.confidence[:] = state[_SURENESS:_SELECTED]
    known = np.int64(0)
    for back in range(which, 0, -1):
        known = known << 8 | _code_at(codes, place - back, start)
    _set_contexts(memory, place - which, start, each, channels, which, known)
    memory.selected[1] = which * SCALES + scale_class(state[_SCALES])
    memory.selected[2] = which * MOST_CHANNELS + channel
    memory.final_selected[1] = which
    return known, 8 * (each - 1 - which)


@part
def _end_sound(state, fits, layout):
    """Go on to the next sound; what is known of one of another form is forgotten."""
    sound = _FIELDS * state[_SOUND]
    following = sound + _FIELDS
    if layout[sound + _EACH] != layout[following + _EACH] or layout[sound + _CHANNELS] != layout[following + _CHANNELS]:
        state[_TAKEN:_EXPECTATIONS] = 0
        state[_OFF_LATELY:] = 0
        fits[:] = 0.0
    state[_SOUND] += 1


@part
def _where(layout, state, index):
    """(bytes of a sample, channels, channel, which byte of the sample) of a code of the sound."""
    sound = layout[_FIELDS * state[_SOUND]:_FIELDS * (state[_SOUND] + 1)]
    each, channels, index = sound[_EACH], sound[_CHANNELS], index - sound[_BEGIN]
    return each, channels, index // each % channels, index % each


@part
def _code_at(codes, place, start):
    """The code at a place; 0 before the stream's start."""
    return np.int64(codes[place]) if place >= start else np.int64(0)


@part
def _expect(state, fits, each, channels, channel):
    """Predict a sample: set where it is expected, the scales of the errors and what of them selects weights."""
    predictions = waveform.predict(fits, state[_TAKEN:_EXPECTATIONS], channel, channels)
    parts, zero = FRACTION * _unit(each), np.int64(FRACTION) << 8 * each - 1
    lowest = highest = np.int64(0)
    for index in range(_EXPECTED):
        prediction = max(index - 1, 0)
        at = channel * waveform.PREDICTIONS + prediction
        lately, long = state[_OFF_LATELY + at] >> _LATELY_BITS, state[_OFF_LONG + at] >> _LONG_BITS
        share = 3 if index == 0 else 1 if index == 1 else 2
        scale = (share * lately + (4 - share) * long >> 2) + _LEAST_SCALE
        growth = scale_class(lately + 1) - scale_class(long + 1)
        off_zero = min(max(np.int64(np.floor(parts * predictions[prediction] + 0.5)), -3 * zero), 3 * zero)
        state[_EXPECTATIONS + index], state[_SCALES + index] = zero + off_zero, scale
        state[_SURENESS + index] = min(max(growth + 2, 0), 3) << 4 | min(scale_class(scale), 15)
        if index == 0:
            state[_SELECTED + 1] = min(max(growth + CLASSES // 2, 0), CLASSES - 1)
            lowest = highest = off_zero
        lowest, highest = min(lowest, off_zero), max(highest, off_zero)
    apart = scale_class(highest - lowest + 1) - scale_class(state[_SCALES])
    state[_SELECTED] = min(max(apart + CLASSES // 2, 0), CLASSES - 1)


@part
def _unit(each):
    """The numbers of lib.mixing.kinds.waveform are so many samples: those of 24 bits 256."""
    return 256.0 if each == 3 else 1.0


@part
def _set_contexts(memory, first, start, each, channels, which, known):
    """Contexts of a byte of the sample at `first`: its higher bytes, and one and two samples before it in its channel."""
    contexts, codes = memory.contexts, memory.codes
    contexts[0] = contexts[1] = contexts[2] = known
    for age in range(1, _CONTEXTS):
        for byte in range(each):
            code = _code_at(codes, first - age * each * channels + byte, start)
            for context in range(age, _CONTEXTS):
                contexts[context] = joined(code, contexts[context])
    for context in range(_CONTEXTS):
        contexts[context] = joined(contexts[context], _CONTEXTS * which + context)


@part
def _take(memory, stream, place):
    """Take in the code at `place`; with the last one of a sample, the sample."""
    state, codes, start = memory.state[stream], memory.codes, memory.base + stream * memory.steps
    each, channels, channel, which = _where(memory.layout, state, place - memory.base)
    newest = np.uint64(0)
    for age in range(min(_SHORTEST_MATCH, place + 1 - start)):
        newest = joined(newest, codes[place - age])
    matches.follow(memory.match_table[0], memory.match_state[stream, 0], newest, _SHORTEST_MATCH, codes, place + 1, memory.base, memory.steps)
    if which < each - 1 or place - which < start:
        return
    sample = np.int64(0)
    for back in range(which, -1, -1):
        sample = sample << 8 | np.int64(codes[place - back])
    for prediction in range(waveform.PREDICTIONS):
        at = channel * waveform.PREDICTIONS + prediction
        off = abs(FRACTION * sample - state[_EXPECTATIONS + 1 + prediction])
        state[_OFF_LATELY + at] += off - (state[_OFF_LATELY + at] >> _LATELY_BITS)
        state[_OFF_LONG + at] += off - (state[_OFF_LONG + at] >> _LONG_BITS)
    value = np.float64(sample - (np.int64(1) << 8 * each - 1)) / _unit(each)
    waveform.learn(memory.fits[stream], state[_TAKEN:_EXPECTATIONS], channel, channels, value, memory.work)


def _numbers_fitted(layout):
    """How many numbers a stream keeps for the predictions of the sounds of a source's layout."""
    return max((waveform.floats(channels) for channels in layout.reshape(-1, _FIELDS)[:, _CHANNELS].tolist()), default=0)


CONTEXTS = ContextSet(
    "sound", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=1, state=_STATE, indirect=0, predictions=_EXPECTED, start_weight=8_000, rates=(900, 60),
    fits=_numbers_fitted, work=waveform.WORK)
