"""A network that learned before it codes: its shape, its weights in few bits, and the bytes that hold it.

Weights are whole numbers of steps, so many that training, which rounds to them, loses next to nothing (docs/training.md has the figures). The
network of a file takes them over and learns on from there, in steps 2^16 times as fine. Of a network's alphabet, which holds every value that
it knows, the symbols of a file pick their rows and columns.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgpack
import numpy as np

from lib.coders.arithmetic import ArithmeticCoder
from lib.errors import FormatError
from lib.limits import MOST_WEIGHTS
from lib.models.exact import bounds
from lib.models.exact.dimensions import Dimensions
from lib.models.inputs import InputShape
from lib.sources.base import packed_values, unpacked_values
from lib.sources.source import Source

_AT_ONCE = 1024                   # weights
_UNKNOWN_SYMBOL = -1.0            # the output bias of a symbol that is not in the alphabet


class Format(NamedTuple):
    """How a weight is kept: a whole number from -limit to limit, times 2^-fraction."""

    fraction: int
    limit: int

    @classmethod
    def of(cls, name: str) -> "Format":
        """That of a parameter of this name, see Dimensions.parameters. Each is within what the exact network computes with."""
        if name == "embedding":
            return cls(6, 63)
        return cls(4, 31) if "kernel" in name else cls(8, 511)


@dataclass(frozen=True, eq=False)
class LearnedNetwork:
    """A network as a prior or the library holds it."""

    inputs: str                   # what a step sees, as the `model_inputs` of sources
    layers: int
    units: int
    embedding: int
    seen: int                     # N, values that a step sees, see lib.models.inputs
    others: int                   # rows of the embedding for what is no symbol
    alphabet: np.ndarray          # uint16, ascending, shape (V,): codes of the symbols
    rates: tuple[float, float]    # learning rates that suit it, at a file's first and last symbol
    weights: dict[str, np.ndarray]        # int16, as Dimensions.parameters, in steps of their Format

    @classmethod
    def of(cls, weights: dict[str, np.ndarray], inputs: str, seen: int, alphabet: np.ndarray, rates: tuple[float, float]) -> "LearnedNetwork":
        """From weights in floating point, shaped as Dimensions.parameters."""
        rows, embedding = weights["embedding"].shape
        layers = sum("bias_" in name for name in weights)
        units, others = weights["output_kernel"].shape[0] // layers, rows - len(alphabet)
        return cls(inputs, layers, units, embedding, seen, others, alphabet, rates,
                   {name: _in_steps(name, weights[name]) for name in _shapes(layers, units, embedding, seen, others, len(alphabet))})

    @property
    def values(self) -> dict[str, Any]:
        """{name: value} of the coding parameters that it needs, and of those that suit it."""
        return dict(num_layers=self.layers, rnn_units=self.units, embedding_size=self.embedding, start_learning_rate=self.rates[0],
                    end_learning_rate=self.rates[1])

    @property
    def count(self) -> int:
        """How many weights there are."""
        return sum(array.size for array in self.weights.values())

    def suits(self, source: Source) -> bool:
        """Whether it was learned from data like that of a source."""
        return source.model_inputs == self.inputs and (self.inputs != "last" or "text" in source.context_kinds)

    def fits(self, input_shape: InputShape) -> bool:
        """Whether it sees as much as each step of a plan does."""
        return input_shape.count == self.seen and input_shape.values - input_shape.symbols == self.others

    def weights_for(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """{name: int32 array} as lib.models.exact.state.State has them, for symbols of these codes, uint16, ascending, shape (V,)."""
        place = np.searchsorted(self.alphabet, codes).clip(max=len(self.alphabet) - 1)
        known = self.alphabet[place] == codes
        wide = {name: array.astype(np.int32) << bounds.WEIGHT_FRACTION - Format.of(name).fraction for name, array in self.weights.items()}
        rows, kernel, bias = wide["embedding"], wide["output_kernel"], wide["output_bias"]
        wide["embedding"] = np.concatenate([np.where(known[:, None], rows[place], 0), rows[len(self.alphabet):]])
        wide["output_kernel"] = np.ascontiguousarray(np.where(known, kernel[:, place], 0))
        wide["output_bias"] = np.where(known, bias[place], int(_UNKNOWN_SYMBOL * (1 << bounds.WEIGHT_FRACTION))).astype(np.int32)
        return wide

    def floats(self) -> dict[str, np.ndarray]:
        """{name: float32 array} of the weights, as training takes them."""
        return {name: array.astype(np.float32) / (1 << Format.of(name).fraction) for name, array in self.weights.items()}

    def to_bytes(self) -> bytes:
        """All of it: a MessagePack list, whose last entry is the weights, each coded by how often each number occurs in its matrix."""
        coder, counts = ArithmeticCoder(), []
        for name, array in self.weights.items():
            limit = Format.of(name).limit
            counted = np.bincount(array.ravel() + limit, minlength=2 * limit + 1)
            counts.append(counted.tolist())
            for block in _blocks((array.ravel() + limit).astype(np.uint16)):
                coder.code_step(_repeated(counted, len(block)), block, len(block))
        return msgpack.packb([self.inputs, self.layers, self.units, self.embedding, self.seen, self.others, packed_values(self.alphabet), list(self.rates),
                              counts, coder.finish()])

    @classmethod
    def from_bytes(cls, data: bytes) -> "LearnedNetwork":
        """The inverse of `to_bytes`. Raises FormatError for what no network becomes; takes little memory before it knows."""
        try:
            inputs, layers, units, embedding, seen, others, values, rates, counts, payload = msgpack.unpackb(data)
            alphabet = unpacked_values(values, (1 << 16) - 1)
            start, end = map(float, rates)
            if inputs not in ("last", "grid", "samples") or type(payload) is not bytes or not all(1e-7 <= rate <= 1 for rate in (start, end)):
                raise ValueError("no network is such")
            shapes = _shapes(layers, units, embedding, seen, others, len(alphabet))
            coder, weights = ArithmeticCoder(payload), {}
            for (name, shape), counted in zip(shapes.items(), counts, strict=True):
                weights[name] = _decoded(coder, name, shape, counted)
        except (ValueError, TypeError, IndexError, KeyError, OverflowError, msgpack.UnpackException) as error:
            raise FormatError("the network in it is damaged", "get another copy") from error
        return cls(inputs, layers, units, embedding, seen, others, alphabet, (start, end), weights)


def _shapes(layers, units, embedding, seen, others, symbols):
    """{name: shape}, as Dimensions.parameters; ValueError for what is too large or no number."""
    sizes = layers, units, embedding, seen, others, symbols
    if not all(type(size) is int and 0 <= size <= 1 << 16 for size in sizes) or 0 in (layers, units, embedding, seen) or layers > 8:
        raise ValueError("no network has such a shape")
    shapes = Dimensions(symbols, embedding, units, layers, 1, 1, 1, seen, symbols + others).parameters()
    if sum(np.prod(shape, dtype=np.int64) for shape in shapes.values()) > MOST_WEIGHTS:
        raise ValueError("there are too many weights")
    return shapes


def _in_steps(name, array):
    fraction, limit = Format.of(name)
    return np.clip(np.round(array.astype(np.float64) * (1 << fraction)), -limit, limit).astype(np.int16)


def _decoded(coder, name, shape, counted):
    """A matrix of weights; ValueError where the counts are no counts of it."""
    limit = Format.of(name).limit
    size = int(np.prod(shape, dtype=np.int64))
    if len(counted) != 2 * limit + 1 or min(counted) < 0 or sum(counted) != size:
        raise ValueError("these are no counts of so many weights")
    symbols = np.zeros(size, np.uint16)
    for block in _blocks(symbols):
        coder.code_step(_repeated(counted, len(block)), block, len(block))
    return (symbols.astype(np.int16) - np.int16(limit)).reshape(shape)


def _blocks(symbols):
    """Views of so many at once."""
    return (symbols[start:start + _AT_ONCE] for start in range(0, len(symbols), _AT_ONCE))


def _repeated(counted, rows):
    return np.tile(np.array(counted, np.int32), (rows, 1))
