"""Contexts of the coefficients of JPEGs, and what selects the rows of weight sets and maps for them."""

import numpy as np

from lib.compiling import part
from lib.mixing.hashing import joined
from lib.mixing.kinds import jpeg_blocks as blocks
from lib.mixing.kinds import jpeg_fitted as fitted
from lib.mixing.kinds.jpeg_blocks import (
    ABOVE,
    ABOVE_LEFT,
    ABOVE_RIGHT,
    ABOVE_TWICE,
    BEFORE,
    COEFFICIENTS,
    COUNTS,
    FIRST,
    LATEST,
    LATEST_2,
    LEFT,
    LEFT_TWICE,
    REMAINING,
    STEP,
)

CONTEXTS = 42
MAPS = 3
# How many values select the rows of each set: those of the count, of the first coefficient and of all others lie side by side.
_PLACES = COEFFICIENTS + 1
_COLOURS = 3
SETS = (_PLACES * _COLOURS, 64, 16 * 16, 16 * 16, 64, 32 * 8, 64, 64, 24 * 16, 64)
FINAL_SETS = (_PLACES, 32, 64)
_COUNT = COEFFICIENTS                    # in place of a place, for the count
# Classes of magnitudes: up to 4 their own, from there on two for each doubling.
_MOST_CLASSED = 4095
_CLASSES = np.array([size if size < 5 else 2 * (size.bit_length() - 1) + int(size * size >= 1 << 2 * size.bit_length() - 1) + 1
                     for size in range(_MOST_CLASSED + 1)], np.int64)


@part
def _class(magnitude):
    return _CLASSES[min(magnitude, _MOST_CLASSED)]


@part
def _signed_class(value):
    return _class(value) if value >= 0 else -_class(-value)


@part
def _clipped(value, most):
    return min(max(value, -most), most)


@part
def _hash(index, first, second, third):
    return joined(joined(np.uint64(index << 16 | third), np.int64(first)), np.int64(second))


