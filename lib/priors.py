"""Priors: what was learned from a user's own files, for coding more of their kind.

A prior holds a text for contexts, a network, or both. The text is the training files themselves, squeezed, and not what a model became of them:
contexts learn 40 KB in a second, so reading them again is quick, exact on every machine, good for every setting, and takes a thousandth of the
room of the tables. The network is weights, which take long to learn (lib.learning). A `.lks` file names its prior by the first 8 bytes of its
SHA-256.

A file is MAGIC, a version byte, a MessagePack list with its length before it and its CRC-32 behind, and the text, by LZMA. Version 1 has no
network, and a list [bytes of the text, names of the files]; version 2 has [bytes of the text, names, bytes of the text packed, CRC-32 of the
network], and behind the text the network, as lib.models.weights keeps it. A text or network of no bytes is none.
"""

import hashlib
import lzma
import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np

from lib.errors import FormatError, InputError
from lib.limits import LARGEST_NETWORK, LONGEST_LIST_LEARNED, MOST_LEARNED, MOST_NAMES_LEARNED
from lib.models.weights import LearnedNetwork
from lib.sources.source import Source
from lib.storage.files import OutputFile, check_input, mode_of
from lib.storage.paths import path_of_input, path_of_output

if TYPE_CHECKING:
    from lib.coding.plan import Plan

SUFFIX = ".prior"
FOLDER_VARIABLE = "LOCKSTEP_PRIORS"       # in the environment: where priors are looked for too
MAGIC = b"\x89LKQ\r\n\x1a"
_TEXT_ALONE, _WITH_NETWORK = 1, 2         # versions
_LENGTH, _CRC = struct.Struct("<I"), struct.Struct("<I")
_LARGEST = MOST_LEARNED + LARGEST_NETWORK + LONGEST_LIST_LEARNED + (1 << 20)    # bytes of a file: LZMA adds a thousandth to what does not shrink
_MOST_UNPACKING = 1 << 27                 # bytes of memory; what learn packs takes half of it
_ANY_NAME = "surrogateescape"             # the name of a file may be bytes that are no text


@dataclass(frozen=True)
class Known:
    """What a predictor knows of a prior before the first symbol."""

    codes: np.ndarray | None = None           # uint16, shape (n,): what contexts read
    network: LearnedNetwork | None = None


@dataclass(frozen=True)
class Prior:
    """A prior as it is on disk."""

    path: Path
    name: str               # 16 hexadecimal digits: what files say of it
    size: int               # bytes of the file
    files: tuple            # names of the training files, the first ones of many
    text: bytes             # all of them, one after the other, for contexts to read
    network: LearnedNetwork | None = None

    @property
    def weights(self) -> int:
        """How many weights its network has."""
        return self.network.count if self.network else 0

    def symbols_for(self, source: Source) -> int:
        """How many symbols the contexts of a source read. Raises InputError as `codes_for`."""
        return len(self.codes_for(source)) if self.text else 0

    def network_for(self, source: Source) -> Mapping[str, Any]:
        """{name: value} of the parameters that go with the prior's network, where it has one that suits a source; else none."""
        return self.network.values if self.network and self.network.suits(source) else {}

    def known_for(self, plan: "Plan") -> Known:
        """What the prior holds for a plan. InputError where it is of other data."""
        network = None
        if plan.parameters.weights == "prior":
            network = self.network
            if not network:
                raise InputError(f"the prior {self.path} holds no network", "choose another, or leave the weights out")
            if not network.fits(plan.input_shape) or not network.suits(plan.source):
                raise InputError(f"the network in the prior {self.path} was learned from data of another kind than this input, or of videos of "
                                 "another grid", "choose another")
        return Known(self.codes_for(plan.source) if self.text else None, network)

    def codes_for(self, source: Source) -> np.ndarray:
        """uint16, shape (n,): what the contexts of a source read. InputError where the training files are of another kind."""
        codes = source.codes_of(self.text)
        for kind in ("image", "sound"):
            if codes is None and kind in source.context_kinds:
                raise InputError(f"{kind}s cannot use a prior", "leave the prior out")
        if codes is None:
            raise InputError(f"the prior {self.path} was learned from data of another kind than this input, or of videos of another grid",
                             "choose another")
        return codes


def learn(paths: Iterable[str | Path], output_path: str | Path, *, overwrite: bool = False) -> Prior:
    """Make a prior of training files; returns the Prior. Those that matter most go last: what is read last weighs most.

    Raises InputError where the files are empty or more than MOST_LEARNED bytes, and OutputError.
    """
    files, output_path = [path_of_input(path) for path in paths], path_of_output(output_path)
    return write(output_path, files, read_all(files), None, overwrite)


def read_all(files: Sequence[Path]) -> bytes:
    """All of the training files, one after the other. Raises InputError where they are empty or more than MOST_LEARNED bytes."""
    _check_total(sum(check_input(path) for path in files))
    text = b"".join(map(_read, files))
    _check_total(len(text))                   # files may have grown
    return text


