"""Runs, each in a thread of its own: the kernel stays free for the page, which may be reloaded meanwhile and finds the run again.

One run goes on at a time in a kernel: two would only make each other slower.
"""

import contextlib
import threading
import traceback
from collections.abc import Callable
from typing import Any

from lib.coding.loop import Progress
from lib.errors import OutputError
from lib.interruptions import stoppable
from lib.notebook.curve import Curve

_SECONDS_BETWEEN_LOOKS = 0.2       # of a cell that waits, for Ctrl-C
_FEWEST_SECONDS = 3.0              # of coding that tell how fast this machine is


class Run:
    """What `work` does, how far it is, and what came of it."""

    def __init__(self, title: str, work: Callable[["Run"], Any]) -> None:
        """title: what is done, and with which file. work: called with this Run, which it tells how it goes on; returns the result."""
        self.title, self.curve = title, Curve()
        self.lines: list[str] = []                 # what there was to say
        self.result: Any = None
        self.error: BaseException | None = None    # that ended it,
        self.details = ""                          # and its traceback
        self.has_ended = False
        self.values: Any = None                    # of the form that began it
        self._work, self._stop = work, threading.Event()
        self._first: Progress | None = None
        self._newest: Progress | None = None
        self._bytes = 0, 0
        self._watchers: list[Callable[[], Any]] = []
        self._thread = threading.Thread(target=self._do, name=title, daemon=True)

    @property
    def progress(self) -> Progress | None:
        """How far it is; None before the first symbol."""
        return self._newest

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        done, total = (self._newest.done, self._newest.total) if self._newest else self._bytes
        return done / total if total else 0.0

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set() and not self.has_ended

    @property
    def since_first(self) -> tuple[int, int, float]:
        """(symbols, bits, seconds) since the first report: what this run did, also where it went on from a checkpoint."""
        if self._first is None or self._newest is None:
            return 0, 0, 0.0
        first, newest = self._first, self._newest
        return newest.done - first.done, newest.bits - first.bits, newest.seconds - first.seconds

    @property
    def symbols_per_second(self) -> float | None:
        """How many symbols were coded in a second, without the time to begin; None where there was too little to tell."""
        symbols, _, seconds = self.since_first
        return symbols / seconds if seconds >= _FEWEST_SECONDS else None

    def watch(self, watcher: Callable[[], Any]) -> None:
        """Call `watcher` whenever there is something new, from the run's thread, and at once."""
        self._watchers.append(watcher)
        watcher()

    def stop(self) -> None:
        """Ask the run to end, once it has written its checkpoint."""
        self._stop.set()
        self._tell()

    def wait(self) -> Any:
        """The result, once the run has ended. Raises what ended it. Ctrl-C stops the run first."""
        while self._thread.is_alive():
            try:
                self._thread.join(_SECONDS_BETWEEN_LOOKS)
            except KeyboardInterrupt:
                self.stop()
        if self.error:
            raise self.error
        return self.result

    def take(self, progress: Progress) -> None:
        """How far it is now."""
        self._first, self._newest = self._first or progress, progress
        self.curve.add(progress)
        self._tell()

    def take_bytes(self, done: int, total: int) -> None:
        """How far it is, of what only reads and writes."""
        self._bytes = done, total
        self._tell()

    def say(self, line: str) -> None:
        """A line on how it goes."""
        self.lines.append(line)
        self._tell()

    def warn(self, line: str) -> None:
        """A line on what is not as it should be."""
        self.say(f"Warning: {line}")

    def _tell(self):
        for watcher in self._watchers:
            with contextlib.suppress(Exception):   # what cannot be shown stops no run
                watcher()

    def _do(self):
        try:
            with stoppable(self._stop):
                self.result = self._work(self)
        except BaseException as error:             # an interruption, too, is for whoever waits
            self.error, self.details = error, traceback.format_exc()
        self.has_ended = True
        self._tell()


_newest: Run | None = None


def newest() -> Run | None:
    """The run that goes on, or else the last one; None where there was none in this kernel."""
    return _newest


def begin(run: Run) -> Run:
    """Start a Run. Raises OutputError where another goes on."""
    global _newest
    if _newest and not _newest.has_ended:
        raise OutputError(f"a run goes on already: {_newest.title}", "wait until it has ended, or stop it")
    _newest = run
    run._thread.start()
    return run
