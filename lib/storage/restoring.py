"""A folder on disk of its entries, completely or not at all, and nothing outside of it."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lib.errors import OutputError
from lib.interruptions import postponed
from lib.storage import temporary
from lib.storage.names import near_name, plain_name, shown
from lib.storage.tree import FILE, FOLDER, LINK, Entry

# What systems say of a name that a disk cannot have.
_UNNAMEABLE = (errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)
_MOST_NAMED = 3                # of what is otherwise counted


def restore(entries: Sequence[Entry], contents: Iterable[bytes], path: Path) -> list[str]:
    """Make the folder `path`, which is not there yet; returns lines on what could not be restored as it was.

    entries: checked; a folder comes before what is in it. contents: of the files, in their order. Raises OutputError.
    """
    try:
        temporary.remove_stale(path.parent)
        made = held = None
        try:
            with postponed():
                made, held = temporary.make_folder(path.parent)
            restored = _Restored(made, entries)
            restored.make(iter(contents))
            os.rename(made, path)
        except BaseException:
            if made:
                temporary.remove_tree(made)
            raise
        finally:
            temporary.release(held)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "nothing was left behind. "
                          "Free some space or choose another folder") from error
    return restored.lines()


class _Restored:
    """What was made of each entry, in a new folder."""

    def __init__(self, folder: Path, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._places = {"": folder}            # of each path so far: where it is
        self._renamed: list[tuple[str, str]] = []     # (a path, its name here)
        self._without: Counter[str] = Counter()

    def make(self, contents: Iterator[bytes]) -> None:
        """Make all of it: links once no file is to come, modes and times of folders once nothing is to come."""
        usual_mode = _usual_mode(self._places[""])
        for entry in self._entries[1:]:
            if entry.kind == FOLDER:
                self._put(entry, os.mkdir, 0o777 if entry.mode is None else 0o700)
            elif entry.kind == FILE:
                self._put(entry, _write, next(contents))
                self._finish(entry)
        for entry in self._entries:
            if entry.kind == LINK:
                self._link(entry)
        for entry in reversed(self._entries):
            if entry.kind == FOLDER:
                self._finish(entry)
        if self._entries[0].mode is None:
            os.chmod(self._places[""], usual_mode)

    def lines(self) -> list[str]:
        """What is not as it was, for a person."""
        lines = [f"{shown(path)} is restored as {shown(name)}: this disk cannot have its name beside the others"
                 for path, name in self._renamed[:_MOST_NAMED]]
        if len(self._renamed) > _MOST_NAMED:
            lines.append(f"so are {len(self._renamed) - _MOST_NAMED:,} more, under names near their own")
        links = [entry for entry in self._entries if entry.kind == LINK and _leads_outside(entry)]
        if links:
            lines.append(f"{len(links):,} link(s) lead out of the folder, as {shown(links[0].path)} to {shown(links[0].target)}")
        return lines + [f"{count:,} {what} could not be restored" for what, count in self._without.items()]

    def _put(self, entry, make, *how):
        """Make one thing, by make(place, *how), under its own name or the nearest one that is to be had."""
        folder, wanted, number = self._places[entry.parent], near_name(entry.name), 1
        while True:
            name = wanted if number == 1 else _numbered(wanted, number)
            try:
                make(folder / name, *how)
                break
            except FileExistsError:            # on a disk that takes two names for one
                number += 1
            except OSError as error:
                if error.errno not in _UNNAMEABLE or wanted == plain_name(entry.name):
                    raise
                wanted = plain_name(entry.name)
        self._places[entry.path] = folder / name
        if name != entry.name:
            self._renamed.append((entry.path, name))

    def _link(self, entry):
        try:
            self._put(entry, lambda place: os.symlink(entry.target, place))
        except (NotImplementedError, PermissionError):      # Windows lets few make links; some disks have none
            self._without["link(s)"] += 1
        else:
            self._finish(entry)

    def _finish(self, entry):
        """Give a file, folder or link its mode and its time."""
        place = self._places[entry.path]
        if entry.mode is not None and entry.kind != LINK:
            self._try("mode(s)", lambda: os.chmod(place, entry.mode))
        if entry.mtime is not None and (entry.kind != LINK or os.utime in os.supports_follow_symlinks):
            how: dict[str, Any] = dict(follow_symlinks=False) if entry.kind == LINK else {}
            self._try("time(s)", lambda: os.utime(place, ns=(entry.mtime, entry.mtime), **how))

    def _try(self, what: str, action: Callable):
        try:
            action()
        except (OSError, OverflowError, ValueError):
            self._without[what] += 1


def _write(place, data):
    with open(place, "xb") as file:
        file.write(data)


def _numbered(name, number):
    stem, dot, suffix = name.rpartition(".")
    return f"{stem} ({number}).{suffix}" if stem else f"{name} ({number})"


def _leads_outside(entry):
    """Whether a link leads out of the folder, by its words."""
    depth = len(Path(entry.parent).parts)
    for name in Path(entry.target).parts:
        depth += -1 if name == ".." else 1
        if depth < 0:
            return True
    return os.path.isabs(entry.target)


def _usual_mode(folder):
    """The permission bits that a new folder gets here."""
    probe = folder / "probe"
    os.mkdir(probe)
    mode = os.stat(probe).st_mode & 0o777
    os.rmdir(probe)
    return mode
