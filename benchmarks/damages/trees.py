"""MessagePack that says something else than it did: other values, types and sizes, near and far."""

from typing import Any

import msgpack

from benchmarks.damages.accidents import Draw, flip_bits

STRINGS = ("", ".", "..", "x", "../x", "a/b", "a\\b", "C:x", "a\0b", "a" * 300, "screenshot\u202f1.png", "\ud800", "text", "video", "text-9")
_BYTES = (b"", b"\0", b"\xff" * 40, bytes(300))
NUMBERS = (0, 1, -1, 2, 7, 255, 256, 65_536, 2**24 + 1, 2**31 - 1, 2**31, 2**32, 2**48 + 1, 2**62, 2**63 - 1, 2**64 - 1, -2**63)
_FLOATS = (0.0, -1.0, 1e300, float("inf"), float("nan"))
_NESTED = b"\x91" * 3_000 + b"\xc0"                                               # a list in a list in a list ...


def packed_tree(draw: Draw, fields: Any) -> bytes:
    """MessagePack, with surrogates as they are; now and then nested without end."""
    packed = msgpack.packb(fields, unicode_errors="surrogatepass")
    return packed if draw.random() < 0.98 else packed[:-1] + _NESTED


def other_value(draw: Draw, value: Any) -> Any:
    """Another value in place of one of a MessagePack tree: near it, or of another size or type."""
    if draw.random() < 0.2:
        return draw.choice((None, True, 1, -1, 0.5, "1", b"1", [], {}, [[1]], {1: 1}, [value], {"a": value}))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice((value + 1, value - 1, -value, value ^ 1 << draw.randrange(40), draw.choice(NUMBERS)))
    if isinstance(value, float):
        return draw.choice((value * 1.5, *_FLOATS))
    if isinstance(value, str):
        return draw.choice((*STRINGS, value + "x", value[:-1]))
    if isinstance(value, bytes):
        return draw.choice((*_BYTES, value[:-1], value + b"x", *([flip_bits(draw, value, b"")] * 4 if value else ())))
    if isinstance(value, list):
        return draw.choice((value[:-1], value[1:], value * 2, value[::-1], value + [0], [value]))
    if isinstance(value, dict):
        kept = dict(draw.sample(sorted(value.items(), key=repr), draw.randrange(len(value) + 1)))
        return draw.choice((kept, value | {"x": 1}, value | {99: 1}, value | {None: value}))
    return 0


def mutated(draw: Draw, tree: Any) -> Any:
    """A MessagePack tree in which one value, however deep, is another."""
    if isinstance(tree, list) and tree and draw.random() < 0.9:
        at = draw.randrange(len(tree))
        return [*tree[:at], mutated(draw, tree[at]), *tree[at + 1:]]
    if isinstance(tree, dict) and tree and draw.random() < 0.9:
        key = draw.choice(sorted(tree, key=repr))
        return tree | {key: mutated(draw, tree[key])}
    return other_value(draw, tree)
