"""Huffman codes as JPEG states them: how many there are of each length, then their symbols (ITU-T T.81, annex C)."""

import functools

import numpy as np

LONGEST = 16                             # bits of a code
LENGTH_SHIFT = 8                         # of an entry for decoding: length, then symbol
CODE_BITS = 16                           # of an entry for encoding: length, then code


@functools.lru_cache(16)
def decoding_table(stated: bytes) -> np.ndarray:
    """uint16, shape (65536,): for the next 16 bits the code's length and symbol; 0 where they begin no code. To be read only."""
    table = np.zeros(1 << LONGEST, np.uint16)
    for code, length, symbol in _codes(stated):
        step = 1 << LONGEST - length
        table[code * step:(code + 1) * step] = length << LENGTH_SHIFT | symbol
    return table


@functools.lru_cache(16)
def encoding_table(stated: bytes) -> np.ndarray:
    """int64, shape (256,): for each symbol its code's length and the code; 0 where it has none. To be read only."""
    table = np.zeros(256, np.int64)
    for code, length, symbol in _codes(stated):
        if table[symbol] == 0:
            table[symbol] = length << CODE_BITS | code
    return table


def _codes(stated):
    """(code, its length in bits, symbol) of each; those that there is no room for are left out."""
    codes, code, place = [], 0, LONGEST
    for length in range(1, LONGEST + 1 if stated else 0):
        for _ in range(stated[length - 1]):
            if code < 1 << length:
                codes.append((code, length, stated[place]))
            code += 1
            place += 1
        code <<= 1
    return codes
