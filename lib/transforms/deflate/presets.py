"""The encoders that are known, as parameters of a search: zlib's levels first. Recipes name them by number: add at the end."""

from lib.transforms.deflate.matching import GREEDY, HIGHEST, LAZY, LITERALS, LOWEST, PARAMETERS, RUNS

_ZLIB = (15, 262, 15, 3)                 # window, margin, bits of the hash, bytes of it
_FAR, _FULL = 4096, (1 << 14) - 1


def _zlib(kind, good, easy, nice, chain):
    return (kind, *_ZLIB, good, easy, nice, chain, _FAR, 3, _FULL)


PRESETS = (
    _zlib(LAZY, 8, 16, 128, 128),        # level 6
    _zlib(GREEDY, 4, 4, 8, 4),           # 1
    _zlib(GREEDY, 4, 5, 16, 8),
    _zlib(GREEDY, 4, 6, 32, 32),
    _zlib(LAZY, 4, 4, 16, 16),           # 4
    _zlib(LAZY, 8, 16, 32, 32),
    _zlib(LAZY, 8, 32, 128, 256),        # 7
    _zlib(LAZY, 32, 128, 258, 1024),
    _zlib(LAZY, 32, 258, 258, 4096),     # 9
    _zlib(RUNS, 0, 0, 3, 1),
    _zlib(LITERALS, 0, 0, 3, 1),
)


def are_possible(settings: tuple) -> bool:
    """Whether settings that were read are within bounds."""
    return len(settings) == PARAMETERS and all(low <= value <= high for low, value, high in zip(LOWEST, settings, HIGHEST))
