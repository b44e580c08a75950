"""From what a person chose to a path on this machine."""

import contextlib
import filecmp
import glob
import hashlib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tqdm.auto import tqdm

from lib.compression import SUFFIX
from lib.contents import file_bytes, inspect
from lib.errors import InputError, LockstepError, OutputError
from lib.notebook import host
from lib.notebook.choices import Choices
from lib.resume.manifest import MANIFEST_SUFFIX, Manifest
from lib.settings import Settings
from lib.storage.files import OutputFile, free_name, free_place, places
from lib.storage.names import is_file_name, near_name, plain_name

_CHUNK = 1 << 18          # bytes
_TIMEOUT = 30             # seconds without a byte


def find_input(choices: Choices, uploaded: Path | None, fallback: Callable[[Path], Path]) -> Path:
    """The path of the chosen input.

    uploaded: what the form's upload field holds, a path or None.
    fallback: called for a path when `input_from` is "auto" or "sample" and nothing else was chosen.
    Raises InputError where the choice names nothing.
    """
    folder = Path(choices.output_folder or ".")
    chosen = what_is_given(choices, uploaded) or ("upload" if host.in_colab() else "sample")
    if chosen == "sample":
        return fallback(folder)
    if chosen == "upload":
        if uploaded:
            return uploaded
        if host.in_colab():
            return host.ask_for_upload(folder)
        raise InputError("no file is uploaded", "choose one in the form above and run this cell again")
    if chosen == "url":
        return fetch(_given(choices, "url"), folder, choices.largest_download_mb)
    if chosen == "drive":
        return host.on_drive(_given(choices, "path"))
    return Path(_given(choices, "path")).expanduser()


def fetch(url: str, folder: Path, largest_mb: float) -> Path:
    """Fetch an http(s) URL into `folder` with a progress bar; returns the path.

    Raises InputError for other addresses, failures and more than `largest_mb` megabytes.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InputError(f"a url begins with http:// or https://, got {url!r}")
    name = urllib.parse.unquote(parts.path).rpartition("/")[2]
    wanted = folder / (near_name(name) if is_file_name(name) and name.isprintable() else "download")
    path = free_place(wanted)
    path.parent.mkdir(exist_ok=True)
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            _save(response, path, largest_mb)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise InputError(f"cannot fetch {url}: {error}", "check the address and the connection") from error
    return _same_as(wanted, path)


def folder_for(input_path: Path, folder: Path) -> Path:
    """Where what is made of an input goes: beside it, where it lies in `folder` or deeper, else into `folder`."""
    return input_path.parent if input_path.resolve().is_relative_to(folder.resolve()) else folder


def folder_for_parts(input_path: Path, folder: Path) -> Path:
    """Where the parts of a file go: as `folder_for`, but into a folder of their own where another file's lie."""
    manifest_name = input_path.name + MANIFEST_SUFFIX
    for path in places(folder_for(input_path, folder) / manifest_name):
        if not path.exists() and not any(path.parent.glob(glob.escape(input_path.name) + ".part*of*")) or _is_manifest_of(path, input_path):
            path.parent.mkdir(exist_ok=True)
            return path.parent
    raise AssertionError("there is always another place")


def checkpoint_name(input_path: Path, settings: Settings) -> str:
    """The name of the checkpoint of a run: another for other data and for other settings, and never too long. Raises InputError."""
    content = b"" if input_path.is_dir() else file_bytes(input_path)
    named = hashlib.sha256(hashlib.sha256(content).digest() + repr(sorted(settings.asked().items())).encode()).hexdigest()[:8]
    return f"{plain_name(input_path.name)}-{named}.checkpoint"


def _is_manifest_of(path, input_path):
    try:
        manifest = Manifest.read(path)
        return manifest.size == input_path.stat().st_size and manifest.sha256 == hashlib.sha256(input_path.read_bytes()).hexdigest()
    except (LockstepError, OSError):
        return False


def output_for(input_path: Path, folder: Path) -> Path:
    """Where the .lks file of `input_path` goes: over one of the same original, else under a free name; in `folder`, or deeper beside the input."""
    path = folder_for(input_path, folder) / (input_path.name + SUFFIX)
    try:
        made_before = inspect(path).header.sha256 == hashlib.sha256(input_path.read_bytes()).digest()
    except (LockstepError, OSError):
        made_before = False
    return path if made_before else free_name(path)


def _same_as(wanted, path):
    """`wanted`, where the file at `path` was there already under that name; the second copy goes. Else `path`."""
    if path != wanted and filecmp.cmp(path, wanted, shallow=False):
        path.unlink()
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        return wanted
    return path


def _save(response, path, largest_mb):
    """Write the response's body, checking its size before and while it comes."""
    stated = response.headers.get("Content-Length")
    expected = int(stated) if stated else None
    most = largest_mb * 1_000_000
    too_large = InputError(f"{path.name} is larger than {largest_mb:,} MB", "raise largest_download_mb to fetch it")
    if expected is not None and expected > most:
        raise too_large
    done = 0
    with OutputFile(path, overwrite=True) as output, \
            tqdm(total=expected, unit="B", unit_scale=True, desc=f"Fetching {path.name}") as bar:
        while chunk := response.read(_CHUNK):
            done += len(chunk)
            if done > most:
                raise too_large
            output.write(chunk)
            bar.update(len(chunk))
        if expected is not None and done != expected:
            raise InputError(f"the connection ended after {done:,} of {expected:,} bytes", "try again")
        output.commit()


def what_is_given(choices: Choices, uploaded: Path | None) -> str:
    """Which of the INPUTS a person chose; "" where `input_from` is "auto" and there is none yet."""
    if choices.input_from != "auto":
        return choices.input_from
    return "url" if choices.url.strip() else "path" if choices.path.strip() else "upload" if uploaded else ""


def _given(choices, name):
    value = getattr(choices, name).strip()
    if not value:
        raise InputError(f"input_from is {choices.input_from!r}, but {name} is empty", "fill it in")
    return value


def output_folder(choices: Choices) -> Path:
    """The folder for outputs, made where it is missing."""
    folder = Path(choices.output_folder or ".").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}", "choose another output_folder") from error
    return folder
