"""Machine code of x86-64: where its instructions begin and end, and where they point.

A decoder goes along the bytes and knows which part of an instruction each one is. On data that is no code it goes
astray, and finds instructions again after a few that it made up; the mixer learns to trust it or not.

A call or a jump holds how far away its target is, so that a target called twice looks different each time. Added to
the place of the instruction's end, the distance is the same number each time: tables remember these targets by what
is known of the instruction, and predict the bytes of a distance from them. A place is one in the whole input.
"""

import numpy as np

from lib.compiling import part
from lib.mixing.hashing import joined

# Parts of an instruction, as the next byte is one
OPCODE, OPCODE_0F, MODRM, SIB, DISPLACEMENT, IMMEDIATE, OPCODE_0F38 = range(7)
PARTS = 7
INDEXES = 8                      # bytes of a displacement or immediate that are told apart
POSITIONS = PARTS * INDEXES

# What the decoder keeps, in an int64 array of STATE numbers that are zero at first
PART = 0                         # which part the next byte is
INDEX = 1                        # which byte of its displacement or immediate
_LEFT = 2                        # bytes left of that
_VALUE = 3                       # its first four bytes so far
_RELATIVE = 4                    # 1 where it is a distance from the instruction's end
_IMMEDIATE = 5                   # size of the instruction's immediate
OPERATION = 6                    # its opcode, plus 256 after a 0F
FORM = 7                         # its ModRM
_WIDE = 8                        # not 0 after a prefix REX.W
_NARROW = 9                      # 1 after a prefix 66
SO_FAR = 10                      # hash of its bytes so far
_BEFORE = 11                     # hash of the instruction before
OPERATIONS = 12                  # of the four instructions before, 16 bits each: opcode, ModRM without its lowest bits
STATE = 13

# Tables of targets, in an int64 array of TARGETS numbers; by the hash of:
_TABLE_BITS = 16
_TABLE = 1 << _TABLE_BITS
_BY_OPERATIONS = 0               # the opcode and the two operations before
_BY_INSTRUCTION = _TABLE         # the opcode, the ModRM and the instruction before
_BY_FORM = 2 * _TABLE            # the opcode and the ModRM
_BY_BYTE = 3 * _TABLE            # the target's lowest byte and the opcode
_BY_LOW = 4 * _TABLE             # no hash: the target's lowest two bytes
_BY_LOWEST = 5 * _TABLE          # no hash: its lowest byte
TARGETS = 5 * _TABLE + 256

NO_PREDICTION = 0
_PREDICTION = 256                # plus the byte
_SURE_PREDICTION = 512           # likewise, where two bytes of the target are known

_DISTANCE_BYTES = 4
_ESCAPE_0F = 0x0F
_NARROW_PREFIX = 0x66
_PREFIXES = (_NARROW_PREFIX, 0xF2, 0xF3, 0x2E, 0xF0, 0x65, 0x64)
_REX, _REX_W = 0x40, 8
_TEST_BYTE, _TEST = 0xF6, 0xF7   # have an immediate where the ModRM says that they test

# What follows an opcode: a ModRM or not, and a kind of immediate
_HAS_MODRM = 1
_KIND_SHIFT = 1
_NONE, _BYTE, _OPERAND, _WIDE_OPERAND, _ADDRESS, _WORD, _DISTANCE = range(7)


def _opcodes():
    """What follows each of the opcodes of one byte, then each of those after a 0F."""
    table = np.zeros(512, np.int64)

    def set_all(opcodes, modrm, kind=_NONE):
        table[list(opcodes)] = modrm | kind << _KIND_SHIFT

    for first in range(0, 0x40, 8):                                  # ADD, OR, ... CMP
        set_all(range(first, first + 4), _HAS_MODRM)
        set_all([first + 4], 0, _BYTE)
        set_all([first + 5], 0, _OPERAND)
    set_all([0x63, *range(0x84, 0x90), *range(0xD0, 0xD4), *range(0xD8, 0xE0), 0xF6, 0xF7, 0xFE, 0xFF], _HAS_MODRM)
    set_all([0x6B, 0x80, 0x83, 0xC0, 0xC1, 0xC6], _HAS_MODRM, _BYTE)
    set_all([0x69, 0x81, 0xC7], _HAS_MODRM, _OPERAND)
    set_all([0x6A, *range(0x70, 0x80), 0xA8, *range(0xB0, 0xB8), 0xCD, *range(0xE0, 0xE8), 0xEB], 0, _BYTE)
    set_all([0x68, 0xA9], 0, _OPERAND)
    set_all(range(0xB8, 0xC0), 0, _WIDE_OPERAND)
    set_all(range(0xA0, 0xA4), 0, _ADDRESS)
    set_all([0xC2, 0xCA], 0, _WORD)
    set_all([0xE8, 0xE9], 0, _DISTANCE)

    set_all(range(256, 512), _HAS_MODRM)
    alone = (0x05, 0x06, 0x08, 0x09, 0x0B, 0x77, 0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA, *range(0x30, 0x38),
             *range(0xC8, 0xD0))
    set_all([256 + opcode for opcode in alone], 0)
    set_all(range(256 + 0x80, 256 + 0x90), 0, _DISTANCE)
    with_byte = (0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6)
    set_all([256 + opcode for opcode in with_byte], _HAS_MODRM, _BYTE)
    return table


