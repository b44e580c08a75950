"""Priors: what was learned from a user's own files, for coding more of their kind.

A prior holds the training files themselves, squeezed, and not what a model became of them: contexts learn 40 KB in a second,
so reading them again is quick, exact on every machine, good for every setting, and takes a thousandth of the room of the
tables. A `.lks` file names its prior by the first 8 bytes of its SHA-256.

A file is MAGIC, a version byte, a MessagePack list [bytes of the text, names of the files] with its length before it and
its CRC-32 behind, and the text, by LZMA.
"""

import hashlib
import lzma
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgpack

from lib.errors import FormatError, InputError
from lib.storage.files import OutputFile, check_input, mode_of, read_file

SUFFIX = ".prior"
FOLDER_VARIABLE = "LOCKSTEP_PRIORS"       # in the environment: where priors are looked for too
MOST_BYTES = 64 << 20                     # of training files: half an hour of reading
MAGIC = b"\x89LKQ\r\n\x1a"
_VERSION = 1
_LENGTH, _CRC = struct.Struct("<I"), struct.Struct("<I")
_LONGEST_LIST = 1 << 20


@dataclass(frozen=True)
class Prior:
    """A prior as it is on disk."""

    path: Path
    name: str               # 16 hexadecimal digits: what files say of it
    size: int               # bytes of the file
    files: tuple            # names of the training files
    text: bytes             # all of them, one after the other

    def codes_for(self, source):
        """uint16, shape (n,): what the contexts of a source read. InputError where the training files are of another kind."""
        codes = source.codes_of(self.text)
        if codes is None:
            raise InputError(f"the prior {self.path} is of other data than this input, of {', '.join(self.files[:3])}", "choose another")
        return codes


def learn(paths, output_path, *, overwrite=False):
    """Make a prior of training files; returns the Prior. Those that matter most go last: what is read last weighs most.

    Raises InputError where the files are empty or more than MOST_BYTES, and OutputError.
    """
    paths = [Path(path) for path in paths]
    total = sum(check_input(path) for path in paths)
    if not 0 < total <= MOST_BYTES:
        raise InputError(f"a prior is made of 1 to {MOST_BYTES:,} bytes, and these files have {total:,}", "choose other ones")
    text = b"".join(read_file(path) for path in paths)
    packed = msgpack.packb([len(text), [path.name for path in paths]])
    start = MAGIC + bytes([_VERSION]) + _LENGTH.pack(len(packed)) + packed
    with OutputFile(output_path, overwrite, mode=mode_of(*paths), inputs=paths) as output:
        output.write(start + _CRC.pack(zlib.crc32(start)))
        output.write(lzma.compress(text, lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME))
        output.commit()
    return load(output_path)


def load(path):
    """The Prior in a file. Raises InputError and FormatError."""
    path = Path(path)
    check_input(path)
    data = path.read_bytes()
    begin = len(MAGIC) + 1 + _LENGTH.size
    if data[:len(MAGIC)] != MAGIC or len(data) < begin:
        raise FormatError(f"{path} is no prior", f"choose a {SUFFIX} file that learn made")
    if data[len(MAGIC)] != _VERSION:
        raise FormatError(f"{path} has prior version {data[len(MAGIC)]}", f"this version of Lockstep reads {_VERSION}")
    length, = _LENGTH.unpack(data[len(MAGIC) + 1:begin])
    end = begin + length
    damaged = FormatError(f"the prior {path} is damaged", "get another copy")
    if length > _LONGEST_LIST or data[end:end + _CRC.size] != _CRC.pack(zlib.crc32(data[:end])):
        raise damaged
    try:
        size, files = msgpack.unpackb(data[begin:end])
        if not 0 < size <= MOST_BYTES:
            raise damaged
        squeezed = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        text = squeezed.decompress(data[end + _CRC.size:], size + 1)
    except (lzma.LZMAError, ValueError, TypeError, msgpack.UnpackException) as error:
        raise damaged from error
    if len(text) != size or not squeezed.eof or squeezed.unused_data:
        raise damaged
    return Prior(path, hashlib.sha256(data).hexdigest()[:16], len(data), tuple(files), text)


def find(name, folders):
    """The Prior of a name, in one of some folders or that of the environment.

    Raises InputError where it is not there.
    """
    places = [Path(folder) for folder in folders] + [Path(folder) for folder in (os.environ.get(FOLDER_VARIABLE),) if folder]
    for place in places:
        for path in sorted(place.glob(f"*{SUFFIX}")):
            if hashlib.sha256(path.read_bytes()).hexdigest()[:16] == name:
                return load(path)
    raise InputError(f"the file was made with the prior whose SHA-256 begins with {name}: put it into "
                     f"{' or '.join(map(str, places))}, or name it (--prior)")
