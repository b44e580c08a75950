"""Lockstep: lossless compression by neural networks that learn while they code.

    from lib import compress, decompress, Settings
    result = compress("book.txt", settings=Settings(rnn_units=256))
    decompress(result.output_path, "book.again.txt")
"""

from lib.coding.loop import Progress
from lib.compression import Result, compress, decompress, resume
from lib.contents import Contents, inspect
from lib.errors import (
    CheckpointError,
    DivergedError,
    FormatError,
    InputError,
    InstallationError,
    LockstepError,
    ModelError,
    OutputError,
    SettingsError,
)
from lib.extraction import entries_of, extract
from lib.priors import Prior, learn
from lib.resume.splitting import Manifest, join, split
from lib.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "CheckpointError", "Contents", "DivergedError", "FormatError", "InputError", "InstallationError", "LockstepError",
    "Manifest", "ModelError", "OutputError", "Prior", "Progress", "Result", "Settings", "SettingsError", "compress", "decompress",
    "entries_of", "extract", "inspect", "join", "learn", "resume", "split"]
