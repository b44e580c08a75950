"""Contexts for binary data: orders, bytes apart, words of two bytes, records, bitmaps, x86-64 machine code."""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import engine, matches, selectors
from lib.mixing.hashing import joined, newest
from lib.mixing.kinds import records, x86
from lib.mixing.kinds.context_set import ContextSet

# A stream's state
_RECENT, _LETTERS, _MISSES = range(3)
_RECORDS = 3                                      # where that of lib.mixing.kinds.records begins
_CODE = _RECORDS + records.STATE                  # and of x86
_STATE = _CODE + x86.STATE
_FOLLOWED = 0                                     # what followed two bytes: where it begins in `indirect`
_TARGETS = 65536                                  # and where the tables of x86 do
_INDIRECT = _TARGETS + x86.TARGETS

_ORDERS = 6                                       # 1, 2, 3, 4, 5, 8
_CONTEXTS = 32
_COLUMNS = 256
_PREDICTIONS = 32                                 # values of the set of predictions that are for where there is none
_SELECTORS = (
    (1, selectors.BY_MATCH),
    (256, selectors.BY_NODE),                        # the byte before
    (256, selectors.BY_NODE),                        # the byte before that
    (256, selectors.BY_NODE),                        # the byte above
    (1, selectors.BY_ORDER),
    (_COLUMNS, selectors.BY_DEPTH),                  # the column
    (2 * x86.POSITIONS, selectors.BY_NODE),          # the part of an instruction, and whether its opcode is after a 0F
    (_PREDICTIONS + 16, selectors.BY_NODE),          # whether predicted bytes of distances agree; alignment, misses
    (1, selectors.BY_DEPTH),
)
_FINAL_SELECTORS = (
    (1, selectors.BY_ORDER),
    (1, selectors.BY_NODE),
    (1, selectors.BY_MATCH),
    (x86.POSITIONS, selectors.BY_NODE),              # the part of an instruction
)
_MAPS = 4
_MATCHES = (6, 4)                                 # bytes that a match begins with
_LASTING = len(_MATCHES)                          # the match that goes on after a miss
_LASTING_BYTES = 7
_MISS, _MOST_MISSES, _MISSES_TO_LEAVE, _MISSES_AT_FIRST = 4, 63, 15, 8
_LASTING_LENGTH = 32                              # that it passes for, less its misses


@compiled
def _code_steps(memory, coder, buffer, symbols, active, first_step, frequencies, decoding):
    for step in range(len(symbols)):
        for stream in range(active[step]):
            place = memory.base + stream * memory.steps + first_step + step
            _look(memory, stream, place)
            symbols[step, stream] = engine.code_symbol(
                memory, _ORDERS, coder, buffer, stream, place, frequencies[stream], symbols[step, stream], decoding)
            _take(memory, stream, place)


@part
def _look(memory, stream, place):
    """Set the contexts of the symbol at `place`."""
    state, contexts = memory.state[stream], memory.contexts
    recent, last = np.uint64(state[_RECENT]), state[_RECENT] & 255
    match = memory.match_state[stream, 0]
    expected, length = matches.expected(memory.codes, match), min(match[matches.LENGTH], 31)
    followed = memory.indirect[_FOLLOWED + np.int64(newest(recent, 2))]

    for index in range(5):
        contexts[index] = newest(recent, index + 1)
    contexts[5] = recent
    contexts[6] = 0
    contexts[7] = recent & np.uint64(0xFF00)
    contexts[8] = recent & np.uint64(0xFF0000)
    contexts[9] = recent & np.uint64(0xFFFF00)
    contexts[10] = recent & np.uint64(0xFF00FF)
    contexts[11] = recent & np.uint64(0xFF000000)
    contexts[12] = recent & np.uint64(0xFF000000FF)
    contexts[13] = recent & np.uint64(0xF0F0F0F0F0F0)
    contexts[14] = joined(state[_LETTERS], last)
    contexts[15] = joined(followed & 0xFFFF, last)
    contexts[16] = joined(joined(expected, last), length)
    _look_at_words(contexts, recent, place)
    start = memory.base + stream * memory.steps
    above, column = _look_at_record(contexts, state[_RECORDS:_CODE], memory.codes, last, start, place)
    _look_at_code(memory, state, above, place)
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], index)

    memory.selected[0] = memory.selected[4] = memory.selected[8] = 0
    memory.selected[1], memory.selected[2] = last, state[_RECENT] >> 8 & 255
    memory.selected[3], memory.selected[5] = above, column
    memory.final_selected[:3] = 0
    memory.map_contexts[0] = last
    memory.map_contexts[1] = newest(recent, 2)
    memory.map_contexts[2] = joined(above, last)


@part
def _look_at_words(contexts, recent, place):
    """Set the contexts of words of two bytes, at even places, the first byte the higher, as the 68000 has them."""
    odd = place & 1
    age = np.uint64(8 * odd)
    first = np.int64(recent & np.uint64(255)) + 256 if odd else np.int64(0)       # of the word that the byte is in
    word, word_2, word_3 = recent >> age, recent >> age + np.uint64(16), recent >> age + np.uint64(32)
    high = joined(joined(word & np.uint64(0xFFC0), word_2 & np.uint64(0xFFC0)), word_3 & np.uint64(0xF000))
    contexts[17] = joined(high, first)
    contexts[18] = joined(word_2 & np.uint64(0xFFFF), first)


