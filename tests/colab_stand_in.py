"""Stands in for google.colab inside a kernel: uploads, downloads and Drive as Colab's own modules answer."""

import sys
import types
from pathlib import Path


def install(upload=None, drive_folder=None):
    """Put `google.colab` into sys.modules.

    upload: {name: bytes} that the person chooses; files.upload also writes them into the working folder.
    drive_folder: what gets mounted, in place of /content/drive.
    Returns the record of calls, a list of (call, argument).
    """
    calls = []
    files, drive = types.ModuleType("google.colab.files"), types.ModuleType("google.colab.drive")

    def choose():
        calls.append(("upload", None))
        chosen = {}
        for name, content in (upload or {}).items():
            path, number = Path(name), 0
            while path.exists():                   # a second file of that name gets another, as in Colab
                number += 1
                path = Path(f"{Path(name).stem} ({number}){Path(name).suffix}")
            path.write_bytes(content)
            chosen[path.name] = content
        return chosen

    def mount(path):
        calls.append(("mount", path))
        Path(drive_folder, "MyDrive").mkdir(parents=True, exist_ok=True)

    files.upload = choose
    files.download = lambda path: calls.append(("download", str(path)))
    drive.mount = mount
    drive.flush_and_unmount = lambda: calls.append(("flush", None))
    colab = types.ModuleType("google.colab")
    colab.files, colab.drive = files, drive
    try:
        import google  # protobuf's half of this namespace package stays importable
    except ModuleNotFoundError:
        google = sys.modules["google"] = types.ModuleType("google")
    google.colab = colab
    sys.modules.update({"google.colab": colab, "google.colab.files": files, "google.colab.drive": drive})
    if drive_folder:
        import lib.notebook.host
        lib.notebook.host._DRIVE = Path(drive_folder)
    return calls
