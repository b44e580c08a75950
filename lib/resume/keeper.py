"""Writes the checkpoints of a run while it goes on."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from lib.errors import OutputError
from lib.interruptions import STOPPING, is_asked_to_stop
from lib.resume.checkpoint import write

_MOST_SHARE = 0.04               # of a run's time that goes into its checkpoints


class Keeper:
    """Writes the checkpoints of a run: every so often, and where the run is interrupted.

    Used with `with`, around the run; inside, the first signal that would stop it (see lib.interruptions) waits for the next
    `visit`. Then it does what it would have done. A run that is asked to stop otherwise ends there, too.
    """

    def __init__(self, path: Path | str, minutes: float, about: dict[str, Any], warn: Callable[[str], Any], mode: int = 0o666) -> None:
        """about: what says which run it is, the same in all of its checkpoints. warn: called with a line of text. mode: the
        permission bits that checkpoints have at most.
        """
        self.path, self._seconds, self._about, self._warn, self._mode = path, 60 * minutes, about, warn, mode
        self._due = time.monotonic() + self._seconds
        self._signals, self._signal = 0, signal.SIGINT     # how many came, and the last one
        self._handlers: dict[int, Any] = {}                # of each signal: what there was before

    def __enter__(self) -> Self:
        self._take_signals()
        return self

    def __exit__(self, *exception: object) -> None:
        self._give_signals_back()
        if self._signals and exception[0] is None:         # it came after the last visit
            signal.raise_signal(self._signal)

    def visit(self, state: Callable[[], tuple[dict, dict]]) -> None:
        """Write a checkpoint if one is due, of (about, sections) as `state()` gives them.

        After it, where the run was interrupted, the signal does what it would have done: Ctrl-C raises KeyboardInterrupt.
        """
        now, is_asked = time.monotonic(), is_asked_to_stop()
        if now < self._due and not self._signals and not is_asked:
            return
        about, sections = state()
        try:
            write(self.path, self._about | about, sections, mode=self._mode)
        except OutputError as error:
            self._warn(f"no checkpoint was written: {error}")
        done = time.monotonic()
        self._due = done + max(self._seconds, (done - now) / _MOST_SHARE)
        if self._signals:
            self._pass_on()
        if is_asked:
            raise KeyboardInterrupt

    def _interrupt(self, number, frame):
        self._signals, self._signal = self._signals + 1, number
        if self._signals > 1:                    # a second one does not wait
            self._pass_on()

    def _pass_on(self):
        """Let the signal do what it would have done. Where that does not stop the run, it goes on as before."""
        self._give_signals_back()
        self._signals = 0
        signal.raise_signal(self._signal)
        self._take_signals()

    def _take_signals(self):
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):       # ignored, as under nohup
                    self._handlers[number] = signal.signal(number, self._interrupt)

    def _give_signals_back(self):
        while self._handlers:
            signal.signal(*self._handlers.popitem())
