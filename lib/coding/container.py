"""The .lks file: magic, header, segments, checksums. Knows nothing of models or coding.

    7 bytes   magic; a transfer that changes line ends or drops the eighth bit breaks it
    1 byte    format version
    varint    length of the header
    ...       header: one MessagePack array, see `Header`
    4 bytes   CRC-32 of all bytes before it
  then, where data is stored, the original's bytes; where it is coded, segments up to the end:
    varint    steps in the segment
    varint    length of the payload
    ...       payload
    8 bytes   fingerprint of the model's state after the segment
    4 bytes   CRC-32 of the segment's bytes before it, continued from the CRC before

Integers are little-endian. A varint holds seven bits a byte, the lowest first (as LEB128).
The CRC is continued from one segment to the next, so a segment cannot stand in another's place.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgpack

from lib import varint
from lib.errors import FormatError
from lib.limits import LONGEST_HEADER, MOST_ORIGINAL
from lib.storage.names import is_file_name

MAGIC = b"\x89LKS\r\n\x1a"
VERSION = 1
FINGERPRINT_BYTES = 8
_CRC = struct.Struct("<I")
_MOST_ARCHIVE = 2         # see lib.storage.folders
_UNICODE_ERRORS = "surrogateescape"      # names that are no UTF-8 are kept, byte for byte
STORED = 0                # in place of a preset: the data as it is


@dataclass(frozen=True)
class Header:
    """What a .lks file says of itself."""

    original_bytes: int                 # length of the original
    sha256: bytes                       # of the original, 32 bytes
    name: str                           # base name of the original, see lib.storage.names
    preset: int = STORED                # number in lib.settings.PRESETS, or STORED
    description: bytes = b""            # what the source needs to give the bytes back
    environment: tuple = ()             # what the bits depend on, see lib.models.environment
    overrides: dict = field(default_factory=dict)  # settings that differ from the preset's
    source_kind: int = 0                # which source gives the bytes back, see lib.sources
    archive: int = 0                    # 0 for a file; of a folder, the form that lib.storage.folders gave it

    @property
    def is_folder(self) -> bool:
        return self.archive != 0

    @property
    def is_stored(self) -> bool:
        return self.preset == STORED

    def to_bytes(self) -> bytes:
        """Magic, version, header and CRC-32."""
        fields = [self.original_bytes, self.sha256, self.name, self.preset, self.description,
                  list(self.environment), self.overrides, self.source_kind, self.archive]
        while not fields[-1]:
            fields.pop()  # empty fields at the end cost nothing
        packed = msgpack.packb(fields, unicode_errors=_UNICODE_ERRORS)
        block = MAGIC + bytes([VERSION]) + varint.packed(len(packed)) + packed
        return block + _CRC.pack(zlib.crc32(block))


@dataclass(frozen=True)
class Segment:
    """A stretch of steps, coded on its own after the ones before it."""

    steps: int
    payload: bytes
    fingerprint: bytes

    def to_bytes(self, previous_crc: int) -> tuple[bytes, int]:
        """(the segment with its CRC-32, the CRC-32 to continue from)."""
        block = varint.packed(self.steps, len(self.payload)) + self.payload + self.fingerprint
        crc = zlib.crc32(block, previous_crc)
        return block + _CRC.pack(crc), crc


class _Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


class Writer:
    """Writes a .lks file to anything with `write(bytes)`, segment by segment."""

    def __init__(self, output: _Writable, header: Header) -> None:
        block = header.to_bytes()
        self._output = output
        self._crc = zlib.crc32(block)
        self.bytes_written = len(block)
        self._segments: list[bytes] = []
        output.write(block)

    def write_segment(self, segment: Segment) -> None:
        block, self._crc = segment.to_bytes(self._crc)
        self._segments.append(block)
        self.bytes_written += len(block)
        self._output.write(block)

    def state(self) -> tuple[dict[str, int], dict[str, bytes]]:
        """What `resume` goes on from: ({"crc": the CRC-32 so far}, {"segments": their bytes})."""
        return {"crc": self._crc}, {"segments": b"".join(self._segments)}

    def resume(self, crc: int, segments: bytes) -> None:
        """Write the segments of an earlier run, and go on after them."""
        self._crc, self._segments = crc, [segments]
        self.bytes_written += len(segments)
        self._output.write(segments)


class Reader:
    """Reads a .lks file from bytes. The constructor checks the header and raises FormatError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if data[:len(MAGIC)] != MAGIC:
            raise FormatError(*_not_ours(data))
        if len(data) <= len(MAGIC):
            raise FormatError("the file is cut short inside its header", "get a complete copy")
        if data[len(MAGIC)] != VERSION:
            raise FormatError(f"the file has format version {data[len(MAGIC)]}", f"this version of Lockstep reads "
                              f"version {VERSION}. A newer version may read it, or the file is damaged")
        length, start = self._read_varint(len(MAGIC) + 1, "its header")
        if length > LONGEST_HEADER:
            raise FormatError(f"the header claims {length} bytes, more than {LONGEST_HEADER}", "the file is damaged")
        packed = self._read(start, length, "its header")
        stated, = _CRC.unpack(self._read(start + length, _CRC.size, "its header"))
        if zlib.crc32(data[:start + length]) != stated:
            raise FormatError("the header is damaged (its checksum does not match)", "get another copy of the file")
        self._body = start + length + _CRC.size
        self._body_crc = zlib.crc32(data[:self._body])
        self.header = _parse_header(packed)

    def read_stored(self) -> bytes:
        """The bytes of a file that stores them, FormatError where there are too many or too few."""
        stored, expected = len(self._data) - self._body, self.header.original_bytes
        if stored != expected:
            what = "cut short" if stored < expected else "followed by bytes that do not belong to it"
            raise FormatError(f"the file is {what}: it holds {stored:,} of {expected:,} bytes", "get a complete copy")
        return self._data[self._body:]

    def read_segments(self, total_steps: int) -> tuple[list[Segment], FormatError | None]:
        """(the segments that are intact from the start on, the FormatError that ends them or None).

        Nothing but the file's own bytes is held; `total_steps` is where the last segment ends.
        """
        segments: list[Segment] = []
        position, crc, covered = self._body, self._body_crc, 0
        try:
            while covered < total_steps:
                segment, position, crc = self._read_segment(position, crc, len(segments) + 1)
                covered += segment.steps
                if segment.steps == 0 or covered > total_steps:
                    raise FormatError(f"segment {len(segments) + 1} does not fit the size in the header", "the file is damaged")
                segments.append(segment)
            if position != len(self._data):
                raise FormatError(f"{len(self._data) - position} bytes follow the end of the file's contents",
                                  "cut them off, or get another copy")
        except FormatError as error:
            return segments, error
        return segments, None

    def _read_segment(self, start, previous_crc, number):
        place = f"segment {number}"
        steps, position = self._read_varint(start, place)
        length, position = self._read_varint(position, place)
        payload = self._read(position, length, place)
        position += length
        fingerprint = self._read(position, FINGERPRINT_BYTES, place)
        position += FINGERPRINT_BYTES
        crc = zlib.crc32(self._data[start:position], previous_crc)
        stated, = _CRC.unpack(self._read(position, _CRC.size, place))
        if crc != stated:
            raise FormatError(f"segment {number} is damaged (its checksum does not match)",
                              "get another copy of the file")
        return Segment(steps, payload, fingerprint), position + _CRC.size, crc

    def _read(self, start, length, place):
        if start + length > len(self._data):
            raise _cut_short(place)
        return self._data[start:start + length]

    def _read_varint(self, position, place):
        try:
            return varint.read(self._data, position)
        except IndexError:
            raise _cut_short(place) from None
        except ValueError:
            raise FormatError(f"a number in {place} is out of bounds", "the file is damaged") from None