@part
def look_at_count(memory, stream):
    """Set the contexts of how many coefficients but the first are not zero, by how many are in the blocks around."""
    state, contexts, selected = memory.state[stream], memory.contexts, memory.selected
    component = state[blocks.COMPONENT]
    above, left, above_left, above_right, _, left_twice, first, before = state[COUNTS:COUNTS + 8]
    nearest, kind = above + left, _PLACES * component + _COUNT
    contexts[0] = _hash(0, above, left, kind)
    contexts[1] = _hash(1, nearest, 0, kind)
    contexts[2] = _hash(2, (2 * nearest + above_left + above_right) // 2, 0, kind)
    contexts[3] = _hash(3, above, above_right // 4, kind)
    contexts[4] = _hash(4, left, above_left // 4, kind)
    contexts[5] = _hash(5, first, nearest // 4, kind)
    contexts[6] = _hash(6, before, nearest // 4, kind)
    contexts[7] = _hash(7, before, first, kind)
    contexts[8] = _hash(8, above // 3, left // 3 * 32 + above_left // 3, kind)
    contexts[9] = _hash(9, (nearest + above_right + above_left + first + before) // 3, 0, kind)
    contexts[10] = _hash(10, left_twice, left // 2, kind)
    for index in range(11, CONTEXTS):
        contexts[index] = _hash(index, 0, 0, kind)
    selected[:] = 0
    selected[0] = _COUNT * _COLOURS + min(component, _COLOURS - 1)
    selected[1] = nearest // 2
    memory.final_selected[0], memory.final_selected[1], memory.final_selected[2] = _COUNT, 0, 0
    memory.map_contexts[0] = _hash(0, nearest, 0, kind)
    memory.map_contexts[1] = _hash(1, first, before, kind)
    memory.map_contexts[2] = _hash(2, above // 4, left // 4, kind)


@part
def look_at_first(memory, stream, off):
    """Set the contexts of the first coefficient (DC), all others of the block being known; returns what is expected of it.

    off: by how much others were off (of the blocks above, to the left, of the first component, of the one before).
    """
    state, contexts, selected = memory.state[stream], memory.contexts, memory.selected
    component, step = state[blocks.COMPONENT], state[STEP]
    above, left = blocks.expected(state, 0, 0)
    above_too, left_too = blocks.expected(state, 0, 1)
    by_above, by_left = above + above_too, left + left_too
    unsure_above, unsure_left = _doubt(state, 0), _doubt(state, 1)
    exactly = (by_above * unsure_left + by_left * unsure_above) // (unsure_above + unsure_left)       # in 16ths
    base = _clipped(exactly + 8 >> 4, blocks.MOST)
    doubt, apart = _class((unsure_above + unsure_left) // step // step), by_above - by_left >> 3
    off_above, off_left, off_first, off_before = off
    kind = _PLACES * component
    same_above, same_left, same_corner = state[ABOVE] - base, state[LEFT] - base, state[ABOVE_LEFT] - base
    contexts[0] = _hash(0, doubt, 0, kind)
    contexts[1] = _hash(1, _signed_class(apart), 0, kind)
    contexts[2] = _hash(2, _signed_class(apart), doubt, kind)
    contexts[3] = _hash(3, _class(abs(off_above)), _class(abs(off_left)), kind)
    contexts[4] = _hash(4, _signed_class(off_above), _signed_class(off_left), kind)
    contexts[5] = _hash(5, _signed_class(2 * above - exactly >> 2), _signed_class(2 * left - exactly >> 2), kind)
    contexts[6] = _hash(6, _signed_class(2 * above_too - exactly >> 2), _signed_class(2 * left_too - exactly >> 2), kind)
    contexts[7] = _hash(7, _signed_class(same_above), _signed_class(same_left), kind)
    contexts[8] = _hash(8, _signed_class(same_above), 0, kind)
    contexts[9] = _hash(9, _signed_class(same_left), 0, kind)
    contexts[10] = _hash(10, _signed_class(off_first), 0, kind)
    contexts[11] = _hash(11, _signed_class(off_before), _signed_class(off_first), kind)
    contexts[12] = _hash(12, _signed_class(off_before), doubt, kind)
    contexts[13] = _hash(13, state[blocks.COUNT], doubt, kind)
    contexts[14] = _hash(14, exactly & 15, doubt, kind)
    contexts[15] = _hash(15, _signed_class(same_above + same_left - same_corner), 0, kind)
    contexts[16] = _hash(16, _class(unsure_above // step // step), _class(unsure_left // step // step), kind)
    contexts[17] = _hash(17, _signed_class(state[ABOVE_RIGHT] - base), _signed_class(same_corner), kind)
    for index in range(18, CONTEXTS):
        contexts[index] = _hash(index, 0, 0, kind)
    selected[:] = 0
    selected[0], selected[1], selected[2] = min(component, _COLOURS - 1), doubt, min(_class(abs(apart)), 31)
    selected[3], selected[4] = state[blocks.COUNT], min(_class(abs(off_above)), 7) * 8 + min(_class(abs(off_left)), 7)
    memory.final_selected[0], memory.final_selected[1], memory.final_selected[2] = 0, min(doubt, 31), selected[2]
    memory.map_contexts[0] = _hash(0, doubt, _signed_class(apart), kind)
    memory.map_contexts[1] = _hash(1, _signed_class(off_above), _signed_class(off_left), kind)
    memory.map_contexts[2] = _hash(2, exactly & 15, 0, kind)
    return base


@part
def _doubt(state, which):
    """The square of how much equations are off, which says how little they are worth."""
    off = min(state[STEP] * 64 + blocks.unexplained(state, which), 1 << 20)
    return off * off >> 6


@part
def look_at_other(memory, stream, place, left):
    """Set the contexts of any coefficient but the first; left: how many are to come. Returns how active blocks around it are."""
    state, contexts, selected = memory.state[stream], memory.contexts, memory.selected
    component, step, remaining = state[blocks.COMPONENT], state[STEP + place], state[REMAINING]
    kind, across, down = _PLACES * component + place, place & 7, place >> 3
    zone = across + down
    value, magnitude = fitted.expect(memory, stream, component, place, left)
    value, magnitude = np.int64(np.floor(16.0 * value + 0.5)), np.int64(np.floor(32.0 * magnitude + 0.5))     # 16ths, 32nds
    by_above, by_left = blocks.expected(state, place, 0)
    by_above_too, by_left_too = blocks.expected(state, place, 1)
    by_both, by_both_too = by_above + by_left >> 1, by_above_too + by_left_too >> 1
    above, before_it, corner, right = state[ABOVE + place], state[LEFT + place], state[ABOVE_LEFT + place], state[ABOVE_RIGHT + place]
    same = 5 * (abs(above) + abs(before_it)) + 2 * (abs(corner) + abs(right))
    own, around = blocks.activity_within(state, place, step), blocks.activity_around(state, place, step)
    activity = 2 * same + 2 * own + around
    size, sign_size, all_size = _class(magnitude), _signed_class(value), _class(activity >> 1)
    same_size, own_size, around_size = _class(same), _class(own), _class(around)
    latest, latest_2, magnitudes = state[LATEST], state[LATEST_2], min(state[blocks.MAGNITUDES], 255)
    contexts[0] = _hash(0, remaining, 0, kind)
    contexts[1] = _hash(1, same_size, min(remaining, 7), kind)
    contexts[2] = _hash(2, abs(above), abs(before_it), kind)
    contexts[3] = _hash(3, _clipped(above, 2), _clipped(before_it, 2), kind)
    contexts[4] = _hash(4, _signed_class(by_above), 0, kind)
    contexts[5] = _hash(5, _signed_class(by_left), 0, kind)
    contexts[6] = _hash(6, _signed_class(by_both), 0, kind)
    contexts[7] = _hash(7, _signed_class(by_above >> 2), _signed_class(by_left >> 2), kind)
    contexts[8] = _hash(8, own_size, around_size, kind)
    contexts[9] = _hash(9, _clipped(latest, 3), _clipped(latest_2, 3), kind)
    contexts[10] = _hash(10, remaining, left, component)
    contexts[11] = _hash(11, own_size, remaining * 16 + zone, component)
    contexts[12] = _hash(12, all_size, 0, kind)
    contexts[13] = _hash(13, blocks.coefficient_before(state, place, across > 0, 1, 7) * 8 + blocks.coefficient_before(state, place, down > 0, 8, 7),
                         blocks.coefficient_before(state, place, across > 0 and down > 0, 9, 3), kind)
    contexts[14] = _hash(14, state[blocks.COUNT], state[COUNTS] + state[COUNTS + 1] >> 1, kind)
    contexts[15] = _hash(15, _signed_class(by_above_too), 0, kind)
    contexts[16] = _hash(16, _signed_class(by_left_too), 0, kind)
    contexts[17] = _hash(17, _signed_class(by_both_too), same_size, kind)
    if component > 0:
        first, before = state[FIRST + place], _signed_class(state[BEFORE + place])
        contexts[18] = _hash(18, abs(first), same_size, kind)
        contexts[19] = _hash(19, before, _signed_class(first), kind)
        contexts[20] = _hash(20, before, _signed_class(by_both >> 1), kind)
    else:
        contexts[18] = _hash(18, _clipped(state[ABOVE_TWICE + place], 3), _clipped(state[LEFT_TWICE + place], 3), kind)
        contexts[19] = _hash(19, _clipped(corner, 3), _clipped(right, 3), kind)
        contexts[20] = _hash(20, _signed_class(above + before_it), _signed_class(by_both >> 1), kind)
    contexts[21] = _hash(21, _signed_class(by_both), own_size, kind)
    contexts[22] = _hash(22, _signed_class(by_both), remaining, kind)
    contexts[23] = _hash(23, _signed_class(by_above_too >> 1), _signed_class(by_left_too >> 1), kind)
    contexts[24] = _hash(24, around_size, remaining, kind)
    contexts[25] = _hash(25, magnitudes, remaining, kind)
    contexts[26] = _hash(26, magnitudes >> 1, own_size, kind)
    contexts[27] = _hash(27, same_size, around_size * 32 + own_size, zone)
    contexts[28] = _hash(28, _signed_class(by_above >> 1), above, kind)
    contexts[29] = _hash(29, _signed_class(by_left >> 1), before_it, kind)
    contexts[30] = _hash(30, all_size, remaining, zone)
    contexts[31] = _hash(31, _signed_class(by_both + by_both_too >> 1), _class(activity >> 2), component)
    contexts[32] = _hash(32, sign_size, 0, kind)
    contexts[33] = _hash(33, sign_size, same_size, kind)
    contexts[34] = _hash(34, sign_size, remaining, kind)
    contexts[35] = _hash(35, sign_size, all_size, zone)
    contexts[36] = _hash(36, _clipped(value >> 1, 127), own_size, component)
    contexts[37] = _hash(37, size, 0, kind)
    contexts[38] = _hash(38, size, _signed_class(value >> 1), component)
    contexts[39] = _hash(39, size, remaining, kind)
    contexts[40] = _hash(40, min(magnitude, 255), zone, component)
    contexts[41] = _hash(41, size, sign_size, kind)
    selected[0], selected[1] = place * _COLOURS + min(component, _COLOURS - 1), remaining
    selected[2] = min(same_size, 15) * 16 + zone
    selected[3] = min(own_size, 15) * 16 + min(around_size, 15)
    selected[4] = 32 + _clipped(sign_size, 31)
    selected[5] = min(size, 31) * 8 + min(zone, 7)
    selected[6] = min(abs(latest), 7) * 8 + min(abs(latest_2), 7)
    selected[7], selected[8], selected[9] = left, min(size, 23) * 16 + 8 + _clipped(_signed_class(value >> 2), 7), state[COUNTS]
    memory.final_selected[0], memory.final_selected[1], memory.final_selected[2] = place, min(size, 31), selected[4]
    memory.map_contexts[0] = _hash(0, sign_size, 0, kind)
    memory.map_contexts[1] = _hash(1, remaining, left, component)
    memory.map_contexts[2] = _hash(2, size, 0, kind)
    return activity
