"""The network in floating point, built from Keras 3 layers for TensorFlow and XLA.

Embedding, then LSTM layers, each fed the embedding and the layer below, all of them joined into the output layer (skip
connections). After lstm-compress and cmix (Byron Knoll).
"""

from typing import Any

import numpy as np

from lib.models.backend import import_keras, import_tensorflow
from lib.models.exact.dimensions import Dimensions

tf = import_tensorflow()
keras = import_keras("tensorflow")

FREQUENCY_BITS = 20        # a probability p becomes the frequency p * 2^20 + 1
_DTYPE_POLICIES = {"float32": "float32", "float16": "mixed_float16"}


class KerasNetwork:
    """The layers and their forward step. All shapes are fixed when it is built."""

    def __init__(self, dimensions: Dimensions, arithmetic: str, seed: int) -> None:
        """arithmetic: "float32", or "float16", which keeps weights in float32."""
        self._dimensions = dimensions
        policy = _DTYPE_POLICIES[arithmetic]
        self._embedding = keras.layers.Embedding(dimensions.known, dimensions.embedding, dtype=policy)
        # cuDNN's own LSTM cannot be compiled by XLA, and unrolled layers compile ten times as long.
        self._lstms = [keras.layers.LSTM(dimensions.units, return_sequences=True, return_state=True,
                                         use_cudnn=False, dtype=policy) for _ in range(dimensions.layers)]
        self._output = keras.layers.Dense(dimensions.symbols, dtype=policy)
        self._build(seed)
        self._compiled_forward = tf.function(self._forward, jit_compile=True, input_signature=[
            tf.TensorSpec((dimensions.streams, 1, dimensions.seen), tf.int32), tf.nest.map_structure(
                lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), self.initial_state())])

    @property
    def layers(self) -> list:
        """The Keras layers, from the input to the output."""
        return [self._embedding, *self._lstms, self._output]

    @property
    def weights(self) -> list:
        """Trainable variables in a fixed order."""
        return [variable for layer in self.layers for variable in layer.trainable_variables]

    def initial_state(self) -> list:
        """Zero (hidden, cell) states of each layer, each of shape (batch_size, rnn_units)."""
        dtype = self._embedding.compute_dtype
        shape = (self._dimensions.streams, self._dimensions.units)
        return [[tf.zeros(shape, dtype), tf.zeros(shape, dtype)] for _ in self._lstms]

    def forward(self, symbols: Any, state: list) -> tuple[Any, list]:
        """(frequencies of shape (batch_size, V), the state after) for steps that see (batch_size, 1, N)."""
        return self._compiled_forward(symbols, state)

    def logits(self, symbols: Any, state: list, newest: int) -> tuple[Any, list]:
        """float32 logits (batch_size, newest, V) of the last `newest` of T steps, which see (batch_size, T, N), and the state."""
        embedded = self._embedding(symbols)
        embedded = tf.reshape(embedded, (*symbols.shape[:2], embedded.shape[2] * embedded.shape[3]))
        below, outputs, state_after = embedded, [], []
        for lstm, initial in zip(self._lstms, state):
            hidden, *after = lstm(below, initial_state=initial)
            outputs.append(hidden[:, -newest:])
            state_after.append(after)
            below = tf.concat([embedded, hidden], -1)
        return tf.cast(self._output(tf.concat(outputs, -1)), tf.float32), state_after

    def _forward(self, symbols, state):
        logits, state_after = self.logits(symbols, state, newest=1)
        return frequencies_of(logits[:, 0]), state_after

    def _build(self, seed):
        """Make the weights and set them from NumPy's generator, whose bits are the same everywhere."""
        self.logits(tf.zeros((self._dimensions.streams, 1, self._dimensions.seen), tf.int32), self.initial_state(), newest=1)
        generator = np.random.Generator(np.random.PCG64(seed))
        self._embedding.set_weights([_uniform(generator, self._embedding.weights[0].shape, 0.05)])
        for lstm in self._lstms:
            kernel, recurrent, bias = (weight.shape for weight in lstm.weights)
            limit = (6 / (kernel[0] + recurrent[0] + kernel[1])) ** 0.5
            forget_open = np.zeros(bias, np.float32)
            forget_open[bias[0] // 4:bias[0] // 2] = 1   # Jozefowicz et al. 2015
            lstm.set_weights([_uniform(generator, kernel, limit), _uniform(generator, recurrent, limit), forget_open])
        kernel, bias = (weight.shape for weight in self._output.weights)
        self._output.set_weights([_uniform(generator, kernel, (6 / sum(kernel)) ** 0.5), np.zeros(bias, np.float32)])


def frequencies_of(logits: Any) -> Any:
    """What a model predicts, int32 frequencies, from logits, a tensor of the same shape whose last axis is the vocabulary."""
    probabilities = tf.nn.softmax(logits)
    scaled = tf.cast(probabilities * 2.0 ** FREQUENCY_BITS, tf.int32) + 1
    usable = tf.math.is_finite(probabilities)         # a network that blew up predicts nothing, but codes on
    return tf.where(usable, scaled, 1)


def _uniform(generator, shape, limit):
    """float32 values evenly between -limit and limit, from whole numbers, so exact on every platform."""
    steps = generator.integers(-(1 << 20), (1 << 20) + 1, size=tuple(shape))
    return (steps * (limit / (1 << 20))).astype(np.float32)