def _cut_short(place):
    return FormatError(f"the file is cut short in {place}, or damaged there", "get a complete copy")


def _parse_header(packed):
    """The Header in a MessagePack array, every field checked for its type and bounds."""
    try:
        fields = msgpack.unpackb(packed, use_list=True, strict_map_key=False, unicode_errors=_UNICODE_ERRORS)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise FormatError("the header cannot be read", "the file is damaged or made by another program") from error
    defaults = [0, b"", "", STORED, b"", [], {}, 0, 0]        # in the order of Header's fields
    if not isinstance(fields, list) or len(fields) > len(defaults):
        raise FormatError("the header holds what this version of Lockstep does not know", "a newer version may")
    try:
        msgpack.packb(fields[:2] + fields[3:])
    except ValueError as error:
        raise FormatError("the header holds a text that is no UTF-8", "the file is damaged") from error
    fields += defaults[len(fields):]
    if type(fields[-1]) is bool:
        fields[-1] = int(fields[-1])         # as version 0.1 said whether there is a folder
    if any(type(value) is not type(default) for value, default in zip(fields, defaults)):
        raise FormatError("the header holds a value of the wrong type", "the file is damaged")
    fields[5] = tuple(fields[5])
    header = Header(*fields)
    if not 0 <= header.original_bytes <= MOST_ORIGINAL or len(header.sha256) != 32:
        raise FormatError("the header holds a value out of bounds", "the file is damaged")
    if not is_file_name(header.name):
        raise FormatError(f"the header names {header.name!r}, which is not a plain file name", "the file is refused")
    if not 0 <= header.archive <= _MOST_ARCHIVE:
        raise FormatError(f"the folder is in form {header.archive}, which this version of Lockstep does not know",
                          "a newer version may")
    return header


def _not_ours(data):
    """(what is wrong with a file that does not begin as a .lks file, what to do)."""
    if not data:
        return "the file is empty", "get another copy"
    if MAGIC.startswith(data):
        return "the file is cut short inside its first bytes", "get a complete copy"
    if data[1:4] == MAGIC[1:4]:
        return "the file begins like a .lks file but was changed on its way, as by a text-mode transfer", "get another copy"
    if data[:3] == MAGIC[:3] and data[3:4] in _OTHERS:
        return _OTHERS[data[3:4]]
    return "this is not a .lks file", "choose a file that Lockstep made"


# What else of Lockstep begins like a .lks file, by its fourth byte, and what it is for.
_OTHERS = {b"C": ("this is a checkpoint", "resume goes on from it"), b"Q": ("this is a prior", "give it as such (--prior; prior= in Python)"),
           b"P": ("this is a part of a split file", "compress it, or join it with the others")}
