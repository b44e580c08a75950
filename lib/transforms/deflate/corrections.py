"""The decisions of a stream's encoder, coded by whether they are the expected ones. One loop for both ways."""

import numpy as np

from lib.compiling import compiled, part
from lib.mixing.logistic import EVEN
from lib.transforms.deflate import matching, writing
from lib.transforms.deflate import tokens as streams
from lib.transforms.deflate.codes import CODE_MODELS, LIKELY_CODE_MODELS, code_block_codes, count_tokens
from lib.transforms.deflate.decisions import LIKELY, OF_A_NUMBER, POSITION, UNLIKELY, code, code_bits, code_number, code_tree

CODED, CUT, TOO_LONG, TOO_SLOW, IMPOSSIBLE = range(5)    # how it ended
_MOST_HOPS = 1 << 12
_KINDS = 18                      # of what is expected: a literal, a literal for a longer match after it, a match by its length

# Models
_IS_STORED, _IS_USUAL_SIZE, _IS_PADDED, _IS_FINAL, _IS_USUAL_COUNT = range(0, 10, 2)
_IS_EXPECTED = 10                # by what is expected and which of the last three were
_IS_OTHER = _IS_EXPECTED + 8 * _KINDS
_LENGTH = _IS_OTHER + 8 * _KINDS
_DISTANCE_BITS = _LENGTH + 256 * _KINDS
_HOPS = _DISTANCE_BITS + 16
_FORGETS = _HOPS + 3 * OF_A_NUMBER
_STRETCH = _FORGETS + 1
_SIZE = _STRETCH + OF_A_NUMBER
_COUNT = _SIZE + OF_A_NUMBER
_CODES = _COUNT + OF_A_NUMBER
_MODELS = _CODES + CODE_MODELS


def new_models() -> np.ndarray:
    """uint32: the probabilities before anything is known of a stream, which are those of zlib's own."""
    models = np.full(_MODELS, EVEN, np.uint32)
    models[_IS_USUAL_SIZE:_IS_OTHER] = LIKELY
    models[[_IS_STORED, _IS_PADDED, _IS_FINAL, _STRETCH]] = UNLIKELY
    models[_CODES:_CODES + LIKELY_CODE_MODELS] = LIKELY
    return models


@compiled
def code_stream(coder, finder, data, tokens, blocks, stretches, deflated, writer, room, most_tokens, most_steps, most_bytes):
    """Code all decisions of a stream, or read them and write it; returns how it ended.

    data: what it inflates to, uint8. Where it is coded, tokens, blocks, stretches and deflated are those of lib.transforms.deflate.recoding. Where it
    is read, tokens is room for one a byte, blocks and stretches have one row, and the stream goes to `writer`. It ends early after
    most_tokens, after most_steps of search, and beyond most_bytes of code.
    """
    place, done, block, stretch, history, size, was_stored = 0, 0, 0, 0, 0, streams.LONGEST_STORED, 0
    end, is_open = _code_stretch(coder, place, len(data), stretches[0, 0])
    while end <= len(data):
        row, start, first = blocks[block], place, 0 if coder.decodes else done
        was_stored = code(coder, _IS_STORED + was_stored, row[streams.TYPE] == streams.STORED)
        if was_stored:
            usual = min(size, max(end - place, 0))
            count = usual if code(coder, _IS_USUAL_SIZE, row[streams.COUNT] == usual) else code_number(coder, _SIZE, row[streams.COUNT])
            if count > min(len(data) - place, streams.LONGEST_STORED):
                return IMPOSSIBLE
            size = count if count else size
            matching.skip(finder, data, place, place + count, end)
            place += count
        else:
            place, count, history, status = _code_tokens(coder, finder, data, place, end, tokens[first:], row, history,
                                                         most_tokens - done, most_steps, most_bytes)
            if status != CODED:
                return status
            done += count
        is_last = is_open and place == end and (was_stored or count < finder.settings[matching.FULL])
        is_final = code(coder, _IS_FINAL + is_last, row[streams.FINAL])
        if was_stored:
            _code_padding(coder, row[streams.PLACE], deflated, writer, is_final, data, start, count)
        elif not _code_block(coder, data, start, tokens[first:], count, row, is_final, deflated, writer, room):
            return IMPOSSIBLE
        if is_final:
            writing.put(writer, 0, -writer.state[1] & 7)
            return CODED if place == len(data) and not writer.state[3] else IMPOSSIBLE
        if writer.state[3]:
            return IMPOSSIBLE
        if finder.state[matching.STEPS] > most_steps or coder.state[POSITION] > most_bytes:
            return TOO_SLOW if finder.state[matching.STEPS] > most_steps else TOO_LONG
        if count == 0:
            if code(coder, _FORGETS, stretches[stretch, 1] > 0):
                matching.forget(finder)
            stretch = min(stretch + 1, len(stretches) - 1)
            end, is_open = _code_stretch(coder, place, len(data), stretches[stretch, 0])
        block += not coder.decodes
        if place >= most_tokens * matching.LONGEST:
            return CUT
    return IMPOSSIBLE


