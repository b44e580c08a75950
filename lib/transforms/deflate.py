"""Provisional: raw deflate streams that zlib makes again from settings."""

import zlib
from dataclasses import dataclass

from lib.errors import FormatError


@dataclass(frozen=True)
class Undone:
    size: int
    inflated: bytes
    recipe: bytes


def undone(data: bytes, start: int, most: int) -> Undone | None:
    inflate = zlib.decompressobj(-15)
    pieces, at, total = [], start, 0
    try:
        while not inflate.eof and at < len(data):
            piece = inflate.decompress(data[at:at + 65536], most - total + 1)
            at += 65536
            while inflate.unconsumed_tail and total + len(piece) <= most:
                piece += inflate.decompress(inflate.unconsumed_tail, most - total - len(piece) + 1)
            pieces.append(piece)
            total += len(piece)
            if total > most:
                return None
    except zlib.error:
        return None
    if not inflate.eof:
        return None
    inflated = b"".join(pieces)
    size = min(at, len(data)) - start - len(inflate.unused_data)
    stream = data[start:start + size]
    for level in (6, 9, 1, 5, 4, 3, 2, 8, 7):
        for memory in (8, 9):
            if make(inflated, bytes([level, memory])) == stream:
                return Undone(size, inflated, bytes([level, memory]))
    return None


def make(inner: bytes, recipe: bytes) -> bytes:
    if len(recipe) != 2 or not 1 <= recipe[0] <= 9 or not 1 <= recipe[1] <= 9:
        raise FormatError("the recipe of a deflated stream is damaged", "get another copy of the file")
    deflate = zlib.compressobj(recipe[0], zlib.DEFLATED, -15, recipe[1])
    return deflate.compress(inner) + deflate.flush()
