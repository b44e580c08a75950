"""Which parameters an encoder had: those with which its streams take the fewest corrections. The same stream gives the same on every machine."""

from lib.limits import MOST_RECIPE
from lib.transforms.deflate import matching
from lib.transforms.deflate.presets import PRESETS
from lib.transforms.deflate.recoding import Taken, corrections_of
from lib.transforms.deflate.tokens import COUNT, FINAL, STORED, TYPE

_FIRST_LOOK, _SECOND_LOOK, _THIRD_LOOK = 1 << 12, 1 << 15, 1 << 13     # tokens
_SECOND = 4                      # candidates that are looked at twice
_ENOUGH = 24                     # bytes of corrections; where there are more, these are tried, one parameter after the other
_VARIED = (
    (matching.HASH_BITS, (14, 15, 16)),
    (matching.WINDOW, (15,)),
    (matching.LEAST, (3, 4, 5, 6)),
    (matching.FAR, (0, 1 << 10, 1 << 12, 1 << 13, 1 << 15)),
    (matching.NICE, (8, 16, 32, 64, 128, 258)),
    (matching.EASY, (4, 8, 16, 32, 64, 128, 258)),
    (matching.GOOD, (4, 8, 32, 258)),
    (matching.HASHED, (3, 4)),
    (matching.CHAIN, (4, 8, 16, 32, 64, 128, 256, 1024)),
    (matching.KIND, (matching.GREEDY, matching.LAZY)))


def settings_of(taken: Taken, like: tuple | None = None) -> tuple:
    """The settings that fit a stream best; like: some that are tried first, and taken where none of PRESETS is better."""
    likely = [_fitted(taken, like)] if like else []
    if likely and _ranked(taken, likely, _FIRST_LOOK)[0][0] <= _ENOUGH:
        return likely[0]
    ranked = _ranked(taken, likely + [_fitted(taken, settings) for settings in PRESETS], _FIRST_LOOK)
    if ranked[0][1] in likely:
        return likely[0]
    ranked = _ranked(taken, [settings for _, settings in ranked[:_SECOND]], _SECOND_LOOK)
    cost, best = ranked[0]
    for place, values in _VARIED:
        if cost <= _ENOUGH:
            break
        others = [(*best[:place], value, *best[place + 1:]) for value in values if value != best[place]]
        cost, best = _ranked(taken, [best, *others], _THIRD_LOOK)[0]
    first = ranked[0][1]
    return _ranked(taken, [first, best], _SECOND_LOOK)[0][1] if best != first else best


def _ranked(taken, candidates, most_tokens):
    """[(bytes that the corrections of the first tokens take, settings)], the fewest first; of equal ones in their order."""
    ranked, least = [], MOST_RECIPE
    for settings in candidates:
        corrections = corrections_of(taken, settings, 2 * least, most_tokens)
        ranked.append((MOST_RECIPE if corrections is None else len(corrections), settings))
        least = min(least, ranked[-1][0])
    return sorted(ranked, key=lambda each: each[0])


def _fitted(taken, settings):
    """Settings with what can be told by looking at the stream: its window, and how long its blocks are."""
    fitted = list(settings)
    farthest = int(taken.tokens.max(initial=0)) >> 9
    if farthest > (1 << 15) - fitted[matching.MARGIN]:
        fitted[matching.MARGIN] = 0
    fitted[matching.WINDOW] = next((bits for bits in range(9, 15) if farthest <= (1 << bits) - fitted[matching.MARGIN] < len(taken.data)), 15)
    first = taken.blocks[0]
    if first[TYPE] != STORED and not first[FINAL] and first[COUNT]:
        fitted[matching.FULL] = count = int(first[COUNT])
        if count & count + 1 == 0 and 1 << 7 <= count < 1 << 15:        # as zlib with that memory level
            fitted[matching.HASH_BITS] = count.bit_length() + 1
    return tuple(fitted)