@part
def _code_stretch(coder, place, size, length):
    """(where the stretch that begins at `place` ends, whether it is the last)."""
    length = code_number(coder, _STRETCH, length + 1) - 1
    return (size, True) if length < 0 else (place + length, False)


@part
def _code_tokens(coder, finder, data, place, end, tokens, row, history, most_tokens, most_steps, most_bytes):
    """Code a block's tokens; returns (place, tokens, history, status) after them."""
    full = finder.settings[matching.FULL]
    count, last = row[streams.COUNT], row[streams.INFLATED]
    is_usual = code(coder, _IS_USUAL_COUNT, count == full and last <= end or count < full and last == end)
    count = full if is_usual else code_number(coder, _COUNT, count)
    done = 0
    while done < count and (place < end or not is_usual):
        if place >= len(data):
            return place, done, history, IMPOSSIBLE
        token, history = _code_token(coder, finder, data, place, end, 0 if coder.decodes else np.int64(tokens[done]), history)
        if token < 0:
            return place, done, history, IMPOSSIBLE
        tokens[done] = token
        length = token & 511 if token else np.int64(1)
        matching.follow(finder, data, place, end, length)
        place += length
        done += 1
        if finder.state[matching.STEPS] > most_steps:
            return place, done, history, TOO_SLOW
        if coder.state[POSITION] > most_bytes:
            return place, done, history, TOO_LONG
        if done >= most_tokens:
            return place, done, history, CUT
    return place, done, history, CODED


@part
def _code_token(coder, finder, data, place, end, token, history):
    """Code the token at `place`; returns (token, history), the token -1 where there can be none."""
    length, distance = matching.expected(finder, data, place, end)
    left_length, left_distance = matching.refused(finder, place)
    usual, other, kind = distance << 9 | length, np.int64(0), min(length, _KINDS) - 1
    if distance == 0:
        usual, other, kind = np.int64(0), left_distance << 9 | left_length, 1 if left_length else 0
    is_usual = code(coder, _IS_EXPECTED + 8 * kind + history, token == usual)
    after = (history << 1 | is_usual ^ 1) & 7
    if is_usual:
        return usual, after
    if kind and code(coder, _IS_OTHER + 8 * kind + history, token == other):
        return other, after
    length = code_tree(coder, _LENGTH + 256 * kind, (token & 511) - matching.SHORTEST, 8) + matching.SHORTEST
    if length > len(data) - place:
        return np.int64(-1), after
    models, distance = _HOPS + OF_A_NUMBER * min(kind, 2), token >> 9
    hops = code_number(coder, models, 0 if coder.decodes else matching.hops_to(finder, data, place, length, distance, _MOST_HOPS) + 1)
    if hops == 0:
        distance = _code_distance(coder, distance)
    elif coder.decodes:
        distance = matching.distance_after(finder, data, place, length, hops - 1, _MOST_HOPS)
    if not 0 < distance <= place or not matching.is_match(data, place, distance, length):
        return np.int64(-1), after
    return distance << 9 | length, after


@part
def _code_distance(coder, distance):
    """Code a distance from 1 to 32,768 as it is."""
    bits, left = 0, distance - 1
    while left > 0:
        left >>= 1
        bits += 1
    bits = code_tree(coder, _DISTANCE_BITS, bits, 4)
    return (1 << bits >> 1 | code_bits(coder, distance - 1, max(bits - 1, 0))) + 1


@part
def _code_padding(coder, after, deflated, writer, is_final, data, start, count):
    """Code what fills the byte before a stored block's bytes; or write the block."""
    room = -(writer.state[1] + 3) & 7 if coder.decodes else -after & 7
    padding = np.int64(0) if coder.decodes else streams.peek(deflated, after) & (1 << room) - 1
    if code(coder, _IS_PADDED, padding != 0):
        padding = code_bits(coder, padding, room)
    if coder.decodes:
        writing.put(writer, is_final | streams.STORED << 1, 3)
        writing.put(writer, padding, room)
        writing.put(writer, count | (count ^ streams.LONGEST_STORED) << 16, 32)
        writing.put_bytes(writer, data, start, count)


@part
def _code_block(coder, data, start, tokens, count, row, is_final, deflated, writer, room):
    """Code the codes of a block's tokens, or write it; returns whether it is possible."""
    if not coder.decodes and row[streams.TYPE] == streams.DYNAMIC:
        streams.read_header(deflated, row[streams.PLACE], len(deflated) * 8, room.header)
    count_tokens(room, data, start, tokens, count)
    kind = code_block_codes(coder, _CODES, room, row[streams.TYPE])
    if kind < 0:
        return False
    if coder.decodes:
        writing.put(writer, is_final | kind << 1, 3)
        if kind == streams.DYNAMIC:
            writing.write_header(writer, room.header)
        writing.write_tokens(writer, data, start, tokens, count, room.header, kind == streams.FIXED)
    return True

