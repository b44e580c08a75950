"""What happens to files by accident: on disks, on the way, in other programs."""

import random
from collections.abc import Callable

Draw = random.Random
Damage = Callable[[Draw, bytes, bytes], bytes]        # (draw, data, bytes of another file) to damaged data


def _stretch(draw: Draw, data: bytes) -> tuple[int, int]:
    """Where a stretch of a file begins and ends: one byte to all of it."""
    start = draw.randrange(len(data))
    return start, min(len(data), start + 1 + int(len(data) ** draw.random()))


def flip_bits(draw: Draw, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _flip_bytes(draw: Draw, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 20))):
        changed[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(changed)


def _swap(draw: Draw, data: bytes, other: bytes) -> bytes:
    a, b, c = sorted(draw.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _on_stretch(change: Callable[[bytes], bytes]) -> Damage:
    def on(draw: Draw, data: bytes, other: bytes) -> bytes:
        start, end = _stretch(draw, data)
        return data[:start] + change(data[start:end]) + data[end:]
    return on


ACCIDENTS: dict[str, Damage] = {
    "bits flipped": flip_bits,
    "bytes changed": _flip_bytes,
    "cut short": lambda draw, data, other: data[:draw.randrange(len(data))],
    "beginning lost": lambda draw, data, other: data[1 + draw.randrange(len(data)):],
    "cut out": _on_stretch(lambda stretch: b""),
    "repeated": _on_stretch(lambda stretch: stretch * 2),
    "zeroed": _on_stretch(lambda stretch: bytes(len(stretch))),
    "swapped": _swap,
    "inserted": lambda draw, data, other: data[:(at := draw.randrange(len(data) + 1))] + draw.randbytes(1 + draw.randrange(40)) + data[at:],
    "line ends changed": lambda draw, data, other: data.replace(b"\r\n", b"\n") if draw.random() < 0.5 else data.replace(b"\n", b"\r\n"),
    "another behind it": lambda draw, data, other: data + draw.choice((data, other)),
    "another spliced in": lambda draw, data, other: data[:draw.randrange(1, len(data))] + other[draw.randrange(len(other)):],
}


def any_accident(draw: Draw, data: bytes, other: bytes) -> bytes:
    return ACCIDENTS[draw.choice(sorted(ACCIDENTS))](draw, data, other)
