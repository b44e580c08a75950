"""Output files that appear complete or not at all, and inputs that are read whole."""

import contextlib
import errno
import itertools
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from lib.errors import InputError, OutputError
from lib.interruptions import postponed
from lib.storage import temporary

_Path = str | os.PathLike
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def check_target(path: _Path, overwrite: bool, inputs: Iterable[_Path] = ()) -> None:
    """Refuse early what could not be written hours later.

    inputs: what must not be replaced, under any of its names. Raises OutputError where the folder is missing or not writable,
    where `path` exists and may not be replaced, and always where it is one of the inputs, or anything but a file.
    """
    path = Path(path)
    if "\0" in str(path):
        raise OutputError(f"cannot write {str(path)!r}: a name holds no zero byte", "choose another")
    try:
        _check_kind(path)
        for other in inputs:
            if is_same(path, other):
                which = "read as input" if path == Path(other) else f"the same file as {other}, which is read"
                raise OutputError(f"{path} is {which}", "choose another name")
        if os.path.lexists(path) and not overwrite:
            raise OutputError(f"{path} exists already", "choose another name, or allow it to be replaced (--force; overwrite=True in Python)")
        folder = _place_of(path).parent
        if not folder.is_dir():
            raise OutputError(f"there is no folder {folder} to write {path.name} into", "make it or choose another")
        if not os.access(folder, os.W_OK):
            raise OutputError(f"the folder {folder} cannot be written to", "choose another")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "choose another name or folder") from error


def _check_kind(path):
    """Refuse what is there and is no file: it would be gone, and a file in its place."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder", "name a file in it")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{path} is a device, a pipe or a socket", "name a file")


def _place_of(path):
    """Where what is written under a name lies: where a link leads to, so that the link stays one."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def is_same(path: _Path, other: _Path) -> bool:
    """Whether two paths are one file, by links of either sort too, or will be one."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)


def mode_of(*paths: _Path) -> int:
    """The permission bits that outputs made of some files or folders may have at most: what none of them forbids.

    Who runs Lockstep can always read and write them.
    """
    bits = 0o666
    for path in paths:
        bits &= os.stat(path).st_mode
    return 0o600 | bits


def check_space(path: _Path, size: int) -> None:
    """Refuse early, with an OutputError, where the disk of `path` has no room for `size` bytes."""
    free = shutil.disk_usage(Path(path).parent).free
    if size > free:
        raise OutputError(f"{path} will take {size:,} bytes, and its disk has {free:,} free",
                          "free some space or choose another folder")


def check_input(path: _Path) -> int:
    """Size in bytes of the file at `path`; InputError where it is not a readable file."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder", "name a file")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is a device or a pipe, whose end nobody knows", "write it to a file first")
        with open(path, "rb"):
            return path.stat().st_size
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}", "check the name") from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def read_file(path: _Path) -> bytes:
    """The bytes of a whole file. Raises InputError where it cannot be read, or changes meanwhile."""
    return read_with_facts(path)[0]


def read_with_facts(path: _Path, flags: int = 0) -> tuple[bytes, os.stat_result]:
    """(the bytes of a whole file, what the system says of it). flags: for os.open, besides. Raises InputError as `read_file`."""
    try:
        with open(path, "rb", opener=lambda name, usual: os.open(name, usual | flags)) as file:
            before = os.fstat(file.fileno())
            data = file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(f"{path} has changed while it was read", "try again")
    return data, after


class OutputFile:
    """A file written under a temporary name beside `path`, which takes its name on `commit`.

    Used with `with`: leaving the block without a commit removes the temporary file, whatever
    the reason; what a killed process left, the next one in the folder removes. Where `path` is a link, the file that it leads to
    is replaced. Every failure to write is an OutputError.
    """

    def __init__(self, path: _Path, overwrite: bool = False, *, mode: int = 0o666, inputs: Iterable[_Path] = ()) -> None:
        """mode: the permission bits that it has at most; the umask takes from them. inputs: as for `check_target`."""
        self.path = Path(path)
        self._overwrite, self._inputs = overwrite, tuple(inputs)
        check_target(self.path, overwrite, self._inputs)
        self._place = _place_of(self.path)
        temporary.remove_stale(self._place.parent)
        self._mode = mode
        self._file: Any = None                   # from __enter__ to the commit

    @property
    def written_path(self) -> Path:
        """Where what was written lies before the commit, for reading it back after a `flush`."""
        return Path(self._file.name)

    def __enter__(self) -> Self:
        try:
            with postponed():
                self._file = self._try(lambda: temporary.make_file(self._place.parent, self._mode))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._discard()

    def write(self, data: bytes) -> int:
        """Append bytes; returns how many."""
        return self._try(lambda: self._file.write(data))

    def flush(self) -> None:
        """Put what was written so far on disk."""
        self._try(self._put_on_disk)

    def restart(self) -> None:
        """Drop what was written so far."""
        self._try(lambda: (self._file.seek(0), self._file.truncate()))

    def commit(self) -> int:
        """Put the complete file on disk under its name; returns its size in bytes."""
        self._try(self._put_in_place)
        return self.path.stat().st_size

    def _put_on_disk(self):
        self._file.flush()
        os.fsync(self._file.fileno())

    def _put_in_place(self):
        self._put_on_disk()
        check_target(self.path, self._overwrite, self._inputs)
        if os.name == "nt":
            self._file.close()                   # Windows renames no open file; elsewhere it is held until it has its name
        os.replace(self._file.name, self._place)
        self._file.close()
        self._file = None
        _sync_folder(self._place.parent)

    def _discard(self):
        try:
            self._file.close()
        except OSError:
            pass  # a full disk refuses the last buffer; the file goes anyway
        Path(self._file.name).unlink(missing_ok=True)
        self._file = None

    def _try(self, action):
        try:
            return action()
        except OSError as error:
            remedy = "free some space or choose another folder" if error.errno in _FULL else "choose another name or folder"
            raise OutputError(f"cannot write {self.path}: {error.strerror}", remedy) from error


@contextlib.contextmanager
def reserved(*paths: _Path | None) -> Iterator[None]:
    """While inside, no other run here makes a file or folder at one of `paths`; None is none. OutputError where one does already."""
    with contextlib.ExitStack() as stack:
        for path in {os.path.realpath(path): path for path in paths if path is not None}.values():
            try:
                stack.enter_context(temporary.reserved(Path(path)))
            except BlockingIOError as error:
                raise OutputError(f"another run is writing {path}", "stop it, wait until it has ended, or choose another name") from error
        yield


def write_file(path: _Path, data: bytes, overwrite: bool = False, mode: int = 0o666, inputs: Iterable[_Path] = ()) -> int:
    """Write bytes to `path`, completely or not at all; returns the size in bytes. mode, inputs: as for OutputFile."""
    with OutputFile(path, overwrite, mode=mode, inputs=inputs) as output:
        output.write(data)
        return output.commit()


def free_name(path: Path) -> Path:
    """`path`, or the first of "name (2).ext", "name (3).ext", ... that does not exist."""
    candidate, number = path, 1
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return candidate


def places(path: Path) -> Iterator[Path]:
    """`path`, then "2/name", "3/name" and so on in its folder, without end: where a file may lie that keeps its name."""
    yield path
    for number in itertools.count(2):
        yield path.parent / str(number) / path.name


def free_place(path: Path) -> Path:
    """The first of `places` where nothing is."""
    return next(place for place in places(path) if not os.path.lexists(place))


def _sync_folder(folder):
    """Make a rename in `folder` survive a power cut, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network folders cannot; the rename itself has happened
    finally:
        os.close(descriptor)
