"""Everything that predicts and learns, as one object: code steps, learn from them."""

import hashlib
from typing import TYPE_CHECKING, cast

import numpy as np

from lib import learned
from lib.coders import Coder
from lib.coding.container import FINGERPRINT_BYTES
from lib.coding.streams import Streams
from lib.models import Model, build_model
from lib.models.environment import MadeIn
from lib.models.inputs import inputs_of
from lib.models.own import CheckedModel
from lib.models.weights import LearnedNetwork
from lib.priors import Known

if TYPE_CHECKING:
    from lib.coders.arithmetic import ArithmeticCoder
    from lib.coding.plan import Plan
    from lib.mixing.context_mixer import ContextMixer
    from lib.resume.checkpoint import Checkpoint

_NETWORK = "network"
_CERTAIN_AT_ONCE = 1 << 17       # steps of symbols that are all alike


class Predictor:
    """The network, the contexts, or both, of a lib.coding.plan.Plan."""

    _model: Model | None
    _mixer: "ContextMixer | None"

    def __init__(self, plan: "Plan", made_in: MadeIn | None = None, known: Known = Known(), resumed: bool = False,
                 with_code_lengths: bool = False) -> None:
        """made_in: what the encoder named, or in which a run began that is `resumed`: that is about to be
        given a state by `restore`. known: what a prior holds. with_code_lengths: whether to note `code_lengths`.
        """
        parameters, source, streams = plan.parameters, plan.source, plan.streams
        assert isinstance(streams, Streams)
        self._model = self._mixer = None
        if source.vocabulary_size == 1:          # nothing to predict, to code or to learn
            return
        self._inputs = inputs_of(parameters, source, streams)
        if parameters.has_network:
            self._model = build_model(parameters, plan.input_shape, streams.steps, plan.backend, made_in, _weights(plan, known))
        if parameters.has_contexts:
            from lib.mixing.context_mixer import ContextMixer
            self._mixer = ContextMixer(parameters, source, streams, known.codes, resumed, with_code_lengths)

    @property
    def steps_at_once(self) -> int:
        """The most steps that `code_steps` takes: a network has to learn from each before the next."""
        if self._model:
            return 1
        return self._mixer.steps_at_once if self._mixer else _CERTAIN_AT_ONCE

    def code_steps(self, coder: Coder, symbols: np.ndarray, active: np.ndarray, first_step: int) -> None:
        """Code the steps from `first_step` on through `coder` and learn from them.

        symbols: uint16, shape (steps, batch_size), read or filled in by the coder. active: int64, shape (steps,); of
        each step the first so many symbols count.
        """
        if not self._model:
            if self._mixer:
                self._mixer.code_steps(cast("ArithmeticCoder", coder), symbols, active, first_step)
            else:
                symbols[:] = 0
            return
        frequencies = self._model.predict()
        if self._mixer:
            self._mixer.code_steps(cast("ArithmeticCoder", coder), symbols, active, first_step, frequencies)
        else:
            coder.code_step(frequencies, symbols[0], active[0])
        self._model.learn(symbols[0], active[0], self._inputs.after(first_step, symbols[0]))

    def code_lengths(self) -> np.ndarray | None:
        """Bits that each symbol cost, float32, one stream after the other; None where there are no contexts."""
        return self._mixer.code_lengths() if self._mixer else None

    def sections(self) -> dict[str, np.ndarray | bytes]:
        """{name: array or bytes} of the complete state between two steps, see lib.resume.checkpoint."""
        network = {_NETWORK: self._model.state_bytes()} | self._inputs.arrays() if self._model else {}
        return network | (self._mixer.arrays() if self._mixer else {})

    def restore(self, checkpoint: "Checkpoint", step: int) -> None:
        """Go on from a Checkpoint that holds `sections` as they were after `step` steps.

        Raises CheckpointError or FormatError where it does not fit.
        """
        if self._model:
            self._model.restore(checkpoint.read(_NETWORK), step)
            checkpoint.read_into(self._inputs.arrays())
        if self._mixer:
            checkpoint.read_into(self._mixer.arrays())

    @property
    def environment(self) -> MadeIn | None:
        """What this predictor's bits depend on, or None."""
        return self._model.environment if self._model else None

    @property
    def backend(self) -> str | None:
        """What computes the network, or None where there is none."""
        return self._model.backend if self._model else None

    def check_can_be_kept(self) -> None:
        """Refuse, with a ModelError, to keep the state of a model of one's own that does not give it."""
        if isinstance(self._model, CheckedModel):
            self._model.check_can_be_kept()

    def fingerprint(self) -> bytes:
        """8 bytes that name the state; equal in encoder and decoder after the same symbols."""
        parts = [part.fingerprint() for part in (self._model, self._mixer) if part]
        if not parts:
            return bytes(FINGERPRINT_BYTES)
        return parts[0] if len(parts) == 1 else hashlib.sha256(b"".join(parts)).digest()[:8]


def _weights(plan, known):
    """What a plan's network begins with: weights for the symbols of its source, or None for those by chance."""
    name = plan.parameters.weights
    if name == "none":
        return None
    network = known.network if name == "prior" else LearnedNetwork.from_bytes(learned.read(name))
    return network.weights_for(plan.source.codes)