_OPCODES = _opcodes()


@part
def position(state):
    """Where in an instruction the next byte is: less than POSITIONS."""
    return state[PART] * INDEXES + min(state[INDEX], INDEXES - 1)


@part
def in_distance(state):
    """Whether the next byte is one of a distance from the instruction's end."""
    return state[_RELATIVE] != 0


@part
def end_of_instruction(state, place):
    """Where the instruction ends, if the next byte, at `place`, is one of a distance."""
    after = state[_IMMEDIATE] if state[PART] == DISPLACEMENT else 0
    return place - state[INDEX] + _DISTANCE_BYTES + after


@part
def target_so_far(state, place):
    """The lowest bytes of the target that are known; of a byte after them nothing is."""
    known = min(state[INDEX], 2)
    return state[_VALUE] + end_of_instruction(state, place) & (1 << 8 * known) - 1


@part
def predicted(state, targets, place):
    """Three predictions of the next byte, at `place`: NO_PREDICTION in all, or of a byte from 256 on."""
    if not in_distance(state):
        return np.int64(NO_PREDICTION), np.int64(NO_PREDICTION), np.int64(NO_PREDICTION)
    by_operations, by_instruction, by_form = _entries(state)
    index, known, base = state[INDEX], target_so_far(state, place), np.int64(_PREDICTION)
    if index == 0:
        first, second, third = by_operations, by_instruction, by_form
    elif index == 1:
        first, second, third = _BY_LOWEST + known, _entry_by_byte(state, known), by_operations
    else:
        first, second, third = _BY_LOW + known, by_operations, by_form
        base = np.int64(_SURE_PREDICTION)
    end = end_of_instruction(state, place)
    return (base + _byte(targets[first] - end, index), _PREDICTION + _byte(targets[second] - end, index),
            _PREDICTION + _byte(targets[third] - end, index))


@part
def take(state, targets, byte, place):
    """Take in the byte at `place`."""
    part_of = state[PART]
    state[SO_FAR] = np.int64(joined(state[SO_FAR], byte + 1))
    if part_of == OPCODE or part_of == OPCODE_0F or part_of == OPCODE_0F38:
        _take_opcode(state, byte)
    elif part_of == MODRM:
        _take_modrm(state, byte)
    elif part_of == SIB:
        _take_address(state, state[FORM] >> 6 == 0 and byte & 7 == 5, False)
    else:
        _take_field(state, targets, byte, place)


@part
def _byte(number, index):
    return number >> 8 * index & 255


@part
def _hashed(first, second):
    return np.int64(joined(first, second) >> np.uint64(20)) & _TABLE - 1


@part
def _entries(state):
    """Where the tables have the target by what is known before the distance."""
    operation, form = state[OPERATION], state[FORM]
    return (_BY_OPERATIONS + _hashed(operation, state[OPERATIONS] & 0xFFFFFFFF),
            _BY_INSTRUCTION + _hashed(operation, joined(state[_BEFORE], form)), _BY_FORM + _hashed(operation, form))


@part
def _entry_by_byte(state, lowest):
    return _BY_BYTE + _hashed(lowest, state[OPERATION])


