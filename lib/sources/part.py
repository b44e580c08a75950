"""A part of a split file as symbols: for every stream of the whole its stretch of steps.

A part file is MAGIC, a version byte, the length of a MessagePack list, the list, its CRC-32, and the bytes of each
stream's stretch, one after the other. The list says which stretch of which whole it is.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgpack
import numpy as np

from lib.coding.streams import Streams
from lib.errors import FormatError, InputError, SettingsError
from lib.limits import MOST_WHOLE
from lib.sources import base
from lib.sources.bytes import ByteSource, pack_values, unpack_values

MAGIC = b"\x89LKP\r\n\x1a"
VERSION = 1
IDENTITY_BYTES = 8
_LENGTH, _CRC = struct.Struct("<H"), struct.Struct("<I")
_KINDS = ("text", "binary")
LONGEST_HEADER = 256                    # bytes of what a part file begins with


@dataclass(frozen=True)
class PartDescription:
    """Which part of which whole."""

    identity: bytes           # the first 8 bytes of the whole's SHA-256
    whole_bytes: int
    batch_size: int           # streams that the whole is laid out in
    part: int                 # from 1 on
    parts: int
    kind: str                 # of contexts that suit the whole
    values: np.ndarray        # uint8, ascending: the byte values that occur in the whole

    @property
    def streams(self) -> Streams:
        """The Streams of the whole, with the steps of this part."""
        whole = Streams(self.whole_bytes, self.batch_size)
        ends = [whole.steps * part // self.parts for part in (self.part - 1, self.part)]
        return Streams(self.whole_bytes, self.batch_size, *ends)

    def to_bytes(self) -> bytes:
        return msgpack.packb([self.identity, self.whole_bytes, self.batch_size, self.part, self.parts,
                              _KINDS.index(self.kind), pack_values(self.values)])

    @classmethod
    def from_bytes(cls, packed: bytes) -> "PartDescription":
        """Raises FormatError for what `to_bytes` cannot have made."""
        damaged = FormatError("the description of a part is damaged", "get another copy of the file")
        try:
            identity, whole_bytes, batch_size, part, parts, kind, values = msgpack.unpackb(packed)
            values = unpack_values(values)
            fits = (type(identity) is bytes and {type(number) for number in (whole_bytes, batch_size, part, parts)} == {int}
                    and len(identity) == IDENTITY_BYTES and 1 <= part <= parts <= whole_bytes <= MOST_WHOLE
                    and 1 <= batch_size <= 512 and len(values))
            place = cls(identity, whole_bytes, batch_size, part, parts, _KINDS[kind], values)
            if not fits or place.to_bytes() != packed:
                raise damaged
        except base.FAULTS as error:
            raise damaged from error
        return place


class PartSource(ByteSource):
    """A part of a split file: its bytes as symbols over the byte values that occur in the whole."""

    kind = 1
    place: PartDescription

    def __init__(self, place: PartDescription, data: np.ndarray | None = None) -> None:
        """data: uint8, the bytes of the stretches, where there are any yet."""
        super().__init__(place.values, place.whole_bytes, data)
        self.place = place

    @classmethod
    def from_bytes(cls, data: bytes) -> "PartSource":
        """The source of a part file. Raises FormatError where it is damaged."""
        place, start = _read_header(data)
        symbols = np.frombuffer(data, np.uint8, offset=start)
        if len(symbols) != place.streams.coded_count or not np.isin(symbols, place.values).all():
            raise FormatError("the part is cut short or damaged", "split the file again")
        return cls(place, symbols)

    @staticmethod
    def place_of(path: Path | str) -> tuple[PartDescription, int]:
        """(the PartDescription of a part file, where its symbols begin); reads no more than its header.

        Raises InputError where it cannot be read, and FormatError where it is damaged.
        """
        try:
            with open(path, "rb") as file:
                return _read_header(file.read(LONGEST_HEADER))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "PartSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        source = cls(PartDescription.from_bytes(description))
        if original_bytes != len(source.header()) + source.place.streams.coded_count:
            raise FormatError("the header's size is not that of the part it describes", "the file is damaged")
        return source

    def streams_for(self, batch_size: int) -> Streams:
        """The Streams to code. Raises SettingsError where they were to be others than those of the split."""
        if batch_size != self.place.batch_size:
            raise SettingsError(f"the file was split for batch_size={self.place.batch_size}, got {batch_size}", "leave it out, "
                                "or split the file anew")
        return self.place.streams

    def suitable_contexts(self) -> str:
        return self.place.kind

    def description(self) -> bytes:
        return self.place.to_bytes()

    def header(self) -> bytes:
        """The bytes that a part file begins with."""
        packed = self.place.to_bytes()
        start = MAGIC + bytes([VERSION]) + _LENGTH.pack(len(packed)) + packed
        return start + _CRC.pack(zlib.crc32(start))

    def restore(self, symbols: np.ndarray) -> bytes:
        return self.header() + super().restore(symbols)


def _read_header(data):
    """(the PartDescription, where the symbols begin) of a part file's bytes, or of its first ones."""
    start = len(MAGIC) + 1
    if data[:start] != MAGIC + bytes([VERSION]):
        raise FormatError("the part was made by a newer version of Lockstep, or is damaged")
    length = _LENGTH.unpack(data[start:start + _LENGTH.size])[0] if len(data) > start + _LENGTH.size else 0
    header = data[:start + _LENGTH.size + length]
    end = len(header) + _CRC.size
    if data[len(header):end] != _CRC.pack(zlib.crc32(header)):
        raise FormatError("the part is damaged (its checksum does not match)", "split the file again")
    return PartDescription.from_bytes(header[start + _LENGTH.size:]), end
