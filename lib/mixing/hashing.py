"""Hashes of contexts: uint64, the same everywhere."""

import numpy as np

from lib.compiling import part

_MULTIPLIER_A, _MULTIPLIER_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_OFFSET = np.uint64(0x165667B19E3779F9)


@part
def joined(first, second):
    """A hash of two whole numbers."""
    mixed = np.uint64(first) * _MULTIPLIER_A + np.uint64(second) * _MULTIPLIER_B + _OFFSET
    return mixed ^ mixed >> np.uint64(29)


@part
def spread(value):
    """A hash of a hash, with every bit of it in every bit."""
    mixed = np.uint64(value) * _MULTIPLIER_A
    return mixed ^ mixed >> np.uint64(32)


@part
def newest(recent, count):
    """The newest `count` bytes, 1 to 7, of the eight in `recent`."""
    return recent & (np.uint64(1) << np.uint64(8 * count)) - np.uint64(1)
