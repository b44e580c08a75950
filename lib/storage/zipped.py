"""Folders as version 0.1 kept them: a zip archive that stores its files. Such files stay readable; none are made."""

import io
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from lib.errors import FormatError
from lib.limits import MOST_ENTRIES
from lib.storage.names import is_file_name
from lib.storage.tree import FILE, FOLDER, Entry

# What reading an archive raises that was damaged or made to do harm: encrypted, say, or packed in a way of its own.
_FAULTS = (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError, KeyError, IndexError, OverflowError,
           struct.error, zlib.error)


def parse(data: bytes) -> tuple[list[Entry], list[bytes]]:
    """(the entries, the contents of the files among them in their order) of a zip. Raises FormatError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
            if len(found) > MOST_ENTRIES:
                raise FormatError("the archive of the folder claims too many files", "the file is refused")
            if not all(_is_inside(entry.filename) for entry in found):
                raise FormatError("the archive of the folder names a file outside of it", "the file is refused")
            if sum(entry.file_size for entry in found) > len(data):
                raise FormatError("the archive of the folder claims more than it holds", "the file is refused")
            contents = {str(PurePosixPath(entry.filename)): archive.read(entry) for entry in found}
    except _FAULTS as error:
        raise FormatError("the archive of the folder cannot be read", "the file is damaged") from error
    folders = {str(folder) for path in contents for folder in PurePosixPath(path).parents} - {"."}
    if len(contents) != len(found) or folders & set(contents):
        raise FormatError("the archive of the folder has two files of one name", "the file is refused")
    entries = [Entry("", FOLDER, None, None), *(Entry(path, FOLDER, None, None) for path in folders),
               *(Entry(path, FILE, None, None, len(data)) for path, data in contents.items())]
    entries.sort(key=lambda entry: entry.order)
    return entries, [contents[entry.path] for entry in entries if entry.kind == FILE]


def _is_inside(name):
    """Whether an archive's name leads to a file in the folder."""
    return bool(name) and not name.endswith("/") and all(map(is_file_name, PurePosixPath(name).parts))
