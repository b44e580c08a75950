"""What a person chooses in a notebook besides the Settings of the coding."""

import dataclasses
from dataclasses import dataclass, field
from types import MappingProxyType

from lib.errors import SettingsError

ACTIONS = ("auto", "split", "join")
INPUTS = ("auto", "sample", "upload", "path", "url", "drive")
OUTPUTS = ("auto", "disk", "download", "drive")


def _choice(default, help, choices=None):
    """A field of `Choices` with its line of help, for both forms."""
    return field(default=default, metadata=MappingProxyType(dict(help=help, choices=choices)))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Where the input comes from and where the output goes. Raises SettingsError by name."""

    input_from: str = _choice(
        "auto", "auto takes the URL, path or upload that is given; without one it asks for a file", INPUTS)
    path: str = _choice("", "a file on this machine; if input_from is drive: in MyDrive or MyDrive/Lockstep")
    url: str = _choice("", "an http or https address")
    largest_download_mb: int = _choice(1000, "refuse to fetch more than this many megabytes from a URL")
    output_to: str = _choice(
        "auto", "the result is always on disk here; auto and download also hand it to the browser (in Jupyter if you uploaded it); "
        "drive also copies it to the folder Lockstep on MyDrive", OUTPUTS)
    output_folder: str = _choice("files", "the folder for uploads and results: beside this notebook, or an absolute path; created if missing; "
                                 "empty: the notebook's folder")
    prior_file: str = _choice("", "a .prior file, learned from your files; to decompress, it is needed again: beside the .lks "
                              "file, or named here")

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True)
class SplitChoices:
    """What to do with a long file. Raises SettingsError by name."""

    action: str = _choice("auto", "split a file, or join the parts that lie beside a .parts.json file; auto: by the "
                          "input", ACTIONS)
    parts: int = _choice(4, "how many parts to split into")
    streams: int = _choice(0, "streams of aligned parts, the batch_size to compress them with; 0: by the file's size")
    kind: str = _choice(
        "aligned", "aligned: each part continues the one before, and together they are as small as the whole; independent: "
        "compressed in parallel, but larger", ("aligned", "independent"))

    def __post_init__(self) -> None:
        _check(self)


def _check(choices):
    """Refuse wrong values by name; text becomes the number that it says."""
    for choice in dataclasses.fields(choices):
        value, allowed = getattr(choices, choice.name), choice.metadata["choices"]
        if allowed and value not in allowed:
            raise SettingsError(f"{choice.name} must be one of {', '.join(allowed)}, got {value!r}",
                                parameter=choice.name)
        if isinstance(choice.default, int):
            least = min(1, choice.default)
            if not str(value).strip().isdecimal() or int(value) < least:
                raise SettingsError(f"{choice.name} must be a whole number of {least} or more, got {str(value).strip()!r}",
                                    parameter=choice.name)
            object.__setattr__(choices, choice.name, int(value))
