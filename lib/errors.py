"""What can go wrong, as one family of errors.

Every error says in one line what is wrong and why, and in its `advice` what to do about it; if one of the
settings is at fault, `parameter` is its name. The command line and the notebooks show this line, without a traceback.
"""


class LockstepError(Exception):
    """Base of all errors that this project raises on purpose.

    what: what is wrong, and why. advice: what to do about it; "" where that is obvious. parameter: the name of the
    setting or form field at fault, or None. `str` of an error is `what` and `advice` in one line.
    """

    def __init__(self, what: str, advice: str = "", parameter: str | None = None) -> None:
        super().__init__(f"{what}; {advice}" if advice else what)
        self.what, self.advice, self.parameter = what, advice, parameter


class SettingsError(LockstepError, ValueError):
    """A parameter is unknown or out of its bounds."""


class InputError(LockstepError):
    """The input cannot be read, is too large for this machine, or is not what it should be."""


class OutputError(LockstepError):
    """The output cannot be written: target exists, folder missing, disk full, ..."""


class FormatError(LockstepError):
    """The file is no .lks file, or cut short, damaged or inconsistent."""


class CheckpointError(LockstepError):
    """A checkpoint is damaged, or belongs to another run."""


class InstallationError(LockstepError):
    """A file of the library itself is missing or changed."""


class ModelError(LockstepError):
    """A model of one's own (lib.models.own) is missing, is another one, or predicts what cannot be coded."""


class DivergedError(LockstepError):
    """The decoder's model left the encoder's path: this environment computes other bits."""
