"""What a notebook says: lines while it runs, and boxes on how it ended, errors in red and verdicts in green."""

import functools
import html
import traceback
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from lib.errors import LockstepError
from lib.notebook import host
from lib.notebook.place import show

_COLOURS = {"error": ("#b3261e", "#fdecea"), "good": ("#1e7b34", "#e8f5e9"), "note": ("#8a6100", "#fff8e1")}
_Arguments = ParamSpec("_Arguments")
_Given = TypeVar("_Given")


class Stopped(Exception):
    """What a cell ends with after its box, for a tool that executes the notebook."""

    def _render_traceback_(self):
        """What IPython shows of it."""
        return [f"Stopped: {self}"]


def say(line: str) -> None:
    """Display a line of text."""
    show(f"<div style='color:#555;line-height:1.4'>{html.escape(line)}</div>", line)


def box(kind: str, title: str, lines: Sequence[str] = (), details: str = "") -> None:
    """Display a box. kind: "error", "good" or "note"; details: text that is folded away."""
    colour, ground = _COLOURS[kind]
    text = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    folded = (f"<details><summary style='cursor:pointer;color:#555'>Details for reporting it</summary>"
              f"<pre style='white-space:pre-wrap;font-size:11px'>{html.escape(details)}</pre></details>") if details else ""
    show(f"<div style='border-left:5px solid {colour};background:{ground};color:#1f1f1f;padding:8px 12px;margin:6px 0;"
         f"max-width:900px'><b style='color:{colour}'>{html.escape(title)}</b>{text}{folded}</div>", "\n".join([title, *lines]))


def boxed(function: Callable[_Arguments, _Given]) -> Callable[_Arguments, _Given | None]:
    """A cell's function whose errors show as a box, with the traceback folded away.

    A person sees it, and gets None, with which the cells after it do nothing; where a tool executes the notebook, Stopped is raised.
    """
    @functools.wraps(function)
    def guarded(*arguments, **named):
        try:
            return function(*arguments, **named)
        except Stopped:
            raise
        except (Exception, KeyboardInterrupt) as error:
            show_error(error, traceback.format_exc())
            if not host.a_person_is_there():
                raise Stopped(str(error) or "interrupted") from error
            return None
    return guarded


def show_error(error: BaseException, details: str) -> None:
    """Display the box of what ended a run. details: its traceback."""
    if isinstance(error, KeyboardInterrupt):
        box("note", "Stopped", [str(error)] if str(error) else [
            "Nothing is lost: choose the same file and settings again, and it goes on from here."])
    elif isinstance(error, LockstepError):
        box("error", _NAMES.get(type(error).__name__, "This did not work"), _lines(error), details)
    else:
        box("error", "Something went wrong that should not", [
            f"{type(error).__name__}: {error}", "Your files are as they were. Please report this, with the details below."], details)


_NAMES = {
    "SettingsError": "A setting cannot be used",
    "InputError": "The input cannot be used",
    "OutputError": "The output cannot be written",
    "FormatError": "The file is damaged or not Lockstep's",
    "CheckpointError": "The checkpoint cannot be used",
    "InstallationError": "The installation is not complete",
    "ModelError": "The model cannot be used",
    "DivergedError": "The file does not decode here",
}


def _lines(error):
    """What was met and what to do about it, a line each."""
    return [text for text in (error.what, error.advice) if text]
