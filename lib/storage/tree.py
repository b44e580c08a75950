"""A folder as bytes: an index of all that is in it, and then the contents of its files.

    7 bytes   magic
    1 byte    format version
    10 bytes  length of the index, in decimal digits
    ...       the index: a line of JSON for each entry, see `Entry`
    ...       the contents of all files, one after the other, in the order of the index

An entry is [path, kind, mode, mtime], and for a file its size, for a link its target. The folder itself comes first, its path "";
a folder comes before what is in it, and all are in the order of their names. Everything but the contents is text, so that contexts
for text suit a folder of texts.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.errors import FormatError, InputError
from lib.limits import LONGEST_ENTRY, LONGEST_INDEX, MOST_ENTRIES
from lib.storage.names import is_encodable, is_file_name

MAGIC = b"\x89LKF\r\n\x1a"
VERSION = 1
FILE, FOLDER, LINK = KINDS = ("file", "folder", "link")
_DIGITS = 10
FIRST = len(MAGIC) + 1 + _DIGITS
_LARGEST_MODE = 0o777
_LATEST = (1 << 63) - 1               # nanoseconds


@dataclass(frozen=True)
class Entry:
    """What is in a folder under one path."""

    path: str                  # from the folder on, its names joined by "/"; "" for the folder itself
    kind: str                  # one of KINDS
    mode: int | None           # permission bits; None where nobody knows
    mtime: int | None          # nanoseconds since 1970; None where nobody knows
    size: int = 0              # of a file, bytes
    target: str = ""           # of a link

    @property
    def parent(self) -> str:
        """The path of the folder that it is in."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def order(self) -> list:
        """What entries are sorted by: a folder, then all in it."""
        return self.path.split("/") if self.path else []

    def to_line(self) -> bytes:
        """A line of the index."""
        special: dict[str, list] = {FILE: [self.size], FOLDER: [], LINK: [self.target]}
        return json.dumps([self.path, self.kind, self.mode, self.mtime, *special[self.kind]], separators=(",", ":")).encode() + b"\n"


def to_bytes(entries: Sequence[Entry], contents: Iterable[bytes]) -> bytes:
    """A folder's entries, sorted, and the contents of its files as bytes. InputError where it is beyond the limits."""
    lines = [entry.to_line() for entry in entries]
    length = sum(map(len, lines))
    if len(lines) > MOST_ENTRIES:
        raise InputError(f"the folder has {len(lines):,} files, folders and links, and {MOST_ENTRIES:,} fit",
                         "compress its folders one by one")
    if length > LONGEST_INDEX or max(map(len, lines)) > LONGEST_ENTRY:
        raise InputError("the paths in the folder are longer than a folder's index can be", "compress its folders one by one")
    return b"".join([MAGIC, bytes([VERSION]), b"%0*d" % (_DIGITS, length), *lines, *contents])


def start_of_contents(data: bytes) -> int:
    """Where the contents begin of a folder whose bytes begin with `data`, FIRST or more of them. Raises FormatError."""
    if data[:len(MAGIC)] != MAGIC:
        raise _damaged("it is none")
    if data[len(MAGIC):len(MAGIC) + 1] != bytes([VERSION]):
        raise FormatError("the folder is in a form that this version of Lockstep does not know", "a newer version may")
    digits = data[len(MAGIC) + 1:FIRST]
    if len(digits) != _DIGITS or not digits.isdigit():
        raise _damaged("its index has no length")
    start = FIRST + int(digits)
    if int(digits) > LONGEST_INDEX:
        raise _damaged("its index is cut short")
    return start


def parse(data: bytes, size: int | None = None) -> tuple[list[Entry], int]:
    """(the entries, where the contents begin) of a folder as bytes. Raises FormatError for what `to_bytes` cannot have made.

    size: of all bytes, where `data` may be without contents.
    """
    start = start_of_contents(data)
    if start > len(data) or data[start - 1:start] != b"\n":
        raise _damaged("its index is cut short")
    if data.count(b"\n", FIRST, start) > MOST_ENTRIES:
        raise _damaged("it claims too many entries")
    entries = _entries(data[FIRST:start])
    if sum(entry.size for entry in entries) != (len(data) if size is None else size) - start:
        raise _damaged("its sizes do not add up")
    return entries, start


def file_places(data: bytes) -> list[tuple[str, int, int]]:
    """[(path, start, size)] of the files in a folder's bytes; none where the bytes are no folder."""
    try:
        return places_of(*parse(data))
    except FormatError:
        return []


def places_of(entries: Sequence[Entry], start: int) -> list[tuple[str, int, int]]:
    """[(path, start, size)] of the files among entries, whose contents begin at `start`."""
    places = []
    for entry in entries:
        if entry.kind == FILE:
            places.append((entry.path, start, entry.size))
            start += entry.size
    return places


def _entries(index):
    """All entries of an index, each in its place: after the folder that it is in, and after those before it."""
    entries: list[Entry] = []
    folders = set()
    for line in index.splitlines():
        entry = _entry(line)
        if entries:
            if entry.parent not in folders or not all(map(is_file_name, entry.order)):
                raise FormatError("the index of the folder names a file outside of it", "the file is refused")
            if entry.order <= entries[-1].order:
                raise _damaged("its index is out of order")
        elif entry.path or entry.kind != FOLDER:
            raise _damaged("its index does not begin with the folder itself")
        if entry.kind == FOLDER:
            folders.add(entry.path)
        entries.append(entry)
    return entries


def _entry(line):
    """The Entry in a line of the index, its fields checked for their types and bounds."""
    try:
        fields = json.loads(line) if len(line) < LONGEST_ENTRY else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, list) or len(fields) not in (4, 5):
        raise _damaged("a line of its index cannot be read")
    path, kind, mode, mtime, *special = fields
    more: dict[str, list[type]] = {FILE: [int], FOLDER: [], LINK: [str]}
    wanted = more.get(kind if isinstance(kind, str) else "")
    if wanted is None or [type(field) for field in fields] != [str, str, int, int, *wanted]:
        raise _damaged("a line of its index holds a value of the wrong type")
    entry = Entry(path, kind, mode, mtime, **dict(zip({FILE: ["size"], FOLDER: [], LINK: ["target"]}[kind], special)))
    fits = 0 <= mode <= _LARGEST_MODE and -_LATEST <= mtime <= _LATEST and entry.size >= 0
    if not fits or kind == LINK and (not entry.target or "\0" in entry.target or not is_encodable(entry.target)):
        raise _damaged("a line of its index holds a value out of bounds")
    return entry


def _damaged(how):
    return FormatError(f"the folder cannot be read: {how}", "the file is damaged")
