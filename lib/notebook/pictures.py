"""Pictures of what was coded, and of what each part of it cost."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lib.compression import Result
from lib.notebook.curve import png_of
from lib.notebook.place import show_picture

_WIDTH = 760                     # pixels on the page
_PIECES = 300                    # of which the mean is shown


def show_code_lengths(result: Result) -> None:
    """Display where the bits of a compression Result went: by kind, where there are several; on videos of tokens and images."""
    if result.code_lengths is None:
        return
    source: Any = result.source
    if hasattr(source, "groups"):
        groups = [(group.name, group.size, group.source.symbol_count) for group in source.groups]
        show_picture(groups_picture(groups, result.code_lengths), _WIDTH)
    if hasattr(source, "frames"):
        show_picture(video_picture(source.frames(), result.code_lengths), _WIDTH)
    if hasattr(source, "first_picture"):
        samples, shape = source.first_picture()
        show_picture(image_picture(samples, shape, result.code_lengths), _WIDTH)


def groups_picture(groups: Sequence[tuple[str, int, int]], code_lengths: np.ndarray) -> bytes:
    """What each group became, and the bits of a byte all along them: a PNG picture as bytes.

    groups: (name, bytes, symbols) of each; code_lengths: bits of each symbol, group by group, shape (n,).
    """
    figure = Figure(figsize=(10, 1.6 + 0.35 * len(groups)), dpi=96, layout="constrained")
    left, right = figure.subplots(1, 2)
    start, done = 0, 0
    for place, (_, size, count) in enumerate(groups):
        bits, colour = code_lengths[start:start + count], f"C{place % 10}"
        packed = bits.sum() / 8
        left.barh(place, size, color=colour, alpha=0.3)
        left.barh(place, packed, color=colour)
        left.text(size, place, f" {size:,} → {packed:,.0f}", va="center")
        pieces = np.array_split(bits, max(1, min(count, _PIECES * size // sum(size for _, size, _ in groups))))
        per_byte = [piece.mean() * count / size for piece in pieces]
        right.step(done + size * np.linspace(0, 1, len(pieces) + 1), [*per_byte, per_byte[-1]], where="post", color=colour, linewidth=0.9)
        start, done = start + count, done + size
    left.set(title="bytes of each kind, and what they became", yticks=range(len(groups)), yticklabels=[name for name, _, _ in groups],
             xlim=(0, 1.5 * max(size for _, size, _ in groups)), xticks=[])
    left.invert_yaxis()
    right.set(title="bits for each byte, kind by kind", xlabel="bytes", xlim=(0, done), ylim=(0, None))
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.xaxis.set_major_formatter("{x:,.0f}")
    return png_of(figure)


def video_picture(tokens: np.ndarray, code_lengths: np.ndarray) -> bytes:
    """A frame of tokens in false colours, the bits of each cell, and of each frame: a PNG picture as bytes.

    tokens: shape (frames, height, width); code_lengths: bits of each, shape (n,).
    """
    code_lengths = code_lengths.reshape(tokens.shape)
    figure = Figure(figsize=(10, 5), dpi=96, layout="constrained")
    (left, right), (below, other) = figure.subplots(2, 2, gridspec_kw={"height_ratios": (3, 2)})
    middle = len(tokens) // 2
    left.imshow(_colours(tokens[middle]))
    left.set(title=f"frame {middle:,} of {len(tokens):,}, tokens in false colours", xticks=[], yticks=[])
    shown = right.imshow(code_lengths.mean(axis=0), cmap="viridis", vmin=0)
    right.set(title="bits per token by cell, mean of all frames", xticks=[], yticks=[])
    figure.colorbar(shown, ax=right, label="bits")
    per_frame = code_lengths.mean(axis=(1, 2))
    below.plot(per_frame, linewidth=0.7, color="tab:blue")
    below.set(title="bits per token by frame", xlabel="frame", ylabel="bits", ylim=(0, None), xlim=(0, max(1, len(per_frame) - 1)))
    other.hist(code_lengths.reshape(-1), bins=60, color="tab:gray")
    other.set(title="how many tokens cost how much", xlabel="bits", ylabel="tokens")
    other.yaxis.set_major_formatter("{x:,.0f}")
    return png_of(figure)


def image_picture(samples: np.ndarray, shape: tuple[int, int, int], code_lengths: np.ndarray) -> bytes:
    """A picture beside a map of its bits per pixel: a PNG picture as bytes.

    samples: uint8, shape (height, width) or (height, width, 3); shape: of its codes, (height, width, codes of a pixel); code_lengths: bits
    of each code of all pictures, of which this is the first.
    """
    per_pixel = code_lengths[:math.prod(shape)].reshape(shape).sum(axis=2)
    figure = Figure(figsize=(10, 10 * min(2, max(0.25, shape[0] / shape[1])) / 2 + 0.6), dpi=96, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(samples, cmap="gray" if samples.ndim == 2 else None)
    left.set(title=f"{shape[1]:,} x {shape[0]:,} pixels", xticks=[], yticks=[])
    shown = right.imshow(per_pixel, cmap="viridis", vmin=0, vmax=np.quantile(per_pixel, 0.995))
    right.set(title=f"bits per pixel, {per_pixel.mean():.3f} on average", xticks=[], yticks=[])
    figure.colorbar(shown, ax=right, label="bits", shrink=0.8)
    return png_of(figure)


def _colours(tokens):
    """A colour for each token, uint8 of shape (height, width, 3): neighbouring numbers look nothing alike."""
    mixed = tokens.astype(np.uint32) * np.uint32(2654435761)
    return np.stack([mixed >> np.uint32(shift) & np.uint32(255) for shift in (24, 16, 8)], -1).astype(np.uint8)
