"""Contexts for text: orders, words, letter classes, what a match expects, columns."""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing import engine, matches, selectors
from lib.mixing.hashing import joined, newest
from lib.mixing.kinds.context_set import ContextSet

# A stream's state
_RECENT, _CLASSES, _WORD, _WORD_1, _WORD_2, _WORD_LENGTH, _BRACKET, _LINE_FIRST, _LINE, _LINE_1 = range(10)
_STATE = 10

_ORDERS = 6                       # 1, 2, 3, 4, 5, 8
_CONTEXTS = 27
_SELECTORS = (
    (1, selectors.BY_MATCH),
    (256, selectors.BY_NODE),        # the byte before
    (8, selectors.BY_NODE),          # how long the word is so far
    (256, selectors.BY_NODE),        # the byte before that
    (256, selectors.BY_DEPTH),       # the column
    (256, selectors.BY_NODE),        # the byte above
    (256, selectors.BY_DEPTH),       # the third byte before
    (2048, selectors.BY_DEPTH),      # a hash of two bytes
    (256, selectors.BY_NODE),        # the classes of two bytes
)
_FINAL_SELECTORS = (
    (1, selectors.BY_ORDER),
    (1, selectors.BY_NODE),
    (1, selectors.BY_MATCH),
    (8, selectors.BY_NODE),          # how long the word is so far
)
_MAPS = 3
_MATCHES = (6, 4)                 # bytes that a match begins with

_NEWLINE = 10
_LOWER, _UPPER, _DIGIT, _SPACE, _LINE_END, _STOP, _HIGH, _SIGN, _OTHER = range(9)


def _class_of(byte):
    """A byte's class in 4 bits."""
    letter = chr(byte)
    for name, holds in ((_LOWER, "a" <= letter <= "z"), (_UPPER, "A" <= letter <= "Z"), (_DIGIT, "0" <= letter <= "9"),
                        (_SPACE, letter == " "), (_LINE_END, byte == _NEWLINE), (_STOP, letter in ".,"),
                        (_HIGH, byte >= 128), (_SIGN, letter < "0")):
        if holds:
            return name
    return _OTHER


_CLASS = np.array([_class_of(byte) for byte in range(256)], np.int64)
_OPENS, _CLOSES = (ord("["), ord("<"), ord("{"), ord("(")), (ord("]"), ord(">"), ord("}"), ord(")"))


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
    state, contexts, selected = memory.state[stream], memory.contexts, memory.selected
    recent, classes = np.uint64(state[_RECENT]), np.uint64(state[_CLASSES])
    last, last_2, last_3 = _byte(recent, 0), _byte(recent, 1), _byte(recent, 2)
    word, word_1, word_2 = np.uint64(state[_WORD]), np.uint64(state[_WORD_1]), np.uint64(state[_WORD_2])
    column = min(place - state[_LINE], 255)
    above = _above(memory, state, column)
    long, short = memory.match_state[stream]
    expected, expected_short = matches.expected(memory.codes, long), matches.expected(memory.codes, short)

    for index in range(5):
        contexts[index] = newest(recent, index + 1)
    contexts[5] = recent
    contexts[6] = 0
    contexts[7] = joined(word, last)
    contexts[8] = joined(word, word_1)
    contexts[9] = joined(joined(word, word_1), word_2)
    contexts[10] = joined(word_1, last)
    contexts[11] = joined(word, word_2)
    contexts[12] = joined(joined(word, last), state[_BRACKET])
    contexts[13] = joined(state[_LINE_FIRST], word)
    contexts[14] = recent & np.uint64(0xFF00)
    contexts[15] = recent & np.uint64(0xFF00FF)
    contexts[16] = joined(column, above)
    contexts[17] = joined(column, newest(recent, 2))
    contexts[18] = joined(above, last)
    contexts[19] = classes
    contexts[20] = joined(classes & np.uint64(0xFFFF), newest(recent, 2))
    contexts[21] = joined(classes & np.uint64(0xFFFFFF), last)
    contexts[22] = joined(classes & np.uint64(0xFFFFFFFF), word)
    contexts[23] = joined(classes & np.uint64(0xFFFFFFF), expected)
    contexts[24] = joined(expected, last)
    contexts[25] = joined(word, expected)
    contexts[26] = joined(newest(recent, 2), 512 * expected_short + expected)
    for index in range(len(contexts)):
        contexts[index] = joined(contexts[index], index)

    selected[0] = 0
    selected[1], selected[3], selected[6] = last, last_2, last_3
    selected[2] = min(state[_WORD_LENGTH], 7)
    selected[4], selected[5] = column, above
    selected[7] = np.int64(joined(last, last_2) >> np.uint64(20)) & 2047
    selected[8] = np.int64(classes & np.uint64(255))
    memory.final_selected[:] = 0
    memory.final_selected[3] = selected[2]

    memory.map_contexts[0] = last
    memory.map_contexts[1] = joined(newest(recent, 2), 1)
    memory.map_contexts[2] = joined(newest(recent, 3), 2)


@part
def _byte(recent, age):
    return np.int64(recent >> np.uint64(8 * age) & np.uint64(255))


@part
def _above(memory, state, column):
    """The byte in the same column of the line before; 0 where that is shorter."""
    place = state[_LINE_1] + column
    return np.int64(memory.codes[place]) if place < state[_LINE] else np.int64(0)


@part
def _take(memory, stream, place):
    """Take in the symbol that came at `place`."""
    state = memory.state[stream]
    byte, recent = np.int64(memory.codes[place]), np.uint64(state[_RECENT])
    recent = recent << np.uint64(8) | np.uint64(byte)
    state[_RECENT] = np.int64(recent)
    state[_CLASSES] = state[_CLASSES] << 4 | _CLASS[byte]
    _take_word(state, byte)
    if byte == _NEWLINE:
        state[_LINE_1], state[_LINE], state[_LINE_FIRST] = state[_LINE], place + 1, 0
    elif place == state[_LINE]:
        state[_LINE_FIRST] = byte
    if byte in _OPENS:
        state[_BRACKET] = byte
    elif byte in _CLOSES:
        state[_BRACKET] = 0
    for match in range(len(_MATCHES)):
        context = joined(newest(recent, _MATCHES[match]), match)
        matches.follow(memory.match_table[match], memory.match_state[stream, match], context, _MATCHES[match],
                       memory.codes, place + 1, memory.base, memory.steps)


@part
def _take_word(state, byte):
    """Words are of letters, in whichever case, and of bytes from 128 on, as UTF-8 has for all other letters."""
    letter = byte + 32 if _CLASS[byte] == _UPPER else byte
    if _CLASS[letter] == _LOWER or _CLASS[letter] == _HIGH:
        state[_WORD] = np.int64(joined(state[_WORD], letter))
        state[_WORD_LENGTH] += 1
    elif state[_WORD] != 0:
        state[_WORD_2], state[_WORD_1], state[_WORD], state[_WORD_LENGTH] = state[_WORD_1], state[_WORD], 0, 0


CONTEXTS = ContextSet(
    "text", _code_steps, contexts=_CONTEXTS, selectors=_SELECTORS, final_selectors=_FINAL_SELECTORS, maps=_MAPS,
    matches=len(_MATCHES), state=_STATE, indirect=0, predictions=0, start_weight=3_000, rates=(560, 60))
