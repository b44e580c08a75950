"""Checkpoints: the complete state of a run between two steps, in a file that a later run goes on from.

A file is MAGIC, a version byte, a MessagePack map that says which run it belongs to and what follows, the sections that
it lists, and the SHA-256 of all that. A section is an array or bytes in pieces of 1 MiB, each deflated, with its length
before it. Numbers are little-endian. Nothing in it is ever executed, and nothing is allocated for a size that it claims.
"""

import collections
import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from lib.errors import CheckpointError
from lib.storage.files import OutputFile

MAGIC = b"\x89LKC\r\n\x1a"
VERSION = 1
_PIECE = 1 << 20
_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
_LONGEST_PIECE = _PIECE + (_PIECE >> 8)     # deflated: what does not shrink grows by less
_LONGEST_ABOUT = 1 << 16
_MOST_READ = 1 << 48             # bytes of a payload; after its end a coder reads zeros
_ANY_NAME = "surrogateescape"    # a path may be bytes that are no text
_MOST_INFLATION = 1100           # of deflated data
_DEFLATE_LEVEL = 1               # tables hardly shrink further, and time counts
_THREADS = 4


def previous(path: Path | str) -> Path:
    """Where the checkpoint before the one at `path` lies."""
    return Path(path).with_name(Path(path).name + ".previous")


def write(path: Path | str, about: dict[str, Any], sections: Mapping[str, Any], keep: bool = True,
          mode: int = 0o666) -> None:
    """Put a checkpoint at `path`, completely or not at all; keep: the one that was there, as `previous`.

    about: a dict of what MessagePack knows. sections: {name: array or bytes}, in the order they are read in.
    mode: the permission bits that it has at most, as it holds what the run reads. Raises OutputError; then what was there is as it was.
    """
    path = Path(path)
    sizes = {name: memoryview(section).nbytes for name, section in sections.items()}
    packed = msgpack.packb(about | {"sections": list(sizes.items())}, unicode_errors=_ANY_NAME)
    with OutputFile(path, overwrite=True, mode=mode) as output, ThreadPoolExecutor(_THREADS) as threads:
        digest = hashlib.sha256()

        def put(data):
            digest.update(data)
            output.write(data)

        put(MAGIC + bytes([VERSION]) + _LENGTH.pack(len(packed)) + packed)
        for section in sections.values():
            for deflated in _in_turn(threads, _deflated, _pieces(section)):
                put(_LENGTH.pack(len(deflated)) + deflated)
        output.write(digest.digest())
        output.flush()
        if keep and path.exists():
            os.replace(path, previous(path))
        output.commit()


def check_name(path: Path | str) -> None:
    """Refuse, with a CheckpointError, what is a folder and no name of a file."""
    if Path(path).name in ("", "..") or os.path.isdir(path):
        raise CheckpointError(f"{path} is a folder", "name a file for the checkpoint")


def remove(path: Path | str) -> None:
    """Remove a checkpoint and the one before it."""
    for file in (Path(path), previous(path)):
        file.unlink(missing_ok=True)


def newest(path: Path | str, warn: Callable[[str], Any]) -> "Checkpoint | None":
    """The newest Checkpoint at `path` that is whole, or None where there is none.

    warn: called with a line where the newest is damaged and the one before it is taken. Raises CheckpointError where
    both are.
    """
    faults = []
    for file in (Path(path), previous(path)):
        if file.exists():
            try:
                found = Checkpoint(file)
            except CheckpointError as error:
                faults.append(error.what)
                continue
            if faults:
                warn(f"{faults[0]}; going on from the one before it")
            return found
    if faults:
        raise CheckpointError(", and ".join(faults), "choose another path for the checkpoint to begin anew")
    return None


