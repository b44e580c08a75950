"""Huffman-coded scans of a JPEG, decoded into coefficients (ITU-T T.81, annexes F and G)."""

import numpy as np

from lib.compiling import compiled, part
from lib.transforms.jpeg.huffman import LENGTH_SHIFT, LONGEST

MOST_DC_SIZE, MOST_AC_SIZE = 11, 10       # bits of a difference and of a coefficient of 8-bit samples
MOST_COEFFICIENT = 2047
ROOM = 1024                              # bytes past an interval's end that a block may be read from
# What is known of a scan's component, in a row of `parts`.
START, WIDE, ACROSS, DOWN, DC, AC = range(6)
_RUN, _LONGEST_RUN = range(2)            # of blocks that are at their end
_DAMAGED = -1


@compiled
def end_of_scan(data, start):
    """Where the marker stands that ends the coded bytes from `start` on, or the end of data (uint8)."""
    at = start
    while at < len(data):
        if data[at] == 0xFF and (at + 1 == len(data) or (data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7)):
            return at
        at += 1
    return at


@compiled
def without_stuffing(data, clean, ends):
    """Copy a scan's bytes without stuffed zeros and restart markers; returns how many intervals there are.

    clean: uint8, as long as data and ROOM. ends: int64, set to where each interval ends. What follows a marker that is out of order is left.
    """
    at, to, count = 0, 0, 0
    while at < len(data):
        if data[at] == 0xFF and at + 1 < len(data):
            if data[at + 1] != 0:
                if data[at + 1] & 7 != count & 7 or count + 1 == len(ends):
                    break
                ends[count] = to
                count += 1
                at += 2
                continue
            clean[to] = 0xFF
            at += 2
        else:
            clean[to] = data[at]
            at += 1
        to += 1
    ends[count] = to
    return count + 1


@compiled
def read_scan(clean, ends, tables, parts, coefficients, shape, spectrum, restart, pads):
    """Decode a scan, as far as it can be: (how many pads are set, the longest run of ended blocks).

    clean, ends: of `without_stuffing`. tables: uint16 (any, 65536). parts: int64 (components, 6). coefficients: int16 (blocks, 64) of
    all components, zigzag. shape: int64, units (high, wide). spectrum: int64, (progressive, first, last, high, low). pads: uint8, set to
    the bits that fill up each interval's last byte, as if there were eight.
    """
    runs = np.zeros(2, np.int64)
    before = np.zeros(len(parts), np.int64)
    at, interval, passed = np.int64(0), 0, 0
    for unit in range(shape[0] * shape[1]):
        if restart > 0 and unit > 0 and unit % restart == 0:
            if runs[_RUN] > 0 or passed == len(pads) - 1:
                return passed, runs[_LONGEST_RUN]
            pads[passed] = _padding(clean, at)
            at = at + 7 & ~7
            if interval < len(ends) - 1:
                if at >> 3 != ends[interval]:
                    return passed, runs[_LONGEST_RUN]
                interval += 1
            passed += 1
            before[:] = 0
        row, column = unit // shape[1], unit % shape[1]
        for index in range(len(parts)):
            what = parts[index]
            for block in range(what[ACROSS] * what[DOWN]):
                place = place_of(what, row, column, block)
                at = _read_block(clean, at, tables, what, coefficients[place], spectrum, before, index, runs)
                if at < 0 or at > ends[interval] << 3:
                    return passed, runs[_LONGEST_RUN]
    pads[passed] = _padding(clean, at)
    return passed + 1, runs[_LONGEST_RUN]


