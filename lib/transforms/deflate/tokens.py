"""Deflated streams (RFC 1951) taken apart into blocks and tokens.

A token is an int32: 0 for a literal, else distance << 9 | length.
"""

from typing import NamedTuple

import numpy as np

from lib.compiling import compiled, part
from lib.transforms.deflate import huffman

STORED, FIXED, DYNAMIC = range(3)
LONGEST_STORED = (1 << 16) - 1
TYPE, FINAL, COUNT, INFLATED, PLACE = range(5)   # of a block: COUNT tokens, or bytes if stored, INFLATED up to its end; in bits PLACE of what follows
BLOCK_FIELDS = 5
SPARE = 32                                       # zero bytes that have to follow a stream in its array
_NO_CODE = -1


class Header(NamedTuple):
    """What a block's header says of its codes; int64 arrays."""

    sizes: np.ndarray        # code lengths of literals, of distances, of runs; runs; first symbol that has no length
    lengths: np.ndarray      # of literals, and behind them of distances
    runs: np.ndarray
    run_lengths: np.ndarray  # code lengths of the runs themselves
    codes: np.ndarray        # room
    table: np.ndarray        # room: what LONGEST bits begin with, for literals, and behind them for distances


def new_header() -> Header:
    both = huffman.LITERALS + huffman.DISTANCES + 4          # fixed codes have four that nothing uses
    return Header(*(np.zeros(size, np.int64) for size in (4, both, both, huffman.RUN_CODES, both, 2 << huffman.LONGEST)))


@part
def peek(data, place):
    """At least 24 bits of the stream from a place, in bits."""
    byte = place >> 3
    return (np.int64(data[byte]) | np.int64(data[byte + 1]) << 8 | np.int64(data[byte + 2]) << 16 | np.int64(data[byte + 3]) << 24) >> (place & 7)


@part
def _fill(lengths, start, size, longest, header, table):
    """Make the table of a code: symbol << 4 | length of what each beginning says. Returns whether it is one.

    As zlib has it: a code is complete, or has one symbol of one bit; or, for distances, none.
    """
    codes, room = header.codes, np.int64(0)
    used = np.int64(0)
    for symbol in range(size):
        if lengths[start + symbol]:
            room += 1 << longest - lengths[start + symbol]
            used += 1
    if room > 1 << longest or room < 1 << longest and (used > 1 or used == 1 and room != 1 << longest - 1):
        return False
    huffman.codes_of(lengths[start:start + size], size, codes)
    if room < 1 << longest:
        for place in range(1 << longest):
            header.table[table + place] = _NO_CODE
    for symbol in range(size):
        length = lengths[start + symbol]
        if length:
            for place in range(codes[symbol], 1 << longest, 1 << length):
                header.table[table + place] = symbol << 4 | length
    return True


@part
def read_header(data, place, end, header):
    """Read what follows the type of a dynamic block; returns where its tokens begin, in bits, or -1."""
    sizes, lengths = header.sizes, header.lengths
    bits = peek(data, place)
    sizes[0], sizes[1], sizes[2] = (bits & 31) + 257, (bits >> 5 & 31) + 1, (bits >> 10 & 15) + 4
    place += 14
    if sizes[0] > huffman.LITERALS or sizes[1] > huffman.DISTANCES:
        return -1
    header.run_lengths[:] = 0
    for index in range(sizes[2]):
        header.run_lengths[huffman.RUN_ORDER[index]] = peek(data, place) & 7
        place += 3
    if place > end or not _fill(header.run_lengths, 0, huffman.RUN_CODES, huffman.LONGEST_OF_RUNS, header, 0):
        return -1
    done, count = 0, 0
    while done < sizes[0] + sizes[1]:
        entry = header.table[peek(data, place) & 127]
        if entry == _NO_CODE or place > end:
            return -1
        place += entry & 15
        code, same = entry >> 4, np.int64(1)
        if code >= 16:
            same = huffman.RUN_LEAST[code] + (peek(data, place) & (1 << huffman.RUN_EXTRA[code]) - 1)
            place += huffman.RUN_EXTRA[code]
            if done + same > sizes[0] + sizes[1] or code == 16 and done == 0:
                return -1
            header.runs[count] = code + 32 * same
        else:
            header.runs[count] = code
        for _ in range(same):
            lengths[done] = lengths[done - 1] if code == 16 else (0 if code > 16 else code)
            done += 1
        count += 1
    sizes[3] = count
    return -1 if place > end or lengths[huffman.END] == 0 else place


