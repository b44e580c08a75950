"""Coefficients coded as the Huffman-coded scans of a JPEG, as libjpeg does it (ITU-T T.81, annexes F and G).

What T.81 leaves open is how long runs of ended blocks may be, and where a scan that corrects coefficients breaks them: libjpeg does
so where over MOST_CORRECTIONS bits are waiting.
"""

import numpy as np

from lib.compiling import compiled, part
from lib.transforms.jpeg.huffman import CODE_BITS
from lib.transforms.jpeg.reading import AC, ACROSS, DC, DOWN, place_of

MOST_CORRECTIONS = 937
ROOM = 2048                              # bytes that may be written past the end that was asked for
_WAITING, _COUNT, _POSITION, _RUN, _LONGEST_RUN, _CORRECTIONS, _FAILED = range(7)


@compiled
def write_scan(out, tables, parts, coefficients, shape, spectrum, restart, pads, markers, longest_run):
    """Code a scan into `out` (uint8), until ROOM bytes are left or something has no code: bytes written.

    Arguments as of `read_scan`; tables: int64 (any, 256) for encoding; the last of pads holds for all further intervals. markers: after how
    many restarts there are no more markers. longest_run: of ended blocks.
    """
    state = np.zeros(7, np.int64)
    state[_LONGEST_RUN] = longest_run
    waiting = np.zeros(2 * MOST_CORRECTIONS, np.uint8)         # bits that correct coefficients of blocks in the run
    own = np.zeros(64, np.uint8)                               # and of this block
    before = np.zeros(len(parts), np.int64)
    passed = 0
    for unit in range(shape[0] * shape[1]):
        if restart > 0 and unit > 0 and unit % restart == 0:
            _end_run(out, state, tables[parts[0, AC]], waiting)
            _fill(out, state, pads[min(passed, len(pads) - 1)])
            if passed < markers:
                out[state[_POSITION]] = 0xFF
                out[state[_POSITION] + 1] = 0xD0 | passed & 7
                state[_POSITION] += 2
            passed += 1
            before[:] = 0
        row, column = unit // shape[1], unit % shape[1]
        for index in range(len(parts)):
            what = parts[index]
            for block in range(what[ACROSS] * what[DOWN]):
                place = place_of(what, row, column, block)
                _write_block(out, state, tables, what, coefficients[place], spectrum, before, index, waiting, own)
                if state[_FAILED] or state[_POSITION] > len(out) - ROOM:
                    return min(state[_POSITION], len(out) - ROOM)
    _end_run(out, state, tables[parts[0, AC]], waiting)
    _fill(out, state, pads[min(passed, len(pads) - 1)])
    return min(state[_POSITION], len(out) - ROOM)


@part
def _put(out, state, bits, count):
    """Append up to 32 bits."""
    waiting, left = state[_WAITING] << count | bits, state[_COUNT] + count
    at = state[_POSITION]
    while left >= 8:
        left -= 8
        byte = waiting >> left & 255
        out[at] = byte
        at += 1
        if byte == 255:
            out[at] = 0
            at += 1
    state[_WAITING], state[_COUNT], state[_POSITION] = waiting & (1 << left) - 1, left, at


@part
def _fill(out, state, pad):
    """Fill up the last byte."""
    left = -state[_COUNT] & 7
    if left > 0:
        _put(out, state, np.int64(pad) & (1 << left) - 1, left)


@part
def _put_symbol(out, state, table, symbol, more, count):
    """Append a symbol's code and `count` bits after it."""
    entry = table[symbol]
    if entry == 0:
        state[_FAILED] = 1
        return
    _put(out, state, (entry & (1 << CODE_BITS) - 1) << count | more, (entry >> CODE_BITS) + count)


@part
def _size_of(magnitude):
    """Bits of a magnitude."""
    size = 0
    while magnitude > 0:
        magnitude >>= 1
        size += 1
    return size


@part
def _write_block(out, state, tables, what, block, spectrum, before, index, waiting, own):
    """Code what a scan has of a block (int16, 64)."""
    progressive, first, last, high, low = spectrum
    if first == 0:
        value = np.int64(block[0]) >> low
        if high > 0:
            _put(out, state, value & 1, 1)
        else:
            difference = value - before[index]
            before[index] = value
            size = _size_of(abs(difference))
            _put_symbol(out, state, tables[what[DC]], size, (difference if difference >= 0 else difference - 1) & (1 << size) - 1, size)
        if progressive:
            return
        first = 1
    if high > 0:
        _write_corrections(out, state, tables[what[AC]], block, first, last, low, waiting, own)
    else:
        _write_ac(out, state, tables[what[AC]], block, first, last, low, progressive, waiting)


@part
def _write_ac(out, state, table, block, first, last, low, progressive, waiting):
    zeros = 0
    for place in range(first, last + 1):
        value = np.int64(block[place])
        magnitude = abs(value) >> low
        if magnitude == 0:
            zeros += 1
            continue
        _end_run(out, state, table, waiting)
        while zeros > 15:
            _put_symbol(out, state, table, 0xF0, 0, 0)
            zeros -= 16
        size = _size_of(magnitude)
        _put_symbol(out, state, table, zeros << 4 | size, magnitude if value > 0 else ~magnitude & (1 << size) - 1, size)
        zeros = 0
    if zeros > 0:
        state[_RUN] += 1
        if not progressive or state[_RUN] >= state[_LONGEST_RUN]:
            _end_run(out, state, table, waiting)


@part
def _end_run(out, state, table, waiting):
    """Code the run of blocks that are at their end, and the corrections that wait in it."""
    run = state[_RUN]
    if run == 0:
        return
    size = _size_of(run) - 1
    _put_symbol(out, state, table, size << 4, run & (1 << size) - 1, size)
    for place in range(state[_CORRECTIONS]):
        _put(out, state, np.int64(waiting[place]), 1)
    state[_RUN] = state[_CORRECTIONS] = 0


@part
def _write_corrections(out, state, table, block, first, last, low, waiting, own):
    newest = 0                                                  # the last coefficient that becomes other than zero
    for place in range(first, last + 1):
        if abs(np.int64(block[place])) >> low == 1:
            newest = place
    zeros, corrections = 0, 0
    for place in range(first, last + 1):
        value = np.int64(block[place])
        magnitude = abs(value) >> low
        if magnitude == 0:
            zeros += 1
            continue
        while zeros > 15 and place <= newest:
            _end_run(out, state, table, waiting)
            _put_symbol(out, state, table, 0xF0, 0, 0)
            _put_own(out, state, own, corrections)
            corrections = 0
            zeros -= 16
        if magnitude > 1:
            own[corrections] = magnitude & 1
            corrections += 1
            continue
        _end_run(out, state, table, waiting)
        _put_symbol(out, state, table, zeros << 4 | 1, np.int64(value > 0), 1)
        _put_own(out, state, own, corrections)
        corrections = zeros = 0
    if zeros > 0 or corrections > 0:
        state[_RUN] += 1
        for place in range(corrections):
            waiting[state[_CORRECTIONS] + place] = own[place]
        state[_CORRECTIONS] += corrections
        if state[_RUN] >= state[_LONGEST_RUN] or state[_CORRECTIONS] > MOST_CORRECTIONS:
            _end_run(out, state, table, waiting)


@part
def _put_own(out, state, own, count):
    for place in range(count):
        _put(out, state, np.int64(own[place]), 1)
