"""What learns while it codes. Only modules of this package import Keras or TensorFlow.

A model gives `predict()`: int32 frequencies of shape (batch_size, V), one or more each, for the
next step of every stream; takes `learn(symbols, active)`: the symbols that came; names its state
with `fingerprint()`, 8 bytes that two equal states share; and says with `environment` on which
Environment its bits depend, or None.
"""

import numpy as np


def build_model(settings, vocabulary_size, steps, made_in=None):
    """The model of complete `settings` for `steps` steps over `vocabulary_size` symbols.

    made_in: when decoding, the Environment of the encoder, to come as close to it as can be.
    """
    if vocabulary_size == 1:
        return CertainModel(settings.batch_size)
    from lib.models.keras_lstm import KerasLSTM
    return KerasLSTM(settings, vocabulary_size, steps, made_in)


class CertainModel:
    """The model of a vocabulary of one symbol: nothing to predict, nothing to learn."""

    environment = None

    def __init__(self, batch_size):
        self._frequencies = np.ones((batch_size, 1), np.int32)

    def predict(self):
        return self._frequencies

    def learn(self, symbols, active):
        pass

    def fingerprint(self):
        return bytes(8)
