"""ASCII85, as PDF and PostScript have it, and the bytes that it says."""

import base64

from lib.errors import FormatError
from lib.transforms.found import Found

# It is found behind the word that begins a stream in PDF.
SIGNATURE = rb"stream\r?\n[!-uz\n]{60}"
_END = b"~>"
_WIDEST = 255                    # letters of a line, 0 where all is in one


def find(data: bytes, start: int) -> Found | None:
    """What is said behind SIGNATURE, which begins at `start`, up to the mark of its end; None where it does not come back exactly."""
    start = data.index(b"\n", start) + 1
    end = data.find(_END, start)
    letters = data[start:end].rstrip(b"\n") if end >= 0 else b""
    width = letters.find(b"\n")
    recipe = bytes([width if 0 < width <= _WIDEST else 0])
    try:
        inner = base64.a85decode(letters)
    except ValueError:
        return None
    return Found(start, start + len(letters), inner, recipe) if letters and make(inner, recipe) == letters else None


def make(inner: bytes, recipe: bytes) -> bytes:
    """The letters. Raises FormatError for a recipe that `find` cannot have given."""
    if len(recipe) != 1:
        raise FormatError("the recipe of ASCII85 is damaged", "get another copy of the file")
    return base64.a85encode(inner, wrapcol=recipe[0])
