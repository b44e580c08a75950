"""What a bit has been worth by how far what is left to code lies from a prediction.

The bits so far leave an interval of codes; the next one says in which half the code is. How likely that is depends on the distance of the
interval's middle from where the code is expected, and on how sure that is, a class of the kind's; it does not depend on where on the
scale all this happens, so it is learned soon, where contexts that hold values have to learn each value by itself.
"""

import numpy as np

from lib.compiling import part
from lib.mixing.logistic import EVEN, adapted, probability_of

FRACTION = 4                     # a prediction is in quarters of a code
CLASSES = 64
_REACH = 256                     # distances of codes, on either side; farther ones are as far
_MOST = 1000
_EVEN = np.uint32(EVEN)


def entries(bits: int) -> int:
    """How many entries the table of a prediction has."""
    return bits * 2 * _REACH * CLASSES


@part
def place_of(prediction, confidence, node, depth, bits):
    """Where the entry for a bit lies."""
    middle = (node << bits - depth) - (np.int64(1) << bits) + (np.int64(1) << bits - depth - 1)
    distance = min(max(FRACTION * middle - prediction >> 2, -_REACH), _REACH - 1)
    return ((depth * 2 + 1) * _REACH + distance) * CLASSES + confidence


@part
def worth(entry):
    """The probability of a 1, 16 bits, of an entry: an adaptive probability, stored so that zero is what it starts at."""
    return probability_of(entry ^ _EVEN)


@part
def after(entry, bit):
    """An entry after one more bit."""
    return adapted(entry ^ _EVEN, bit, _MOST) ^ _EVEN
