"""A predictor for an input in groups: one predictor for each, one after the other."""

from typing import TYPE_CHECKING

import numpy as np

from lib.coders import Coder
from lib.coding.predictor import Predictor
from lib.coding.streams import StackedStreams
from lib.models.environment import MadeIn
from lib.priors import Known

if TYPE_CHECKING:
    from lib.coding.plan import Plan
    from lib.resume.checkpoint import Checkpoint


class ChapterPredictor(Predictor):
    """What a Predictor is for one group, for all of them. Only that of the group that is coded exists: the others take no memory."""

    def __init__(self, plan: "Plan", known: list[Known], resumed: bool = False, with_code_lengths: bool = False) -> None:
        """known: what a prior holds for each group. The rest as for Predictor."""
        assert isinstance(plan.streams, StackedStreams)
        self._plan, self._streams, self._known = plan, plan.streams, known
        self._resumed, self._with_code_lengths = resumed, with_code_lengths
        self._number = -1
        self._current: Predictor | None = None
        self._lengths: list[np.ndarray | None] = []
        self._backend: str | None = None

    @property
    def backend(self) -> str | None:
        """What computed the last network that there was."""
        return self._backend

    def _predictor(self, step: int, resumed: bool = False) -> Predictor:
        """The predictor of the group that codes a step."""
        number = self._streams.group_at(step)
        if self._current is None or number != self._number:
            self._keep_lengths()
            self._current = None                         # before the next one takes memory
            self._current = Predictor(self._plan.groups[number], None, self._known[number], resumed, self._with_code_lengths)
            self._number = number
            self._backend = self._current.backend or self._backend
        return self._current

    @property
    def steps_at_once(self) -> int:
        return 256

    def code_steps(self, coder: Coder, symbols: np.ndarray, active: np.ndarray, first_step: int) -> None:
        done = 0
        while done < len(symbols):
            step = first_step + done
            predictor = self._predictor(step)
            streams, local = self._streams.groups[self._number], step - self._streams.first_of(self._number)
            end = min(done + predictor.steps_at_once, len(symbols), done + streams.steps - local)
            own = np.ascontiguousarray(symbols[done:end, :streams.batch_size])       # itself, where no other group has more streams
            predictor.code_steps(coder, own, active[done:end], local)
            symbols[done:end, :streams.batch_size] = own
            done = end

    def code_lengths(self) -> np.ndarray | None:
        """Bits that each symbol cost, float32, group by group; None where they are not known of all."""
        self._keep_lengths()
        known = [lengths for lengths in self._lengths if lengths is not None]
        return np.concatenate(known) if len(known) == len(self._streams.groups) else None

    def _keep_lengths(self):
        if self._current is not None and self._with_code_lengths:
            lengths = self._current.code_lengths()
            self._lengths.append(None if lengths is None else lengths[:self._streams.groups[self._number].symbol_count])

    def sections(self) -> dict[str, np.ndarray | bytes]:
        return self._current.sections() if self._current else {}

    def restore(self, checkpoint: "Checkpoint", step: int) -> None:
        """Go on after `step` steps: a checkpoint is never of a group's end."""
        predictor = self._predictor(step, resumed=True)
        predictor.restore(checkpoint, step - self._streams.first_of(self._number))

    @property
    def environment(self) -> MadeIn | None:
        """Groups are for exact arithmetic, which depends on nothing."""
        return None

    def check_can_be_kept(self) -> None:
        """All of them can."""

    def fingerprint(self) -> bytes:
        return self._current.fingerprint() if self._current else bytes(8)
