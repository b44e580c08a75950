"""Threads that share the work of one step."""

import queue
import threading
import weakref
from collections.abc import Sequence


class Team:
    """`size` threads, the caller's among them. What they run should leave Python's lock alone for long stretches."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._work: queue.SimpleQueue = queue.SimpleQueue()
        self._done: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(size - 1):
            threading.Thread(target=_work_off, args=(self._work, self._done), name="lockstep", daemon=True).start()
        weakref.finalize(self, _dismiss, self._work, size - 1)

    def run(self, tasks: Sequence[tuple]) -> None:
        """Call all `tasks`, (function, *arguments) each, some at the same time; returns when all are done."""
        first, *others = tasks
        if self.size == 1:
            for function, *arguments in tasks:
                function(*arguments)
            return
        for task in others:
            self._work.put(task)
        errors = [_attempt(first)]
        while not self._work.empty():           # the caller helps out
            try:
                errors.append(_attempt(self._work.get_nowait()))
            except queue.Empty:
                break
        errors += [self._done.get() for _ in range(len(tasks) - len(errors))]
        for error in filter(None, errors):
            raise error

    def shares(self, count: int, fewest: int = 1) -> list[tuple[int, int]]:
        """range(count) cut into a (first, last) for each thread, of `fewest` or more."""
        parts = max(1, min(self.size, count // fewest))
        ends = [count * part // parts for part in range(parts + 1)]
        return list(zip(ends, ends[1:]))


def _work_off(work, done):
    """A thread's life: tasks until there comes a None."""
    while (task := work.get()) is not None:
        done.put(_attempt(task))


def _attempt(task):
    """Run a task; returns the exception that ended it, or None."""
    function, *arguments = task
    try:
        function(*arguments)
    except BaseException as error:
        return error


def _dismiss(work, count):
    for _ in range(count):
        work.put(None)