class Checkpoint:
    """A checkpoint on disk, checked whole. `about` is what `write` was given.

    Raises CheckpointError where it is damaged or of another version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_file():
            raise CheckpointError(f"{self.path} is no plain file", "choose another path for the checkpoint")
        try:
            with open(self.path, "rb") as file:
                self._check_digest(file)
                file.seek(0)
                self.about = self._read_about(file)
                self._start = file.tell()
        except OSError as error:
            raise CheckpointError(f"cannot read {self.path}: {error.strerror}") from error
        self._sizes = dict(self.about["sections"])

    def size_of(self, name: str) -> int:
        """Bytes of a section. Raises CheckpointError where there is none of that name."""
        if name not in self._sizes:
            raise self._damaged(f"it holds no {name}")
        return self._sizes[name]

    def read_into(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Fill {name: a section's array, of its very size}; what is not named is passed over.

        A piece of zeros is not written, so arrays must be fresh: what was never touched stays so. Raises CheckpointError where
        a section is missing, of another size or damaged.
        """
        for name, array in arrays.items():
            if self.size_of(name) != array.nbytes:
                raise self._damaged(f"{name} has another size")
        try:
            with open(self.path, "rb") as file:
                file.seek(self._start)
                for name, size in self._sizes.items():
                    target = arrays[name].data.cast("B") if name in arrays and size else None
                    for start in range(0, size, _PIECE):
                        data = self._next_piece(file)
                        if target is not None:
                            piece = self._inflated(data, min(_PIECE, size - start))
                            if np.frombuffer(piece, np.uint8).any():
                                target[start:start + len(piece)] = piece
        except OSError as error:
            raise CheckpointError(f"cannot read {self.path}: {error.strerror}") from error

    def read(self, name: str) -> bytes:
        """A section as bytes."""
        data = np.zeros(self.size_of(name), np.uint8)
        self.read_into({name: data})
        return data.tobytes()

    def _next_piece(self, file):
        prefix = file.read(_LENGTH.size)
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
        if not 0 < length <= _LONGEST_PIECE:
            raise self._damaged("a piece has an impossible length")
        return file.read(length)

    def _check_digest(self, file):
        size = os.fstat(file.fileno()).st_size
        if size < len(MAGIC) + 1 + _LENGTH.size + _DIGEST_BYTES or file.read(len(MAGIC)) != MAGIC:
            raise CheckpointError(f"{self.path} is no checkpoint of Lockstep, or cut short")
        version = file.read(1)[0]
        if version != VERSION:
            raise CheckpointError(f"{self.path} has checkpoint version {version}", f"this version of Lockstep reads {VERSION}")
        file.seek(0)
        digest, rest = hashlib.sha256(), size - _DIGEST_BYTES
        while rest:
            block = file.read(min(_PIECE, rest))
            digest.update(block)
            rest -= len(block)
        if file.read(_DIGEST_BYTES) != digest.digest():
            raise self._damaged("its checksum does not match")

    def _read_about(self, file):
        file.seek(len(MAGIC) + 1)
        length = _LENGTH.unpack(file.read(_LENGTH.size))[0]
        if length > _LONGEST_ABOUT:
            raise self._damaged("its description is too long")
        try:
            about = msgpack.unpackb(file.read(length), strict_map_key=False, unicode_errors=_ANY_NAME)
            names = [name for name, size in about["sections"] if type(name) is str and type(size) is int and size >= 0]
            claimed = sum(size for _, size in about["sections"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, msgpack.UnpackException) as error:
            raise self._damaged("its description cannot be read") from error
        if len(names) != len(about["sections"]) or len(set(names)) != len(names):
            raise self._damaged("its description holds what no checkpoint does")
        if claimed > _MOST_INFLATION * os.fstat(file.fileno()).st_size:
            raise self._damaged("it claims more than it can hold")
        return about

    def _inflated(self, data, size):
        try:
            piece = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise self._damaged("a piece cannot be read") from error
        if len(piece) != size:
            raise self._damaged("a piece has another size")
        return piece

    def _damaged(self, how: str) -> CheckpointError:
        return CheckpointError(f"the checkpoint {self.path} is damaged ({how})")


def coder_state_of(found: Checkpoint, is_decoding: bool) -> tuple[list, bytes]:
    """The (numbers, bytes written) of the coder that a run's Checkpoint holds, as lib.coders.arithmetic has them.

    Raises CheckpointError for what no coder can be in: a compiled loop reads and writes where they say.
    """
    numbers, written = found.about["coder"], found.read("coder")
    if [type(number) for number in numbers] == [int] * 4:
        low, high, code, position = numbers
        if 0 <= low <= high < 1 << 32 and 0 <= code < 1 << 32 and 0 <= position <= (_MOST_READ if is_decoding else len(written)):
            return numbers, written
    raise CheckpointError(f"{found.path} holds a coder's state that none can be in", "it is damaged: choose another checkpoint")


def _pieces(section):
    data = memoryview(section).cast("B") if memoryview(section).nbytes else b""
    for start in range(0, len(data), _PIECE):
        yield data[start:start + _PIECE]


def _deflated(data):
    return zlib.compress(data, _DEFLATE_LEVEL)


def _in_turn(threads, function, items):
    """The results of a function for items, in order; a few are computed ahead."""
    waiting: collections.deque = collections.deque()
    for item in items:
        waiting.append(threads.submit(function, item))
        if len(waiting) > 2 * _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
