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
_LINE = re.compile(rb"[A-Za-z0-9+/]{40,1024}(?=\r?\n)")
_ONE = re.compile(rb"[A-Za-z0-9+/]{%d,}={0,2}" % _FEWEST)


def find(data: bytes, start: int) -> Found | None:
    """What base64 there is in `data` from `start` on, if it begins there; None where it does not come back exactly.

    Letters of one sort, as in numbers and sequences of bases, are none.
    """
    if not all(sort.search(data, start, start + _FEWEST) for sort in _SORTS):
        return None
    line = _LINE.match(data, start)
    if line and (found := _in_lines(data, start, line.end())):
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


def _in_lines(data, start, first_end):
    """Lines of one length from `start` on, but the last, which is shorter: as many as there are. first_end: of the first line's letters."""
    width, end = first_end - start, int(data[first_end] == _ENDS[1][0])
    letters = rb"[A-Za-z0-9+/]"
    found = re.compile(rb"((?:%s{%d}%s)+)%s{0,%d}={0,2}" % (letters, width, _ENDS[end], letters, width)).match(data, start)
    assert found is not None                           # as there is the first line
    for stop in (found.end(), found.end(1) - len(_ENDS[end])):
        if exact := _exact(data, start, stop, width, end):
            return exact
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
