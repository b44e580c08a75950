"""The settings with which the linked zlib makes a stream again: (level, window bits, memory level, strategy). Versions of PNG files hold them.

What zlib makes of the same settings has been the same since 1995, but forks of it that are made for speed make other streams.
"""

import zlib

_AT_ONCE = 1 << 16
_LEVELS = {0: (1, 0), 1: (5, 4, 3, 2), 2: (6,), 3: (9, 8, 7)}        # as the stream's header hints
_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED)


def settings_of(stream: bytes, inflated: bytes) -> tuple | None:
    """The settings with which zlib makes a stream (RFC 1950) of what it inflates to, or None."""
    window = (stream[0] >> 4) + 8
    for strategy in _STRATEGIES:
        for memory in (8, 9):
            for level in range(1, 10) if strategy == zlib.Z_FIXED else _LEVELS[stream[1] >> 6]:      # of which the header says nothing
                settings = (level, max(9, window), memory, strategy)
                if _makes(settings, inflated, stream):
                    return settings
    return None


def deflated_with(inflated: bytes, settings: tuple) -> bytes:
    """The stream that zlib makes with settings."""
    return b"".join(_pieces(inflated, settings))


def _makes(settings, inflated, stream):
    """Whether zlib with settings makes a stream; most that do not are told by its beginning."""
    done = 0
    for made in _pieces(inflated, settings):
        if stream[done:done + len(made)] != made:
            return False
        done += len(made)
    return done == len(stream)


def _pieces(inflated, settings):
    level, window, memory, strategy = settings
    deflate = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    for start in range(0, len(inflated), _AT_ONCE):
        yield deflate.compress(inflated[start:start + _AT_ONCE])
    yield deflate.flush()
