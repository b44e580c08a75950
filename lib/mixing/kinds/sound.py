"""Contexts for sounds: predictions of the next sample, of which each byte, the highest first, is coded by lib.mixing.kinds.amplitudes.

A sample is one to three bytes, an amplitude from zero on. Channels take turns; each is predicted from its own past and from the channel beside
it (lib.mixing.kinds.waveform). Contexts that hold samples as they are, and a match, are for sounds that repeat themselves or use few amplitudes.
"""

from lib.compiling import compiled, part
from lib.limits import MOST_CHANNELS
from lib.mixing import matches, selectors
from lib.mixing.hashing import joined
from lib.mixing.kinds import amplitudes, waveform
from lib.mixing.kinds.amplitudes import FRACTION, code_amplitude, scale_class
from lib.mixing.kinds.context_set import ContextSet
import numpy as np

_BEGIN, _END, _EACH, _CHANNELS, _FIELDS = range(5)      # of each sound, in the PredictorState's layout

# Of the state: which sound; samples taken of each channel; predictions and scales of the sample that is being coded; classes; errors lately
# of each channel and prediction, quick and slow.
_SOUND, _TAKEN = 0, 1
_GUESSES = waveform.PREDICTIONS + 1      # the first one twice, by a slower scale
_EXPECTED = _TAKEN + MOST_CHANNELS
_SCALES = _EXPECTED + _GUESSES
_CLASSES = _SCALES + _GUESSES
_QUICK = _CLASSES + 2
_SLOW = _QUICK + MOST_CHANNELS * waveform.PREDICTIONS
_STATE = _SLOW + MOST_CHANNELS * waveform.PREDICTIONS
_QUICK_BITS, _SLOW_BITS = 4, 7

_CONTEXTS = 3
_SHORTEST_MATCH = 16
_SELECTORS = (
    (32 * 64, selectors.BY_VALUE),
    (3 * 64, selectors.BY_DEPTH),
    (3 * MOST_CHANNELS, selectors.BY_NODE),
    (32 * 16, selectors.BY_VALUE),
    (32 * 16, selectors.BY_VALUE),
)
_FINAL_SELECTORS = ((32, selectors.BY_VALUE), (3, selectors.BY_DEPTH))


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            known, below = _look(memory, stream, place)
            state = memory.state[stream]
            symbols[step, stream] = code_amplitude(
                memory, 0, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding, known, below,
                state[_EXPECTED:_EXPECTED + _GUESSES], state[_SCALES:_SCALES + _GUESSES], state[_CLASSES:_CLASSES + 2])
            _take(memory, stream, place)


@part
def _where(layout, state, index):
    """(bytes of a sample, channels, channel, which byte) of a code of the sound."""
    sound = layout[_FIELDS * state[_SOUND]:_FIELDS * (state[_SOUND] + 1)]
    each, channels = sound[_EACH], sound[_CHANNELS]
    from_begin = index - sound[_BEGIN]
    return each, channels, from_begin // each % channels, from_begin % each


@part
def _look(memory, stream, place):
    """Set predictions and contexts of the code at `place`; returns (the sample's higher bytes, how many bits are below it)."""
    state, layout, codes = memory.state[stream], memory.layout, memory.codes
    index = place - memory.base
    while index >= layout[_FIELDS * state[_SOUND] + _END]:
        state[_SOUND] += 1
        state[_TAKEN:_EXPECTED] = 0
        state[_QUICK:] = 0
        memory.fits[stream, :] = 0.0
    each, channels, channel, which = _where(layout, state, index)
    start = memory.base + stream * memory.steps
    if which == 0 or place == start:
        _expect(memory, state, stream, each, channels, channel)
    known = np.int64(0)
    for back in range(which, 0, -1):
        known = known << 8 | (np.int64(codes[place - back]) if place - back >= start else np.int64(0))
    top = (each - 1 - which) * 8
    _set_contexts(memory, state, place, start, each, channels, channel, which, known)
    return known, top


