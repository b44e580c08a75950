"""Windows over many pieces of data at once, which a network is trained on before it ever codes."""

from collections.abc import Iterable
from typing import Any

import numpy as np

_STARTING_SYMBOL = 0           # what the first step of a stream sees, as in lib.models.exact.state


class Window:
    """So many steps of all streams."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, mask: np.ndarray, fresh: np.ndarray) -> None:
        """inputs: int32, shape (streams, window, N), what each step sees. targets: uint16, shape (streams, window), the symbol that comes.
        mask: bool, likewise, whether there is one. fresh: bool, shape (streams,), whether a stream begins with this window.
        """
        self.inputs, self.targets, self.mask, self.fresh = inputs, targets, mask, fresh
        self.count = int(mask.sum())

    @property
    def last(self) -> np.ndarray:
        """Shape (streams, window): the first that each step sees, which is the last symbol where there is no more."""
        return self.inputs[:, :, 0]

    def tensors(self) -> tuple[np.ndarray, ...]:
        return self.inputs, self.targets.astype(np.int32), self.mask.astype(np.float32), self.fresh.astype(np.float32)


class Windows:
    """Windows over pieces of data, one piece after the other in each stream; each begins as a file does."""

    def __init__(self, pieces: Iterable[Any], streams: int, window: int, seen: int = 1) -> None:
        """pieces: drawn from as a stream comes to its end, until there are no more: (what each step sees, int32 (n, N); the symbols, uint16
        (n,)), or bytes, whose steps see the one before."""
        self._pieces, self._window, self._seen = iter(pieces), window, seen
        self._left = [(np.zeros((0, seen), np.int32), np.zeros(0, np.uint16))] * streams             # of each stream's piece

    def __iter__(self) -> "Windows":
        return self

    def __next__(self) -> Window:
        streams, window = len(self._left), self._window
        inputs, targets = np.zeros((streams, window, self._seen), np.int32), np.zeros((streams, window), np.uint16)
        mask, fresh = np.zeros((streams, window), bool), np.zeros(streams, bool)
        for stream in range(streams):
            if not len(self._left[stream][1]):
                piece = next(self._pieces, b"")
                self._left[stream] = _of_bytes(piece) if isinstance(piece, bytes) else piece
                fresh[stream] = True
            seen, symbols = self._left[stream]
            count = len(symbols[:window])
            inputs[stream, :count], targets[stream, :count], mask[stream, :count] = seen[:window], symbols[:window], True
            self._left[stream] = seen[window:], symbols[window:]
        if not mask.any():
            raise StopIteration
        return Window(inputs, targets, mask, fresh)


def _of_bytes(piece):
    symbols = np.frombuffer(piece, np.uint8)
    seen = np.concatenate([[_STARTING_SYMBOL], symbols])[:len(symbols), None]
    return seen.astype(np.int32), symbols.astype(np.uint16)
