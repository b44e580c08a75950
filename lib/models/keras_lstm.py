"""An LSTM in floating point that learns online, run by TensorFlow and XLA.

Each step makes one forward step for all streams; every
`update_interval` steps Adam (with beta_1 = 0) learns from the newest `update_interval` symbols, by
backpropagation through the last `seq_length` steps. After lstm-compress and cmix (Byron Knoll).

Floating point gives other bits on other devices and library versions: a file made with this model
decodes where it was made. The fingerprint tells as soon as two runs part.
"""

import hashlib
from collections import deque

import numpy as np

from lib.errors import FormatError
from lib.models.backend import import_keras, import_tensorflow
from lib.models.environment import Environment
from lib.models.exact.dimensions import Dimensions
from lib.models.inputs import InputShape
from lib.models.keras_network import KerasNetwork
from lib.parameters import Parameters

tf = import_tensorflow()
keras = import_keras("tensorflow")

_INITIAL_LOSS_SCALE = 2.0 ** 15


class KerasLSTM:
    """The model of `parameters` that sees `input_shape`: see lib.models for what it answers to."""

    backend = "tensorflow"

    def __init__(self, parameters: Parameters, input_shape: InputShape, steps: int, made_in: Environment | None = None) -> None:
        self.environment = Environment.enter(made_in)
        keras.utils.set_random_seed(parameters.seed)
        self._parameters = parameters
        self._steps = steps
        self._step = 0
        self._network = KerasNetwork(Dimensions.of(parameters, input_shape), parameters.arithmetic, parameters.seed)
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


class _Trainer:
    """Truncated backpropagation and Adam as one compiled function."""

    def __init__(self, parameters: Parameters, network: KerasNetwork) -> None:
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
