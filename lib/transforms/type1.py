"""Type 1 fonts, as PDF has them of TeX: their outlines are encrypted twice, with keys that everybody knows, and noise to every model.

Adobe Type 1 Font Format (1990), chapter 7. No recipe is needed: how long what is encrypted is stands in the clear text.
"""

import re

import numpy as np

from lib.compiling import compiled
from lib.errors import FormatError
from lib.transforms.found import Found

SIGNATURE = rb"currentfile eexec(?:\r\n|[\r\n ])"
_OF_FONT, _OF_OUTLINE = 55665, 4330          # the keys
_END = b"closefile"
_LONGEST = 1 << 22                           # bytes of a font that are looked at
_FEWEST = 64
# Before an outline, which is encrypted by itself: how many bytes it has.
_OUTLINE = re.compile(rb" (\d{1,5}) (?:RD|-\|) ")


def find(data: bytes, start: int) -> Found | None:
    """The encrypted part of the font whose SIGNATURE begins at `start`, in the clear; None where it does not come back exactly."""
    signature = re.compile(SIGNATURE).match(data, start)
    assert signature is not None
    begin = signature.end()
    clear = _crypted(data[begin:begin + _LONGEST], _OF_FONT, False)
    end = clear.find(_END) + len(_END)
    if end < _FEWEST:
        return None
    inner = _with_outlines(clear[:end], False)
    return Found(begin, begin + end, inner, b"") if make(inner, b"") == data[begin:begin + end] else None


def make(inner: bytes, recipe: bytes) -> bytes:
    """The encrypted part. Raises FormatError for a recipe, as there is none."""
    if recipe:
        raise FormatError("the recipe of a font is damaged", "get another copy of the file")
    return _crypted(_with_outlines(inner, True), _OF_FONT, True)


def _with_outlines(font, encrypt):
    """A font with its outlines encrypted, or decrypted."""
    parts, at = [], 0
    while head := _OUTLINE.search(font, at):
        end = head.end() + int(head[1])
        if end > len(font):
            break
        parts += [font[at:head.end()], _crypted(font[head.end():end], _OF_OUTLINE, encrypt)]
        at = end
    return b"".join([*parts, font[at:]])


def _crypted(data, key, encrypt):
    out = np.empty(len(data), np.uint8)
    _crypt(np.frombuffer(data, np.uint8), out, key, encrypt)
    return out.tobytes()


@compiled
def _crypt(data, out, key, encrypt):
    """Encrypt or decrypt: the next key follows from the last encrypted byte."""
    for place in range(len(data)):
        out[place] = data[place] ^ key >> 8
        key = ((np.int64(out[place] if encrypt else data[place]) + key) * 52845 + 22719) & 0xFFFF
