"""Tables and charts for a notebook."""

import html
import io
import warnings
from collections.abc import Sequence

from matplotlib.figure import Figure

from lib.compression import Result
from lib.notebook.curve import png_of
from lib.notebook.place import show, show_picture
from lib.peers import image_sizes, standard_sizes
from lib.sources import VideoSource


def show_table(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> None:
    """Display rows of text as a table: HTML where it can be shown, aligned text elsewhere."""
    lines = [header, *rows] if header else rows
    show(_as_html(rows, header), as_text(lines))


def as_text(lines: Sequence[Sequence[str]]) -> str:
    """Rows of text with aligned columns; all columns but the first to the right where there are more than two."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    align = str.ljust if len(widths) == 2 else str.rjust
    return "\n".join("  ".join([line[0].ljust(widths[0]), *map(align, line[1:], widths[1:])]).rstrip()
                     for line in lines)


def compare_with_standard(result: Result, original: bytes) -> None:
    """Table and bar chart of a compression Result against the standard compressors on `original` bytes, and formats for images."""
    sizes = {"Lockstep": result.compressed_bytes, **_image_sizes(original), **standard_sizes(original)}
    rates = {name: 8 * size / max(1, len(original)) for name, size in sizes.items()}
    show_table([(name, f"{size:,}", f"{rates[name]:.3f}") for name, size in sizes.items()],
               ("compressor", "bytes", "bits per byte"))
    show_picture(_bar_chart(rates), 560)


def _image_sizes(original):
    """{name: size} of the formats for images, where `original` is one that Pillow can read."""
    from PIL import Image as PillowImage
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")              # of Pillow, on large and on odd images
            return image_sizes(PillowImage.open(io.BytesIO(original)))
    except Exception:            # Pillow raises many sorts for files that are no images, or damaged
        return {}


def _bar_chart(rates):
    """Bits per byte of each compressor as the bytes of a PNG picture."""
    figure = Figure(figsize=(7, 0.5 + 0.4 * len(rates)), dpi=96, layout="constrained")
    axes = figure.add_subplot()
    colours = ["tab:blue"] + ["tab:gray"] * (len(rates) - 1)
    bars = axes.barh(list(rates), list(rates.values()), color=colours)
    axes.bar_label(bars, fmt="%.3f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("bits per byte (less is better)")
    return png_of(figure)


def _as_html(rows, header):
    def line(cells, tag):
        styles = ("text-align:left;white-space:nowrap", *["text-align:" + ("left;overflow-wrap:anywhere" if len(cells) == 2 else "right")] * (len(cells) - 1))
        return "<tr>" + "".join(f'<{tag} style="{style}">{html.escape(cell)}</{tag}>' for cell, style in zip(cells, styles)) + "</tr>"
    head = line(header, "th") if header else ""
    return "<table>" + head + "".join(line(row, "td") for row in rows) + "</table>"


def sizes_of(result: Result) -> list[tuple[str, str]]:
    """Rows on sizes and time, for both directions."""
    return [("original", f"{result.original_bytes:,} bytes"),
            ("compressed", f"{result.compressed_bytes:,} bytes"),
            ("bits per byte", f"{result.bits_per_byte:.3f}"),
            ("time", f"{result.seconds:,.1f} s, {result.bytes_per_second:,.0f} bytes/s")]


def tokens_of(result: Result) -> list[tuple[str, str]]:
    """Rows on a video of tokens: its size as the field counts it, so many bits for each token, and the ratio to that."""
    source = result.source
    if not isinstance(source, VideoSource):
        return []
    plain = source.symbol_count * source.code_bits / 8
    frames, height, width = source.frames().shape
    return [("tokens", f"{source.symbol_count:,} in {frames:,} frames of {height} x {width}"),
            ("bits per token", f"{8 * result.compressed_bytes / source.symbol_count:.3f}"),
            ("ratio", f"{plain / result.compressed_bytes:.3f} to {plain:,.0f} bytes, {source.code_bits} bits a token")]


def computed_by(result: Result) -> list[tuple[str, str]]:
    """A row on the network's backend, where there was a network."""
    return [("computed by", result.backend)] if result.backend else []
