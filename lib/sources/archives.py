"""Where the files lie that a zip archive stores as they are, or a folder's bytes."""

import io
import struct
import zipfile

from lib.storage import tree

_LOCAL = struct.Struct("<4s22xHH")       # before each file: signature, lengths of its name and of the extra field


def stored_files(data: bytes) -> list[tuple[str, int, int]]:
    """[(name, start, size)] of the files that a zip or a folder stores, in order; none for what is neither. What does not fit is
    passed over.
    """
    if data[:len(tree.MAGIC)] == tree.MAGIC:
        return tree.file_places(data)
    if data[:4] != b"PK\3\4":
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except Exception:       # zipfile raises many sorts for files that were damaged or made to do harm
        return []
    files, end = [], 0
    for entry in entries:
        local = data[entry.header_offset:entry.header_offset + _LOCAL.size]
        if entry.compress_type != zipfile.ZIP_STORED or len(local) < _LOCAL.size or entry.header_offset < end:
            continue
        _, name, extra = _LOCAL.unpack(local)
        start = entry.header_offset + _LOCAL.size + name + extra
        if start + entry.file_size <= len(data):
            files.append((entry.filename, start, entry.file_size))
            end = start + entry.file_size
    return files
