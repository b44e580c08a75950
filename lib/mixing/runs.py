"""The table of runs: the symbol that came last after a context, and how often in a row.

An entry is a uint64: the symbol in 16 bits, the length of its run in 8, 24 unused, and 16 bits of check.
"""

import numpy as np

from lib.compiling import part
from lib.mixing.hashing import spread

LONGEST = 255
_CHECK_SHIFT, _LENGTH_SHIFT, _SYMBOL = np.uint64(48), np.uint64(16), np.uint64(0xFFFF)
_OTHER = np.uint64(0x5BD1E995)          # not the hash that finds slots
NONE = -1


@part
def find_run(runs, context):
    """Where the entry of a context's hash lies; it is emptied where it was another's."""
    place = spread(context ^ _OTHER)
    index, check = np.int64(place >> np.uint64(20)) & len(runs) - 1, place & _SYMBOL | np.uint64(1)
    if runs[index] >> _CHECK_SHIFT != check:
        runs[index] = check << _CHECK_SHIFT
    return index


@part
def last_symbol(run):
    """The symbol that came last, or NONE."""
    return np.int64(run & _SYMBOL) if run_length(run) > 0 else np.int64(NONE)


@part
def run_length(run):
    return np.int64(run >> _LENGTH_SHIFT & np.uint64(LONGEST))


@part
def run_after(run, symbol):
    """An entry after one more symbol."""
    length = min(run_length(run) + 1, LONGEST) if last_symbol(run) == symbol else 1
    return run >> _CHECK_SHIFT << _CHECK_SHIFT | np.uint64(length) << _LENGTH_SHIFT | np.uint64(symbol)
