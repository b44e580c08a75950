"""What a stored name may be, and what becomes of it where a system cannot have it, or a person is to read it."""

import sys
import unicodedata

from lib.limits import LONGEST_NAME

_NOT_ON_WINDOWS = frozenset('<>:"/\\|?*') | frozenset(map(chr, range(32)))
_DEVICES = frozenset(["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
                      *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")])
# Control characters, surrogates, ends of lines and paragraphs; and what turns the direction of the letters after it.
_HIDDEN = frozenset(["Cc", "Cs", "Zl", "Zp"])
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_file_name(name: object) -> bool:
    """Whether `name` names one file in a folder: a str that leads nowhere else, of at most LONGEST_NAME bytes.

    Bytes that are no UTF-8 stand in it as surrogate escapes, as in all of Python's names.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
        return False
    return is_encodable(name) and len(encoded(name)) <= LONGEST_NAME


def is_encodable(text: str) -> bool:
    """Whether a text is bytes in UTF-8, or bytes that are none as surrogate escapes."""
    try:
        encoded(text)
    except UnicodeEncodeError:
        return False
    return True


def encoded(text: str) -> bytes:
    """A name as Unix has it."""
    return text.encode("utf-8", "surrogateescape")


def near_name(name: str, is_windows: bool = sys.platform == "win32") -> str:
    """`name` where this system can have it, or one as near to it as can be; `name` passes `is_file_name`."""
    if not is_windows:
        return name
    near = "".join("_" if letter in _NOT_ON_WINDOWS else letter for letter in name)
    kept = near.rstrip(". ")
    near = kept + "_" * (len(near) - len(kept))
    return f"_{near}" if near.split(".")[0].rstrip(" ").upper() in _DEVICES else near


def plain_name(name: str) -> str:
    """`name` in letters that every disk has, at most 100 of them, its suffix kept."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_. ") else "_" for letter in name)
    stem, dot, suffix = plain.rpartition(".")
    end = dot + suffix if stem and len(suffix) <= 16 else ""
    return near_name(plain[:len(plain) - len(end)][:100 - len(end)] + end, is_windows=True)


def shown(text: str) -> str:
    """A text for a person to read: what could act on a terminal, or hide, as its escape."""
    return "".join(_escape(letter) if unicodedata.category(letter) in _HIDDEN or letter in _TURNING else letter for letter in text)


def _escape(letter):
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) & 0xff:02x}"            # a byte that is no UTF-8
    return letter.encode("unicode_escape").decode()
