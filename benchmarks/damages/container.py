"""Damages to .lks files that have right checksums: headers, segments and stored content."""

import hashlib
import struct
import zlib
from collections.abc import Callable
from typing import Any

import msgpack

from benchmarks.damages.accidents import Damage, Draw, any_accident, flip_bits
from benchmarks.damages.trees import NUMBERS, STRINGS, mutated, other_value, packed_tree
from lib import varint
from lib.coding.container import MAGIC, STORED, VERSION, Reader, Segment

_BOMB = zlib.compressobj(9, zlib.DEFLATED, -15)
_BOMB = _BOMB.compress(msgpack.packb([0, bytes(100 << 20)])) + _BOMB.flush()      # 100 MB in 100 KB
# Settings in a header that make honest work of minutes or gigabytes are no fault of a reader: drawn only as small as this.
_UNITS, _LAYERS, _WINDOW, _EMBEDDING, _ARITHMETIC, _PRIMER = 4, 5, 2, 6, 11, 15
_WITHOUT_NETWORK = (10, 11, 18, 22)
_LARGEST = {_UNITS: 32, _LAYERS: 2, _WINDOW: 12, _EMBEDDING: 16}
_CRC = struct.Struct("<I")


def _fields(data: bytes) -> tuple[list[Any], bytes]:
    """(the fields of a .lks file's header, all nine, what follows the header)."""
    length, start = varint.read(data, len(MAGIC) + 1)
    fields = msgpack.unpackb(data[start:start + length], strict_map_key=False)
    return fields + [0, b"", "", STORED, b"", [], {}, 0, False][len(fields):], data[start + length + _CRC.size:]


def _header(packed: bytes) -> bytes:
    block = MAGIC + bytes([VERSION]) + varint.packed(len(packed)) + packed
    return block + _CRC.pack(zlib.crc32(block))


def _file(packed: bytes, data: bytes, segments: list[Segment] | None = None) -> bytes:
    """A .lks file of a header, with the contents of another, or with other segments; all checksums right."""
    block = _header(packed)
    fields, body = _fields(data)
    if fields[3] == STORED and segments is None:
        return block + body
    crc = zlib.crc32(block)
    for segment in _segments(data) if segments is None else segments:
        written, crc = segment.to_bytes(crc)
        block += written
    return block


def _segments(data: bytes) -> list[Segment]:
    return Reader(data).read_segments(1 << 62)[0]


def _with_fields(change: Callable[[Draw, list[Any]], None]) -> Damage:
    """A header whose fields are changed in place."""
    def on(draw: Draw, data: bytes, other: bytes) -> bytes:
        fields, _ = _fields(data)
        change(draw, fields)
        return _file(packed_tree(draw, with_small_network(fields)), data)
    return on


def with_small_network(fields: Any) -> Any:
    """The fields, where they name a network that is large, or a primer, with a small one and none."""
    if not isinstance(fields, list) or len(fields) < 7 or not isinstance(fields[6], dict) or fields[3] == STORED:
        return fields
    overrides = fields[6]
    if fields[3] not in _WITHOUT_NETWORK:
        overrides = _LARGEST | {3: 4, _ARITHMETIC: "exact", _PRIMER: "none"} | overrides
    for key, largest in _LARGEST.items():
        value = overrides.get(key)
        if isinstance(value, int) and largest < value <= 8192:
            overrides = overrides | {key: largest}
    if overrides.get(_PRIMER) == "text-1":
        overrides = overrides | {_PRIMER: "none"}
    fields[6] = overrides
    return fields


def _any_field(draw: Draw, data: bytes, other: bytes) -> bytes:
    return _file(packed_tree(draw, with_small_network(mutated(draw, _fields(data)[0]))), data)


def _set(number: int, value: Callable[[Draw, Any], Any]) -> Damage:
    def change(draw: Draw, fields: list[Any]) -> None:
        fields[number] = value(draw, fields[number])
    return _with_fields(change)


def _overridden(draw: Draw, overrides: dict[int, Any]) -> dict[int, Any]:
    values = (*NUMBERS, 3, 12, 13, 28, 0.5, 1e-7, "text", "binary", "video", "image", "sound", "none", "yes", "no", "exact", *STRINGS)
    return overrides | {draw.randrange(21): draw.choice(values) for _ in range(draw.choice((1, 1, 2)))}


