"""A model of one's own in place of the network, for whoever tries one out.

    from lib import Settings, compress, decompress, models

    with models.instead(MyModel):
        compress("book.txt", settings=Settings(preset="network"))
    with models.instead(MyModel):
        decompress("book.txt.lks", "again.txt")

`MyModel(parameters, input_shape, steps)` gives any object with `predict()` and `learn(symbols, active, seen)` as lib.models describes
them; `state_bytes()` and `restore(data, step)` too where a run is to have a checkpoint. It has to compute the same frequencies when it
decodes, to the last bit: no clock, no random numbers without a seed.

The file says which model it was made with, and is refused where that is not there. What was predicted is hashed, and the hash is in the
file: a decoder whose model predicts anything else ends in a DivergedError.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from lib.errors import ModelError
from lib.models.environment import MadeIn, OwnModel
from lib.models.inputs import InputShape
from lib.parameters import Parameters

Build = Callable[[Parameters, InputShape, int], Any]
_HASH_BYTES = 32
_MOST = (1 << 31) - 1                 # what the frequencies of a step add up to: coders and mixers take more, and need not

_build: ContextVar[Build | None] = ContextVar("build", default=None)      # of this thread alone


@contextlib.contextmanager
def instead(build: Build) -> Iterator[None]:
    """Within it, `build(parameters, input_shape, steps)` makes what predicts, where a network would be made.

    build: a class or a function; parameters: complete lib.parameters.Parameters, whose batch_size counts; input_shape: a
    lib.models.inputs.InputShape; steps: how many there are.
    """
    token = _build.set(build)
    try:
        yield
    finally:
        _build.reset(token)


def is_given() -> bool:
    """Whether this is within `instead`."""
    return _build.get() is not None


def build_own(parameters: Parameters, input_shape: InputShape, steps: int) -> "CheckedModel":
    """The model that `instead` was given, as a lib.models.Model."""
    build = _build.get()
    assert build is not None
    return CheckedModel(build(parameters, input_shape, steps), parameters.batch_size, input_shape.symbols)


def check_same(made_in: MadeIn | None, here: MadeIn | None) -> None:
    """Refuse, with a ModelError, to go on or to decode with another model than what was coded so far was made with."""
    if isinstance(made_in, OwnModel) and not isinstance(here, OwnModel):
        raise missing(made_in)
    if isinstance(made_in, OwnModel) and made_in != here:
        raise ModelError(f"{made_in} is needed, and {here} is given", f"run it within lib.models.instead({made_in.name})")
    if isinstance(here, OwnModel) and made_in != here:
        raise ModelError(f"the network is needed, and {here} is given", "run it outside of lib.models.instead")


def missing(made_in: OwnModel) -> ModelError:
    """The error for what was coded with a model that is not given."""
    return ModelError(f"{made_in} is needed, and none is given", f"run it in Python, within lib.models.instead({made_in.name})")


class CheckedModel:
    """A model of one's own as a lib.models.Model: what it predicts is checked, and hashed for the fingerprint."""

    def __init__(self, model: Any, batch_size: int, symbols: int) -> None:
        """model: what has `predict` and `learn`; batch_size, symbols: B and V, the shape that it predicts."""
        self.environment = OwnModel.of(model)
        self.backend = self.environment.name
        self._model, self._shape = model, (batch_size, symbols)
        self._hash = bytes(_HASH_BYTES)
        self._check_has("predict", "learn")

    def predict(self) -> np.ndarray:
        """As lib.models says. Raises ModelError where what the model gives cannot be coded."""
        frequencies = self._model.predict()
        self._check(frequencies)
        self._hash = hashlib.sha256(self._hash + frequencies.tobytes()).digest()
        return np.ascontiguousarray(frequencies)

    def learn(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        self._model.learn(symbols, active, seen)

    def fingerprint(self) -> bytes:
        """8 bytes of the hash of all that was predicted: what a decoder has to share, whatever the model holds."""
        return self._hash[:8]

    def check_can_be_kept(self) -> None:
        """Refuse, with a ModelError, to keep checkpoints of a model that does not give its state."""
        self._check_has("state_bytes", "restore")

    def state_bytes(self) -> bytes:
        return self._hash + self._model.state_bytes()

    def restore(self, data: bytes, step: int) -> None:
        self._hash = data[:_HASH_BYTES]
        self._model.restore(data[_HASH_BYTES:], step)

    def _check_has(self, *names):
        for name in names:
            if not callable(getattr(self._model, name, None)):
                needed = "a run with a checkpoint, or of a part, needs" if name in ("state_bytes", "restore") else "lib.models.Model has"
                raise ModelError(f"{self.environment} has no method {name}, which {needed}", "add it")

    def _check(self, frequencies):
        """Compiled loops read what comes here without looking."""
        fault = ""
        if not isinstance(frequencies, np.ndarray) or frequencies.dtype != np.int32 or frequencies.shape != self._shape:
            kind = f"{frequencies.dtype} {frequencies.shape}" if isinstance(frequencies, np.ndarray) else type(frequencies).__name__
            fault = f"{kind}, and not a NumPy array of int32 {self._shape}"
        elif frequencies.min() < 1:
            fault = f"the frequency {frequencies.min()}, and each has to be 1 or more"
        elif (most := frequencies.sum(1, dtype=np.int64).max()) > _MOST:
            fault = f"frequencies that add up to {most:,}, and at most {_MOST:,} can be coded"
        if fault:
            raise ModelError(f"{self.environment} predicts {fault}", "see lib.models.Model")
