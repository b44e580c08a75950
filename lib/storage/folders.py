"""A folder as the bytes of one zip archive that stores its files, and back.

Names are sorted and times left out, so the same files are the same bytes. What is kept is the files' contents and names;
permissions and times are not.
"""

import io
import os
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from lib.coding.container import is_base_name
from lib.errors import FormatError, InputError, OutputError
from lib.storage.files import check_target

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_FILES = 1 << 20
# What reading an archive raises that was damaged or made to do harm: encrypted, say, or packed in a way of its own.
_FAULTS = (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError, KeyError, struct.error, zlib.error)


def is_folder(path):
    """Whether a path is a folder; False for names that no file can have."""
    return os.path.isdir(path)


def folder_bytes(path):
    """Bytes of all files in a folder. Raises InputError where it cannot be read, or has what no archive keeps."""
    return sum(file.stat().st_size for file in _files_of(Path(path)))


def pack(path):
    """All files of a folder as the bytes of a zip. Raises InputError where one cannot be read, and where there is none."""
    path, packed = Path(path), io.BytesIO()
    files = _files_of(path)
    if not files:
        raise InputError(f"{path} is a folder without files", "there is nothing to compress")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(path).as_posix(), _ZIP_EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16          # of Unix, as everywhere
            try:
                archive.writestr(entry, file.read_bytes())
            except (OSError, UnicodeError) as error:
                raise InputError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    return packed.getvalue()


def check_new(path):
    """Refuse, with an OutputError, a folder that exists already or could not be made."""
    if os.path.lexists(path):
        raise OutputError(f"{path} exists already, and folders are never replaced", "choose another name")
    check_target(path, overwrite=False)


def check_outside(folder, *paths):
    """Refuse, with an OutputError, what would be written into the folder that is read, and so change it."""
    for path in filter(None, paths):
        if Path(path).resolve().is_relative_to(Path(folder).resolve()):
            raise OutputError(f"{path} would lie in the folder that is compressed", "choose a place outside of it")


def unpack(data, path):
    """Make the folder `path` of what `pack` made, completely or not at all; returns the bytes of its files.

    Raises FormatError where the archive names what is outside the folder, and OutputError.
    """
    path = Path(path)
    check_new(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, tempfile.TemporaryDirectory(
                dir=path.parent, prefix=".lockstep-") as made:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES or not all(_is_inside(entry.filename) for entry in entries):
                raise FormatError("the archive of the folder names a file outside of it", "the file is refused")
            if sum(entry.file_size for entry in entries) > len(data):
                raise FormatError("the archive of the folder claims more than it holds", "the file is refused")
            inside = Path(made) / path.name
            for entry in entries:
                target = inside / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))
            os.replace(inside, path)
    except _FAULTS as error:
        raise FormatError("the archive of the folder cannot be read", "the file is damaged") from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "nothing was left behind. "
                          "Free some space or choose another folder") from error
    return sum(entry.file_size for entry in entries)


def _files_of(path):
    """All files in a folder and below, in the order of their names."""
    files = []
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if not file.is_file():
                raise InputError(f"{file} is no plain file", "leave it out of the folder, or make a tar of it first")
            files.append(file)
    return sorted(files)


def _raise(error):
    raise InputError(f"cannot read {error.filename}: {error.strerror}") from error


def _is_inside(name):
    """Whether an archive's name leads to a file in the folder, on every system."""
    return not name.endswith("/") and all(map(is_base_name, PurePosixPath(name).parts)) and bool(name)
