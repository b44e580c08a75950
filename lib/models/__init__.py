"""What learns while it codes. Only modules of this package import Keras or TensorFlow.

A model has `predict()`: int32 frequencies of shape (batch_size, V), each 1 or more, for the next step of every stream;
`learn(symbols, active, seen)`: takes the symbols that came, and as `seen` what the next step sees, values of lib.models.inputs
of shape (batch_size, N); `fingerprint()`: 8 bytes, the same for equal states; `state_bytes()`: the state; `restore(data, step)`:
takes that state over, after `step` steps; `environment`: what its bits depend on (lib.models.environment), or None; and `backend`:
what computes it, or None.

`with instead(MyModel):` puts a model of one's own in place of the network: see lib.models.own.
"""

from typing import Protocol

import numpy as np

from lib.errors import SettingsError
from lib.models.environment import MadeIn, OwnModel
from lib.models.exact.bounds import check_dimensions
from lib.models.exact.dimensions import Dimensions
from lib.models.inputs import InputShape
from lib.models.own import build_own, check_same, instead, is_given, missing
from lib.parameters import Parameters

__all__ = ["Model", "build_model", "check_model", "check_same", "instead", "is_given"]


class Model(Protocol):
    """A network; this package says what each name means."""

    @property
    def environment(self) -> MadeIn | None: ...

    @property
    def backend(self) -> str | None: ...

    def predict(self) -> np.ndarray: ...

    def learn(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None: ...

    def fingerprint(self) -> bytes: ...

    def state_bytes(self) -> bytes: ...

    def restore(self, data: bytes, step: int) -> None: ...


def check_model(parameters: Parameters, input_shape: InputShape) -> None:
    """Refuse complete parameters of a network that cannot be, by name. Imports no backend."""
    if parameters.has_network and parameters.arithmetic == "exact" and input_shape.symbols > 1:
        check_dimensions(Dimensions.of(parameters, input_shape))


def build_model(parameters: Parameters, input_shape: InputShape, steps: int, backend: str = "auto",
                made_in: MadeIn | None = None, weights: dict[str, np.ndarray] | None = None) -> Model:
    """The model of complete `parameters` for `steps` steps; input_shape: lib.models.inputs.InputShape, what each of them
    sees, of two symbols or more.

    backend: what computes an exact network, see lib.settings.Settings.
    made_in: when decoding, what the file was made in, to come as close to it as can be. Raises ModelError where that is a model of
    one's own, and none is given. weights: what an exact network begins with, see LearnedNetwork.weights_for in lib.models.weights.
    """
    if is_given():
        return build_own(parameters, input_shape, steps)
    if isinstance(made_in, OwnModel):
        raise missing(made_in)
    if parameters.arithmetic == "exact":
        from lib.models.exact.lstm import ExactLSTM
        return ExactLSTM(parameters, input_shape, steps, backend, weights)
    if backend not in ("auto", "tensorflow"):
        raise SettingsError(f"arithmetic={parameters.arithmetic} runs on tensorflow alone, not on {backend}",
                            "leave the backend to auto", "backend")
    from lib.models.keras_lstm import KerasLSTM
    return KerasLSTM(parameters, input_shape, steps, made_in)
