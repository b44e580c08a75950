"""Every difference between Colab and Jupyter, and between versions of ipywidgets."""

import base64
import filecmp
import html
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from IPython import get_ipython

from lib.errors import InputError, OutputError
from lib.storage.files import places, write_file

_DRIVE = Path("/content/drive")
_DRIVE_FOLDER = "Lockstep"         # of MyDrive, for results
_LARGEST_IN_PAGE = 64_000_000      # bytes that a link of the app carries itself, since Voila serves no files


def in_colab() -> bool:
    """Whether this notebook runs in Google Colab, whose kernel comes with this module loaded."""
    return "google.colab" in sys.modules


def a_person_is_there() -> bool:
    """Whether somebody sees the widgets: a server started this kernel for a page, and no tool that runs notebooks by itself."""
    return _in_jupyter() or is_app() or _in_vs_code()


def _in_jupyter():
    """Whether a Jupyter server started this kernel for a notebook in a page: it tells it the notebook's path."""
    return "JPY_SESSION_NAME" in os.environ


def _in_vs_code():
    """Whether VS Code started this kernel: it tells it the notebook's path, as a variable."""
    shell = get_ipython()
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns


def is_app() -> bool:
    """Whether Voila shows this notebook, without its code."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def ask_for_upload(folder: Path | str) -> Path:
    """Colab's own upload dialog; waits for the person. Returns the path of the uploaded file in `folder`."""
    from google.colab import files
    uploaded = files.upload()       # {name: bytes}; the files also land in the working folder, under these names
    if not uploaded:
        raise InputError("no file was chosen", "run the cell again, or choose another input_from")
    name, content = next(iter(uploaded.items()))
    path = _write_upload(folder, name, content)
    if not path.samefile(name):
        Path(name).unlink()
    return path


def widget_upload(widget: Any, folder: Path | str) -> Path | None:
    """The path of what a FileUpload widget holds, written into `folder`; None where it holds nothing."""
    value = widget.value
    if not value:
        return None
    if isinstance(value, dict):     # ipywidgets 7: {name: {"content": bytes, ...}}
        name, upload = next(iter(value.items()))
    else:                           # ipywidgets 8: ({"name": ..., "content": memoryview, ...}, ...)
        upload = value[0]
        name = upload["name"]
    return _write_upload(folder, name, upload["content"])


def mount_drive() -> Path:
    """The folder MyDrive, mounted now; asks the person for permission. InputError outside Colab."""
    if not in_colab():
        raise InputError("Google Drive can be reached from Colab only", "choose a path here")
    from google.colab import drive
    drive.mount(str(_DRIVE))
    return _DRIVE / "MyDrive"


def on_drive(name: str) -> Path:
    """The path of a file that a person names: under MyDrive, or in its folder for results."""
    path = mount_drive() / name
    return path if path.exists() else _DRIVE / "MyDrive" / _DRIVE_FOLDER / name


def drive_folder() -> Path:
    """The folder for results on MyDrive, mounted, and made where it is missing."""
    folder = mount_drive() / _DRIVE_FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}", "look at Drive, or choose another output_to") from error
    return folder


def copy_to_drive(paths: Sequence[Path], may_replace: Callable[[Path, Path], bool]) -> list[Path]:
    """Copy files to Drive, into one folder, and wait until they are there; returns their paths.

    may_replace: called with a file there and the one that would replace it; where one may not be, all go into a folder of their own.
    """
    from google.colab import drive
    folders = (place.parent for place in places(drive_folder() / paths[0].name))
    folder = next(folder for folder in folders if all(not (folder / path.name).exists() or may_replace(folder / path.name, path) for path in paths))
    try:
        folder.mkdir(exist_ok=True)
        for path in paths:
            if not ((folder / path.name).exists() and filecmp.cmp(path, folder / path.name, shallow=False)):
                shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise OutputError(f"cannot copy {path.name} to Drive: {error.strerror}", f"it is still here as {path}") from error
    drive.flush_and_unmount()       # else the copies may still be on their way when the machine goes
    return [folder / path.name for path in paths]


def hand_over(paths: Sequence[Path]) -> None:
    """Let the browser download files, in Colab."""
    if in_colab():
        from google.colab import files
        for path in paths:
            files.download(str(path))


def script_that_downloads(name: str) -> str:
    """JavaScript that presses the button to download `name`, once it is in the page, and within a minute from now only."""
    return f"""
        const press = (tries) => {{
            const links = [...document.querySelectorAll("a[download]")].filter((link) => link.download === {json.dumps(name)});
            if (links.length && links.at(-1).protocol.startsWith("http")) links.at(-1).click();
            else if (tries) setTimeout(() => press(tries - 1), 200);
        }};
        if (Date.now() < {1000 * (time.time() + 60):.0f}) setTimeout(() => press(25), 500);
    """


def links(paths: Sequence[Path], names: Sequence[str]) -> str:
    """Buttons to download files under some names, as HTML, in Jupyter and in the app; "" where the page cannot give them."""
    return " ".join(_link(path, address, name) for path, name in zip(paths, names) if (address := _address(path)))


def beside(path: Path) -> Path | None:
    """The path of a file in this notebook's folder, from there; None for others."""
    path, here = path.resolve(), Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else None


def where(path: Path) -> str:
    """Where a file lies, for a person to find it."""
    place = beside(path)
    return f"{place}, in the folder of this {'app' if is_app() else 'notebook'}" if place else str(path.resolve())


def _address(path):
    """What a link to download a file leads to; None where the page cannot give it."""
    if in_colab():
        return None
    if is_app():
        if path.stat().st_size > _LARGEST_IN_PAGE:
            return None
        return f"data:application/octet-stream;base64,{base64.b64encode(path.read_bytes()).decode()}"
    if _in_jupyter() and (place := beside(path)) and not any(part.startswith(".") for part in place.parts):       # which it does not serve
        return quote(place.as_posix())       # without a host it is a file of Jupyter's own, beside the notebook
    return None


def _link(path, address, name):
    """A button to download a file from an address."""
    name = html.escape(name, quote=True)
    return (f'<a download="{name}" href="{address}" style="display:inline-block;padding:6px 14px;border-radius:4px;margin:2px 0;'
            f'background:#1565c0;color:#fff;text-decoration:none">Download {name} ({path.stat().st_size:,} bytes)</a>')


def _write_upload(folder, name, content):
    """Write an upload under its own name, in a folder of its own where another file has that; the bytes as they came."""
    content = bytes(content)
    for path in places(Path(folder) / Path(name).name):
        if path.is_file() and path.read_bytes() == content:
            return path
        if not os.path.lexists(path):
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)
    return path
