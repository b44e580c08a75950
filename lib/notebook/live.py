"""What a person sees while a run goes on: a bar, and a plot that is updated in place."""

import io
import time

import ipywidgets
from IPython.display import Image, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lib.files import write_file
from lib.progress import ProgressBar

_SECONDS_BETWEEN_PLOTS = 2.0       # or more, so that drawing takes little of the time:
_SHARE = 0.01
_WIDTH = 720              # of the plot, in pixels
_POINTS = 200             # of the curve over the whole input


class LiveProgress:
    """A bar and a plot of bits per symbol against how many are coded. Used with `with`, and called with Progress."""

    def __init__(self, title):
        self._title = title
        self._bar = ProgressBar(title)
        self._curve = Curve()
        self._plot = self._final = None
        self._next = time.monotonic() + _SECONDS_BETWEEN_PLOTS

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)
        if self._plot is not None:
            self._plot.close()
        if len(self._curve):
            self._final = self._curve.png(self._title)
            display(Image(data=self._final, width=_WIDTH))     # which a saved notebook keeps, as it does no widget

    def __call__(self, progress):
        self._bar(progress)
        self._curve.add(progress)
        if len(self._curve) > 1 and time.monotonic() >= self._next:
            self._draw()

    def save(self, path):
        """Write the final plot to a PNG file; nothing where there was no progress."""
        if self._final:
            write_file(path, self._final, overwrite=True)

    def _draw(self):
        started = time.monotonic()
        picture = self._curve.png(self._title)
        if self._plot is None:
            self._plot = ipywidgets.Image(value=picture, format="png", layout={"width": f"{_WIDTH}px"})
            display(self._plot)
        else:
            self._plot.value = picture
        now = time.monotonic()
        self._next = now + max(_SECONDS_BETWEEN_PLOTS, (now - started) / _SHARE)


class Curve:
    """Bits per symbol so far and over the last stretch, at up to some hundred positions."""

    def __init__(self):
        self._points = [(0, 0)]            # (symbols, bits)
        self._total, self._unit = 0, "symbols"

    def __len__(self):
        return len(self._points) - 1

    def add(self, progress):
        """Keep a point where the last one is far enough back, and the end."""
        self._total, self._unit = progress.total, progress.unit
        far = progress.done - self._points[-1][0] >= progress.total / _POINTS
        if progress.done > self._points[-1][0] and (far or progress.done == progress.total):
            self._points.append((progress.done, progress.bits))

    def so_far(self):
        """[(position in symbols, bits per symbol from the start)]."""
        return [(done, bits / done) for done, bits in self._points[1:]]

    def recent(self):
        """[(position in symbols, bits per symbol since the point before)]."""
        pairs = zip(self._points, self._points[1:])
        return [(done, (bits - bits_before) / (done - before)) for (before, bits_before), (done, bits) in pairs]

    def png(self, title):
        """The plot as the bytes of a PNG picture."""
        figure = Figure(figsize=(9, 3.2), dpi=96, layout="constrained")
        axes = figure.add_subplot()
        axes.plot(*zip(*self.recent()), color="tab:gray", linewidth=0.8, label="last stretch")
        axes.plot(*zip(*self.so_far()), color="tab:blue", linewidth=1.8, label="so far")
        axes.set(title=title, xlabel=f"{self._unit} coded", ylabel=f"bits per {self._unit[:-1]}",
                 xlim=(0, self._total), ylim=(0, None))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(alpha=0.3)
        axes.legend()
        return png_of(figure)


def png_of(figure):
    """A matplotlib figure as the bytes of a PNG picture."""
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()
