"""The Huffman codes of a block, coded by what zlib would make of the same tokens."""

from typing import NamedTuple

import numpy as np

from lib.compiling import part
from lib.transforms.deflate import huffman
from lib.transforms.deflate.decisions import code, code_bits, code_tree
from lib.transforms.deflate.tokens import DYNAMIC, FIXED, Header, new_header

# Models
_IS_FIXED, _SIZES, _LENGTHS, _RUNS, _RUN_CODE, _RUN_SIZE = range(0, 12, 2)
_IS_RUN = 12                     # by the code length (none, that before, another) and how often it comes
_ZEROS = _IS_RUN + 3 * 12
_REPEATS = _ZEROS + 256
_OF_LENGTH = _REPEATS + 4        # by the expected one, of literals and of distances
_OF_RUN_LENGTH = _OF_LENGTH + (2 * 16 << 4)
CODE_MODELS = _OF_RUN_LENGTH + (8 << 3)
LIKELY_CODE_MODELS = _IS_RUN     # the first of them say whether something is as usual


class Room(NamedTuple):
    """What a block's codes are made in; int64 arrays."""

    header: Header
    tree: huffman.Tree
    literals: np.ndarray     # how often each occurs
    distances: np.ndarray
    usual_literals: np.ndarray       # code lengths as zlib has them
    usual_distances: np.ndarray
    usual_runs: np.ndarray
    usual_run_lengths: np.ndarray
    run_codes: np.ndarray    # how often each occurs


def new_room() -> Room:
    return Room(new_header(), huffman.new_tree(), *(np.zeros(size, np.int64) for size in (
        huffman.LITERALS, huffman.DISTANCES, huffman.LITERALS, huffman.DISTANCES, huffman.LITERALS + huffman.DISTANCES, huffman.RUN_CODES,
        huffman.RUN_CODES)))


@part
def count_tokens(room, data, place, tokens, count):
    """Count the literals and codes of a block's tokens, whose inflated bytes begin at `place` in data."""
    room.literals[:] = 0
    room.distances[:] = 0
    room.literals[huffman.END] = 1
    for index in range(count):
        token = np.int64(tokens[index])
        if token == 0:
            room.literals[data[place]] += 1
            place += 1
        else:
            room.literals[huffman.END + 1 + huffman.LENGTH_CODE[token & 511]] += 1
            room.distances[huffman.distance_code(token >> 9)] += 1
            place += token & 511


@part
def code_block_codes(coder, models, room, kind):
    """Code whether the codes are FIXED or DYNAMIC, and these, for the tokens that were counted. Returns the kind, or -1 where it is impossible.

    They are in room.header, or come there.
    """
    last_literal = huffman.code_lengths(room.literals, huffman.LITERALS, huffman.LONGEST, room.tree, room.usual_literals)
    last_distance = huffman.code_lengths(room.distances, huffman.DISTANCES, huffman.LONGEST, room.tree, room.usual_distances)
    usual = FIXED if _is_fixed_shorter(room, last_literal + 1, last_distance + 1) else DYNAMIC
    if code(coder, models + _IS_FIXED, kind == usual):
        kind = usual
    else:
        kind = FIXED + DYNAMIC - usual
    if kind == FIXED:
        return kind
    header = room.header
    sizes = header.sizes
    if code(coder, models + _SIZES, sizes[0] == last_literal + 1 and sizes[1] == last_distance + 1):
        sizes[0], sizes[1] = last_literal + 1, last_distance + 1
    else:
        sizes[0], sizes[1] = code_bits(coder, sizes[0] - 257, 5) + 257, code_bits(coder, sizes[1] - 1, 5) + 1
    if sizes[0] > huffman.LITERALS or sizes[1] > huffman.DISTANCES:
        return -1
    _code_lengths(coder, models, header.lengths, room.usual_literals, sizes[0], 0)
    _code_lengths(coder, models, header.lengths[sizes[0]:], room.usual_distances, sizes[1], 1)
    if not _code_runs(coder, models, room):
        return -1
    _code_run_code(coder, models, room)
    return kind


