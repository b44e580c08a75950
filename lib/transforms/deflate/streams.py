"""Deflate undone: a stream becomes what it inflates to and a small recipe, from which it is made again to the bit.

The recipe is what an encoder decided otherwise than zlib would have (as in preflate and grittibanzli): `lib.transforms.deflate.matching` is a
zlib that follows the stream's own tokens, `lib.transforms.deflate.corrections` codes where they differ. No linked zlib has a part in making
a stream again; the one that is there inflates, which is the same everywhere. docs/deflate.md has figures.
"""

import zlib
from dataclasses import dataclass

from lib.limits import MOST_INFLATED, MOST_RECIPE, MOST_UNDONE
from lib.transforms.deflate.recipes import LONGEST_BEGINNING, Recipe, impossible
from lib.transforms.deflate.recoding import corrections_of, made_again, taken_apart
from lib.transforms.deflate.search import settings_of
from lib.transforms.effort import Effort

_RAW = -15                       # deflated data without a frame around it, as zlib has it
_AT_ONCE = 1 << 16
_MOST_FOR_A_BYTE = 1 << 10       # bytes of a stream for one of its recipe: a recipe that claims more is refused


@dataclass(frozen=True)
class Undone:
    """A deflated stream as `done_again` makes it again."""

    size: int                # bytes that it takes
    inflated: bytes
    recipe: bytes


def undone(data: bytes, start: int = 0, share: float = 0.25, fewest: int = 0, most: int = MOST_UNDONE, like: bytes = b"",
           effort: Effort | None = None) -> Undone | None:
    """The deflated stream that begins at `start` of data, without a frame around it (RFC 1951).

    None where there is none, where it has fewer than `fewest` bytes or inflates to more than `most` bytes, or where its recipe would take more than that share of
    its bytes. like: the recipe of another stream of the same encoder, which saves most of the search. effort: what it costs is taken from it, and nothing is
    begun that it does not suffice for. What it gives has been made
    again. The same arguments give the same result on every machine.
    """
    found = _inflated(data, start, min(most, MOST_UNDONE), effort or Effort(MOST_UNDONE))
    if found is None:
        return None
    size, inflated = found
    if size < fewest:
        return None
    deflated = bytes(memoryview(data)[start:start + size])
    most_bytes = min(int(share * size), MOST_RECIPE - LONGEST_BEGINNING)
    taken = taken_apart(deflated, inflated)
    if taken is None or not _is_plausible(size, inflated):
        return None
    settings = settings_of(taken, Recipe.read(like).settings if like else None)
    corrections = corrections_of(taken, settings, most_bytes)
    made = None if corrections is None else made_again(inflated, settings, corrections, size)
    if corrections is None or made is None or made[:-1] != deflated[:-1]:
        return None
    recipe = Recipe(size, settings, corrections, made[-1] ^ deflated[-1])
    packed = recipe.packed()
    return Undone(size, inflated, packed) if len(packed) <= most_bytes and Recipe.read(packed) == recipe else None


def done_again(inflated: bytes, recipe: bytes) -> bytes:
    """The stream. Raises FormatError for a recipe that is none, or not of these bytes, where that can be told.

    It takes memory of some ten times the bytes that are given, and as many steps as lib.limits has in MOST_SEARCHED.
    """
    read = Recipe.read(recipe)
    if len(inflated) > MOST_UNDONE or not _is_plausible(read.size, inflated):
        raise impossible()
    made = made_again(inflated, read.settings, read.corrections, read.size)
    if made is None:
        raise impossible()
    made[-1] ^= read.padding
    return bytes(made)


def _is_plausible(size, inflated):
    """Whether a stream can be so long: what would be longer says next to nothing in many blocks, and is left as it is."""
    return size <= 2 * len(inflated) + _MOST_FOR_A_BYTE


def _inflated(data, start, most, effort):
    """(bytes of the stream, what it inflates to), or None where there is none or too much."""
    inflate, parts, place, size = zlib.decompressobj(_RAW), [], start, 0
    view = memoryview(data)
    while not inflate.eof:
        piece = view[place:place + _AT_ONCE]         # so that what lies behind the stream is not copied
        if not piece or not effort.is_left:
            return None
        try:
            part = inflate.decompress(piece, most - size + 1)
        except zlib.error:
            return None
        place, size = place + len(piece), size + len(part)
        effort.spend(len(piece) + len(part))
        parts.append(part)
        if size > min(most, MOST_INFLATED * (place - start)):
            return None
    return place - len(inflate.unused_data) - start, b"".join(parts)
