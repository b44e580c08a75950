"""Paths as a user gives them, checked for what a Path no longer shows."""

import os
from pathlib import Path

from lib.errors import InputError, OutputError


def path_of_input(given: str | os.PathLike) -> Path:
    """The Path of what is to be read. Raises InputError for an empty name, which a Path takes for the current folder."""
    if not os.fspath(given):
        raise InputError("the name is empty", "name a file; the current folder is called .")
    return Path(given)


def path_of_output(given: str | os.PathLike) -> Path:
    """The Path of what is to be written.

    Raises OutputError for an empty name, and for one that ends as a folder's where there is none: a Path drops that
    end, and a file would be made in the folder's place.
    """
    text = os.fspath(given)
    if not text:
        raise OutputError("the name is empty", "name a file or a folder; the current folder is called .")
    if text.endswith((os.sep, os.altsep or os.sep)) and not os.path.isdir(text):
        raise OutputError(f"there is no folder {text}", "make it first, or drop the slash at the end to name a file")
    return Path(given)
