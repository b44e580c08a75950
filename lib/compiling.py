"""Compiled loops: Numba, with a cache on disk that knows when any source has changed.

Numba's own cache looks at the file of a function alone, and would go on using it after a change to a constant or a
helper in another file: a coder that is wrong without a word. Here the cache's folder is named by all sources of
the packages that have compiled loops, wherever it lies: where NUMBA_CACHE_DIR says, beside the library, in the
user's own folder for caches, or in a temporary one.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import event, types
from numba.core.caching import FunctionCache
from numba.extending import register_jitable

_LIBRARY = Path(__file__).resolve().parent
_PACKAGES = ("coders", "mixing", "models/exact", "sources", "transforms")     # all that compiles
_MODULES = ("limits.py", "kinds.py")                             # and what else its constants may come from
_STALE_SECONDS = 24 * 3600      # another process may still be using a folder that was used since
_CONFIG: Any = numba.config      # which gets its names where it is imported
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Callable) -> Callable:
    """A function as a compiled loop that runs without Python's lock; kept on disk, if it is one of _PACKAGES."""
    loop = numba.njit(**_OPTIONS)(function)
    if _FOLDER and function.__module__.startswith(tuple(f"lib.{package.replace('/', '.')}." for package in _PACKAGES)):
        before = _CONFIG.CACHE_DIR
        _CONFIG.CACHE_DIR = _FOLDER
        try:
            loop._cache = _Cache(function)       # as njit(cache=True) does, with a cache that may fail
        except RuntimeError:
            pass                                 # the folder has gone since: compiled anew in each process
        finally:
            _CONFIG.CACHE_DIR = before
    return loop


def part(function: Callable | None = None, fastmath: bool | set[str] = False) -> Callable:
    """A function that compiled loops call; LLVM puts it into them where it is small."""
    def decorate(function):
        loop = numba.njit(fastmath=fastmath, **_OPTIONS)(function)
        template = loop.get_call_template
        # Numba would compile it once more for each constant that it is called with, also where that is only what a variable begins as.
        loop.get_call_template = lambda arguments, named: template(
            tuple(map(types.unliteral, arguments)), {name: types.unliteral(kind) for name, kind in named.items()})
        return loop

    return decorate(function) if function else decorate


def also_plain(function: Callable) -> Callable:
    """A part that Python calls too, as it is."""
    return register_jitable(**_OPTIONS)(function)


class _Cache(FunctionCache):
    """Numba's cache of one loop. A full disk or a damaged file costs the time to compile, and no run."""

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception:                        # unpickling what was cut short raises anything
            with contextlib.suppress(OSError):
                self.flush()                     # begins the index anew: what is compiled now is added to it
            return None

    def save_overload(self, sig, data):
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)


def _cache_folder():
    """The folder for what is compiled from the sources as they are; "" where none can be written, or none is safe."""
    name = f"compiled-{_digest_of_sources()}"
    for place, is_made_by_us in _places():
        folder = place / name
        try:
            if is_made_by_us:
                place.mkdir(0o700, parents=True, exist_ok=True)
                if not _is_ours_alone(place):
                    continue
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
        except OSError:
            continue
        _remove_stale(folder)
        return str(folder)
    return ""


def _digest_of_sources():
    digest = hashlib.sha256()
    sources = [*(_LIBRARY / module for module in _MODULES),
               *(source for package in _PACKAGES for source in sorted((_LIBRARY / package).rglob("*.py")))]
    for source in (Path(__file__).resolve(), *sources):
        digest.update(source.relative_to(_LIBRARY).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _places():
    """Where the folder may lie, in order: [(path, whether it has to be one that we made, for this user alone)]."""
    asked = _CONFIG.CACHE_DIR               # NUMBA_CACHE_DIR in the environment
    user = _user_cache()
    temporary = [Path(folder) / f"lockstep-{os.geteuid()}" for folder in (os.environ.get("TMPDIR"), "/tmp")
                 if folder and os.path.isabs(folder) and os.path.isdir(folder)] if hasattr(os, "geteuid") else []
    return [*([(Path(asked) / "lockstep", False)] if asked else []), (_LIBRARY / "__pycache__", False),
            *((place, True) for place in ([user] if user else []) + temporary)]


def _user_cache():
    """The folder for caches of this user's, or None where the user has no home."""
    try:
        home = Path.home()
    except RuntimeError:
        home = None
    named = {"win32": "LOCALAPPDATA", "darwin": ""}.get(sys.platform, "XDG_CACHE_HOME")
    caches = os.environ.get(named, "")
    if os.path.isabs(caches):
        return Path(caches) / "lockstep"
    if not home or not home.is_dir():
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "lockstep"


def _is_ours_alone(folder):
    """Whether nobody but this user can put anything into a folder, or another in its place: what lies there is run as code."""
    if os.name == "nt":
        return True                              # the user's own by its place
    found, around = os.lstat(folder), os.stat(folder.parent)
    others = stat.S_IWGRP | stat.S_IWOTH
    return (stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & others
            and (around.st_uid in (0, os.geteuid())) and bool(around.st_mode & stat.S_ISVTX or not around.st_mode & others))


def _remove_stale(folder):
    """Remove the folders of other sources beside one, where no process can be using them any more."""
    stale = time.time() - _STALE_SECONDS
    with contextlib.suppress(OSError):           # another process removes them too
        for other in folder.parent.glob("compiled-*"):
            if other != folder and other.stat().st_mtime < stale:
                shutil.rmtree(other, ignore_errors=True)


_FOLDER = _cache_folder()


def folder() -> str:
    """The folder for what is compiled from the sources as they are; "" where there is none."""
    return _FOLDER


def is_compiled(module: str) -> bool:
    """Whether loops of a module were compiled before, and kept."""
    return bool(_FOLDER) and any(Path(_FOLDER).glob(f"*/{module.rpartition('.')[2]}.*.nbi"))


@contextlib.contextmanager
def announced(say: Callable[[str], Any]) -> Iterator[None]:
    """While inside: call `say` with a line of text where something has to be compiled, the first time."""
    with event.install_listener("numba:run_pass", _Announcer(say)):
        yield


class _Announcer(event.Listener):
    """Says once that compiling began."""

    def __init__(self, say):
        self._say = say

    def on_start(self, event):
        say, self._say = self._say, None
        if say:
            say("compiling for this machine, which takes up to half a minute and is kept for the next run")

    def on_end(self, event):
        pass
