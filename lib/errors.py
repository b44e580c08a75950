"""What can go wrong, as one family of errors.

Every message says what was met, why that is a fault and what to do about it, in one line:
the command line and the notebooks show it as it is, without a traceback.
"""


class LockstepError(Exception):
    """Base of all errors that this project raises on purpose."""


class SettingsError(LockstepError, ValueError):
    """A parameter is unknown or out of its bounds."""


class InputError(LockstepError):
    """The input cannot be read, is too large for this machine, or is not what it should be."""


class OutputError(LockstepError):
    """The output cannot be written: target exists, folder missing, disk full, ..."""


class FormatError(LockstepError):
    """The .lks file is not one, is cut short, damaged or inconsistent."""


class CheckpointError(LockstepError):
    """A checkpoint is damaged, or belongs to another run."""


class InstallationError(LockstepError):
    """A file of the library itself is missing or changed."""


class DivergedError(LockstepError):
    """The decoder's model left the encoder's path: this environment computes other bits."""
