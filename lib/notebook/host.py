"""Every difference between Colab and Jupyter, and between versions of ipywidgets."""

import base64
import html
import os
import shutil
import sys
from pathlib import Path

from IPython import get_ipython
from IPython.display import display

from lib.errors import InputError, OutputError
from lib.files import free_name, write_file

_DRIVE = Path("/content/drive")
_LARGEST_IN_PAGE = 64_000_000      # bytes that a link to download carries itself


def in_colab():
    """Whether this notebook runs in Google Colab, whose kernel comes with this module loaded."""
    return "google.colab" in sys.modules


def a_person_is_there():
    """Whether somebody sees the widgets: a server started this kernel for a page, and no tool that runs notebooks by itself."""
    return "JPY_SESSION_NAME" in os.environ or is_app() or _in_vs_code()


def _in_vs_code():
    """Whether VS Code started this kernel: it tells it the notebook's path, as a variable."""
    shell = get_ipython()
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns


def is_app():
    """Whether Voila shows this notebook, without its code."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def ask_for_upload(folder):
    """Colab's own upload dialog; waits for the person. Returns the path of the uploaded file in `folder`."""
    from google.colab import files
    uploaded = files.upload()       # {name: bytes}; the files also land in the working folder
    if not uploaded:
        raise InputError("no file was chosen; run the cell again, or choose another input_from")
    name, content = next(iter(uploaded.items()))
    return _write_upload(folder, name, content)


def widget_upload(widget, folder):
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


def mount_drive():
    """The folder MyDrive, mounted now; asks the person for permission. InputError outside Colab."""
    if not in_colab():
        raise InputError("Google Drive can be reached from Colab only; choose a path here")
    from google.colab import drive
    drive.mount(str(_DRIVE))
    return _DRIVE / "MyDrive"


def copy_to_drive(path):
    """Copy a file to MyDrive and wait until it is there; returns its path."""
    from google.colab import drive
    target = free_name(mount_drive() / path.name)
    try:
        shutil.copyfile(path, target)
    except OSError as error:
        raise OutputError(f"cannot copy {path.name} to Drive: {error.strerror}; it is still here as {path}") from error
    drive.flush_and_unmount()       # else the copy may still be on its way when the machine goes
    return target


def offer(path, download):
    """Show where the file is: a browser download in Colab where asked for, a button to download it in Jupyter."""
    if in_colab():
        if download:
            from google.colab import files
            files.download(str(path))
    elif path.stat().st_size <= _LARGEST_IN_PAGE:
        display({"text/html": _download_link(path), "text/plain": path.name}, raw=True)
    path, here = path.resolve(), Path.cwd()
    print(f"The file is {path.relative_to(here)}, beside this notebook" if path.is_relative_to(here) else f"The file is {path}")


def _download_link(path):
    """A link that has the file in it: it works wherever a page is shown, whatever its server serves."""
    data = base64.b64encode(path.read_bytes()).decode()
    name = html.escape(path.name, quote=True)
    return (f'<a download="{name}" href="data:application/octet-stream;base64,{data}" style="display:inline-block;padding:6px 14px;'
            f'border-radius:4px;background:#1565c0;color:#fff;text-decoration:none">Download {name} ({path.stat().st_size:,} bytes)</a>')


def _write_upload(folder, name, content):
    """Write an upload under its own name, or a free one where another file has that; the bytes as they came."""
    path, content = Path(folder) / Path(name).name, bytes(content)
    if path.is_file() and path.read_bytes() == content:
        return path
    path = free_name(path)
    write_file(path, content)
    return path
