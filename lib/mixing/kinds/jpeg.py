"""Coefficients of JPEGs: a block's count of those that are not zero, these in zigzag order, then the first one (DC).

The decisions of a coefficient: is it zero? which sign? how many bits has its magnitude? which are they, from the top down? Of the first one
they are of what it is off the one that is expected. Coefficients after the last that is not zero cost nothing. A loop of its own over
the engine's parts, as a symbol is no fixed number of bits. Symbols lie as lib.mixing.kinds.jpeg_blocks says, in one stream.
"""

import numpy as np

from lib.coders.arithmetic import code_bit
from lib.compiling import compiled, part
from lib.mixing import apm, engine, mixer, selectors, slots
from lib.mixing.hashing import joined, spread
from lib.mixing.kinds import jpeg_blocks as blocks
from lib.mixing.kinds import jpeg_contexts as contexts
from lib.mixing.kinds import jpeg_fitted as fitted
from lib.mixing.kinds.context_set import ContextSet
from lib.mixing.kinds.jpeg_blocks import COEFFICIENTS, FIELDS, MIDDLE, MOST, NUMBERS, REMAINING, SYMBOLS, ZIGZAG
from lib.mixing.logistic import ONE, adapted, code_length_of, probability_of, squash, stretch

BITS = 16                                # of a code: as many rows as that has a weight set for each value, one for each sort of decision
_INPUTS = 2                              # for each context
_BIAS = 77
_HISTORY_MOST = 500
_RATE_USES, _MOST_USES = 512, 1 << 20
_FINAL_RATE = 130
_REFINE_RATE_BITS = 5
_UNREFINED, _REFINED = 103, 153          # shares of 256 of the mixer's probability and of all maps' together
# Decisions: their places in a group of slots and their sorts, for the weight sets.
_IS_OTHER, _IS_NEGATIVE, _IS_LONGER = 1, 2, 3
_MOST_BITS = 12                          # of a magnitude: the first coefficient may be off by two times MOST
_LAST_LONGER, _MANTISSA = 12, 13
_COUNT_BITS, _HALF = 6, 3
_GROUP_OF_MANTISSA, _GROUP_OF_COUNT = 64, 64
_DECISIONS = 2 + _MOST_BITS + _MOST_BITS
_GROUP, _CHECK, _SLOT, _COST = range(4)  # rows of `places`; the last holds what the symbol has cost so far


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            code = np.int64(0) if decoding else np.int64(memory.values[symbols[step, stream]])
            memory.places[_COST, 0] = 0
            code = _code_symbol(memory, stream, place, code, coder, buffer, decoding)
            memory.codes[place] = code
            if len(memory.code_lengths) > 0:
                memory.code_lengths[place] = min(memory.places[_COST, 0], engine.MOST_LENGTH)
            symbols[step, stream] = memory.symbols[code]


@part
def _code_symbol(memory, stream, place, code, coder, buffer, decoding):
    """Code the symbol at a place; returns its code."""
    state, block, index = memory.state[stream], place // SYMBOLS, place % SYMBOLS
    if index == 0:
        blocks.begin_block(memory, stream, block)
        contexts.look_at_count(memory, stream)
        code = _code_count(memory, code, coder, buffer, decoding)
        state[blocks.COUNT] = state[REMAINING] = code
        return code
    if index == COEFFICIENTS:
        base = contexts.look_at_first(memory, stream, _off_around(memory, stream))
        off = _code_value(memory, code - MIDDLE - base, coder, buffer, decoding)
        off = min(max(off, -MOST - base), MOST - base)           # what was decoded of a damaged file may be any
        memory.fits[stream, fitted.FITS + block] = off
        blocks.end_block(memory, stream)
        return base + off + MIDDLE
    if state[REMAINING] == 0:
        return np.int64(MIDDLE)
    where = ZIGZAG[index]
    activity = contexts.look_at_other(memory, stream, where, COEFFICIENTS - index)
    value = _code_value(memory, code - MIDDLE, coder, buffer, decoding)
    value = min(max(value, -MOST), MOST)
    fitted.learn(memory, stream, state[blocks.COMPONENT], where, value, activity)
    blocks.take(state, where, value)
    return value + MIDDLE