@part
def _is_fixed_shorter(room, literals, distances):
    """Whether zlib would take the fixed codes, in whole bytes."""
    count = huffman.runs_of(room.usual_literals, 0, literals, room.usual_runs, 0)
    count = huffman.runs_of(room.usual_distances, 0, distances, room.usual_runs, count)
    last = _usual_run_code(room, room.usual_runs, count)
    bits = (huffman.bits_of(room.literals, room.usual_literals, huffman.LITERAL_EXTRA, huffman.LITERALS)
            + huffman.bits_of(room.distances, room.usual_distances, huffman.DISTANCE_EXTRA, huffman.DISTANCES)
            + huffman.bits_of(room.run_codes, room.usual_run_lengths, huffman.RUN_EXTRA, huffman.RUN_CODES) + 3 * last + 14)
    fixed = huffman.bits_of(room.literals, huffman.FIXED_LITERALS, huffman.LITERAL_EXTRA, huffman.LITERALS)
    fixed += huffman.bits_of(room.distances, huffman.FIXED_DISTANCES, huffman.DISTANCE_EXTRA, huffman.DISTANCES)
    return fixed + 10 >> 3 <= bits + 10 >> 3


@part
def _usual_run_code(room, runs, count):
    """Make the code of the runs as zlib does; returns how many of its lengths are said."""
    room.run_codes[:] = 0
    for index in range(count):
        room.run_codes[runs[index] & 31] += 1
    huffman.code_lengths(room.run_codes, huffman.RUN_CODES, huffman.LONGEST_OF_RUNS, room.tree, room.usual_run_lengths)
    return _said(room.usual_run_lengths)


@part
def _said(lengths):
    said = huffman.RUN_CODES
    while said > 4 and lengths[huffman.RUN_ORDER[said - 1]] == 0:
        said -= 1
    return said


@part
def _code_lengths(coder, models, lengths, usual, size, of_distances):
    """Code the code lengths of `size` symbols; those of `usual` end where that does."""
    are_usual = True
    for symbol in range(size):
        are_usual &= lengths[symbol] == (usual[symbol] if symbol < len(usual) else 0)
    are_usual = code(coder, models + _LENGTHS + of_distances, are_usual)
    for symbol in range(size):
        expected = usual[symbol] if symbol < len(usual) else 0
        lengths[symbol] = expected if are_usual else code_tree(coder, models + _OF_LENGTH + (expected + 16 * of_distances << 4), lengths[symbol], 4)


@part
def _code_runs(coder, models, room):
    """Code in which runs the lengths are said; returns whether that is possible."""
    header = room.header
    lengths, size = header.lengths, header.sizes[0] + header.sizes[1]
    count = huffman.runs_of(lengths, 0, header.sizes[0], room.usual_runs, 0)
    count = huffman.runs_of(lengths, header.sizes[0], size, room.usual_runs, count)
    are_usual = header.sizes[3] == count
    for index in range(count):
        are_usual &= header.runs[index] == room.usual_runs[index]
    if code(coder, models + _RUNS, are_usual):
        header.sizes[3] = count
        header.runs[:count] = room.usual_runs[:count]
        return True
    place = count = 0
    while place < size:
        length, same, run = lengths[place], 1, header.runs[count]
        while place + same < size and lengths[place + same] == length:
            same += 1
        repeats = place > 0 and lengths[place - 1] == length
        kind = 0 if length == 0 else (1 if repeats else 2)
        is_run = code(coder, models + _IS_RUN + 12 * kind + min(same, 11), run & 31 >= 16)
        if not is_run:
            run = length
        elif length == 0 and not (repeats and code(coder, models + _RUNS + 1, run & 31 == 16)):
            said = code_tree(coder, models + _ZEROS, (run >> 5) - 3, 8) + 3
            run = (17 if said <= 10 else 18) + 32 * said
        else:
            run = 16 + 32 * (code_tree(coder, models + _REPEATS, (run >> 5) - 3, 2) + 3)
            if not repeats:
                return False
        said = run >> 5 if is_run else 1
        if said > same or said > 138:
            return False
        header.runs[count] = run
        place += said
        count += 1
    header.sizes[3] = count
    return True


@part
def _code_run_code(coder, models, room):
    """Code the code lengths of the runs."""
    header = room.header
    _usual_run_code(room, header.runs, header.sizes[3])
    lengths, usual = header.run_lengths, room.usual_run_lengths
    are_usual = True
    for symbol in range(huffman.RUN_CODES):
        are_usual &= lengths[symbol] == usual[symbol]
    are_usual = code(coder, models + _RUN_CODE, are_usual)
    for symbol in range(huffman.RUN_CODES):
        lengths[symbol] = usual[symbol] if are_usual else code_tree(coder, models + _OF_RUN_LENGTH + (usual[symbol] << 3), lengths[symbol], 3)
    said = _said(lengths)
    header.sizes[2] = said if code(coder, models + _RUN_SIZE, header.sizes[2] == said) else code_bits(coder, header.sizes[2] - 4, 4) + 4


