"""How the symbols of an input lie in streams that are coded side by side."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """`symbol_count` symbols as `batch_size` streams of `steps` steps.

    Stream b holds symbols [b * steps, (b + 1) * steps). Step s codes the s-th symbol of all
    streams at once. The last streams may end early or be empty, so the streams that still have
    a symbol at a step are always the first `active(step)` ones.
    """

    symbol_count: int
    batch_size: int

    @property
    def steps(self):
        """Steps that code everything: symbol_count / batch_size, rounded up."""
        return -(-self.symbol_count // self.batch_size)

    def active(self, steps):
        """How many streams have a symbol at each of `steps`, an array of whole numbers: int64, of the same shape."""
        return np.clip(-(-(self.symbol_count - steps) // self.steps), 0, self.batch_size)

    def symbols_before(self, step):
        """How many symbols the steps before `step` code."""
        full, rest = divmod(self.symbol_count, self.steps) if self.steps else (0, 0)
        return full * step + min(rest, step)

    def empty(self):
        """A matrix for the symbols, all zero: uint16 of shape (steps, batch_size)."""
        return np.zeros((self.steps, self.batch_size), np.uint16)

    def lay_out(self, symbols):
        """Symbols of shape (symbol_count,) as a matrix of shape (steps, batch_size), zero where there is none."""
        flat = np.zeros(self.steps * self.batch_size, np.uint16)
        flat[:self.symbol_count] = symbols
        return np.ascontiguousarray(flat.reshape(self.batch_size, self.steps).T)

    def join(self, matrix):
        """The symbols of shape (symbol_count,) from a matrix of shape (steps, batch_size)."""
        return np.ascontiguousarray(matrix.T).reshape(-1)[:self.symbol_count]