@part
def _take_opcode(state, byte):
    part_of = state[PART]
    if part_of == OPCODE and byte == _ESCAPE_0F:
        state[PART] = OPCODE_0F
    elif part_of == OPCODE and byte in _PREFIXES:
        if byte == _NARROW_PREFIX:
            state[_NARROW] = 1
    elif part_of == OPCODE and byte & 0xF0 == _REX:
        state[_WIDE] = byte & _REX_W
    elif part_of == OPCODE_0F and (byte == 0x38 or byte == 0x3A):
        state[PART], state[OPERATION] = OPCODE_0F38, byte
    elif part_of == OPCODE_0F38:
        _expect(state, byte | 256, _HAS_MODRM | (_BYTE << _KIND_SHIFT if state[OPERATION] == 0x3A else 0))
    else:
        operation = byte if part_of == OPCODE else byte | 256
        _expect(state, operation, _OPCODES[operation])


@part
def _expect(state, operation, follows):
    """Go on to what follows an opcode."""
    kind = follows >> _KIND_SHIFT
    state[OPERATION], state[_IMMEDIATE] = operation, _size(state, kind)
    state[_RELATIVE] = np.int64(kind == _DISTANCE)
    if follows & _HAS_MODRM:
        state[PART] = MODRM
    else:
        _expect_immediate(state)


@part
def _size(state, kind):
    """Bytes of an immediate."""
    if kind == _NONE or kind == _BYTE:
        return np.int64(kind == _BYTE)
    if kind == _DISTANCE:
        return np.int64(_DISTANCE_BYTES)
    if kind == _ADDRESS or kind == _WIDE_OPERAND and state[_WIDE] != 0:
        return np.int64(8)
    return np.int64(2 if kind == _WORD or state[_NARROW] != 0 else 4)


@part
def _take_modrm(state, byte):
    state[FORM] = byte
    operation, mode, register = state[OPERATION], byte >> 6, byte & 7
    if (operation == _TEST_BYTE or operation == _TEST) and byte >> 3 & 7 < 2:
        state[_IMMEDIATE] = _size(state, _BYTE if operation == _TEST_BYTE else _OPERAND)
    if mode != 3 and register == 4:
        state[PART] = SIB
    else:
        from_end = mode == 0 and register == 5
        _take_address(state, from_end, from_end)


@part
def _take_address(state, without_base, from_end):
    """Go on after a ModRM that needs no SIB, or after a SIB.

    without_base: whether the address is a displacement alone; from_end: whether that is a distance from the end.
    """
    mode = state[FORM] >> 6
    size = 1 if mode == 1 else 4 if mode == 2 or without_base else 0
    state[_RELATIVE] = np.int64(from_end)
    if size > 0:
        _expect_field(state, DISPLACEMENT, size)
    else:
        _expect_immediate(state)


@part
def _expect_immediate(state):
    if state[_IMMEDIATE] > 0:
        _expect_field(state, IMMEDIATE, state[_IMMEDIATE])
    else:
        _end(state)


@part
def _expect_field(state, part_of, size):
    state[PART], state[_LEFT], state[INDEX], state[_VALUE] = part_of, size, 0, 0


@part
def _take_field(state, targets, byte, place):
    """Take a byte of a displacement or an immediate."""
    if state[INDEX] < _DISTANCE_BYTES:
        state[_VALUE] |= byte << 8 * state[INDEX]
    state[_LEFT] -= 1
    if state[_LEFT] > 0:
        state[INDEX] += 1
        return
    if state[_RELATIVE] != 0:
        _remember(state, targets, state[_VALUE] + end_of_instruction(state, place))
    state[_RELATIVE] = 0
    if state[PART] == DISPLACEMENT:
        _expect_immediate(state)
    else:
        _end(state)


@part
def _remember(state, targets, target):
    by_operations, by_instruction, by_form = _entries(state)
    targets[by_operations] = targets[by_instruction] = targets[by_form] = target
    targets[_BY_LOWEST + (target & 255)] = targets[_BY_LOW + (target & 0xFFFF)] = target
    targets[_entry_by_byte(state, target & 255)] = target


@part
def _end(state):
    """End the instruction; the next byte begins another."""
    state[_BEFORE] = state[SO_FAR]
    state[OPERATIONS] = state[OPERATIONS] << 16 | (state[FORM] & 0xF8) << 8 | state[OPERATION] & 255
    for field in (PART, INDEX, _VALUE, _RELATIVE, _IMMEDIATE, OPERATION, FORM, _WIDE, _NARROW, SO_FAR):
        state[field] = 0
