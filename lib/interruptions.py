"""What stops a run: Ctrl-C, the end of a batch job or a service, a closed terminal, a button."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from contextvars import ContextVar

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
EXIT_CODE = 128               # and the signal's number: what shells say of a program that a signal stopped


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came. `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise Terminated, as Ctrl-C raises KeyboardInterrupt, so that what is unfinished is removed.

    Those that are ignored, as under nohup, or that the program around handles, stay as they are; so do all outside the main thread.
    """
    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [number for number in STOPPING if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Inside, what would stop a run waits for the end: for the moment between making something and knowing what is to be removed.

    In the main thread, to which alone signals come.
    """
    came: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):       # ignored, as under nohup
                handlers[number] = signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[-1])


_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


@contextlib.contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """Inside, a run of this thread that has a checkpoint writes it and ends with KeyboardInterrupt soon after `stop` is set.

    Signals come to the main thread alone; this is for all others.
    """
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def is_asked_to_stop() -> bool:
    """Whether the run of this thread is to end, see `stoppable`."""
    stop = _stop.get()
    return stop is not None and stop.is_set()


def _raise(number, frame):
    raise Terminated(number)
