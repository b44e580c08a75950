"""Compiled loops: Numba, with a cache on disk that knows when any source has changed.

Numba's own cache looks at the file of a function alone, and would go on using it after a change to a constant or a
helper in another file: a coder that is wrong without a word. Here the cache's folder is named by all sources of
the packages that have compiled loops.
"""

import contextlib
import hashlib
import shutil
import time
from pathlib import Path

import numba
from numba.core import event
from numba.extending import register_jitable

_LIBRARY = Path(__file__).resolve().parent
_PACKAGES = ("coders", "mixing", "models/exact", "sources")     # what these compile is kept; they take no constants from elsewhere
_STALE_SECONDS = 24 * 3600      # another process may still be using a folder that is younger
_OPTIONS = {"nogil": True, "error_model": "numpy"}


def compiled(function):
    """A function as a compiled loop that runs without Python's lock; kept on disk, if it is one of _PACKAGES."""
    is_kept = function.__module__.startswith(tuple(f"lib.{package.replace('/', '.')}." for package in _PACKAGES))
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _FOLDER or before
    try:
        return numba.njit(cache=is_kept, **_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = before


def part(function=None, fastmath=False):
    """A function that compiled loops call; LLVM puts it into them where it is small."""
    decorate = numba.njit(fastmath=fastmath, **_OPTIONS)
    return decorate(function) if function else decorate


def also_plain(function):
    """A part that Python calls too, as it is."""
    return register_jitable(**_OPTIONS)(function)


def _cache_folder():
    """The folder for what is compiled from the sources as they are, or "" where Numba has to find one itself."""
    digest = hashlib.sha256()
    sources = [source for package in _PACKAGES for source in sorted((_LIBRARY / package).rglob("*.py"))]
    for source in (Path(__file__).resolve(), *sources):
        digest.update(source.relative_to(_LIBRARY).as_posix().encode() + b"\0" + source.read_bytes())
    folder = _LIBRARY / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    stale = time.time() - _STALE_SECONDS
    for other in folder.parent.glob("compiled-*"):
        if other != folder and other.stat().st_mtime < stale:
            shutil.rmtree(other, ignore_errors=True)
    return str(folder)


_FOLDER = _cache_folder()


@contextlib.contextmanager
def announced(say):
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