@part
def _look_at_record(contexts, state, codes, last, start, place):
    """Set the contexts of columns, in records or the lines of a picture; returns the byte above and the column."""
    length = records.length_of(state)
    column = place % length
    above, above_2 = _at(codes, start, place - length), _at(codes, start, place - 2 * length)
    above_left, above_right = _at(codes, start, place - length - 1), _at(codes, start, place - length + 1)
    corners = above_left & 3 | above_right >> 6 << 2

    contexts[19] = joined(above, column)
    contexts[20] = joined(joined(above, above_right), last)
    contexts[21] = joined(2 * above - above_2 & 255, length)
    contexts[22] = joined(joined(above | above_2 << 8, corners), last)
    contexts[23] = joined(above, above_2)
    return above, (column if length < _COLUMNS else column * (_COLUMNS - 1) // length)


@part
def _at(codes, start, place):
    """The byte at a place; 0 before the start of the stream, where another is, of which less may be coded."""
    return np.int64(codes[place]) if place >= start else np.int64(0)


@part
def _look_at_code(memory, state, above, place):
    """Set the contexts, the weights and the map of machine code."""
    code, contexts = state[_CODE:], memory.contexts
    last, position, index = state[_RECENT] & 255, x86.position(code), code[x86.INDEX]
    operation, form, operations = code[x86.OPERATION], code[x86.FORM], np.uint64(code[x86.OPERATIONS])
    operations_3 = newest(operations, 6)
    instruction = joined(code[x86.SO_FAR], position)
    first, second, third = x86.predicted(code, memory.indirect[_TARGETS:], place)

    contexts[24] = instruction
    contexts[25] = joined(joined(operation | form << 9, position), operations_3)
    contexts[26] = joined(joined(operation | (form & 0xC7) << 9, position), last)     # without the ModRM's register
    contexts[27] = joined(instruction, operations_3)
    contexts[28] = joined(joined(first, position), newest(operations, 3))
    contexts[29] = joined(joined(second, position), first)
    contexts[30] = joined(joined(third, position), second)
    contexts[31] = joined(instruction, above)
    memory.selected[6] = position + (x86.POSITIONS if operation > 255 else 0)
    memory.selected[7] = place & 3 | min(state[_MISSES], 7) << 2
    if first != x86.NO_PREDICTION:
        contexts[28] = joined(joined(first, position), operation)
        contexts[31] = _distance(code, position, place)
        memory.selected[7] = _PREDICTIONS + index * 4 + _same_byte(second, first) * 2 + _same_byte(third, first)
    memory.final_selected[3] = position
    memory.map_contexts[3] = joined(first, position)


@part
def _same_byte(first, second):
    return np.int64(first & 255 == second & 255)


@part
def _distance(state, position, place):
    """The context of a byte of a distance: what is known of the target, and from where it is seen."""
    end = x86.end_of_instruction(state, place)
    if state[x86.INDEX] == 0:
        return joined(joined(state[x86.OPERATION] | state[x86.FORM] << 9, position), end & 15)
    near = end >> 8 & 255 if state[x86.INDEX] == 1 else end >> 16
    return joined(joined(x86.target_so_far(state, place), position), near)


@part
def _take(memory, stream, place):
    """Take in the symbol that came at `place`."""
    state, start = memory.state[stream], memory.base + stream * memory.steps
    byte, recent = np.int64(memory.codes[place]), np.uint64(state[_RECENT])
    entry = _FOLLOWED + np.int64(newest(recent, 2))
    memory.indirect[entry] = memory.indirect[entry] << 8 | byte
    recent = recent << np.uint64(8) | np.uint64(byte)
    state[_RECENT] = np.int64(recent)
    _take_letter(state, byte)
    records.take(state[_RECORDS:_CODE], memory.codes, start, place)
    x86.take(state[_CODE:], memory.indirect[_TARGETS:], byte, place)
    for match in range(len(_MATCHES)):
        context = joined(newest(recent, _MATCHES[match]), match)
        matches.follow(memory.match_table[match], memory.match_state[stream, match], context, _MATCHES[match],
                       memory.codes, place + 1, memory.base, memory.steps)
    _follow_on(memory.match_table[_LASTING], memory.match_state[stream, _LASTING], state,
               joined(newest(recent, _LASTING_BYTES), _LASTING), memory.codes, place + 1, memory.base, memory.steps)


@part
def _take_letter(state, byte):
    """A string is of letters, in whichever case."""
    letter = byte | 32
    state[_LETTERS] = np.int64(joined(state[_LETTERS], letter)) if 97 <= letter <= 122 else 0


@part
def _follow_on(table, match, state, context, codes, position, base, steps):
    """As matches.follow, but a match goes on after a miss, as where records differ in some bytes alone.

    It is left for another once it misses often, and that one starts with a few misses, as no bytes before are checked.
    """
    pointer, misses = match[matches.POINTER], state[_MISSES]
    if pointer > 0:
        if codes[pointer] != codes[position - 1]:
            misses = min(misses + _MISS, _MOST_MISSES)
        elif position & 3 == 1:
            misses >>= 1
        pointer = pointer + 1 if pointer + 1 < len(codes) - 1 else 0
    entry = np.int64(context >> np.uint64(20)) & len(table) - 1
    if pointer == 0 or misses > _MISSES_TO_LEAVE:
        candidate = np.int64(table[entry]) - 1
        if candidate > 0 and matches.is_coded(candidate, position, base, steps):
            pointer, misses = candidate, _MISSES_AT_FIRST
    table[entry] = position + 1
    match[matches.POINTER], state[_MISSES] = pointer, misses
    match[matches.LENGTH] = max(_LASTING_LENGTH - misses, 1) if pointer > 0 else 0


CONTEXTS = ContextSet(
    "binary", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=len(_MATCHES) + 1, state=_STATE, indirect=_INDIRECT, predictions=0, start_weight=1_500, rates=(830, 130))
