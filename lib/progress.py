"""One progress bar for terminals and notebooks."""

from typing import Any, Self

from tqdm.auto import tqdm

from lib.coding.loop import Progress

_STEADY = dict(mininterval=0.5, miniters=1)         # twice a second, however many symbols that is


class ProgressBar:
    """Shows loop.Progress: symbols a second, time left and bits per symbol. Used with `with`, and called.

    It is there from the start, as a network takes seconds before the first symbol is coded.
    """

    def __init__(self, description: str = "") -> None:
        self._description = description
        self._bar: Any = None

    def __enter__(self) -> Self:
        self._bar = tqdm(unit=" symbols", unit_scale=True, desc=f"{self._description} (starting)", **_STEADY)
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def __call__(self, progress: Progress) -> None:
        if self._bar.total is None:
            self._bar.set_description(self._description, refresh=False)
            self._bar.unit = f" {progress.unit}"
            self._bar.reset(progress.total)      # the clock starts with the first symbol
        self._bar.set_postfix_str(f"{progress.bits / max(progress.done, 1):.3f} bits per {progress.unit[:-1]}", refresh=False)
        self._bar.update(progress.done - self._bar.n)