@part
def place_of(what, row, column, block):
    """Where a block of a component lies among all: in which unit of a scan, and the how many-eth of the component there."""
    return what[START] + (row * what[DOWN] + block // what[ACROSS]) * what[WIDE] + column * what[ACROSS] + block % what[ACROSS]


@part
def _padding(clean, at):
    """The bits from `at` to the end of its byte, the last one repeated until there are eight; 255 where there are none."""
    left = -at & 7
    if left == 0:
        return 255
    bits = np.int64(clean[at >> 3]) & (1 << left) - 1
    return bits | (255 << left & 255 if bits >> left - 1 else 0)


@part
def _next_bits(clean, at):
    """The next 16 bits."""
    byte = at >> 3
    word = np.int64(clean[byte]) << 16 | np.int64(clean[byte + 1]) << 8 | np.int64(clean[byte + 2])
    return word >> 8 - (at & 7) & 0xFFFF


@part
def _bits(clean, at, count):
    return _next_bits(clean, at) >> LONGEST - count


@part
def _signed(bits, size):
    """The number that `size` bits stand for: those that begin with 0 are negative."""
    return bits if bits >> size - 1 else bits - (1 << size) + 1


@part
def _read_block(clean, at, tables, what, block, spectrum, before, index, runs):
    """Decode what a scan has of a block (int16, 64): where the next one begins, or _DAMAGED."""
    progressive, first, last, high, low = spectrum
    if first == 0:
        if high > 0:
            block[0] |= _bits(clean, at, 1) << low
            at += 1
        else:
            at = _read_dc(clean, at, tables[what[DC]], block, before, index, low)
        if at < 0 or progressive:
            return at
        first = 1
    if high > 0:
        return _correct(clean, at, tables[what[AC]], block, first, last, low, runs)
    return _read_ac(clean, at, tables[what[AC]], block, first, last, low, progressive, runs)


@part
def _read_dc(clean, at, table, block, before, index, low):
    entry = np.int64(table[_next_bits(clean, at)])
    size = entry & 255
    if entry == 0 or size > MOST_DC_SIZE:
        return _DAMAGED
    at += entry >> LENGTH_SHIFT
    if size > 0:
        before[index] += _signed(_bits(clean, at, size), size)
        at += size
    value = before[index] << low
    if abs(value) > MOST_COEFFICIENT:
        return _DAMAGED
    block[0] = value
    return at


@part
def _read_ac(clean, at, table, block, first, last, low, progressive, runs):
    if runs[_RUN] > 0:
        runs[_RUN] -= 1
        return at
    place = first
    while place <= last:
        entry = np.int64(table[_next_bits(clean, at)])
        if entry == 0:
            return _DAMAGED
        at += entry >> LENGTH_SHIFT
        run, size = entry >> 4 & 15, entry & 15
        if size == 0:
            if run == 15:
                place += 16
                continue
            if run > 0 and not progressive:
                return _DAMAGED
            return _begin_run(clean, at, run, runs)
        place += run
        if size > MOST_AC_SIZE or place > last:
            return _DAMAGED
        value = _signed(_bits(clean, at, size), size) << low
        at += size
        if abs(value) > MOST_COEFFICIENT:
            return _DAMAGED
        block[place] = value
        place += 1
    return at


@part
def _begin_run(clean, at, size, runs):
    """Take in that this block and others after it are at their end."""
    length = 1 << size
    if size > 0:
        length += _bits(clean, at, size)
    runs[_RUN] = length - 1
    runs[_LONGEST_RUN] = max(runs[_LONGEST_RUN], length)
    return at + size


@part
def _correct(clean, at, table, block, first, last, low, runs):
    """One more bit of each coefficient that is known to be other than zero, and those that become so."""
    place = first
    if runs[_RUN] == 0:
        while place <= last:
            entry = np.int64(table[_next_bits(clean, at)])
            at += entry >> LENGTH_SHIFT
            zeros, size, value = entry >> 4 & 15, entry & 15, np.int64(0)
            if entry == 0 or size > 1:
                return _DAMAGED
            if size == 1:
                value = np.int64(1) << low if _bits(clean, at, 1) else -(np.int64(1) << low)
                at += 1
            elif zeros < 15:
                at = _begin_run(clean, at, zeros, runs)
                runs[_RUN] += 1
                break
            while place <= last:
                if block[place] != 0:
                    at = _correct_one(clean, at, block, place, low)
                elif zeros == 0:
                    block[place] = value
                    place += 1
                    break
                else:
                    zeros -= 1
                place += 1
    if runs[_RUN] > 0:
        while place <= last:
            if block[place] != 0:
                at = _correct_one(clean, at, block, place, low)
            place += 1
        runs[_RUN] -= 1
    return at


@part
def _correct_one(clean, at, block, place, low):
    if _bits(clean, at, 1) and abs(block[place]) + (1 << low) <= MOST_COEFFICIENT:
        block[place] += (1 << low) if block[place] > 0 else -(1 << low)
    return at + 1