def _other_description(draw: Draw, description: bytes) -> bytes:
    """Inflated, changed and deflated again where it is deflated; changed as MessagePack where it is that."""
    if draw.random() < 0.05:
        return _BOMB
    try:
        tree = msgpack.unpackb(zlib.decompressobj(-15).decompress(description, 1 << 26), strict_map_key=False)
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(packed_tree(draw, mutated(draw, tree))) + deflate.flush()
    except (zlib.error, ValueError, TypeError, msgpack.UnpackException):
        pass
    try:
        return packed_tree(draw, mutated(draw, msgpack.unpackb(description)))
    except (ValueError, TypeError, msgpack.UnpackException):
        return draw.choice((other_value(draw, description), draw.randbytes(draw.randrange(40))))


def _fingers(draw: Draw, data: bytes, other: bytes) -> bytes:
    """A segment that says other things of itself."""
    segments = _segments(data)
    at = draw.randrange(len(segments))
    one = segments[at]
    steps = draw.choice((one.steps, one.steps, max(0, one.steps + draw.choice((-1, 1))), abs(draw.choice(NUMBERS)) % 2**62))
    payload = draw.choice((one.payload, b"", one.payload + b"x", one.payload[:-1], flip_bits(draw, one.payload, b"")))
    segments[at] = Segment(steps, payload, draw.choice((one.fingerprint, draw.randbytes(8))))
    return _file(msgpack.packb(_fields(data)[0]), data, segments)


def _moved(draw: Draw, segments: list[Any]) -> list[Any]:
    """Segments shuffled, repeated, dropped or exchanged."""
    first, second = draw.sample(range(len(segments)), 2)
    shuffled = draw.sample(segments, len(segments))
    exchanged = list(segments)
    exchanged[first], exchanged[second] = segments[second], segments[first]
    return draw.choice((shuffled, exchanged, segments[:first] + segments[first + 1:], segments[:first] + segments[second:second + 1] + segments[first:],
                        segments[:first] + [segments[first]] * 2 + segments[first + 1:], segments[:first + 1]))


def _raw_segments(data: bytes) -> tuple[bytes, list[bytes]]:
    """(the header's bytes, those of each segment)."""
    written = [len(segment.to_bytes(0)[0]) for segment in _segments(data)]
    start, blocks = len(data) - sum(written), []
    for length in written:
        blocks.append(data[start:start + length])
        start += length
    return data[:len(data) - sum(written)], blocks


def _segments_moved(draw: Draw, data: bytes, other: bytes) -> bytes:
    header, blocks = _raw_segments(data)
    return header + b"".join(_moved(draw, blocks))


def _segments_sealed(draw: Draw, data: bytes, other: bytes) -> bytes:
    return _file(msgpack.packb(_fields(data)[0]), data, _moved(draw, _segments(data)))


def _segments_of_another(draw: Draw, data: bytes, other: bytes) -> bytes:
    segments = _segments(data) if draw.random() < 0.5 else []
    return _file(msgpack.packb(_fields(data)[0]), data, segments[:draw.randrange(len(segments) + 1)] + _segments(other))


def _own_content(draw: Draw, data: bytes, other: bytes) -> bytes:
    """What is stored is changed, and the header says that this is right."""
    fields, body = _fields(data)
    if fields[3] != STORED:
        raise ValueError("nothing is stored")
    body = any_accident(draw, body, other)
    fields[0], fields[1] = len(body), hashlib.sha256(body).digest()
    return _header(msgpack.packb(fields)) + body


OWN_CONTENT = "stored content changed, SHA-256 right"
CONTAINER: dict[str, Damage] = {
    "segments moved": _segments_moved,
    "segments moved, checksums right": _segments_sealed,
    "segments of another, checksums right": _segments_of_another,
    "a segment's fields, checksum right": _fingers,
    "header: any field": _any_field,
    "header: size": _set(0, other_value),
    "header: name": _set(2, other_value),
    "header: preset": _set(3, lambda draw, number: draw.choice((*range(30), other_value(draw, number)))),
    "header: overrides": _set(6, _overridden),
    "header: kind of source": _set(7, lambda draw, kind: draw.choice((0, 1, 2, 3, 4, other_value(draw, kind)))),
    "header: folder or not": _set(8, lambda draw, is_folder: not is_folder),
    "header: description": _set(4, _other_description),
    OWN_CONTENT: _own_content,
}
