"""Windows over many pieces of data at once, which a network is trained on before it ever codes."""

from collections.abc import Iterable

import numpy as np

_STARTING_SYMBOL = 0           # what the first step of a stream sees, as in lib.models.exact.state


class Window:
    """So many steps of all streams."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, mask: np.ndarray, fresh: np.ndarray) -> None:
        """inputs, targets: uint8, shape (streams, window), the symbol before each step and that of it. mask: bool, likewise, whether
        there is one. fresh: bool, shape (streams,), whether a stream begins with this window.
        """
        self.inputs, self.targets, self.mask, self.fresh = inputs, targets, mask, fresh
        self.count = int(mask.sum())

    def tensors(self) -> tuple[np.ndarray, ...]:
        return (self.inputs.astype(np.int32)[:, :, None], self.targets.astype(np.int32), self.mask.astype(np.float32),
                self.fresh.astype(np.float32))


class Windows:
    """Windows over pieces of data, one piece after the other in each stream; each begins as a file does."""

    def __init__(self, pieces: Iterable[bytes], streams: int, window: int) -> None:
        """pieces: drawn from as a stream comes to its end, until there are no more."""
        self._pieces, self._window = iter(pieces), window
        self._left = [np.zeros(0, np.uint8)] * streams             # of each stream's piece, with the symbol before in front

    def __iter__(self) -> "Windows":
        return self

    def __next__(self) -> Window:
        streams, window = len(self._left), self._window
        symbols = np.zeros((streams, window + 1), np.uint8)
        mask, fresh = np.zeros((streams, window), bool), np.zeros(streams, bool)
        for stream in range(streams):
            if len(self._left[stream]) < 2:
                piece = next(self._pieces, b"")
                self._left[stream] = np.concatenate([[_STARTING_SYMBOL], np.frombuffer(piece, np.uint8)]).astype(np.uint8)
                fresh[stream] = True
            part = self._left[stream][:window + 1]
            symbols[stream, :len(part)], mask[stream, :len(part) - 1] = part, True
            self._left[stream] = self._left[stream][window:]
        if not mask.any():
            raise StopIteration
        return Window(symbols[:, :-1], symbols[:, 1:], mask, fresh)
