"""Everything that predicts and learns, as one object: code a step, learn from it."""

from lib.models import build_model


class Predictor:
    """The network of complete `settings`. Context mixing will join it here."""

    def __init__(self, settings, vocabulary_size, steps, made_in=None):
        """made_in: when decoding, the Environment that the encoder named."""
        self._model = build_model(settings, vocabulary_size, steps, made_in)

    def code_step(self, coder, symbols, active):
        """Code one step of all streams through `coder` and learn from it.

        symbols: uint16, shape (batch_size,), read or filled in by the coder; the first `active` count.
        """
        coder.code_step(self._model.predict(), symbols, active)
        self._model.learn(symbols, active)

    @property
    def environment(self):
        """The Environment that this predictor's bits depend on, or None."""
        return self._model.environment

    @property
    def backend(self):
        """What computes the network, or None where there is none."""
        return self._model.backend

    def fingerprint(self):
        """8 bytes that name the state; equal in encoder and decoder after the same symbols."""
        return self._model.fingerprint()
