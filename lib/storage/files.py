"""Output files that appear complete or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from lib.errors import InputError, OutputError


def check_target(path, overwrite):
    """Refuse early what could not be written hours later.

    Raises OutputError where the folder is missing or not writable, or `path` exists and may not
    be replaced.
    """
    path = Path(path)
    if "\0" in str(path):
        raise OutputError(f"cannot write {str(path)!r}: a name holds no zero byte", "choose another")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder", "name a file in it")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists already", "choose another name, or allow it to be replaced (--force)")
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent} to write {path.name} into", "make it or choose another")
        if not os.access(path.parent, os.W_OK):
            raise OutputError(f"the folder {path.parent} cannot be written to", "choose another")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "choose another name or folder") from error


def check_space(path, size):
    """Refuse early, with an OutputError, where the disk of `path` has no room for `size` bytes."""
    free = shutil.disk_usage(Path(path).parent).free
    if size > free:
        raise OutputError(f"{path} will take {size:,} bytes, and its disk has {free:,} free",
                          "free some space or choose another folder")


def check_input(path):
    """Size in bytes of the file at `path`; InputError where it is not a readable file."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder", "name one file (a folder can go into a tar or zip first)")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is a device or a pipe, whose end nobody knows", "write it to a file first")
        with open(path, "rb"):
            return path.stat().st_size
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}", "check the name") from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


class OutputFile:
    """A file written under a temporary name beside `path`, which takes its name on `commit`.

    Used with `with`: leaving the block without a commit removes the temporary file, whatever
    the reason. Every failure to write is an OutputError.
    """

    def __init__(self, path, overwrite=False):
        self.path = Path(path)
        self._overwrite = overwrite
        check_target(self.path, overwrite)
        self._file = self._try(lambda: tempfile.NamedTemporaryFile(
            dir=self.path.parent, prefix=".lockstep-", suffix=".tmp", delete=False))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._file is not None:
            self._discard()

    def write(self, data):
        """Append bytes."""
        self._try(lambda: self._file.write(data))

    def flush(self):
        """Put what was written so far on disk."""
        self._try(lambda: (self._file.flush(), os.fsync(self._file.fileno())))

    @property
    def written_path(self) -> Path:
        """Where what was written lies until it takes its name: to be read back after `flush`."""
        return Path(self._file.name)

    def restart(self):
        """Drop what was written so far."""
        self._try(lambda: (self._file.seek(0), self._file.truncate()))

    def commit(self):
        """Put the complete file on disk under its name; returns its size in bytes."""
        self._try(self._put_in_place)
        return self.path.stat().st_size

    def _put_in_place(self):
        self._file.flush()
        os.fsync(self._file.fileno())
        os.chmod(self._file.name, 0o666 & ~_umask())
        check_target(self.path, self._overwrite)
        self._file.close()                       # Windows renames no open file
        os.replace(self._file.name, self.path)
        self._file = None
        _sync_folder(self.path.parent)

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
            raise OutputError(f"cannot write {self.path}: {error.strerror}", "nothing was left behind. "
                              "Free some space or choose another folder") from error


def write_file(path, data, overwrite=False):
    """Write bytes to `path`, completely or not at all; returns the size in bytes."""
    with OutputFile(path, overwrite) as output:
        output.write(data)
        return output.commit()


def free_name(path):
    """`path`, or the first of "name (2).ext", "name (3).ext", ... that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return candidate


def _umask():
    """The permission bits that new files do not get. There is no way to read it but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
