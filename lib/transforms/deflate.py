"""Deflate undone: a stream becomes what it inflates to and a small recipe, from which it is made again to the bit.

The recipe is what an encoder decided otherwise than zlib would have (as in preflate and grittibanzli): `lib.transforms.matching` is a
zlib that follows the stream's own tokens, `lib.transforms.corrections` codes where they differ. No linked zlib has a part in making
a stream again; the one that is there inflates, which is the same everywhere.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from lib.coders.arithmetic import ArithmeticCoder
from lib.errors import FormatError
from lib.limits import MOST_INFLATED, MOST_RECIPE, MOST_SEARCHED, MOST_UNDONE
from lib.transforms import corrections
from lib.transforms.codes import new_room
from lib.transforms.decisions import MARGIN, Coder, new_models
from lib.transforms.matching import FORGETS, FULL, HASH_BITS, KIND, LAZY, LEAST, WINDOW, new_finder
from lib.transforms.matching import MARGIN as WINDOW_MARGIN
from lib.transforms.presets import PRESETS, are_possible
from lib.transforms.tokens import BLOCK_FIELDS, COUNT, FINAL, INFLATED, SPARE, STORED, TYPE, Writer, new_header, read_stream

_RAW = -15
_AT_ONCE = 1 << 16
_EVERYTHING = 1 << 60
_PADDED = 128                    # in a recipe's first byte
_MOST_FOR_NOTHING = 1 << 10      # bytes of a stream for one of its recipe or of what it inflates to, beyond which it is no recipe
_FIRST_LOOK, _SECOND_LOOK = 1 << 12, 1 << 15     # tokens
_SECOND = 4                      # candidates that are looked at twice


@dataclass(frozen=True)
class Undone:
    """A deflated stream as `done_again` makes it again."""

    size: int                # bytes that it takes
    inflated: bytes
    recipe: bytes


@dataclass(frozen=True)
class _Taken:
    """A stream taken apart; arrays as in lib.transforms.tokens and lib.transforms.corrections."""

    deflated: np.ndarray
    data: np.ndarray
    tokens: np.ndarray
    blocks: np.ndarray
    stretches: np.ndarray


def undone(data: bytes, start: int = 0, share: float = 0.25, most: int = MOST_UNDONE) -> Undone | None:
    """The deflated stream that begins at `start` of data, without a frame around it (RFC 1951).

    None where there is none, where it inflates to more than `most` bytes, or where its recipe would take more than that share of
    its bytes. What it gives has been made again. The same data gives the same result on every machine.
    """
    found = _inflated(data, start, min(most, MOST_UNDONE))
    if found is None:
        return None
    size, inflated = found
    deflated = bytes(memoryview(data)[start:start + size])
    taken = _taken_apart(deflated, inflated)
    if taken is None:
        return None
    settings = _settings_of(taken)
    status, coded = _coded(taken, settings, most_bytes=min(int(share * size), MOST_RECIPE - 64))
    if status != corrections.CODED:
        return None
    recipe = _recipe(size, settings, coded)
    try:
        made = done_again(inflated, recipe)
        if made != deflated and made[:-1] == deflated[:-1]:
            recipe = _recipe(size, settings, coded, made[-1] ^ deflated[-1])
            made = done_again(inflated, recipe)
    except FormatError:
        return None
    return Undone(size, inflated, recipe) if made == deflated and len(recipe) <= share * size else None


def done_again(inflated: bytes, recipe: bytes) -> bytes:
    """The stream. Raises FormatError for a recipe that is none of these bytes.

    It takes memory for some ten times the bytes that are given, and time for MOST_SEARCHED at most.
    """
    size, settings, padding, coded = _read_recipe(recipe)
    if len(inflated) > MOST_UNDONE or size > 2 * len(inflated) + _MOST_FOR_NOTHING * len(recipe):
        raise _impossible()
    coder = ArithmeticCoder(coded)
    writer = _writer(size)
    with coder.open(0) as (state, buffer, decodes):
        status = corrections.code_stream(
            Coder(state, buffer, new_models(corrections.MODELS), decodes), new_finder(settings), np.frombuffer(inflated, np.uint8),
            np.empty(len(inflated) + 1, np.int32), np.zeros((1, BLOCK_FIELDS), np.int64), np.zeros(1, np.int64), np.zeros(SPARE, np.uint8),
            writer, new_room(), _EVERYTHING, _most_steps(len(inflated)), _EVERYTHING)
    if status != corrections.CODED or writer.state[2] != size:
        raise _impossible()
    writer.out[-1] ^= padding
    return writer.out.tobytes()


def _impossible():
    return FormatError("what is to make a deflated stream again is damaged", "get another copy of the file")


def _inflated(data, start, most):
    """(bytes of the stream, what it inflates to) or None."""
    inflate, parts, place, size = zlib.decompressobj(_RAW), [], start, 0
    view = memoryview(data)
    while not inflate.eof:
        piece = view[place:place + _AT_ONCE]
        place += len(piece)
        if not piece:
            return None
        try:
            part = inflate.decompress(piece, most - size + 1)
        except zlib.error:
            return None
        parts.append(part)
        size += len(part)
        if size > min(most, MOST_INFLATED * (place - start)):
            return None
    return place - len(inflate.unused_data) - start, b"".join(parts)


def _taken_apart(deflated, inflated):
    """The _Taken of a stream, or None where no encoder that is known would have written it so."""
    padded = np.zeros(len(deflated) + SPARE, np.uint8)
    padded[:len(deflated)] = np.frombuffer(deflated, np.uint8)
    data = np.frombuffer(inflated, np.uint8)
    tokens, blocks = np.empty(len(data) + 1, np.int32), np.empty((len(deflated) + 1, BLOCK_FIELDS), np.int64)
    block_count, token_count = read_stream(padded, len(deflated), data, tokens, blocks, new_header())
    if not block_count:
        return None
    blocks = blocks[:block_count]
    ends = blocks[(blocks[:, COUNT] == 0) & (blocks[:, FINAL] == 0), INFLATED]
    return _Taken(padded, data, tokens[:token_count], blocks, np.concatenate([np.diff(ends, prepend=0), [-1]]))


def _coded(taken, settings, most_tokens=_EVERYTHING, most_bytes=MOST_RECIPE):
    """(how it ended, the corrections) of the first tokens of a stream."""
    coder, most_bytes = ArithmeticCoder(), min(most_bytes, MOST_RECIPE)
    with coder.open(most_bytes + MARGIN >> 2) as (state, buffer, decodes):
        status = corrections.code_stream(
            Coder(state, buffer, new_models(corrections.MODELS), decodes), new_finder(settings), taken.data, taken.tokens, taken.blocks,
            taken.stretches, taken.deflated, _writer(0), new_room(), most_tokens, _most_steps(len(taken.data)), most_bytes)
    return status, coder.finish()


def _writer(size):
    return Writer(np.zeros(size, np.uint8), np.zeros(4, np.int64))


def _most_steps(size):
    return MOST_SEARCHED[0] + MOST_SEARCHED[1] * size


def _settings_of(taken):
    """The settings that fit a stream best, by what the corrections of its beginning take."""
    candidates = [_fitted(taken, settings) for settings in PRESETS]
    candidates = _best(taken, candidates, _FIRST_LOOK)[:_SECOND]
    best = _best(taken, candidates, _SECOND_LOOK)[0]
    return _best(taken, [best, *_varied(taken, best)], _SECOND_LOOK)[0]


def _best(taken, candidates, most_tokens):
    """Candidates that are left, best first; of equal ones the first."""
    costs, least = [], MOST_RECIPE
    for settings in candidates:
        status, coded = _coded(taken, settings, most_tokens, 2 * least)
        fits = status in (corrections.CODED, corrections.CUT)
        costs.append(len(coded) if fits else MOST_RECIPE)
        least = min(least, costs[-1])
    return [candidates[index] for index in np.argsort(costs, kind="stable")]


def _fitted(taken, settings):
    """Settings with what can be told by looking at the stream: its window, how long its blocks are."""
    settings = list(settings)
    farthest = int(taken.tokens.max(initial=0)) >> 9
    settings[WINDOW] = next((bits for bits in range(9, 15) if farthest <= (1 << bits) - settings[WINDOW_MARGIN] < len(taken.data)), 15)
    if farthest > (1 << 15) - settings[WINDOW_MARGIN]:
        settings[WINDOW_MARGIN] = 0
    first = taken.blocks[0]
    if first[TYPE] != STORED and not first[FINAL] and first[COUNT]:
        count = int(first[COUNT])
        if count & count + 1 == 0 and 1 << 7 <= count < 1 << 15:        # as zlib with that memory level
            settings[HASH_BITS] = count.bit_length() + 1
        settings[FULL] = count
    return tuple(settings)


def _varied(taken, settings):
    """Settings like these that streams are made with, too."""
    def but(place, value):
        return (*settings[:place], value, *settings[place + 1:])

    varied = [but(HASH_BITS, bits) for bits in (16, 14, 15) if bits != settings[HASH_BITS]]
    if settings[KIND] == LAZY:
        varied.append(but(LEAST, 6))
    if settings[WINDOW] != 15:
        varied.append(but(WINDOW, 15))
    if len(taken.stretches) > 1:
        varied.append(but(FORGETS, 1))
    return varied


def _recipe(size, settings, coded, padding=0):
    """A recipe: the number of the nearest preset, what differs from it, the stream's size, the corrections."""
    nearest = min(range(len(PRESETS)), key=lambda index: sum(map(int.__ne__, settings, PRESETS[index])))
    other = [(place, value) for place, value in enumerate(settings) if value != PRESETS[nearest][place]]
    numbers = [size, len(other), *(number for pair in other for number in pair)]
    return bytes([nearest | (_PADDED if padding else 0)]) + (bytes([padding]) if padding else b"") + b"".join(map(_number, numbers)) + coded


def _number(value):
    """A number in seven bits a byte, the lowest first."""
    parts = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(part | 128 for part in parts[:-1]), parts[-1]])


def _read_recipe(recipe):
    """(bytes of the stream, settings, bits of its last byte to change, the corrections)."""
    if len(recipe) > MOST_RECIPE:
        raise _impossible()
    try:
        preset, place, padding = recipe[0] & ~_PADDED, 1, 0
        if recipe[0] & _PADDED:
            padding, place = recipe[1], 2
        numbers = []
        while len(numbers) < 2 or len(numbers) < 2 + 2 * numbers[1]:
            value = shift = 0
            while recipe[place] & 128:
                value |= (recipe[place] & 127) << shift
                place, shift = place + 1, shift + 7
            numbers.append(value | recipe[place] << shift)
            place += 1
        settings = list(PRESETS[preset])
        for parameter, value in zip(numbers[2::2], numbers[3::2]):
            settings[parameter] = value
    except IndexError:
        raise _impossible() from None
    if not numbers[0] or not are_possible(tuple(settings)):
        raise _impossible()
    return numbers[0], tuple(settings), padding, recipe[place:]
