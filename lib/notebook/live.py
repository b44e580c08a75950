"""What a person sees of a run while it goes on: how far it is, a button to stop it, and a plot that is drawn again in place."""

import html
import time
from typing import Any

import ipywidgets
from IPython.display import display

from lib.coding.choice import duration
from lib.notebook import runs
from lib.notebook.boxes import say
from lib.notebook.curve import Plot
from lib.notebook.place import show_picture
from lib.notebook.runs import Run

_SECONDS_BETWEEN = 0.5             # of bringing the bar up to date
_SECONDS_BETWEEN_PLOTS = 2.0       # or more, so that drawing takes at most
_SECONDS, _SHARE = 0.1, 0.006      # so long at first, and this share of the time
_WIDTH = 720                       # of the plot, in pixels


def watched(run: Run) -> Any:
    """The result of a Run that is begun now and watched in the cell that runs. Raises what ended it, and OutputError where another goes on."""
    display(Panel(runs.begin(run)).widget)
    try:
        return run.wait()
    finally:
        show_course(run)


def show_course(run: Run) -> None:
    """Show what there was to say of a Run, and its final plot, which a saved notebook keeps, as it does no widget."""
    for line in run.lines:
        say(line)
    if len(run.curve):
        show_picture(Plot(run.title).png(run.curve), _WIDTH)


class Panel:
    """The bar, the Stop button and the plot of a Run; any number of them may show the same one."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bar = ipywidgets.FloatProgress(min=0.0, max=1.0, layout={"width": "320px"})
        self._text = ipywidgets.Label()
        self._stop = ipywidgets.Button(description="Stop", icon="stop", tooltip="Stop now, continue later")
        self._stop.on_click(lambda _: run.stop())
        self._lines = ipywidgets.HTML()
        self._picture = ipywidgets.Image(format="png", layout={"width": f"{_WIDTH}px", "display": "none"})
        self._plot = Plot(run.title)
        self._began = time.monotonic()
        self._next, self._next_plot, self._spent = 0.0, self._began + _SECONDS_BETWEEN_PLOTS, 0.0
        self.widget = ipywidgets.VBox([ipywidgets.HBox([self._bar, self._stop, self._text]), self._lines, self._picture])
        run.watch(self._update)

    def _update(self):
        run, now = self._run, time.monotonic()
        if now < self._next and not run.has_ended and not run.is_stopping:
            return
        self._next = now + _SECONDS_BETWEEN
        self._bar.value = 1.0 if run.has_ended and not run.error else run.share
        self._text.value = _how_far(run)
        self._lines.value = "<br>".join(map(html.escape, run.lines))
        if run.has_ended:
            self._stop.layout.display = self._picture.layout.display = "none"
            self._bar.bar_style = "success" if not run.error else "warning"
            if not run.error:
                self._lines.value = ""                       # show_course has them
        elif len(run.curve) > 1 and now >= self._next_plot:
            self._draw(now)

    def _draw(self, started: float) -> None:
        self._picture.value = self._plot.png(self._run.curve)
        self._picture.layout.display = None
        now = time.monotonic()
        cost = now - started
        self._spent += cost
        affordable = self._began + (self._spent + cost - _SECONDS) / _SHARE       # when another one will be
        self._next_plot = max(now + _SECONDS_BETWEEN_PLOTS, affordable)


def _how_far(run: Run) -> str:
    """What a person wants to know of a run, in a line."""
    progress: Any = run.progress
    if run.has_ended:
        return "stopped" if isinstance(run.error, KeyboardInterrupt) else "failed" if run.error else "done"
    if run.is_stopping:
        return "stopping, after the next checkpoint"
    if not progress:
        return f"{run.share:.0%}" if run.share else "starting"
    symbols, bits, seconds = run.since_first
    if not (symbols and seconds):
        return f"{run.share:.0%}"
    left = duration((progress.total - progress.done) * seconds / symbols)
    return f"{run.share:.0%}, {left} left, {bits / symbols:.3f} bits per {progress.unit[:-1]}, {symbols / seconds:,.0f} {progress.unit}/s"
