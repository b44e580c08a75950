"""An LSTM in floating point that learns online, built from Keras 3 layers, run by TensorFlow and XLA.

Embedding, then LSTM layers, each fed the embedding and the layer below, all of them joined into the
output layer (skip connections). Each step makes one forward step for all streams; every
`update_interval` steps Adam (with beta_1 = 0) learns from the newest `update_interval` symbols, by
backpropagation through the last `seq_length` steps. After lstm-compress and cmix (Byron Knoll).

Floating point gives other bits on other devices and library versions: a file made with this model
decodes where it was made. The fingerprint tells as soon as two runs part.
"""

import hashlib
from collections import deque
from typing import Any

import numpy as np

from lib.errors import FormatError
from lib.models.backend import import_keras, import_tensorflow
from lib.models.environment import Environment
from lib.models.inputs import InputShape
from lib.parameters import Parameters

tf = import_tensorflow()
keras = import_keras("tensorflow")

FREQUENCY_BITS = 20        # a probability p becomes the frequency p * 2^20 + 1
_INITIAL_LOSS_SCALE = 2.0 ** 15
_DTYPE_POLICIES = {"float32": "float32", "float16": "mixed_float16"}


class KerasLSTM:
    """The model of `parameters` that sees `input_shape`: see lib.models for what it answers to."""

    backend = "tensorflow"

    def __init__(self, parameters: Parameters, input_shape: InputShape, steps: int, made_in: Environment | None = None) -> None:
        self.environment = Environment.enter(made_in)
        keras.utils.set_random_seed(parameters.seed)
        self._parameters = parameters
        self._steps = steps
        self._step = 0
        self._network = _Network(parameters, input_shape)
        self._trainer = _Trainer(parameters, self._network)
        self._state = self._network.initial_state()
        no_symbols, nothing = np.zeros(parameters.batch_size, np.int32), np.zeros((parameters.batch_size, input_shape.count), np.int32)
        window, interval = parameters.seq_length, parameters.update_interval
        self._inputs = deque([nothing] * window, maxlen=window)
        self._states_before = deque([self._state] * window, maxlen=window)
        self._targets: deque[np.ndarray] = deque(maxlen=interval)
        self._mask: deque[np.ndarray] = deque(maxlen=interval)
        self._newest, self._no_symbols = nothing, no_symbols

    def predict(self) -> np.ndarray:
        """int32 frequencies of shape (batch_size, V) for the next step; call once a step."""
        self._inputs.append(self._newest)
        self._states_before.append(self._state)
        frequencies, self._state = self._network.forward(self._newest[:, None], self._state)
        return frequencies.numpy()

    def learn(self, symbols: np.ndarray, active: int, seen: np.ndarray) -> None:
        """Take the symbols that came: uint16, shape (batch_size,), of which the first `active` count.

        seen: whole numbers, shape (batch_size, N), what the next step sees.
        """
        self._newest = seen.astype(np.int32)
        self._targets.append(symbols.astype(np.int32))
        self._mask.append((np.arange(len(symbols)) < active).astype(np.float32))
        self._step += 1
        if self._step % self._parameters.update_interval == 0:
            self._trainer.update(np.stack(self._inputs, 1), np.stack(self._targets, 1), np.stack(self._mask, 1),
                                 self._states_before[0], self._learning_rate())

    def fingerprint(self) -> bytes:
        """8 bytes of the SHA-256 of weights, optimizer (with its loss scale) and recurrent state."""
        digest = hashlib.sha256()
        for tensor in (*self._network.weights, *self._trainer.variables, *tf.nest.flatten(self._state)):
            digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
        return digest.digest()[:8]

    def state_bytes(self) -> bytes:
        """The complete state between two steps: NumPy arrays one after the other."""
        return b"".join(np.ascontiguousarray(array).tobytes() for array in self._arrays())

    def restore(self, data: bytes, step: int) -> None:
        """Go on from `state_bytes` taken after `step` steps, where they were made. FormatError where they do not fit."""
        interval = self._parameters.update_interval
        self._step = step
        self._targets.extend([self._no_symbols] * min(step, interval))
        self._mask.extend([np.zeros(len(self._no_symbols), np.float32)] * min(step, interval))
        like = self._arrays()
        if len(data) != sum(array.nbytes for array in like):
            raise FormatError("the state of the network is damaged: it has another length than its parameters give it")
        start, arrays = 0, []
        for array in like:
            arrays.append(np.frombuffer(data, array.dtype, array.size, start).reshape(array.shape))
            start += array.nbytes
        self._take_arrays(iter(arrays))

    def _variables(self):
        return [*self._network.weights, *self._trainer.variables]

    def _arrays(self):
        """All of the state as NumPy arrays."""
        return [*(variable.numpy() for variable in self._variables()),
                *(tensor.numpy() for state in (self._state, *self._states_before) for tensor in tf.nest.flatten(state)),
                *self._inputs, *self._targets, *self._mask, self._newest]

    def _take_arrays(self, arrays):
        """The inverse of `_arrays`."""
        for variable in self._variables():
            variable.assign(next(arrays))

        def next_state():
            return tf.nest.map_structure(lambda _: tf.constant(next(arrays)), self._state)

        self._state = next_state()
        for ring, entry in ((self._states_before, next_state), (self._inputs, lambda: next(arrays)),
                            (self._targets, lambda: next(arrays)), (self._mask, lambda: next(arrays))):
            ring.extend([entry() for _ in range(len(ring))])
        self._newest = next(arrays)

    def _learning_rate(self):
        """Linear from start to end over the file."""
        start, end = self._parameters.start_learning_rate, self._parameters.end_learning_rate
        return np.float32(start + (end - start) * (self._step - 1) / self._steps)


