"""How many bits symbols took, over the course of a run: a curve, and its picture."""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lib.coding.loop import Progress

_POINTS = 200             # of the curve over the whole input


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
