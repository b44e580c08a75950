"""Deflated streams (RFC 1951) written of blocks and tokens."""

from typing import NamedTuple

import numpy as np

from lib.compiling import part
from lib.transforms.deflate import huffman
from lib.transforms.deflate.tokens import fixed_header


class Writer(NamedTuple):
    """Bits that are being written, int64 `state`: [the last bits, how many, bytes before them, whether there was no room]."""

    out: np.ndarray
    state: np.ndarray


def new_writer(size: int) -> Writer:
    """A Writer with room for so many bytes."""
    return Writer(np.zeros(size, np.uint8), np.zeros(4, np.int64))


@part
def put(writer, value, count):
    """Write `count` bits, 32 at most."""
    state = writer.state
    bits, waiting, done = state[0] | np.int64(value) << state[1], state[1] + count, state[2]
    while waiting >= 8:
        if done >= len(writer.out):
            state[3] = 1
            break
        writer.out[done] = bits & 255
        bits >>= 8
        waiting -= 8
        done += 1
    state[0], state[1], state[2] = bits, waiting & 7, done


@part
def put_bytes(writer, data, start, count):
    """Write bytes of data from `start` on; the bits before them fill a byte."""
    done = writer.state[2]
    if done + count > len(writer.out):
        writer.state[3] = 1
        return
    writer.out[done:done + count] = data[start:start + count]
    writer.state[2] += count


@part
def write_header(writer, header):
    """Write what follows the type of a dynamic block."""
    sizes, codes = header.sizes, header.codes
    put(writer, sizes[0] - 257, 5)
    put(writer, sizes[1] - 1, 5)
    put(writer, sizes[2] - 4, 4)
    for index in range(sizes[2]):
        put(writer, header.run_lengths[huffman.RUN_ORDER[index]], 3)
    huffman.codes_of(header.run_lengths, huffman.RUN_CODES, codes)
    for index in range(sizes[3]):
        code, same = header.runs[index] & 31, header.runs[index] >> 5
        put(writer, codes[code], header.run_lengths[code])
        if code >= 16:
            put(writer, same - huffman.RUN_LEAST[code], huffman.RUN_EXTRA[code])


@part
def write_tokens(writer, data, place, tokens, count, header, is_fixed):
    """Write a block's tokens, whose inflated bytes begin at `place` in data, and its end."""
    if is_fixed:
        fixed_header(header)
    lengths, codes, literals = header.lengths, header.codes, header.sizes[0]
    huffman.codes_of(lengths, literals, codes)
    huffman.codes_of(lengths[literals:], header.sizes[1], codes[literals:])
    for index in range(count):
        token = np.int64(tokens[index])
        if token == 0:
            put(writer, codes[data[place]], lengths[data[place]])
            place += 1
            continue
        length, distance = token & 511, token >> 9
        code = huffman.LENGTH_CODE[length]
        put(writer, codes[huffman.END + 1 + code], lengths[huffman.END + 1 + code])
        put(writer, length - huffman.LENGTH_BASE[code], huffman.LENGTH_EXTRA[code])
        code = huffman.distance_code(distance)
        put(writer, codes[literals + code], lengths[literals + code])
        put(writer, distance - huffman.DISTANCE_BASE[code], huffman.DISTANCE_EXTRA[code])
        place += length
    put(writer, codes[huffman.END], lengths[huffman.END])
