"""Where plain bytes are text and where they are not.

Of every byte is known how much likelier it is in text than in other data, by its class. The best cut into stretches is then that of a hidden
Markov model of two states (the Viterbi algorithm), in which a change costs what a leaf and a model that begins to know other data cost.
"""

import numpy as np

KINDS = ("text", "binary")
_WINDOW = 512                        # bytes that are not cut
_CHANGE = 900.0                      # bits
_FEWEST = 4096                       # bytes of a stretch
# Of a byte of each class: how many bits it says for text, against other data. A zero after a zero says nothing: archives of texts
# are padded so. What fits into UTF-8 is as good as ASCII; a single byte above it may be a letter of Latin-1.
_FOR_TEXT = {"control": -6.0, "zero": -6.0, "ascii": 0.8, "high": -0.9, "utf-8": 0.5}


def stretches(data: bytes) -> list[tuple[int, int, str]]:
    """[(start, end, "text" or "binary")] of all of `data`; none for nothing. Neighbours are of different kinds."""
    if not data:
        return []
    window_bits = _bits_for_text(np.frombuffer(data, np.uint8))
    kinds = _best_path(window_bits)
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1), len(kinds)]
    found = [(_WINDOW * int(first), min(_WINDOW * int(end), len(data)), "text" if kinds[first] else "binary")
             for first, end in zip(edges, edges[1:])]
    return _merged(found)


def _bits_for_text(array):
    """float64: of each window, how many bits it says for text."""
    weights = _table()[array]
    leads, follows = (array >= 0xC2) & (array <= 0xF4), array & 0xC0 == 0x80
    weights[:-1][leads[:-1] & follows[1:]] = _FOR_TEXT["utf-8"]
    weights[1:][follows[1:] & (leads | follows)[:-1]] = _FOR_TEXT["utf-8"]
    weights[1:][(array[1:] == 0) & (array[:-1] == 0)] = 0.0
    return np.add.reduceat(weights, np.arange(0, len(array), _WINDOW))


def _table():
    table = np.full(256, _FOR_TEXT["ascii"])
    table[128:] = _FOR_TEXT["high"]
    table[[byte for byte in (*range(1, 32), 127) if byte not in b"\t\n\v\f\r\x1b"]] = _FOR_TEXT["control"]
    table[0] = _FOR_TEXT["zero"]
    return table


def _best_path(window_bits):
    """bool: of each window, whether it is text, on the best path."""
    count = len(window_bits)
    came = np.zeros((count, 2), bool)                # of each window and state, whether the one before it was text
    other, text = 0.0, 0.0
    for at, bits in enumerate(window_bits.tolist()):
        stays, comes = text, other - _CHANGE
        to_text = max(stays, comes) + bits
        came[at, 1] = stays >= comes
        came[at, 0] = text - _CHANGE > other
        other = max(other, text - _CHANGE)
        text = to_text
    path = np.zeros(count, bool)
    path[-1] = text >= other
    for at in range(count - 1, 0, -1):
        path[at - 1] = came[at, int(path[at])]
    return path


def _merged(found):
    """Stretches without those that are too short, which join the one before, or the next."""
    made: list[tuple[int, int, str]] = []
    for start, end, kind in found:
        if made and (end - start < _FEWEST or made[-1][2] == kind):
            made[-1] = made[-1][0], end, made[-1][2]
        elif len(made) == 1 and made[0][1] - made[0][0] < _FEWEST:
            made[0] = made[0][0], end, kind
        else:
            made.append((start, end, kind))
    return made
