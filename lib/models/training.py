"""Training of a network before it ever codes: in floating point, on many streams at once, for exact arithmetic.

The weights that learn are float32; the network computes with them rounded to what is kept of them (lib.models.weights), and gradients pass
the rounding as if it were not there (the straight-through estimator, Bengio et al. 2013). So what is learned becomes the state of the exact
network without loss.
"""

from collections.abc import Iterable

import numpy as np

from lib.models.backend import import_keras, import_tensorflow
from lib.models.exact.dimensions import Dimensions
from lib.models.keras_network import KerasNetwork
from lib.models.weights import Format
from lib.models.windows import Window

tf = import_tensorflow()
keras = import_keras("tensorflow")

_BETAS = 0.9, 0.995            # of Adam
_MOST_GRADIENT = 1.0           # a larger norm of all gradients is scaled down to it
_FIRST_EMBEDDING = 0.5         # embeddings begin between this and its negative


class Trainer:
    """A KerasNetwork of `dimensions` that learns from windows of all its streams at once."""

    def __init__(self, dimensions: Dimensions, seed: int) -> None:
        self._dimensions = dimensions
        self._network = KerasNetwork(dimensions, "float32", seed)
        embedding, *others = (weight.numpy() for weight in self._network.weights)
        embedding *= _FIRST_EMBEDDING / np.abs(embedding).max()
        self._learned = [keras.Variable(array) for array in (embedding, *others)]
        self._formats = list(map(Format.of, ["embedding", *["kernel", "kernel", "bias"] * dimensions.layers, "kernel", "bias"]))
        self._optimizer = keras.optimizers.Adam(0.0, *_BETAS, global_clipnorm=_MOST_GRADIENT)
        self._optimizer.build(self._learned)
        self._state = self._network.initial_state()
        self._compiled_learn = tf.function(self._learn, jit_compile=True)
        self._compiled_measure = tf.function(self._measure, jit_compile=True)

    def learn(self, window: Window, rate: float) -> float:
        """One update from a Window, of learning rate `rate`; returns the bits that its symbols took."""
        loss, self._state = self._compiled_learn(*window.tensors(), self._state, np.float32(rate))
        return float(loss)

    def measure(self, windows: Iterable[Window]) -> float:
        """Bits per symbol of Windows that nothing is learned from."""
        state, bits, count = self._network.initial_state(), 0.0, 0
        self._round()
        for window in windows:
            loss, state = self._compiled_measure(*window.tensors(), state)
            bits, count = bits + float(loss), count + window.count
        return bits / max(1, count)

    def weights(self) -> dict[str, np.ndarray]:
        """{name: float32 array} of what was learned, as Dimensions.parameters, within the bounds of the exact format."""
        arrays = iter([variable.numpy() for variable in self._learned])
        named = {"embedding": next(arrays)}
        for layer in range(self._dimensions.layers):
            named[f"kernel_{layer}"] = np.concatenate([next(arrays), next(arrays)])
            named[f"bias_{layer}"] = next(arrays)
        return named | {"output_kernel": next(arrays), "output_bias": next(arrays)}

    def take(self, weights: dict[str, np.ndarray]) -> None:
        """Go on from `weights`, as the method gives them."""
        flat = [weights["embedding"]]
        for layer in range(self._dimensions.layers):
            inputs = self._dimensions.inputs(layer) - self._dimensions.units
            flat += [weights[f"kernel_{layer}"][:inputs], weights[f"kernel_{layer}"][inputs:], weights[f"bias_{layer}"]]
        for variable, array in zip(self._learned, [*flat, weights["output_kernel"], weights["output_bias"]], strict=True):
            variable.assign(array.astype(np.float32))

    def optimizer_arrays(self) -> list[np.ndarray]:
        """The state of Adam, for `restore_optimizer`."""
        return [variable.numpy() for variable in self._optimizer.variables]

    def restore_optimizer(self, arrays: list[np.ndarray]) -> None:
        for variable, array in zip(self._optimizer.variables, arrays, strict=True):
            variable.assign(array)

    def _round(self):
        """Let the network compute with what was learned, as the exact one would."""
        for weight, learned, kept in zip(self._network.weights, self._learned, self._formats):
            scale = float(1 << kept.fraction)
            weight.assign(tf.clip_by_value(tf.round(learned.value * scale), -kept.limit, kept.limit) / scale)

    def _learn(self, inputs, targets, mask, fresh, state, rate):
        self._round()
        with tf.GradientTape() as tape:
            loss, state_after = self._loss(inputs, targets, mask, fresh, state)
            mean = loss / (tf.reduce_sum(mask) + 1)
        gradients = tape.gradient(mean, [weight.value for weight in self._network.weights])
        self._optimizer.learning_rate = rate
        self._optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients])
        for learned, kept in zip(self._learned, self._formats):
            most = kept.limit / (1 << kept.fraction)
            learned.assign(tf.clip_by_value(learned.value, -most, most))
        return loss / np.log(2), state_after

    def _measure(self, inputs, targets, mask, fresh, state):
        loss, state_after = self._loss(inputs, targets, mask, fresh, state)
        return loss / np.log(2), state_after

    def _loss(self, inputs, targets, mask, fresh, state):
        state = [[(1 - fresh[:, None]) * part for part in pair] for pair in state]
        logits, state_after = self._network.logits(inputs, state, newest=self._dimensions.window)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_sum(losses * mask), state_after
