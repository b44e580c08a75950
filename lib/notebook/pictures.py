"""Pictures of what was coded, and of what each part of it cost."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lib.compression import Result
from lib.notebook.curve import png_of
from lib.notebook.place import show_picture

_WIDTH = 760                     # pixels on the page


def show_code_lengths(result: Result) -> None:
    """Display where the bits of a compression Result went, for data that has a shape: videos of tokens, images."""
    if result.code_lengths is None:
        return
    source: Any = result.source
    if hasattr(source, "frames"):
        show_picture(video_picture(source.frames(), result.code_lengths), _WIDTH)
    if hasattr(source, "first_picture"):
        samples, shape = source.first_picture()
        show_picture(image_picture(samples, shape, result.code_lengths), _WIDTH)


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
