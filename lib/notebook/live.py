"""What a person sees while a run goes on: a bar, and a plot that is updated in place."""

import io
import time
from pathlib import Path
from typing import Any, Self

import ipywidgets
from IPython.display import Image, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lib.coding.loop import Progress
from lib.progress import ProgressBar
from lib.storage.files import write_file

_SECONDS_BETWEEN_PLOTS = 2.0       # or more, so that drawing takes at most
_SECONDS, _SHARE = 0.1, 0.006      # so long at first, and this share of the time
_WIDTH = 720              # of the plot, in pixels
_POINTS = 200             # of the curve over the whole input
_FEWEST_SECONDS = 3.0     # of coding that tell how fast this machine is


class LiveProgress:
    """A bar and a plot of bits per symbol against how many are coded. Used with `with`, and called with Progress."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar = ProgressBar(title)
        self._curve = Curve()
        self._plot = Plot(title)
        self._shown: Any = None                # the plot's place while it changes
        self._final: bytes | None = None
        self._begun = time.monotonic()
        self._next, self._spent = self._begun + _SECONDS_BETWEEN_PLOTS, 0.0
        self._timed: list[tuple[int, float]] = []          # (symbols coded, seconds) when they were reported first, and last

    @property
    def symbols_per_second(self) -> float | None:
        """How many symbols were coded in a second, without the time to begin; None where there was too little to tell."""
        if not self._timed:
            return None
        (first, begun), (last, ended) = self._timed[0], self._timed[-1]
        return (last - first) / (ended - begun) if ended - begun >= _FEWEST_SECONDS else None

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.__exit__(*exception)
        if self._shown is not None:
            self._shown.close()
        if len(self._curve):
            self._final = Plot(self._title).png(self._curve)
            display(Image(data=self._final, width=_WIDTH))     # which a saved notebook keeps, as it does no widget

    def __call__(self, progress: Progress) -> None:
        self._bar(progress)
        self._timed[1:] = [(progress.done, progress.seconds)]
        self._curve.add(progress)
        if len(self._curve) > 1 and time.monotonic() >= self._next:
            self._draw()

    def save(self, path: Path) -> None:
        """Write the final plot to a PNG file; nothing where there was no progress."""
        if self._final:
            write_file(path, self._final, overwrite=True)

    def _draw(self):
        started = time.monotonic()
        picture = self._plot.png(self._curve)
        if self._shown is None:
            self._shown = ipywidgets.Image(value=picture, format="png", layout={"width": f"{_WIDTH}px"})
            display(self._shown)
        else:
            self._shown.value = picture
        now = time.monotonic()
        cost = now - started
        self._spent += cost
        affordable = self._begun + (self._spent + cost - _SECONDS) / _SHARE       # when another one will be
        self._next = max(now + _SECONDS_BETWEEN_PLOTS, affordable)


class Curve:
    """Bits per symbol so far and over the last stretch, at up to some hundred positions."""

    def __init__(self) -> None:
        self._points = [(0, 0)]            # (symbols, bits)
        self.total, self.unit = 0, "symbols"

    def __len__(self) -> int:
        return len(self._points) - 1

    def add(self, progress: Progress) -> None:
        """Keep a point where the last one is far enough back, and the end."""
        self.total, self.unit = progress.total, progress.unit
        far = progress.done - self._points[-1][0] >= progress.total / _POINTS
        if progress.done > self._points[-1][0] and (far or progress.done == progress.total):
            self._points.append((progress.done, progress.bits))

    def so_far(self) -> list[tuple[int, float]]:
        """[(position in symbols, bits per symbol from the start)]."""
        return [(done, bits / done) for done, bits in self._points[1:]]

    def recent(self) -> list[tuple[int, float]]:
        """[(position in symbols, bits per symbol since the point before)]."""
        pairs = zip(self._points, self._points[1:])
        return [(done, (bits - bits_before) / (done - before)) for (before, bits_before), (done, bits) in pairs]


class Plot:
    """Curves as pictures. The figure is kept, as to make one takes longer than to draw it again."""

    def __init__(self, title: str) -> None:
        self._figure = Figure(figsize=(9, 3.2), dpi=96, layout="constrained")
        self._axes = self._figure.add_subplot()
        self._recent, = self._axes.plot([], [], color="tab:gray", linewidth=0.8, label="last stretch")
        self._so_far, = self._axes.plot([], [], color="tab:blue", linewidth=1.8, label="so far")
        self._axes.set_title(title)
        self._axes.xaxis.set_major_formatter("{x:,.0f}")
        self._axes.grid(alpha=0.3)
        self._axes.legend(loc="upper right")

    def png(self, curve: Curve) -> bytes:
        """A Curve of one point or more as the bytes of a PNG picture."""
        recent, so_far = curve.recent(), curve.so_far()
        self._recent.set_data(*zip(*recent))
        self._so_far.set_data(*zip(*so_far))
        top = 1.05 * max(bits for _, bits in recent + so_far) or 1
        self._axes.set(xlabel=f"{curve.unit} coded", ylabel=f"bits per {curve.unit[:-1]}", xlim=(0, curve.total), ylim=(0, top))
        picture = png_of(self._figure)
        self._figure.set_layout_engine("none")       # what lies where is found once
        return picture


def png_of(figure: Figure) -> bytes:
    """A matplotlib figure as the bytes of a PNG picture."""
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()