@part
def fixed_header(header):
    """Make a header that of a block with fixed codes."""
    header.sizes[0], header.sizes[1] = huffman.LITERALS + 2, huffman.DISTANCES + 2
    header.lengths[:huffman.LITERALS] = huffman.FIXED_LITERALS
    header.lengths[huffman.LITERALS:huffman.LITERALS + 2] = 8
    header.lengths[huffman.LITERALS + 2:] = huffman.FIXED_DISTANCES[0]


@compiled
def read_stream(data, size, inflated, tokens, blocks, header):
    """Take apart the stream that fills data[:size], whose inflated bytes are known.

    tokens: int32, one for each inflated byte at most. blocks: int64, shape (blocks, BLOCK_FIELDS), one for each byte of data and one more.
    Returns (blocks, tokens), or (0, 0) where it is no such stream, or says something in a way that no encoder does.
    """
    place, end, done, block, count, is_ready = np.int64(0), size * 8, np.int64(0), 0, 0, False       # whether the table is that of fixed codes
    while block < len(blocks):
        row = blocks[block]
        bits = peek(data, place)
        row[FINAL], row[TYPE] = bits & 1, bits >> 1 & 3
        place += 3
        row[PLACE] = place
        if row[TYPE] == STORED:
            byte = place + 7 >> 3
            row[COUNT] = peek(data, byte * 8) & LONGEST_STORED
            place = (byte + 4 + row[COUNT]) * 8
            done += row[COUNT]
            if place > end or done > len(inflated):
                return 0, 0
        else:
            if row[TYPE] == DYNAMIC:
                place = read_header(data, place, end, header)
                if place < 0:
                    return 0, 0
            elif row[TYPE] == FIXED and not is_ready:
                fixed_header(header)
            literals = header.sizes[0]
            if row[TYPE] > DYNAMIC or not (is_ready and row[TYPE] == FIXED) and not (
                    _fill(header.lengths, 0, literals, huffman.LONGEST, header, 0)
                    and _fill(header.lengths, literals, header.sizes[1], huffman.LONGEST, header, 1 << huffman.LONGEST)):
                return 0, 0
            is_ready, first = row[TYPE] == FIXED, count
            place, done, count = _read_tokens(data, place, end, header.table, len(inflated), done, tokens, count)
            if place < 0:
                return 0, 0
            row[COUNT] = count - first
        row[INFLATED] = done
        block += 1
        if row[FINAL]:
            return (block, count) if place <= end and place + 7 >> 3 == size and done == len(inflated) else (0, 0)
    return 0, 0


@part
def _read_tokens(data, place, end, table, most, done, tokens, count):
    """Read a block's tokens; returns (place, inflated bytes, tokens) after them; place is -1 where they are none."""
    mask = (1 << huffman.LONGEST) - 1
    while place <= end:
        entry = table[peek(data, place) & mask]
        symbol = entry >> 4
        if entry == _NO_CODE or symbol >= huffman.LITERALS:
            break
        place += entry & 15
        if symbol == huffman.END:
            return place, done, count
        if symbol < huffman.END:
            length, token = np.int64(1), np.int64(0)
        else:
            code = symbol - huffman.END - 1
            length = huffman.LENGTH_BASE[code] + (peek(data, place) & (1 << huffman.LENGTH_EXTRA[code]) - 1)
            place += huffman.LENGTH_EXTRA[code]
            entry = table[mask + 1 + (peek(data, place) & mask)]
            if entry == _NO_CODE or entry >> 4 >= huffman.DISTANCES or huffman.LENGTH_CODE[length] != code:
                break
            place += entry & 15
            code = entry >> 4
            distance = huffman.DISTANCE_BASE[code] + (peek(data, place) & (1 << huffman.DISTANCE_EXTRA[code]) - 1)
            place += huffman.DISTANCE_EXTRA[code]
            if distance > done:
                break
            token = distance << 9 | length
        done += length
        if done > most:
            break
        tokens[count] = token
        count += 1
    return np.int64(-1), done, count
