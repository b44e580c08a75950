"""Where deflated data begins behind the headers of zip, gzip and zlib."""

import struct

_ZIP = struct.Struct("<4s2xHH16xHH")       # signature, flags, method, lengths of the name and of the extra field
_DEFLATED = 8
_GZIP_FLAGS = 10                           # where the header's fixed part ends
_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_LONGEST_TEXT = 1 << 12                    # bytes of a name or a comment in a gzip header


def deflated_at(data: bytes, container: str, start: int) -> int | None:
    """Where the deflated data of a "zip", "gzip" or "zlib" header at `start` begins; None where there is no such header."""
    return {"zip": _in_zip, "gzip": _in_gzip, "zlib": _in_zlib}[container](data, start)


def _in_zip(data, start):
    if start + _ZIP.size > len(data):
        return None
    _, _, method, name, extra = _ZIP.unpack_from(data, start)
    return start + _ZIP.size + name + extra if method == _DEFLATED else None


def _in_gzip(data, start):
    if start + _GZIP_FLAGS > len(data):
        return None
    flags, at = data[start + 3], start + _GZIP_FLAGS
    if flags & ~(1 | _CRC | _EXTRA | _NAME | _COMMENT):
        return None
    if flags & _EXTRA:
        if at + 2 > len(data):
            return None
        at += 2 + int.from_bytes(data[at:at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = data.find(b"\0", at, at + _LONGEST_TEXT)
            if end < 0:
                return None
            at = end + 1
    return at + (2 if flags & _CRC else 0)


def _in_zlib(data, start):
    has_dictionary = data[start + 1] & 32
    return None if int.from_bytes(data[start:start + 2], "big") % 31 or has_dictionary else start + 2