@part
def _off_around(memory, stream):
    """How far the first coefficients were off above, to the left, of the first component and of the one before."""
    state = memory.state[stream]
    return (_off(memory, stream, state[NUMBERS], state[blocks.HAS_ABOVE]), _off(memory, stream, state[NUMBERS + 1], state[blocks.HAS_LEFT]),
            _off(memory, stream, state[NUMBERS + 6], 1), _off(memory, stream, state[NUMBERS + 7], 1))


@part
def _off(memory, stream, number, is_there):
    return np.int64(memory.fits[stream, fitted.FITS + number]) if is_there and number >= 0 else np.int64(0)


@part
def _code_count(memory, count, coder, buffer, decoding):
    """Code how many coefficients are not zero, six bits from the top down."""
    node, local = np.int64(1), np.int64(1)
    for depth in range(_COUNT_BITS):
        if depth % _HALF == 0:
            _find_groups(memory, np.int64(0) if depth == 0 else _GROUP_OF_COUNT + node)
            local = np.int64(1)
        bit = count >> _COUNT_BITS - 1 - depth & 1
        bit = _decide(memory, local, local if depth < _HALF else 8 + local, bit, coder, buffer, decoding)
        node, local = node << 1 | bit, local << 1 | bit
    return node - (1 << _COUNT_BITS)


@part
def _code_value(memory, value, coder, buffer, decoding):
    """Code a value of up to _MOST_BITS bits and a sign."""
    _find_groups(memory, np.int64(0))
    if not _decide(memory, _IS_OTHER, _IS_OTHER, np.int64(value != 0), coder, buffer, decoding):
        return np.int64(0)
    negative = _decide(memory, _IS_NEGATIVE, _IS_NEGATIVE, np.int64(value < 0), coder, buffer, decoding)
    size, magnitude = np.int64(1), abs(value)
    while size < _MOST_BITS:
        local = _IS_LONGER - 1 + size
        if not _decide(memory, local, min(local, _LAST_LONGER), np.int64(magnitude >> size > 0), coder, buffer, decoding):
            break
        size += 1
    node, local = np.int64(1), np.int64(1)
    for depth in range(size - 1):
        if depth % _HALF == 0:
            _find_groups(memory, 2 * size + negative if depth == 0 else _GROUP_OF_MANTISSA + 32 * node + size)
            local = np.int64(1)
        bit = magnitude >> size - 2 - depth & 1
        bit = _decide(memory, local, _MANTISSA + min(depth, 2), bit, coder, buffer, decoding)
        node, local = node << 1 | bit, local << 1 | bit
    return -node if negative else node


