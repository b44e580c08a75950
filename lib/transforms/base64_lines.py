"""Base64 in lines, as in mail, certificates and data addresses, and the bytes that it says."""

import base64
import re
import struct

from lib.errors import FormatError
from lib.transforms.found import Found

_RECIPE = struct.Struct("<HB")       # letters of a line, 0 where all is in one; and the end of lines
_ENDS = (b"\n", b"\r\n")
_FEWEST = 120                        # letters: less is not worth a node
_SORTS = tuple(map(re.compile, (rb"[A-Z]", rb"[a-z]", rb"[0-9]")))
# Lines that are all of one length but the last, or one long line.
_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{40,1024}\r?\n)+[A-Za-z0-9+/]*={0,2}")
_ONE = re.compile(rb"[A-Za-z0-9+/]{%d,}={0,2}" % _FEWEST)


def find(data: bytes, start: int) -> Found | None:
    """What base64 there is in `data` from `start` on, if it begins there; None where it does not come back exactly.

    Letters of one sort, as in numbers and sequences of bases, are none.
    """
    if not all(sort.search(data, start, start + _FEWEST) for sort in _SORTS):
        return None
    lines = _LINES.match(data, start)
    if lines and (found := _in_lines(data, start, lines.end())):
        return found
    one = _ONE.match(data, start)
    return _exact(data, start, start + (one.end() - start) // 4 * 4, 0, 0) if one else None


def make(inner: bytes, recipe: bytes) -> bytes:
    """The lines of letters that say `inner`."""
    if len(recipe) != _RECIPE.size:
        raise _damaged()
    width, end = _RECIPE.unpack(recipe)
    if end >= len(_ENDS):
        raise _damaged()
    letters = base64.b64encode(inner)
    if not width:
        return letters
    return _ENDS[end].join(letters[start:start + width] for start in range(0, len(letters), width))


def _in_lines(data, start, most):
    """Lines of one length from `start` on: as many as there are."""
    width = data.index(b"\n", start) - start
    end = int(data[start + width - 1:start + width] == b"\r")
    width -= end
    each = width + len(_ENDS[end])
    whole = (most - start) // each
    for number in range(whole):                        # a line of another length ends it
        line = data[start + number * each:start + (number + 1) * each]
        if not line.endswith(_ENDS[end]) or b"\n" in line[:width]:
            whole = number
            break
    last = re.compile(rb"[A-Za-z0-9+/]{0,%d}={0,2}" % width).match(data, start + whole * each)
    assert last is not None                            # as no letters are letters too
    for stop in (last.end(), start + whole * each - len(_ENDS[end])):
        if found := _exact(data, start, stop, width, end):
            return found
    return None


def _exact(data, start, stop, width, end):
    text = data[start:stop]
    if len(text) < _FEWEST:
        return None
    try:
        inner = base64.b64decode(text.replace(_ENDS[end], b"") if width else text, validate=True)
    except ValueError:
        return None
    recipe = _RECIPE.pack(width, end)
    return Found(start, stop, inner, recipe) if make(inner, recipe) == text else None


def _damaged():
    return FormatError("the recipe of base64 is damaged", "get another copy of the file")
