"""What a person chooses in a notebook besides the Settings of the coding."""

import dataclasses
from dataclasses import dataclass, field
from types import MappingProxyType

from lib.errors import SettingsError

INPUTS = ("auto", "sample", "upload", "path", "url", "drive")
OUTPUTS = ("auto", "disk", "download", "drive")


def _choice(default, help, choices=None):
    """A field of `Choices` with its line of help, for both forms."""
    return field(default=default, metadata=MappingProxyType(dict(help=help, choices=choices)))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Where the input comes from and where the output goes. Raises SettingsError by name."""

    input_from: str = _choice(
        "auto", "auto takes what is given: a URL, a path, an upload; where nothing is, Colab asks for a "
        "file and Jupyter takes the built-in sample", INPUTS)
    path: str = _choice("", "a file on this machine; with drive, a file under MyDrive")
    url: str = _choice("", "an http or https address")
    largest_download_mb: int = _choice(1000, "refuse to fetch more than this many megabytes from a URL")
    output_to: str = _choice(
        "auto", "the result is always on disk here; download also hands it to the browser (auto does so "
        "in Colab), drive also copies it to MyDrive", OUTPUTS)
    output_folder: str = _choice("", "the folder to write into; empty is this notebook's")

    def __post_init__(self):
        for choice in dataclasses.fields(self):
            value, allowed = getattr(self, choice.name), choice.metadata["choices"]
            if allowed and value not in allowed:
                raise SettingsError(f"{choice.name} must be one of {', '.join(allowed)}, got {value!r}")
        limit = str(self.largest_download_mb).strip()
        if not limit.isdecimal() or int(limit) < 1:
            raise SettingsError(f"largest_download_mb must be a whole number of 1 or more, got {limit!r}")
        object.__setattr__(self, "largest_download_mb", int(limit))
