"""A folder as bytes, and back: its files, folders and links, with their modes and times.

The same content with the same modes and times is the same bytes. What is not kept is said.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.errors import FormatError, InputError, OutputError
from lib.storage import restoring, tree, zipped
from lib.storage.files import check_target, read_with_facts
from lib.storage.names import is_encodable, shown
from lib.storage.tree import FILE, FOLDER, LINK, Entry

# What bytes in a .lks file stand for: its `Header.archive`.
NO_FOLDER, ZIPPED, TREE = ARCHIVES = 0, 1, 2
_MOST_NAMED = 3                # of what is otherwise counted
_NOT_FOLLOWED = getattr(os, "O_NOFOLLOW", 0)
# Extended attributes that a system keeps for itself on every file.
_OF_THE_SYSTEM = ("security.selinux", "com.apple.provenance")


def is_folder(path: str | os.PathLike) -> bool:
    """Whether a path is a folder; False for names that no file can have."""
    return os.path.isdir(path)


def folder_bytes(path: str | os.PathLike) -> int:
    """Bytes of all files in a folder. Raises InputError where it cannot be read."""
    return sum(facts.st_size for _, facts in _walk(Path(path)) if stat.S_ISREG(facts.st_mode))


def pack(path: str | os.PathLike) -> tuple[bytes, list[str]]:
    """(a folder as bytes, in the form TREE; lines on what of it they do not keep).

    Raises InputError where something cannot be read, changes meanwhile, or is beyond lib.limits.
    """
    path = Path(path)
    entries, contents, lost = [], [], _Lost()
    for place, facts in _walk(path):
        entry, data = _entry_of(place, facts, path)
        lost.note(place, facts, entry)
        if entry is not None:
            entries.append(entry)
            contents.append(data)
    order = sorted(range(len(entries)), key=lambda number: entries[number].order)
    return tree.to_bytes([entries[number] for number in order], [contents[number] for number in order]), lost.lines()


def check(data: bytes, archive: int) -> None:
    """Refuse, with a FormatError, what no folder was made into, or what leads out of it. Writes nothing."""
    _parsed(data, archive)


def unpack(data: bytes, path: str | os.PathLike, archive: int) -> list[str]:
    """Make the folder `path` of bytes in one of ARCHIVES, completely or not at all; returns lines on what is not as it was.

    Raises FormatError as `check`, and OutputError.
    """
    entries, contents = _parsed(data, archive)
    check_new(path)
    return restoring.restore(entries, contents, Path(path))


def mode_of(data: bytes) -> int:
    """The permission bits that what is made of a folder may have at most: what nothing in it forbids; of the form TREE."""
    bits = 0o666
    for entry in tree.parse(data)[0]:
        if entry.kind != LINK and entry.mode is not None:
            bits &= entry.mode
    return 0o600 | bits


def check_new(path: str | os.PathLike) -> None:
    """Refuse, with an OutputError, a folder that exists already or could not be made."""
    if os.path.lexists(path):
        raise OutputError(f"{path} exists already, and folders are never replaced", "choose another name")
    check_target(path, overwrite=False)


def check_outside(folder: str | os.PathLike, *paths: str | os.PathLike | None) -> None:
    """Refuse, with an OutputError, what would be written into the folder that is read, and so change it."""
    for path in paths:
        if path and Path(path).resolve().is_relative_to(Path(folder).resolve()):
            raise OutputError(f"{path} would lie in the folder that is compressed", "choose a place outside of it")


def _parsed(data, archive):
    """(the entries, the contents of the files among them) of bytes in one of ARCHIVES."""
    if archive == ZIPPED:
        return zipped.parse(data)
    if archive != TREE:
        raise FormatError(f"the folder is in form {archive}, which this version of Lockstep does not know", "a newer version may")
    entries, start = tree.parse(data)
    sizes = [entry.size for entry in entries if entry.kind == FILE]
    ends = list(itertools.accumulate(sizes, initial=start))
    return entries, (memoryview(data)[begin:end] for begin, end in zip(ends, ends[1:]))


def _walk(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """(path, what the system says of it) of a folder and of all in it; links are not followed, but for the folder itself."""
    waiting = [path]
    try:
        yield path, os.stat(path)
        while waiting:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    facts = entry.stat(follow_symlinks=False)
                    yield Path(entry.path), facts
                    if stat.S_ISDIR(facts.st_mode):
                        waiting.append(Path(entry.path))
    except OSError as error:
        raise InputError(f"cannot read {error.filename or path}: {error.strerror}") from error


def _entry_of(place, facts, root):
    """(the Entry of what lies at `place`, its contents); (None, b"") for what is none of tree.KINDS."""
    path = place.relative_to(root).as_posix() if place != root else ""
    if not is_encodable(path):
        raise InputError(f"{shown(str(place))} has a name that is no text", "rename it")
    special: dict[str, Any]
    if stat.S_ISREG(facts.st_mode):
        data, facts = read_with_facts(place, _NOT_FOLLOWED)
        kind, special = FILE, dict(size=len(data))
    elif stat.S_ISDIR(facts.st_mode):
        kind, special, data = FOLDER, {}, b""
    elif stat.S_ISLNK(facts.st_mode):
        kind, special, data = LINK, dict(target=_target_of(place)), b""
    else:
        return None, b""
    return Entry(path, kind, facts.st_mode & 0o777, facts.st_mtime_ns, **special), data


def _target_of(place):
    try:
        return os.readlink(place)
    except OSError as error:
        raise InputError(f"cannot read {place}: {error.strerror}") from error


@dataclass
class _Lost:
    """What a folder's bytes do not keep."""

    left_out: list = field(default_factory=list)       # sockets, pipes and devices
    inodes: dict = field(default_factory=dict)         # of files of several names: how many of them are in the folder
    owned: int = 0                                     # by others
    special: int = 0                                   # set-user-ID and the like
    attributed: int = 0                                # with extended attributes

    def note(self, place: Path, facts: os.stat_result, entry: Entry | None) -> None:
        if entry is None:
            self.left_out.append(place)
            return
        if entry.kind == FILE and facts.st_nlink > 1:
            which = (facts.st_dev, facts.st_ino)
            self.inodes[which] = self.inodes.get(which, 0) + 1
        self.owned += hasattr(os, "geteuid") and facts.st_uid != os.geteuid()
        self.special += entry.kind != LINK and bool(facts.st_mode & 0o7000)
        self.attributed += _has_attributes(place)

    def lines(self) -> list[str]:
        linked = sum(count for count in self.inodes.values() if count > 1)
        lines = []
        if self.left_out:
            some = ", ".join(shown(str(place)) for place in self.left_out[:_MOST_NAMED])
            more = f" and {len(self.left_out) - _MOST_NAMED:,} more" if len(self.left_out) > _MOST_NAMED else ""
            lines.append(f"left out, as no file, folder or link: {some}{more}")
        for count, what in ((linked, "are hard links to the same files, and become separate files"),
                            (self.owned, "belong to other users, which is not kept"),
                            (self.special, "have special permission bits (set-user-ID and the like), which are not kept"),
                            (self.attributed, "have extended attributes, which are not kept")):
            if count:
                lines.append(f"{count:,} in the folder {what}")
        return lines


def _has_attributes(place):
    """Whether something has extended attributes that somebody gave it; False where the system does not say."""
    try:
        return any(name not in _OF_THE_SYSTEM for name in os.listxattr(place, follow_symlinks=False))
    except (AttributeError, OSError):
        return False
