"""The manifest of a split file: what belongs together, in a file that people can read too."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lib.errors import FormatError, InputError
from lib.limits import LARGEST_MANIFEST, MOST_PARTS, MOST_WHOLE
from lib.settings import Settings
from lib.sources.part import LONGEST_HEADER
from lib.storage.files import check_input
from lib.storage.names import is_file_name
from lib.storage.paths import path_of_input

MANIFEST_SUFFIX = ".parts.json"
_VERSION = 1
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """A split file's parts."""

    name: str                 # of the whole
    size: int                 # bytes of the whole
    sha256: str               # of the whole, hexadecimal
    batch_size: int           # streams that aligned parts are laid out in; 0 for independent parts
    parts: tuple              # of each part: (name, bytes, SHA-256)

    def to_json(self) -> str:
        """Text for a file that people can read too."""
        parts = [dict(name=name, size=size, sha256=sha256) for name, size, sha256 in self.parts]
        return json.dumps(dict(lockstep_parts=_VERSION, name=self.name, size=self.size, sha256=self.sha256,
                               batch_size=self.batch_size, parts=parts), indent=1) + "\n"

    @classmethod
    def read(cls, path: str | Path) -> "Manifest":
        """The Manifest in a file. Raises InputError and FormatError."""
        path = path_of_input(path)
        if check_input(path) > LARGEST_MANIFEST:
            raise FormatError(f"{path} is too large for a manifest", f"choose the {MANIFEST_SUFFIX} file")
        try:
            return cls.from_json(path.read_bytes(), path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error

    @classmethod
    def from_json(cls, text: str | bytes, path: Path) -> "Manifest":
        """The Manifest in the text of a file at `path`. Raises FormatError for what `to_json` cannot have made."""
        try:
            fields = json.loads(text)
            version = fields["lockstep_parts"]
            parts = tuple((part["name"], part["size"], part["sha256"]) for part in fields["parts"])
            manifest = cls(fields["name"], fields["size"], fields["sha256"], fields["batch_size"], parts)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FormatError(f"{path} is no manifest of parts, or damaged", f"choose the {MANIFEST_SUFFIX} file") from error
        if type(version) is int and version != _VERSION:
            raise FormatError(f"{path} has version {version}", f"this version of Lockstep reads {_VERSION}")
        if type(version) is not int or not manifest._is_in_bounds():
            raise FormatError(f"{path} holds a value out of bounds", "it is damaged")
        return manifest

    def _is_in_bounds(self):
        """Whether every value is of its type and within its bounds, and all go together."""
        names = [self.name, *(name for name, _, _ in self.parts)]
        if not (1 <= len(self.parts) <= MOST_PARTS and all(map(is_file_name, names)) and len(set(names)) == len(names)
                and _is_whole(self.batch_size, 0, Settings.__dataclass_fields__["batch_size"].metadata["maximum"])
                and all(_is_whole(size, 1, MOST_WHOLE) and _is_sha256(sha256)
                        for _, size, sha256 in ((self.name, self.size, self.sha256), *self.parts))):
            return False
        beside = sum(size for _, size, _ in self.parts) - self.size
        return 0 <= beside <= LONGEST_HEADER * len(self.parts) if self.batch_size else not beside


def _is_whole(value, least, most):
    return type(value) is int and least <= value <= most


def _is_sha256(value):
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None
