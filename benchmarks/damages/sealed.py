"""Damages to checkpoints, priors, parts and manifests, with right checksums."""

import hashlib
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import msgpack

from benchmarks.damages.accidents import Damage, Draw
from benchmarks.damages.container import with_small_network
from benchmarks.damages.trees import mutated, packed_tree

CHECKPOINT, PRIOR, PART = (b"\x89LK" + letter + b"\r\n\x1a" for letter in (b"C", b"Q", b"P"))
_CRC, _LENGTH = struct.Struct("<I"), struct.Struct("<I")


def sealed_again(data: bytes, change: Callable[[dict[str, Any]], Any], draw: Draw | None = None) -> bytes:
    """A checkpoint that says something else of itself, with the right SHA-256."""
    start = len(CHECKPOINT) + 1
    end = start + _LENGTH.size + _LENGTH.unpack(data[start:start + _LENGTH.size])[0]
    about = change(msgpack.unpackb(data[start + _LENGTH.size:end], strict_map_key=False))
    packed = packed_tree(draw, about) if draw else msgpack.packb(about)
    block = data[:start] + _LENGTH.pack(len(packed)) + packed + data[end:-32]
    return block + hashlib.sha256(block).digest()


def _mutated_about(draw: Draw, about: dict[str, Any]) -> Any:
    """Another description, of no large network and of the same output: a run writes where its checkpoint says."""
    output, about = about.get("output"), mutated(draw, about)
    if isinstance(about, dict) and isinstance(about.get("output"), str):
        about = about | {"output": output}
    if isinstance(about, dict) and isinstance(about.get("overrides"), dict):
        fields = with_small_network([0, 0, 0, about.get("preset"), 0, 0, about["overrides"]])
        about = about | {"overrides": fields[6]}
    return about


SEALED: dict[str, Damage] = {
    "checkpoint's description, SHA-256 right": lambda draw, data, other: sealed_again(
        data, lambda about: _mutated_about(draw, about), draw),
}


def _listed(draw: Draw, data: bytes, magic: bytes, length: struct.Struct) -> bytes:
    """A list behind a magic, a version and its length, changed, with the right CRC-32."""
    start = len(magic) + 1 + length.size
    end = start + length.unpack(data[len(magic) + 1:start])[0]
    packed = packed_tree(draw, mutated(draw, msgpack.unpackb(data[start:end])))
    block = data[:len(magic) + 1] + length.pack(len(packed)) + packed
    return block + _CRC.pack(zlib.crc32(block)) + data[end + _CRC.size:]


PRIORS: dict[str, Damage] = {"prior's list, CRC right": lambda draw, data, other: _listed(draw, data, PRIOR, _LENGTH)}
PARTS: dict[str, Damage] = {"part's description, CRC right": lambda draw, data, other: _listed(draw, data, PART, struct.Struct("<H"))}


def _manifest(draw: Draw, data: bytes, other: bytes) -> bytes:
    return json.dumps(mutated(draw, json.loads(data)), indent=draw.choice((None, 1)), default=repr).encode()


MANIFESTS: dict[str, Damage] = {
    "manifest: any value": _manifest,
    "manifest: a number": lambda draw, data, other: _number(draw, data),
    "manifest: nested": lambda draw, data, other: b"[" * draw.choice((10, 2_000, 200_000)) + data,
}


def _number(draw: Draw, data: bytes) -> bytes:
    """One number of a manifest is written otherwise."""
    places = [at for at in range(1, len(data) - 1) if data[at - 1:at + 1].strip() and data[at - 1] in b" :" and chr(data[at]).isdigit()]
    at = draw.choice(places)
    end = next(stop for stop in range(at, len(data)) if not chr(data[stop]).isdigit())
    return data[:at] + draw.choice((b"1e400", b"-1", b"0", b"NaN", b"9" * 5_000, b"1.5", b"true", b"281474976710656", b"7", b"512")) + data[end:]
