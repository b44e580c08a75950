"""Where the blocks of JPEGs lie among the symbols, those around one, and what their pixels at its borders say of its coefficients.

A block is SYMBOLS symbols: how many coefficients but the first are other than zero, those in zigzag order, then the first (DC). All here has
them row by row: the coefficient of u waves across and v down is at 8 * v + u.

The rows of pixels to both sides of a border are alike. As the cosines of a block are products, that of a row of pixels is one equation
for each u, a sum over v (and of a column for each v): what is left of it when the coefficients so far are taken away says what
the next one may be. (The idea is that of Lepton, and of Matt Mahoney's and Jan Ondrus's models for JPEG in PAQ; the form is our own.)
"""

import numpy as np

from lib.compiling import part

COEFFICIENTS = 64
SYMBOLS = COEFFICIENTS + 1               # of a block
MIDDLE = 2048                            # the symbol of a coefficient of zero
MOST = 2047                              # that a coefficient is off zero
# The layout has FIELDS numbers for each picture, then those of its components.
START, END, COMPONENTS, UNIT, HEAD = range(5)     # blocks where it begins and ends, components, blocks in a row of units
WIDE, ACROSS, DOWN, OFFSET, STEPS = range(5)      # blocks of a row, of a unit's row and column, before it in a row of units; quantisation
MOST_COMPONENTS = 4
_EACH = STEPS + COEFFICIENTS
FIELDS = HEAD + MOST_COMPONENTS * _EACH
# The row-wise place of each coefficient in zigzag order (ITU-T T.81, figure A.6).
ZIGZAG = np.array(sorted(range(COEFFICIENTS), key=lambda place: (
    place // 8 + place % 8, place // 8 if (place // 8 + place % 8) % 2 else place % 8)), np.int64)

# Of a stream's state: the block's coefficients so far, those of blocks around, of the first component and of the one before at the same place.
CURRENT, ABOVE, LEFT, ABOVE_LEFT, ABOVE_RIGHT, ABOVE_TWICE, LEFT_TWICE, FIRST, BEFORE = range(0, 9 * COEFFICIENTS, COEFFICIENTS)
_AROUND = 8
STEP = CURRENT + 9 * COEFFICIENTS        # the steps of quantisation
BORDERS = STEP + COEFFICIENTS            # what is left of the equations: two kinds of those of the row above, then of the column to the left
_KINDS = 2
NUMBERS = BORDERS + 4 * 8                # numbers of the blocks around, -1 where there is none
COUNTS = NUMBERS + _AROUND               # of their coefficients that are not zero
(PICTURE, COMPONENT, ROW, COLUMN, HAS_ABOVE, HAS_LEFT,
 REMAINING, COUNT, LATEST, LATEST_2, MAGNITUDES) = range(COUNTS + _AROUND, COUNTS + _AROUND + 11)
STATE = MAGNITUDES + 1

# Cosines with 12 fraction bits: of the pixels next to a border, and of the border itself.
_COSINES = np.array([[2896, 4017, 3784, 3406, 2896, 2276, 1567, 799], [2896, 4096, 4096, 4096, 4096, 4096, 4096, 4096]])
_MOST_EIGHTHS = 1 << 17


@part
def begin_block(memory, stream, block):
    """Set the state for a block, whose symbols begin at SYMBOLS * block."""
    state, layout = memory.state[stream], memory.layout
    while block >= layout[FIELDS * state[PICTURE] + END]:
        state[PICTURE] += 1
    if block == layout[FIELDS * state[PICTURE] + START]:
        state[COMPONENT] = state[ROW] = state[COLUMN] = 0
    picture = layout[FIELDS * state[PICTURE]:FIELDS * (state[PICTURE] + 1)]
    own = _fields(picture, state[COMPONENT])
    state[STEP:STEP + COEFFICIENTS] = own[STEPS:STEPS + COEFFICIENTS]
    _find_around(state, picture, own)
    for around in range(_AROUND):
        _copy(memory.codes, state, around)
    _begin_borders(state)
    state[CURRENT:CURRENT + COEFFICIENTS] = 0
    state[LATEST] = state[LATEST_2] = state[MAGNITUDES] = 0


@part
def end_block(memory, stream):
    """Go on to the next block."""
    state = memory.state[stream]
    picture = memory.layout[FIELDS * state[PICTURE]:FIELDS * (state[PICTURE] + 1)]
    own = _fields(picture, state[COMPONENT])
    state[COLUMN] += 1
    if state[COLUMN] == own[WIDE]:
        state[COLUMN] = 0
        state[ROW] += 1
        if state[ROW] % own[DOWN] == 0:
            unit = state[ROW] // own[DOWN] - 1
            state[COMPONENT] += 1
            if state[COMPONENT] == picture[COMPONENTS]:
                state[COMPONENT] = 0
                unit += 1
            state[ROW] = unit * _fields(picture, state[COMPONENT])[DOWN]


@part
def _fields(picture, component):
    start = HEAD + component * _EACH
    return picture[start:start + _EACH]


@part
def _number(picture, own, row, column):
    """A block's number; of those outside of the picture -1."""
    if row < 0 or column < 0 or column >= own[WIDE]:
        return np.int64(-1)
    return picture[START] + row // own[DOWN] * picture[UNIT] + own[OFFSET] + row % own[DOWN] * own[WIDE] + column


@part
def _at_same_place(picture, own, other, row, column):
    """The block of another component whose pixels begin where a block's do, or lie around."""
    return _number(picture, other, row * other[DOWN] // own[DOWN], min(column * other[ACROSS] // own[ACROSS], other[WIDE] - 1))


@part
def _find_around(state, picture, own):
    """Set the numbers of the blocks around; where one is missing, that of the next best stands for it."""
    row, column, component, numbers = state[ROW], state[COLUMN], state[COMPONENT], state[NUMBERS:NUMBERS + _AROUND]
    above, left = _number(picture, own, row - 1, column), _number(picture, own, row, column - 1)
    state[HAS_ABOVE], state[HAS_LEFT] = above >= 0, left >= 0
    numbers[0] = above if above >= 0 else left
    numbers[1] = left if left >= 0 else above
    numbers[2] = _or(_number(picture, own, row - 1, column - 1), numbers[1])
    numbers[3] = _or(_number(picture, own, row - 1, column + 1), numbers[0])
    numbers[4] = _or(_number(picture, own, row - 2, column), numbers[0])
    numbers[5] = _or(_number(picture, own, row, column - 2), numbers[1])
    numbers[6] = _at_same_place(picture, own, _fields(picture, 0), row, column) if component > 0 else -1
    numbers[7] = _at_same_place(picture, own, _fields(picture, component - 1), row, column) if component > 1 else -1


@part
def _or(number, other):
    return number if number >= 0 else other


@part
def _copy(codes, state, around):
    """Copy the coefficients of one of the blocks around, and how many are not zero."""
    number, into = state[NUMBERS + around], state[ABOVE + around * COEFFICIENTS:]
    if number < 0:
        into[:COEFFICIENTS] = 0
        state[COUNTS + around] = 0
        return
    place = number * SYMBOLS
    for index in range(1, COEFFICIENTS):
        into[ZIGZAG[index]] = np.int64(codes[place + index]) - MIDDLE
    into[0] = np.int64(codes[place + COEFFICIENTS]) - MIDDLE
    state[COUNTS + around] = codes[place]


@part
def _begin_borders(state):
    """What the pixels above and to the left say the sums of this block's coefficients are, in both kinds of equations."""
    borders, steps = state[BORDERS:BORDERS + 32], state[STEP:STEP + COEFFICIENTS]
    borders[:] = 0
    for kind in range(_KINDS):
        for place in range(COEFFICIENTS):
            across, down = place & 7, place >> 3
            if state[HAS_ABOVE]:
                value = state[ABOVE + place] * steps[place] * _COSINES[kind, down]
                borders[8 * kind + across] += -value if down & 1 else value
            if state[HAS_LEFT]:
                value = state[LEFT + place] * steps[place] * _COSINES[kind, across]
                borders[16 + 8 * kind + down] += -value if across & 1 else value


@part
def expected(state, place, kind):
    """What a kind of equations says of a coefficient: (by the row above, by the column to the left), in eighths of its step."""
    across, down, step = place & 7, place >> 3, state[STEP + place]
    above = _bounded(state[BORDERS + 8 * kind + across] // (step * _COSINES[kind, down] >> 3))
    left = _bounded(state[BORDERS + 16 + 8 * kind + down] // (step * _COSINES[kind, across] >> 3))
    return above if state[HAS_ABOVE] else left, left if state[HAS_LEFT] else above


@part
def _bounded(eighths):
    return min(max(eighths, -_MOST_EIGHTHS), _MOST_EIGHTHS)


@part
def unexplained(state, which):
    """How much is left of the second kind of equations (0: of the row above, 1: of the column to the left) but the first one."""
    total = np.int64(0)
    for index in range(1, 8):
        total += abs(state[BORDERS + 16 * which + 8 + index]) >> 12
    return total


@part
def take(state, place, value):
    """Take in a coefficient but the first."""
    state[CURRENT + place] = value
    state[LATEST_2], state[LATEST] = state[LATEST], value
    if value != 0:
        state[MAGNITUDES] += min(abs(value), 40)
        state[REMAINING] -= 1
        across, down, scaled = place & 7, place >> 3, value * state[STEP + place]
        for kind in range(_KINDS):
            state[BORDERS + 8 * kind + across] -= scaled * _COSINES[kind, down]
            state[BORDERS + 16 + 8 * kind + down] -= scaled * _COSINES[kind, across]


@part
def coefficient_before(state, place, is_there, back, most):
    """The magnitude, at most `most`, of a coefficient of the block some places before; 0 where there is none."""
    return min(abs(state[CURRENT + place - back]), most) if is_there else np.int64(0)


@part
def activity_within(state, place, step):
    """Magnitudes of the coefficients of the block next to one, as far as they are known, in its steps."""
    across, down, total = place & 7, place >> 3, np.int64(0)
    if across > 0:
        total += 2 * abs(state[CURRENT + place - 1]) * state[STEP + place - 1]
    if down > 0:
        total += 2 * abs(state[CURRENT + place - 8]) * state[STEP + place - 8]
    if across > 0 and down > 0:
        total += abs(state[CURRENT + place - 9]) * state[STEP + place - 9]
    if across > 1:
        total += abs(state[CURRENT + place - 2]) * state[STEP + place - 2]
    if down > 1:
        total += abs(state[CURRENT + place - 16]) * state[STEP + place - 16]
    if across < 7:
        total += 2 * abs(state[CURRENT + place + 1]) * state[STEP + place + 1]
    if down < 7:
        total += 2 * abs(state[CURRENT + place + 8]) * state[STEP + place + 8]
    return total // step


@part
def activity_around(state, place, step):
    """Magnitudes of the same coefficient and those next to it, of the blocks above and to the left, in its steps."""
    across, down = place & 7, place >> 3
    total = 2 * _both(state, place)
    if across > 0:
        total += _both(state, place - 1)
    if down > 0:
        total += _both(state, place - 8)
    if across < 7:
        total += _both(state, place + 1)
    if down < 7:
        total += _both(state, place + 8)
    return total // step


@part
def _both(state, place):
    return (abs(state[ABOVE + place]) + abs(state[LEFT + place])) * state[STEP + place]
