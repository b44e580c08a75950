"""The complete state of an exact network, with one canonical byte form for all backends."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from lib.errors import FormatError
from lib.models.exact.bounds import BIAS_LIMIT, CELL_LIMIT, FACTOR_LIMIT, FREQUENCY_FRACTION, TRACE_LIMIT, WEIGHT_FRACTION, WEIGHT_LIMIT
from lib.models.exact.dimensions import Dimensions

EMBEDDING_LIMIT = 1 << WEIGHT_FRACTION     # 1
LSTM_GAIN = 2                              # docs/tuning.md has what else was tried, a forget bias of one too


@dataclass
class State:
    """NumPy arrays that a run is between two steps. Rings go from the oldest step to the newest."""

    weights: dict                 # name -> int32: as Dimensions.parameters
    squares: dict                 # name -> float32, likewise: Adam's means of squared gradients
    cells: np.ndarray             # int32 (B, L * U)
    traces: np.ndarray            # int16 (T, B, trace_width): what the window's steps left
    tokens: np.ndarray            # int32 (T, B, N): what the window's steps saw
    newest: np.ndarray            # int32 (B, N): what the next step sees
    frequencies: np.ndarray       # int32 (n, B, V) of the n steps since the last update
    targets: np.ndarray           # int32 (n, B): the symbols that came then
    active: np.ndarray            # int32 (n,): how many streams had one
    factors: dict = field(default_factory=dict)      # while an update waits to count, what enters products until then:
                                  # name -> int16 of a matrix, int32 of a bias; else nothing

    @classmethod
    def initial(cls, dimensions: Dimensions, seed: int, weights: dict | None = None) -> "State":
        """The state before the first symbol. weights: those that were learned before; None: by chance, from a seed."""
        state = cls.zero(dimensions)
        state.weights = weights or _initial_weights(dimensions, seed)
        return state

    @classmethod
    def zero(cls, dimensions: Dimensions, steps: int = 0) -> "State":
        """A state of zeros after `steps` steps."""
        pending, waits = steps % dimensions.interval, dimensions.waits(steps)
        shapes, streams, window = dimensions.parameters(), dimensions.streams, dimensions.window
        return cls(weights={name: np.zeros(shape, np.int32) for name, shape in shapes.items()},
                   squares={name: np.zeros(shape, np.float32) for name, shape in shapes.items()},
                   cells=np.zeros((streams, dimensions.hidden), np.int32),
                   traces=np.zeros((window, streams, dimensions.trace_width), np.int16),
                   tokens=np.zeros((window, streams, dimensions.seen), np.int32),
                   newest=np.zeros((streams, dimensions.seen), np.int32),
                   frequencies=np.zeros((pending, streams, dimensions.symbols), np.int32),
                   targets=np.zeros((pending, streams), np.int32), active=np.zeros(pending, np.int32),
                   factors={name: np.zeros(shape, np.int16 if len(shape) == 2 else np.int32) for name, shape in shapes.items() if waits})

    def arrays(self) -> Iterator[np.ndarray]:
        """Every array, in the order of the byte form."""
        for part in fields(self):
            value = getattr(self, part.name)
            yield from value.values() if isinstance(value, dict) else (value,)

    def parts(self) -> Iterator[memoryview | bytes]:
        """The canonical form piece by piece: each array, little-endian."""
        for array in self.arrays():
            yield np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data.cast("B") if array.size else b""

    def to_bytes(self) -> bytes:
        """The canonical form: all arrays one after the other."""
        return b"".join(self.parts())

    @classmethod
    def from_bytes(cls, data: bytes, dimensions: Dimensions, steps: int) -> "State":
        """The state that `to_bytes` described after `steps` steps. FormatError where it is none that a network can be in."""
        state = cls.zero(dimensions, steps)
        if len(data) != sum(array.nbytes for array in state.arrays()):
            raise FormatError("the state of the network is damaged: it has another length than its settings give it")
        start = 0
        for array in state.arrays():
            array[...] = np.frombuffer(data, array.dtype.newbyteorder("<"), array.size, start).reshape(array.shape)
            start += array.nbytes
        if not state._is_within(dimensions):
            raise FormatError("the state of the network is damaged: it holds a number out of bounds")
        return state

    def _is_within(self, dimensions):
        """Whether every number is one that engines can go on from: they look things up by some, and trust the bounds of all."""
        bounded = [(self.cells, -CELL_LIMIT, CELL_LIMIT), (self.traces, -TRACE_LIMIT, TRACE_LIMIT),
                   (self.tokens, 0, dimensions.known - 1), (self.newest, 0, dimensions.known - 1),
                   (self.frequencies, 0, 1 << FREQUENCY_FRACTION + 1), (self.targets, 0, dimensions.symbols - 1),
                   (self.active, 0, dimensions.streams), *((weights, -WEIGHT_LIMIT, WEIGHT_LIMIT) for weights in self.weights.values()),
                   *((squares, 0, np.finfo(np.float32).max) for squares in self.squares.values()),
                   *((factors, -FACTOR_LIMIT, FACTOR_LIMIT) if factors.ndim == 2 else (factors, -BIAS_LIMIT, BIAS_LIMIT)
                     for factors in self.factors.values())]
        return all(array.min(initial=least) >= least and array.max(initial=least) <= most for array, least, most in bounded)


def _initial_weights(dimensions, seed):
    """{name: int32 array}: kernels after Glorot and Bengio 2010, those of the LSTM with a gain; biases zero.

    From the raw bits of PCG64, which NumPy promises never to change, as it does not for its distributions.
    """
    bits, weights = np.random.PCG64(seed), {}
    for name, shape in dimensions.parameters().items():
        if name == "embedding":
            weights[name] = _uniform(bits, shape, EMBEDDING_LIMIT)
        elif len(shape) == 2:
            gain = 1 if name == "output_kernel" else LSTM_GAIN
            weights[name] = _uniform(bits, shape, gain * math.isqrt((6 << 2 * WEIGHT_FRACTION) // sum(shape)))
        else:
            weights[name] = np.zeros(shape, np.int32)
    return weights


def _uniform(bits, shape, limit):
    """Whole numbers from -limit to limit, all alike."""
    raw = bits.random_raw(math.prod(shape)) >> np.uint64(32)
    return ((raw * np.uint64(2 * limit + 1) >> np.uint64(32)).astype(np.int32) - np.int32(limit)).reshape(shape)
