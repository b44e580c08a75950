"""Temporary files and folders beside what they will become, reservations of outputs, and the removal of those that dead runs left.

One that is in use is held with a lock of the system, which ends with the process, however that ends: what can be locked is
nobody's. Where the system has no such locks, nothing is ever collected.
"""

import contextlib
import io
import os
import platform
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from lib.interruptions import postponed

try:
    import fcntl
except ImportError:                  # Windows, which removes no file that is open
    fcntl = None                     # type: ignore[assignment]

# The names of what is made here: the machine, and what chance gave.
_NAME = re.compile(r"\.lockstep-(?P<machine>[0-9a-f]{8})-[0-9a-f]{8}\.tmp")
# Some network disks have locks that other machines do not see: what those made is left alone for a week.
_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
_ELSEWHERE = 7 * 24 * 3600           # seconds
_TRIES, _SECONDS_BETWEEN_TRIES = 5, 0.05      # to reserve what somebody holds: who only looks whether it is stale holds it for a moment


def make_file(folder: Path, mode: int) -> io.BufferedWriter:
    """A new file in `folder`, held until it is closed; its `name` is the path. mode: the permission bits it has at most.

    Raises OSError.
    """
    while True:
        file = open(_path(folder), "xb", opener=lambda path, flags: os.open(path, flags, mode))
        if _hold(file.fileno(), file.name):
            return file
        file.close()


def make_folder(folder: Path) -> tuple[Path, int | None]:
    """(a new folder in `folder`, for its owner alone, what `release` takes). Raises OSError."""
    while True:
        path = _path(folder)
        os.mkdir(path, 0o700)
        if fcntl is None:
            return path, None
        descriptor = os.open(path, os.O_RDONLY)
        if _hold(descriptor, path):
            return path, descriptor
        os.close(descriptor)


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """While inside, nobody else here reserves `path`, the place of an output or a checkpoint that a run is to make.

    Raises BlockingIOError where somebody has. Where nothing can be written in its folder, nothing is reserved.
    """
    folder, name = os.path.split(os.path.realpath(path))
    place = _path(Path(folder), f"{zlib.crc32(os.fsencode(name)):08x}")
    descriptor = None
    try:
        with postponed():
            descriptor = _reserve(place)
        yield
    finally:
        if descriptor is not None:
            if os.name == "nt":
                os.close(descriptor)             # Windows removes no open file
            with contextlib.suppress(OSError):
                os.unlink(place)
            if os.name != "nt":
                os.close(descriptor)


def _reserve(place):
    """A descriptor that holds the file at `place`, or None where none can be made. Raises BlockingIOError."""
    tries = 0
    while True:
        try:
            if fcntl is None and os.path.exists(place):
                os.unlink(place)                 # a dead run's, or else it is open, and stays
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except PermissionError as error:
            if fcntl is None and os.path.exists(place):
                raise BlockingIOError(str(error)) from error
            return None
        except OSError:
            return None
        if fcntl is None:
            return descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            tries += 1
            if tries == _TRIES:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)
            continue
        except OSError:
            return descriptor                    # a disk without locks
        if _is(place, descriptor):
            return descriptor
        os.close(descriptor)                     # who had it has just removed it


def release(descriptor: int | None) -> None:
    """Hold a folder no longer."""
    if descriptor is not None:
        os.close(descriptor)


def remove_stale(folder: Path) -> None:
    """Remove what dead runs left in `folder`. What cannot be removed stays."""
    if fcntl is None:
        return
    try:
        with os.scandir(folder) as entries:
            found = [(entry.path, named["machine"]) for entry in entries if (named := _NAME.fullmatch(entry.name))]
    except OSError:
        return
    for path, machine in found:
        try:
            _remove_if_stale(path, machine)
        except OSError:
            pass


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, also where its modes forbid that. What cannot be removed stays."""
    try:
        os.chmod(path, 0o700)
    except OSError:
        return
    for folder, names, _ in os.walk(path):
        for name in names:
            inside = os.path.join(folder, name)
            if not os.path.islink(inside):
                os.chmod(inside, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def _path(folder, mark=None):
    return Path(folder) / f".lockstep-{_MACHINE}-{mark or secrets.token_hex(4)}.tmp"


def _hold(descriptor, path):
    """Lock what was just made; False where it was collected before it was locked."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False                 # whoever holds it is about to remove it
    except OSError:
        return True                  # a disk without locks: nobody can collect it
    return _is(path, descriptor)


def _is(path, descriptor):
    """Whether the file at `path` is the open one."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_if_stale(path, machine):
    if machine != _MACHINE and time.time() - os.lstat(path).st_mtime < _ELSEWHERE:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(path, descriptor):
            remove_tree(Path(path)) if os.path.isdir(path) else os.unlink(path)
    finally:
        os.close(descriptor)
