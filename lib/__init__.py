"""Lockstep: lossless compression by neural networks that learn while they code.

    from lib import compress, decompress, Settings
    result = compress("book.txt", settings=Settings(rnn_units=256))
    decompress(result.output_path, "book.again.txt")
"""

from lib.codec import Progress
from lib.compression import Contents, Result, compress, decompress, inspect
from lib.errors import (
    DivergedError,
    FormatError,
    InputError,
    LockstepError,
    OutputError,
    SettingsError,
)
from lib.settings import Settings

__version__ = "0.1.0"
__all__ = ["Contents", "DivergedError", "FormatError", "InputError", "LockstepError", "OutputError", "Progress",
           "Result", "Settings", "SettingsError", "compress", "decompress", "inspect"]