def write(output_path: Path, files: Sequence[Path], text: bytes, network: LearnedNetwork | None, overwrite: bool) -> Prior:
    """Make a prior, learned from some files, of a text, a network or both; returns the Prior. Raises OutputError."""
    names = [path.name for path in files[:MOST_NAMES_LEARNED]]
    if len(files) > len(names):
        names.append(f"and {len(files) - len(names):,} more")
    squeezed = lzma.compress(text, lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME) if text else b""
    weights = network.to_bytes() if network else b""
    about = [len(text), names, len(squeezed), zlib.crc32(weights)] if network else [len(text), names]
    packed = msgpack.packb(about, unicode_errors=_ANY_NAME)
    start = MAGIC + bytes([_WITH_NETWORK if network else _TEXT_ALONE]) + _LENGTH.pack(len(packed)) + packed
    data = start + _CRC.pack(zlib.crc32(start)) + squeezed + weights
    prior = _parsed(data, output_path)        # as every reader will
    with OutputFile(output_path, overwrite, mode=mode_of(*files), inputs=files) as output:
        output.write(data)
        output.commit()
    return prior


def _check_total(size):
    if not 0 < size <= MOST_LEARNED:
        raise InputError(f"a prior is made of 1 to {MOST_LEARNED:,} bytes, and these files have {size:,}", "choose other ones")


def _read(path):
    """The bytes of a file. Raises InputError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def load(path: str | Path) -> Prior:
    """The Prior in a file. Raises InputError and FormatError."""
    path = path_of_input(path)
    if check_input(path) > _LARGEST:
        raise FormatError(f"{path} is too large for a prior", f"choose a {SUFFIX} file that learn made")
    return _parsed(_read(path), path)


def _parsed(data, path):
    """The Prior in the bytes of a file at `path`. Raises FormatError; takes little more memory than a prior may hold."""
    begin = len(MAGIC) + 1 + _LENGTH.size
    if data[:len(MAGIC)] != MAGIC or len(data) < begin:
        raise FormatError(f"{path} is no prior", f"choose a {SUFFIX} file that learn made")
    version = data[len(MAGIC)]
    if version not in (_TEXT_ALONE, _WITH_NETWORK):
        raise FormatError(f"{path} has prior version {version}", f"this version of Lockstep reads {_TEXT_ALONE} and {_WITH_NETWORK}")
    length, = _LENGTH.unpack(data[len(MAGIC) + 1:begin])
    end = begin + length
    damaged = FormatError(f"the prior {path} is damaged", "get another copy")
    if length > LONGEST_LIST_LEARNED or data[end:end + _CRC.size] != _CRC.pack(zlib.crc32(data[:end])):
        raise damaged
    rest = memoryview(data)[end + _CRC.size:]
    try:
        about = msgpack.unpackb(data[begin:end], unicode_errors=_ANY_NAME)
        size, files, packed, crc = about if version == _WITH_NETWORK else (*about, len(rest), 0)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise damaged from error
    if not (all(type(number) is int and number >= 0 for number in (size, packed, crc)) and size <= MOST_LEARNED and type(files) is list
            and all(type(name) is str for name in files)) or not size and (packed or version == _TEXT_ALONE):
        raise damaged
    text, network = _unpacked(bytes(rest[:packed]), size) if size else b"", None
    if text is None or version == _WITH_NETWORK and zlib.crc32(rest[packed:]) != crc:
        raise damaged
    if version == _WITH_NETWORK:
        try:
            network = LearnedNetwork.from_bytes(bytes(rest[packed:]))
        except FormatError as error:
            raise damaged from error
    return Prior(path, hashlib.sha256(data).hexdigest()[:16], len(data), tuple(files), text, network)


def _unpacked(squeezed, size):
    """The text of so many bytes, or None where it is damaged."""
    unpacked = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_UNPACKING)
    try:
        text = unpacked.decompress(squeezed, size + 1)
    except lzma.LZMAError:
        return None
    return text if len(text) == size and unpacked.eof and not unpacked.unused_data else None


def needed(name: str | None, path: str | Path | None, folders: Sequence[Path]) -> Prior | None:
    """The Prior that is asked for by `name`: that at `path`, or else one found in `folders`; None where none is asked for.

    Raises InputError where there is none, or `path` is another one, and FormatError.
    """
    given = load(path) if path else None
    if name in (None, "none"):
        return None
    if given and given.name != name:
        raise InputError(f"the prior {name} is needed, not {given.path} ({given.name})", "choose the first")
    return given or find(name, [*folders, *(folder / "priors" for folder in folders)])


def find(name: str, folders: Iterable[str | Path]) -> Prior:
    """The Prior of a name, in one of some folders or that of the environment. What cannot be read there is passed over.

    Raises InputError where it is not there.
    """
    places = [Path(folder) for folder in (*folders, os.environ.get(FOLDER_VARIABLE)) if folder]
    for path in (path for place in places for path in _candidates(place)):
        try:
            found = load(path)
        except (InputError, FormatError):
            continue
        if found.name == name:
            return found
    raise InputError(f"the prior whose SHA-256 begins with {name} is needed, and is not here",
                     f"put it into {' or '.join(map(str, places))}, or name it (--prior; prior= in Python)")


def _candidates(folder):
    """The files in a folder that may be priors by their names, sorted; none where it cannot be read. No pipe is opened."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX) and path.is_file())
    except OSError:
        return []
