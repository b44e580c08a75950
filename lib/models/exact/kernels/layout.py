"""Where the matrices of a network and the parts of a step lie in flat arrays.

Matrices lie one after the other, numbered: the embedding is 0, the layers' kernels 1 to L, the output layer's L + 1.
So a network of any number of layers runs on the same compiled code. Kernels lie transposed, a row for each of their outputs: all ways
through them then read whole rows.
"""

from lib.compiling import also_plain


@also_plain
def shape_of(dimensions, number):
    """(rows, columns) of a matrix, as it lies there."""
    if number == 0:
        return dimensions.known, dimensions.embedding
    if number > dimensions.layers:
        return dimensions.symbols, dimensions.layers * dimensions.units
    return 4 * dimensions.units, embedded_of(dimensions) + dimensions.units * (1 if number == 1 else 2)


@also_plain
def embedded_of(dimensions):
    """Dimensions.embedded, as compiled code knows no properties."""
    return dimensions.seen * dimensions.embedding


@also_plain
def start_of(dimensions, number):
    """Where a matrix begins in a flat array of all."""
    start = 0
    for before in range(number):
        rows, columns = shape_of(dimensions, before)
        start += rows * columns
    return start


@also_plain
def matrix(flat, dimensions, number):
    """A matrix in a flat array of all."""
    rows, columns = shape_of(dimensions, number)
    start = start_of(dimensions, number)
    return flat[start:start + rows * columns].reshape(rows, columns)


@also_plain
def input_start(dimensions, layer):
    """Where a layer's input begins in a step's activations; for layer L, where the hidden units of all begin."""
    if layer == 0:
        return 0
    embedded = embedded_of(dimensions)
    return embedded + dimensions.units + (layer - 1) * (embedded + 2 * dimensions.units)
