"""Primers: texts of our own that contexts read before an input, so that they know its language already.

A file names its primer, so the text of a name never changes; a better one gets a new name.
"""

import hashlib
from pathlib import Path

import numpy as np

from lib.errors import InstallationError

FOLDER = Path(__file__).parent
# Of each: bytes, SHA-256.
_PRIMERS = {"text-1": (199_091, "887b0577e29fd3e99e0690378c2c05848e96a445da1f96ef6fa4cb81690bcc1d")}
NAMES = ("none", *_PRIMERS)


def read(name: str) -> np.ndarray:
    """A primer's bytes as codes: uint16, shape (n,); none for "none".

    Raises InstallationError where the text is missing or not as it was released.
    """
    if name == "none":
        return np.zeros(0, np.uint16)
    path = FOLDER / f"{name}.txt"
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != _PRIMERS[name][1]:
        raise InstallationError(f"{path} is missing or changed, and coding with primer={name} needs it as it was",
                                "install Lockstep again")
    return np.frombuffer(data, np.uint8).astype(np.uint16)


def length(name: str) -> int:
    """How many symbols a primer has."""
    return 0 if name == "none" else _PRIMERS[name][0]
