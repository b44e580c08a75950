"""Compiled loops: Numba, with a cache on disk that knows when any source has changed.

Numba's own cache looks at the file of a function alone, and would go on using it after a change to a constant or a
helper in another file: a coder that is wrong without a word. Here the cache's folder is named by all sources.
"""

import hashlib
import shutil
import time
from pathlib import Path

import numba

_SOURCES = Path(__file__).resolve().parent
_STALE_SECONDS = 24 * 3600      # another process may still be using a folder that is younger
_OPTIONS = {"nogil": True, "error_model": "numpy"}


def compiled(function):
    """A function as a compiled loop that runs without Python's lock; kept on disk for the next process."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _FOLDER or before
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = before


def part(function=None, fastmath=False):
    """A function that compiled loops call; LLVM puts it into them where it is small."""
    decorate = numba.njit(fastmath=fastmath, **_OPTIONS)
    return decorate(function) if function else decorate


def _cache_folder():
    """The folder for what is compiled from the sources as they are, or "" where Numba has to find one itself."""
    digest = hashlib.sha256()
    for source in sorted(_SOURCES.rglob("*.py")):
        digest.update(source.relative_to(_SOURCES).as_posix().encode() + b"\0" + source.read_bytes())
    folder = _SOURCES / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"
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
