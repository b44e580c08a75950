"""Exact arithmetic in keras.ops: whole numbers in int32, products of small whole numbers in float32.

Every function gives the same bits on every backend and device. `ops` is the keras.ops of a backend.
"""

from types import ModuleType
from typing import Any

import numpy as np

from lib.models.exact import bounds, tables

_CUT = -1 << bounds.FLOAT_BITS - bounds.SIGNIFICANT_BITS       # clears the low bits of a float32's mantissa
_APART = -2                                                    # clears the lowest: see FixedPoint.apart
_EXPONENT_BIAS, _MANTISSA_BITS = 127, 23
Tensor = Any          # of whatever backend


class FixedPoint:
    """The primitives over one backend's `ops`."""

    def __init__(self, ops: ModuleType) -> None:
        self.ops = ops
        self._sigmoid = ops.convert_to_tensor(tables.sigmoid())
        self._tanh = ops.convert_to_tensor(tables.tanh())
        self._exponential = ops.convert_to_tensor(tables.exponential())

    def shift(self, values: Tensor, bits: int) -> Tensor:
        """values / 2^bits, rounded to the nearest and half up."""
        return self.ops.right_shift(values + (1 << bits - 1), bits) if bits else values

    def times(self, left: Tensor, right: Tensor, bits: int) -> Tensor:
        """left * right / 2^bits, rounded to the nearest and half up; the product must fit int32."""
        if bounds.checking:
            product = np.asarray(left, np.int64) * np.asarray(right, np.int64) + (1 << bits - 1)
            bounds.check_values("a product of two values", product, (1 << bounds.INTEGER_BITS) - 1)
        return self.shift(left * right, bits)

    def clip(self, values: Tensor, limit: int) -> Tensor:
        """Values within -limit to limit."""
        return self.ops.clip(values, -limit, limit)

    def sigmoid(self, values: Tensor) -> Tensor:
        """The sigmoid, of 12 fraction bits, of values of 15."""
        return self.ops.take(self._sigmoid, self._argument(values, bounds.SUM_FRACTION))

    def tanh(self, values: Tensor, fraction: int = bounds.SUM_FRACTION) -> Tensor:
        """The hyperbolic tangent, of 12 fraction bits, of values of `fraction`."""
        return self.ops.take(self._tanh, self._argument(values, fraction))

    def frequencies(self, logits: Tensor) -> Tensor:
        """int32 frequencies, one or more each, of logits (B, V) of 15 fraction bits; a row's largest is 2^20 + 1."""
        below = self.ops.max(logits, -1, keepdims=True) - logits
        below = self.ops.right_shift(below, bounds.SUM_FRACTION - tables.STEP_BITS)
        return self.ops.take(self._exponential, self.ops.minimum(below, tables.EXPONENTS - 1)) + 1

    def product(self, left: Tensor, right: Tensor, block: int) -> Tensor:
        """int32 product of float32 matrices of whole numbers, exact in blocks of `block` terms."""
        terms, total = left.shape[-1], None
        for start in range(0, terms, block):
            part = slice(start, start + block)
            bounds.check_product("a block of a product", left[:, part], right[part])
            whole = self.ops.cast(self.ops.matmul(left[:, part], right[part]), "int32")
            total = whole if total is None else total + whole
        return total

    def fit(self, values: Tensor, axis: int, block: int) -> tuple[Tensor, Tensor]:
        """(float32 operands, int32 shifts): gradients shifted right until sums along `axis` are exact in a product.

        The shift is the least with which the magnitudes of each block along `axis` add up to less than 2^16,
        and none is over 11 bits. It is one for each row (axis 1) or column (axis 0), kept as an axis of length 1.
        """
        magnitudes = self.ops.abs(values)
        largest = self.ops.max(magnitudes, axis, keepdims=True)
        length, sums = values.shape[axis], None
        for start in range(0, length, block):
            part = magnitudes[start:start + block] if axis == 0 else magnitudes[:, start:start + block]
            part = self.ops.sum(part, axis, keepdims=True)
            sums = part if sums is None else self.ops.maximum(sums, part)
        shifts = self.ops.maximum(self._shifts(sums, bounds.gradient_sum_limit(min(block, length))),
                                  self._shifts(largest, bounds.GRADIENT_OPERAND))
        half = self.ops.right_shift(self.ops.left_shift(self.ops.ones_like(shifts), shifts), 1)
        operands = self.ops.right_shift(values + half, shifts)
        bounds.check_values("an operand of a gradient's product", operands, bounds.GRADIENT_OPERAND)
        return self.ops.cast(operands, "float32"), shifts

    def apart(self, values: Tensor, mask: int = _APART) -> Tensor:
        """float32 values with low bits of the mantissa cleared.

        A compiler may fuse, reorder or distribute neighbouring float operations (with fast-math flags it will);
        it cannot look across an operation on the bits. So every float result that has been rounded passes here.
        """
        bits = self.ops.bitwise_and(self.ops.view(values, "int32"), mask)
        return self.ops.view(bits, "float32")

    def significant(self, values: Tensor) -> Tensor:
        """float32 values cut to 12 significant bits."""
        return self.apart(values, _CUT)

    def power_of_two(self, exponents: Tensor) -> Tensor:
        """float32 2^exponents of int32 exponents from -126 to 127."""
        return self.ops.view(self.ops.left_shift(exponents + _EXPONENT_BIAS, _MANTISSA_BITS), "float32")

    def inverse_root(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        """(12-bit float32 roots, float32 powers of two) whose product is about 1 / sqrt(squares)."""
        bits = self.ops.view(squares, "int32")
        exponents = self.ops.right_shift(bits, _MANTISSA_BITS) - _EXPONENT_BIAS
        mantissas = self.ops.bitwise_and(self.ops.right_shift(bits, _MANTISSA_BITS - tables.ROOT_MANTISSA_BITS),
                                         (1 << tables.ROOT_MANTISSA_BITS) - 1)
        curved = tables.ROOT_SLOPE - self.ops.right_shift(mantissas * tables.ROOT_CURVE, tables.ROOT_MANTISSA_BITS)
        roots = tables.ROOT_START - self.ops.right_shift(mantissas * curved, tables.ROOT_MANTISSA_BITS)
        is_odd = self.ops.equal(self.ops.bitwise_and(exponents, 1), 1)
        roots = self.ops.where(is_odd, self.ops.right_shift(roots * tables.ROOT_OF_HALF, bounds.ROOT_BITS), roots)
        return (self.ops.cast(roots, "float32"),
                self.power_of_two(-bounds.ROOT_BITS - self.ops.right_shift(exponents, 1)))

    def _argument(self, values, fraction):
        """Where the tables of sigmoid and tanh hold the arguments `values`."""
        steps = self.ops.right_shift(values, fraction - tables.STEP_BITS)
        return self.ops.clip(steps, -tables.HALF, tables.HALF - 1) + tables.HALF

    def _shifts(self, values, limit):
        """The least shift that brings each value under `limit`."""
        thresholds = np.array([limit << shift for shift in range(bounds.MOST_SHIFT)], np.int32)
        passed = self.ops.greater_equal(self.ops.expand_dims(values, -1), self.ops.convert_to_tensor(thresholds))
        return self.ops.sum(self.ops.cast(passed, "int32"), -1)