class _Network:
    """The layers and their forward step. All shapes are fixed when it is built."""

    def __init__(self, parameters: Parameters, input_shape: InputShape) -> None:
        self._parameters, self._input_shape = parameters, input_shape
        policy = _DTYPE_POLICIES[parameters.arithmetic]
        self._embedding = keras.layers.Embedding(input_shape.values, parameters.embedding_size, dtype=policy)
        # cuDNN's own LSTM cannot be compiled by XLA, and unrolled layers compile ten times as long.
        self._lstms = [keras.layers.LSTM(parameters.rnn_units, return_sequences=True, return_state=True,
                                         use_cudnn=False, dtype=policy) for _ in range(parameters.num_layers)]
        self._output = keras.layers.Dense(input_shape.symbols, dtype=policy)
        self._build()
        self._compiled_forward = tf.function(self._forward, jit_compile=True, input_signature=[
            tf.TensorSpec((parameters.batch_size, 1, input_shape.count), tf.int32), tf.nest.map_structure(
                lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), self.initial_state())])

    @property
    def weights(self) -> list:
        """Trainable variables in a fixed order."""
        return [variable for layer in (self._embedding, *self._lstms, self._output)
                for variable in layer.trainable_variables]

    def initial_state(self) -> list:
        """Zero (hidden, cell) states of each layer, each of shape (batch_size, rnn_units)."""
        dtype = self._embedding.compute_dtype
        shape = (self._parameters.batch_size, self._parameters.rnn_units)
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
        probabilities = tf.nn.softmax(logits[:, 0])
        scaled = tf.cast(probabilities * 2.0 ** FREQUENCY_BITS, tf.int32) + 1
        usable = tf.math.is_finite(probabilities)     # a network that blew up predicts nothing, but codes on
        return tf.where(usable, scaled, 1), state_after

    def _build(self):
        """Make the weights and set them from NumPy's generator, whose bits are the same everywhere."""
        self.logits(tf.zeros((self._parameters.batch_size, 1, self._input_shape.count), tf.int32), self.initial_state(), newest=1)
        generator = np.random.Generator(np.random.PCG64(self._parameters.seed))
        self._embedding.set_weights([_uniform(generator, self._embedding.weights[0].shape, 0.05)])
        for lstm in self._lstms:
            kernel, recurrent, bias = (weight.shape for weight in lstm.weights)
            limit = (6 / (kernel[0] + recurrent[0] + kernel[1])) ** 0.5
            forget_open = np.zeros(bias, np.float32)
            forget_open[bias[0] // 4:bias[0] // 2] = 1   # Jozefowicz et al. 2015
            lstm.set_weights([_uniform(generator, kernel, limit), _uniform(generator, recurrent, limit), forget_open])
        kernel, bias = (weight.shape for weight in self._output.weights)
        self._output.set_weights([_uniform(generator, kernel, (6 / sum(kernel)) ** 0.5), np.zeros(bias, np.float32)])


class _Trainer:
    """Truncated backpropagation and Adam as one compiled function."""

    def __init__(self, parameters: Parameters, network: _Network) -> None:
        self._network = network
        self._interval = parameters.update_interval
        self._optimizer = keras.optimizers.Adam(0.0, beta_1=0.0, beta_2=parameters.adam_beta_2)
        if parameters.arithmetic == "float16":
            self._optimizer = keras.optimizers.LossScaleOptimizer(
                self._optimizer, initial_scale=_INITIAL_LOSS_SCALE)
        self._optimizer.build(network.weights)
        self._compiled_update = tf.function(self._update, jit_compile=True)

    @property
    def variables(self) -> list:
        """The optimizer's state, in a fixed order."""
        return self._optimizer.variables

    def update(self, inputs: np.ndarray, targets: np.ndarray, mask: np.ndarray, state: list, learning_rate: float) -> None:
        """One update from inputs (B, seq_length, N), the newest targets and their mask (B, update_interval)."""
        self._compiled_update(inputs, targets, mask, state, learning_rate)

    def _update(self, inputs, targets, mask, state, learning_rate):
        with tf.GradientTape() as tape:
            logits, _ = self._network.logits(inputs, state, newest=self._interval)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = self._optimizer.scale_loss(tf.reduce_mean(losses * mask))
        gradients = tape.gradient(loss, [weight.value for weight in self._network.weights])
        self._optimizer.learning_rate = learning_rate
        self._optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients])


def _uniform(generator, shape, limit):
    """float32 values evenly between -limit and limit, from whole numbers, so exact on every platform."""
    steps = generator.integers(-(1 << 20), (1 << 20) + 1, size=tuple(shape))
    return (steps * (limit / (1 << 20))).astype(np.float32)
