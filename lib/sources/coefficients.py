"""The coefficients of a JPEG as a row of symbols, and what the contexts are to know of how they lie.

Blocks go by rows of units (MCUs): those of the first component in a row of units, then those of the second, and so on. Each is SYMBOLS
symbols: how many coefficients but the first are other than zero, those in zigzag order, then the first (DC). A coefficient's symbol is
its value and MIDDLE.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lib.mixing.kinds.jpeg_blocks import FIELDS, HEAD, MIDDLE, STEPS, SYMBOLS, ZIGZAG
from lib.transforms.jpeg.files import Layout
from lib.transforms.jpeg.headers import COEFFICIENTS


def symbols_of(layout: Layout, coefficients: Sequence[np.ndarray]) -> np.ndarray:
    """uint16, shape (blocks * SYMBOLS,). coefficients: int16 of `layout.shapes`, in zigzag order."""
    symbols = np.empty((layout.frame.blocks, SYMBOLS), np.uint16)
    for component, place, rows in _rows(layout):
        blocks = coefficients[component][rows].reshape(-1, COEFFICIENTS)
        into = symbols[place:place + len(blocks)]
        into[:, 0] = (blocks[:, 1:] != 0).sum(1)
        into[:, 1:-1] = blocks[:, 1:] + MIDDLE
        into[:, -1] = blocks[:, 0] + MIDDLE
    return symbols.reshape(-1)


def coefficients_of(layout: Layout, symbols: np.ndarray) -> list[np.ndarray]:
    """The inverse of `symbols_of`."""
    coefficients = [np.empty(shape, np.int16) for shape in layout.shapes]
    blocks = symbols.reshape(-1, SYMBOLS)
    for component, place, rows in _rows(layout):
        into = coefficients[component][rows]
        found = blocks[place:place + into.shape[0] * into.shape[1]].astype(np.int16) - MIDDLE
        into[..., 1:] = found[:, 1:-1].reshape(*into.shape[:2], -1)
        into[..., 0] = found[:, -1].reshape(into.shape[:2])
    return coefficients


def fields_of(layout: Layout, start: int = 0) -> np.ndarray:
    """int64, shape (FIELDS,): what the contexts are to know of a JPEG whose blocks begin at `start`; several follow each other."""
    fields = np.zeros(FIELDS, np.int64)
    components = layout.frame.components
    sizes = [_down(layout, index) * component.wide for index, component in enumerate(components)]
    fields[:HEAD] = start, start + layout.frame.blocks, len(components), sum(sizes)
    for index, (component, steps) in enumerate(zip(components, layout.quantisation)):
        own = fields[HEAD + index * (STEPS + COEFFICIENTS):][:STEPS + COEFFICIENTS]
        across = component.across if len(components) > 1 else 1
        own[:STEPS] = component.wide, across, _down(layout, index), sum(sizes[:index])
        own[STEPS + ZIGZAG] = steps
    return fields


def _down(layout: Layout, index: int) -> int:
    """Rows of blocks that a component has in a row of units."""
    return layout.frame.components[index].down if len(layout.frame.components) > 1 else 1


def _rows(layout: Layout) -> Iterator[tuple[int, int, slice]]:
    """(component, the first block's number, rows of blocks) of each stretch in order."""
    place = 0
    for unit in range(layout.shapes[0][0] // _down(layout, 0)):
        for index, (_, wide, _) in enumerate(layout.shapes):
            down = _down(layout, index)
            yield index, place, slice(unit * down, (unit + 1) * down)
            place += down * wide
