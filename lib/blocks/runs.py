"""Long runs of letters: where base64 and UTF-16 may begin."""

import numpy as np

_FEWEST_OF_BASE64 = 60           # letters: lines of mail have 76, of certificates 64
_FEWEST_OF_UTF16 = 64
_OF_BASE64 = np.zeros(256, bool)
_OF_BASE64[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = True
_OF_TEXT = np.zeros(256, bool)
_OF_TEXT[[*b"\t\n\r", *range(0x20, 0x7F)]] = True


def of_letters(data: bytes) -> list[tuple[int, str]]:
    """[(where a run begins, "base64" or "utf16")], the last one first. UTF-16 is letters of ASCII, each before a zero or behind one."""
    array = np.frombuffer(data, np.uint8)
    found = [(start, "base64") for start in _starts(_OF_BASE64[array], _FEWEST_OF_BASE64)]
    letters, zeros = _OF_TEXT[array], array == 0
    for first, second in ((letters, zeros), (zeros, letters)):
        pairs = first[:-1] & second[1:]
        for odd in (0, 1):
            found += [(2 * start + odd, "utf16") for start in _starts(pairs[odd::2], _FEWEST_OF_UTF16)]
    return sorted(found, reverse=True)


def _starts(are_letters, fewest):
    """Where runs of so many or more begin."""
    edges = np.flatnonzero(np.diff(are_letters, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    return starts[ends - starts >= fewest].tolist()
