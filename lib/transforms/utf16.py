"""Text in UTF-16, and the same text in UTF-8, which contexts know."""

import numpy as np

from lib.errors import FormatError
from lib.transforms.found import Found

_CODECS = ("utf-16-le", "utf-16-be")         # by number, in recipes
_AT_FIRST, _AT_ONCE = 1 << 8, 1 << 20        # letters that are looked at: few at first, as most texts are short
# What counts as text: alphabets and punctuation. Chinese characters do not, as any two bytes are likely to be one.
_IS_LETTER = np.zeros(1 << 16, bool)
for _first, _last in ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x7E), (0xA0, 0x5FF), (0x2010, 0x206F), (0x20A0, 0x20BF)):
    _IS_LETTER[_first:_last + 1] = True


def find(data: bytes, start: int) -> Found:
    """The text in UTF-16 that begins at `start`, with letters of ASCII."""
    order = int(data[start] == 0)
    text, end = _text_from(data, start, order)
    return Found(start, end, text.encode(), bytes([order]))


def make(inner: bytes, recipe: bytes) -> bytes:
    """The text in UTF-16. Raises FormatError for what `find` cannot have given."""
    if len(recipe) != 1 or recipe[0] >= len(_CODECS):
        raise _damaged()
    try:
        return inner.decode().encode(_CODECS[recipe[0]])
    except ValueError as error:
        raise _damaged() from error


def _text_from(data, start, order):
    """(the text, where it ends): up to what is no letter."""
    parts, most = [], _AT_FIRST
    while True:
        stop = min(start + 2 * most, start + (len(data) - start) // 2 * 2)
        units = np.frombuffer(data, ">u2" if order else "<u2", (stop - start) // 2, start)
        others = np.flatnonzero(~_IS_LETTER[units])
        count = int(others[0]) if len(others) else len(units)
        parts.append(data[start:start + 2 * count].decode(_CODECS[order]))
        start, most = start + 2 * count, min(2 * most, _AT_ONCE)
        if not count or len(others):
            return "".join(parts), start


def _damaged():
    return FormatError("the recipe of a text in UTF-16 is damaged", "get another copy of the file")
