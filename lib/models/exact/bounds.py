"""The fixed-point formats of the exact network, and the sums that prove it exact.

Floating point gives other bits in another order of summation. Sums of whole numbers do not, as long as no
partial sum leaves the range in which a format holds every whole number: 2^24 for float32 (and for what tensor
cores make of TF32 or float16 operands), 2^31 for int32. Every bound below keeps one of the two. A network is
checked against them by `check_dimensions` when it is built; the reference backend checks the values themselves
while `checking` is true, as it is in the tests.

A value x in a format of F fraction bits stands as the whole number x * 2^F.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from lib.errors import SettingsError

if TYPE_CHECKING:
    from lib.models.exact.dimensions import Dimensions

FLOAT_BITS = 24                   # float32 holds every whole number up to 2^24
INTEGER_BITS = 31

WEIGHT_FRACTION = 20              # weights and biases as they are learned: int32
WEIGHT_LIMIT = 2 << WEIGHT_FRACTION

# Factors of a product: 8 bits each, so that 258 terms fit: 255 * 255 * 258 = 16,776,450 < 2^24.
FACTOR_LIMIT = 255                # 8 bits
FACTOR_FRACTION = 7               # a weight in a product: -255/128 to 255/128
HIDDEN_FRACTION = 8               # an embedding or a hidden unit in a product: -255/256 to 255/256
FORWARD_BLOCK = 258

# Pre-activations add up blocks as int32. 255 * 255 * 33,000 + 2^16 (the bias) = 2,145,890,536 < 2^31.
SUM_FRACTION = FACTOR_FRACTION + HIDDEN_FRACTION
MOST_TERMS = 33_000
BIAS_LIMIT = WEIGHT_LIMIT >> WEIGHT_FRACTION - SUM_FRACTION
SUM_LIMIT = 1 << 29               # then they are clipped, so that the difference of two fits int32

# Gates, and the tables that give them: see lib.models.exact.tables.
GATE_FRACTION = 12
CELL_LIMIT = (8 << GATE_FRACTION) - 1     # 15 bits; forget gate * cell: 12 + 15 = 27 bits
SLOPE_FRACTION = 14               # slopes of at most 1/4 (input and output gate): 12 bits
SLOPE_BITS = 13                   # of any slope. Forget gate: CELL_LIMIT * 2^10 >> 12 = 8,191
TRACE_LIMIT = (1 << SLOPE_BITS) - 1       # a step's trace holds slopes and factors: int16

# Gradients of pre-activations and hidden units. Limit * slope + half: 2^18 * 8,191 + 2^11 < 2^31.
GRADIENT_FRACTION = 17
GRADIENT_LIMIT = 1 << 18
PRE_GRADIENT_LIMIT = 2 * GRADIENT_LIMIT   # 2^18 * 8,191 >> 12 < 2^19

# The error p - y of the softmax. A row's p, rounded down, add up to at most 2^15, and y takes 2^15 off one of
# them, so the row's magnitudes add up to 2^16 at most. A product with weights: 16 + 8 = 24 bits, for any
# vocabulary: 2^16 * 255 = 16,711,680 < 2^24.
ERROR_FRACTION = 15
FREQUENCY_FRACTION = 20           # of the exponential relative to the likeliest symbol
FREQUENCY_CUT = 5                 # frequencies of 15 bits: 15 + 15 = 30 bits, and the sum of 2^14 takes 29
MOST_SYMBOLS = 1 << 14

# What enters the products of backpropagation is shifted right until the magnitudes along the sum add up to less
# than 2^16, rounding included, in every block: 16 + 8 = 24 bits, whatever the length. Each is held to 11 bits
# besides, which TF32 keeps too.
GRADIENT_SUM = 1 << 16
GRADIENT_OPERAND = (1 << 11) - 1
MOST_SHIFT = 15
UNITS_BLOCK = 1024                # 2^10 gradients of 2^19: a sum of magnitudes takes 29 bits
FEWEST_ROWS_BLOCK = 512
MOST_ROWS_BLOCKS = 64             # 64 blocks of 2^24: 30 bits
MOST_ROWS = 1 << 17               # then a block has 2^11 rows at most: 2^11 * 2^19 = 30 bits

# Adam. A gradient is cut to 12 significant bits, so its square is exact; so is its product with the root's 12.
SIGNIFICANT_BITS = 12
ROOT_BITS = 12
FEWEST_DECAY_BITS, MOST_DECAY_BITS = 1, 20
SMALLEST_SQUARE = 2.0 ** -40      # a mean of squares below is zero: nothing ever comes near denormal numbers

checking = False                  # whether the reference backend checks every value


def check_dimensions(dimensions: "Dimensions") -> None:
    """Refuse a network that would leave the bounds, by the name of the setting."""
    if dimensions.units * dimensions.layers > MOST_TERMS:
        raise SettingsError(f"exact arithmetic allows rnn_units * num_layers up to {MOST_TERMS:,}, "
                            f"got {dimensions.units * dimensions.layers:,}", "use fewer units or layers",
                            "rnn_units")
    if max(dimensions.inputs(layer) for layer in range(dimensions.layers)) > MOST_TERMS:
        raise SettingsError(f"exact arithmetic allows embedding_size + 2 * rnn_units up to {MOST_TERMS:,}", "use fewer units",
                            "rnn_units")
    if dimensions.streams * dimensions.window > MOST_ROWS:
        raise SettingsError(f"exact arithmetic allows batch_size * seq_length up to {MOST_ROWS:,}, "
                            f"got {dimensions.streams * dimensions.window:,}", "use fewer streams or a shorter window",
                            "batch_size")
    if dimensions.symbols > MOST_SYMBOLS:
        raise SettingsError(f"exact arithmetic allows a vocabulary of {MOST_SYMBOLS:,} symbols, "
                            f"got {dimensions.symbols:,}", "use arithmetic=float32", "arithmetic")


def rows_block(rows: int) -> int:
    """Rows in one product of the outer products over `rows` rows: more where there would be too many blocks."""
    return max(FEWEST_ROWS_BLOCK, -(-rows // MOST_ROWS_BLOCKS))


def gradient_sum_limit(block: int) -> int:
    """What the magnitudes of `block` gradients may add up to, before the shift's rounding adds 1/2 to each."""
    return GRADIENT_SUM - block // 2


def total_shift(rows: int, bits: int) -> int:
    """How far values of `bits` bits are shifted right so that the sum of `rows` of them fits int32."""
    return max(0, (rows - 1).bit_length() + bits - INTEGER_BITS + 1)


def check_values(what: str, values: Any, limit: int) -> None:
    """While `checking`: that the magnitudes of whole numbers are at most `limit`."""
    if checking and np.size(values) and int(np.abs(np.asarray(values, np.int64)).max()) > limit:
        raise AssertionError(f"{what}: {int(np.abs(np.asarray(values, np.int64)).max()):,} is more than {limit:,}")


def check_product(what: str, left: Any, right: Any) -> None:
    """While `checking`: that no partial sum of the float32 product of two matrices can reach 2^24."""
    if checking:
        sums = np.abs(np.asarray(left, np.int64)) @ np.abs(np.asarray(right, np.int64))
        check_values(what, sums, (1 << FLOAT_BITS) - 1)