@part
def _find_groups(memory, node):
    touched = np.uint64(0)       # by reading all groups at once, before any is looked into, their cache misses overlap
    for context in range(contexts.CONTEXTS):
        group, check = slots.find_group(memory.slots, memory.contexts[context], node)
        memory.places[_GROUP, context], memory.places[_CHECK, context] = group, check
        touched += memory.slots[group] + memory.slots[group + slots.GROUP // 2]
    memory.touched[0] = touched


@part
def _decide(memory, local, sort, bit, coder, buffer, decoding):
    """Code one decision and learn from it; local: its place in the groups of slots, 1 to 15; sort: which weights are for it."""
    _gather_inputs(memory, local)
    logit = _mix(memory, sort)
    probability = _refined(memory, logit, sort)
    bit = np.int64(code_bit(coder, buffer, probability, bit, decoding))
    memory.places[_COST, 0] += code_length_of(probability, bit)
    memory.fingerprint[0] = spread(memory.fingerprint[0] + np.uint64(2 * probability + bit))
    _learn(memory, logit, sort, bit)
    return bit


@part
def _gather_inputs(memory, local):
    inputs = memory.inputs
    for context in range(contexts.CONTEXTS):
        place = slots.find(memory.slots, memory.places[_GROUP, context], memory.places[_CHECK, context], local)
        memory.places[_SLOT, context] = place
        slot, at = memory.slots[place], _INPUTS * context
        if slots.seen(slot) == 0:
            inputs[at] = inputs[at + 1] = 0
        else:
            inputs[at] = stretch(slots.probability(slot))
            inputs[at + 1] = stretch(probability_of(memory.histories[context, slots.history(slot)]))
    inputs[_INPUTS * contexts.CONTEXTS] = _BIAS


@part
def _mix(memory, sort):
    start = mixer.weighed(memory.start_weights, memory.inputs)
    for index in range(len(memory.rows)):
        row = memory.rows[index] = memory.first_row[index] + memory.selected[index] * BITS + sort
        memory.logits[index] = mixer.mixed(memory.weights[row], memory.inputs, start)
    start = mixer.weighed(memory.final_start_weights, memory.logits)
    total = np.int64(0)
    for index in range(len(memory.final_rows)):
        row = memory.final_rows[index] = memory.final_first_row[index] + memory.final_selected[index] * BITS + sort
        memory.final_logits[index] = mixer.mixed(memory.final_weights[row], memory.logits, start)
        total += memory.final_logits[index]
    return total // len(memory.final_rows)


@part
def _map_of(memory, index, sort):
    return np.int64(joined(memory.map_contexts[index], sort) >> np.uint64(20)) % (len(memory.maps[index]) // apm.STEPS)


@part
def _refined(memory, logit, sort):
    """The probability to code with: the mixer's, and what the maps make of it."""
    total = np.int64(0)
    for index in range(contexts.MAPS):
        total += apm.refined(memory.maps[index], _map_of(memory, index, sort), logit)
    probability = np.int64(squash(logit)) * _UNREFINED + total * _REFINED // contexts.MAPS >> 8
    return min(max(probability, 1), ONE - 1)


@part
def _learn(memory, logit, sort, bit):
    for index in range(len(memory.final_rows)):
        mixer.learn(memory.final_weights[memory.final_rows[index]], memory.logits, memory.final_logits[index], bit, _FINAL_RATE)
    first, last = memory.rates
    for index in range(len(memory.rows)):
        row = memory.rows[index]
        rate = last + (first - last) * _RATE_USES // (_RATE_USES + memory.uses[row])
        memory.uses[row] = min(memory.uses[row] + 1, _MOST_USES)
        mixer.learn(memory.weights[row], memory.inputs, memory.logits[index], bit, rate)
    for index in range(contexts.MAPS):
        apm.refine(memory.maps[index], _map_of(memory, index, sort), logit, bit, _REFINE_RATE_BITS)
    for context in range(contexts.CONTEXTS):
        place = memory.places[_SLOT, context]
        slot, worth = memory.slots[place], memory.histories[context]
        if slots.seen(slot) > 0:
            worth[slots.history(slot)] = adapted(worth[slots.history(slot)], bit, _HISTORY_MOST)
        memory.slots[place] = slots.after(slot, bit)


def _numbers(layout):
    """How many numbers are fitted, or kept of each block."""
    return fitted.FITS + max((int(end) for end in layout.reshape(-1, FIELDS)[:, blocks.END]), default=0)


CONTEXTS = ContextSet(
    "jpeg", _code_steps, contexts=contexts.CONTEXTS, selectors=tuple((values, selectors.BY_DEPTH) for values in contexts.SETS),
    final_selectors=tuple((values, selectors.BY_DEPTH) for values in contexts.FINAL_SETS), maps=contexts.MAPS, matches=0,
    state=blocks.STATE, indirect=0, predictions=0, start_weight=2_000, rates=(1000, 40), fits=_numbers, work=fitted.WORK,
    inputs=_INPUTS, decisions=_DECISIONS)

