"""The exact LSTM as a model of lib.models, over whichever engine runs it."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from lib.models.backend import choose_backend, keras_backend
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.schedule import Schedule, decay_bits
from lib.models.exact.state import State
from lib.models.inputs import InputShape
from lib.parameters import Parameters

if TYPE_CHECKING:
    from lib.models.exact.keras_engine import KerasEngine
    from lib.models.exact.numba_engine import NumbaEngine


class ExactLSTM:
    """The model of complete `parameters` that sees `input_shape`: see lib.models for what it answers to."""

    _engine: "KerasEngine | NumbaEngine"
    environment = None           # its bits depend on none

    def __init__(self, parameters: Parameters, input_shape: InputShape, steps: int, backend: str = "auto",
                 weights: dict[str, np.ndarray] | None = None) -> None:
        """weights: see lib.models.build_model."""
        self._dimensions = Dimensions.of(parameters, input_shape)
        self._schedule = Schedule(parameters.start_learning_rate, parameters.end_learning_rate, steps, parameters.adam_beta_2)
        self._decay = decay_bits(parameters.adam_beta_2)
        self.backend = choose_backend(backend)
        self._step = 0
        self._start(State.initial(self._dimensions, parameters.seed, weights))

    def predict(self) -> np.ndarray:
        """int32 frequencies of shape (batch_size, V) for the next step; call once a step."""
        return self._engine.predict()

    def learn(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        """Take the symbols that came: uint16, shape (batch_size,), of which the first `active` count.

        seen: whole numbers, shape (batch_size, N), what the next step sees.
        """
        self._engine.take(symbols, active, seen)
        dimensions = self._dimensions
        updates, rest = divmod(self._step + 1, dimensions.interval)
        if dimensions.waits(self._step) and not dimensions.waits(self._step + 1) or not rest and dimensions.waits(self._step):
            self._engine.end_update()
        if not rest:
            self._engine.begin_update(self._schedule.rate(self._step, updates - 1))
            if not dimensions.delay:
                self._engine.end_update()
        self._step += 1

    def fingerprint(self) -> bytes:
        """8 bytes of the SHA-256 of `state_bytes`."""
        digest = hashlib.sha256()
        for part in self._engine.state().parts():
            digest.update(part)
        return digest.digest()[:8]

    def state_bytes(self) -> bytes:
        """The complete state between two steps, the same bytes on every backend."""
        return self._engine.state().to_bytes()

    def restore(self, data: bytes, step: int) -> None:
        """Go on from `state_bytes` taken after `step` steps, on whatever backend. FormatError where they do not fit."""
        self._start(State.from_bytes(data, self._dimensions, step))
        self._step = step

    def _start(self, state):
        if self.backend == "numba":
            from lib.models.exact.numba_engine import NumbaEngine
            self._engine = NumbaEngine(self._dimensions, self._decay, state)
        else:
            from lib.models.exact.keras_engine import KerasEngine
            self._engine = KerasEngine(self._dimensions, self._decay, state, keras_backend(self.backend))