@part
def _expect(memory, state, stream, each, channels, channel):
    predictions = memory.work[waveform.WORK:]
    waveform.predict(memory.fits[stream], state[_TAKEN:_EXPECTED], channel, channels, predictions)
    zero = np.int64(1) << 8 * each - 1
    parts = FRACTION * (256.0 if each == 3 else 1.0)
    most = FRACTION * 2 * zero
    lowest, highest = most, np.int64(0)
    for guess in range(_GUESSES):
        prediction = max(guess - 1, 0)
        at = channel * waveform.PREDICTIONS + prediction
        value = np.int64(np.floor(parts * predictions[prediction] + 0.5)) + FRACTION * zero
        quick, slow = state[_QUICK + at] >> _QUICK_BITS, state[_SLOW + at] >> _SLOW_BITS
        state[_EXPECTED + guess] = min(max(value, -most), 2 * most)
        state[_SCALES + guess] = (3 * quick + slow >> 2) + 2 if guess == 0 else (quick + 3 * slow >> 2) + 2 if guess == 1 else (quick + slow >> 1) + 2
        ratio = min(max(scale_class(quick + 1) - scale_class(slow + 1) + 2, 0), 3)
        memory.confidence[guess] = ratio << 4 | min(scale_class(state[_SCALES + guess]), 15)
        if prediction > 0:
            lowest, highest = min(lowest, state[_EXPECTED + guess]), max(highest, state[_EXPECTED + guess])
        if guess == 0:
            state[_CLASSES + 1] = min(max(scale_class(quick + 1) - scale_class(slow + 1) + 8, 0), 15)
    spread = scale_class(max(highest - lowest, 0) + 1) - scale_class(state[_SCALES]) + 8
    state[_CLASSES] = min(max(spread, 0), 15)


@part
def _set_contexts(memory, state, place, start, each, channels, channel, which, known):
    contexts, codes = memory.contexts, memory.codes
    back = each * channels
    last = before = np.uint64(0)
    first = place - which
    for byte in range(each):
        last = joined(codes[first - back + byte] if first - back >= start else 0, last)
        before = joined(codes[first - 2 * back + byte] if first - 2 * back >= start else 0, before)
    contexts[0] = known
    contexts[1] = joined(known, last)
    contexts[2] = joined(contexts[1], before)
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], 4 * index + which)
    memory.selected[1] = which * 64 + min(scale_class(state[_SCALES]), 63)
    memory.selected[2] = which * MOST_CHANNELS + channel
    memory.final_selected[1] = which


@part
def _take(memory, stream, place):
    """Take in the code at `place`; with a sample's last one, the sample."""
    state, codes, start = memory.state[stream], memory.codes, memory.base + stream * memory.steps
    each, channels, channel, which = _where(memory.layout, state, place - memory.base)
    newest = np.uint64(0)
    for age in range(min(_SHORTEST_MATCH, place + 1 - start)):
        newest = joined(newest, codes[place - age])
    matches.follow(memory.match_table[0], memory.match_state[stream, 0], newest, _SHORTEST_MATCH, codes, place + 1, memory.base, memory.steps)
    if which < each - 1 or place - which < start:
        return
    sample = np.int64(0)
    for back in range(each - 1, -1, -1):
        sample = sample << 8 | np.int64(codes[place - back])
    for prediction in range(waveform.PREDICTIONS):
        at = channel * waveform.PREDICTIONS + prediction
        off = abs(FRACTION * sample - state[_EXPECTED + 1 + prediction])
        state[_QUICK + at] += off - (state[_QUICK + at] >> _QUICK_BITS)
        state[_SLOW + at] += off - (state[_SLOW + at] >> _SLOW_BITS)
    value = float(sample - (np.int64(1) << 8 * each - 1)) * (1 / 256 if each == 3 else 1.0)
    waveform.learn(memory.fits[stream], state[_TAKEN:_EXPECTED], channel, channels, value, memory.work)


def _numbers_fitted(layout):
    """How many numbers a stream keeps for the predictions of the sounds of a source's layout."""
    return max((waveform.floats(int(channels)) for channels in layout.reshape(-1, _FIELDS)[:, _CHANNELS]), default=0)


CONTEXTS = ContextSet(
    "sound", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=2,
    matches=1, state=_STATE, indirect=0, predictions=_GUESSES, start_weight=8_000, rates=(900, 60),
    fits=_numbers_fitted, work=waveform.WORK + waveform.PREDICTIONS)
