"""The mixing engine as an object: steps coded through its memory."""

import hashlib

import numpy as np

from lib.coders.arithmetic import ArithmeticCoder
from lib.coding.streams import Streams
from lib.errors import InputError
from lib.machine import available_memory
from lib.mixing import primers, state
from lib.mixing.kinds import context_set
from lib.mixing.logistic import LENGTH_PARTS
from lib.parameters import Parameters
from lib.sources.source import Source

MOST_SYMBOLS = (1 << 31) - (1 << 20)     # places are int32, also those of a primer and of streams that end early
_learned: dict = {}                      # {its key: a PredictorState's tables}: what the last small input began from


class ContextMixer:
    """Codes with the contexts of complete `settings` over the codes of a source, laid out in streams.

    Raises InputError where there are more than MOST_SYMBOLS, and InstallationError where a primer is damaged.
    """

    steps_at_once = 256          # some milliseconds, so that Ctrl-C and progress do not wait

    def __init__(self, settings: Parameters, source: Source, streams: Streams, prior: np.ndarray | None = None, resumed: bool = False,
                 with_code_lengths: bool = False) -> None:
        """prior: codes to learn from first, after the primer, uint16, shape (n,).

        resumed: whether `arrays` are about to be filled in, so that nothing has to be learned first.
        with_code_lengths: whether to note the code length of each symbol.
        """
        if streams.symbol_count > MOST_SYMBOLS:
            raise InputError(f"contexts know up to {MOST_SYMBOLS:,} symbols, and this input has "
                             f"{streams.symbol_count:,}", "split it into parts, or use preset=network")
        self._kind = context_set(settings.contexts)
        self._bits = source.code_bits
        known = primers.read(settings.primer)
        if prior is not None:
            known = np.concatenate([known, prior])
        self._memory = state.allocated(self._kind, source.codes, source.code_bits, source.layout, len(known),
                                        streams, settings.table_bits, settings.has_network, with_code_lengths, settings.weights != "none")
        self._no_frequencies = np.zeros((streams.batch_size, 0), np.int32)
        if len(known) and not resumed:
            self._begin_with(known)

    def code_steps(self, coder: ArithmeticCoder, symbols: np.ndarray, active: np.ndarray, first_step: int,
                   frequencies: np.ndarray | None = None) -> None:
        """Code steps from `first_step` on through an ArithmeticCoder.

        symbols: uint16, shape (steps, batch_size), read or filled in; active: int64, shape (steps,), how many streams
        have a symbol; frequencies: int32, shape (batch_size, V), of a network, for one step.
        """
        if frequencies is None:
            frequencies = self._no_frequencies
        self._code(self._memory, coder, symbols, active, first_step, frequencies)

    def _code(self, memory, coder, symbols, active, first_step, frequencies):
        with coder.open(int(active.sum()) * (self._kind.decisions or self._bits)) as (state, buffer, decoding):
            self._kind.code_steps(memory, state, buffer, symbols, active, first_step, frequencies, decoding)

    def _begin_with(self, codes):
        """Let all streams go on from where a text ends.

        What it leaves is kept for the next input, where inputs are smaller than it: a set of files is coded much faster.
        """
        key = (self._kind, hashlib.sha256(codes).digest(), state.read_by_primer(self._memory))
        if key in _learned:
            state.begin_with(self._memory, _learned[key])
        else:
            self._learn_from(codes)
            _learned.clear()                     # tables are large
            if len(codes) > self._memory.codes.size // 2 and _fits(2 * state.kept_bytes(self._memory)):
                _learned[key] = state.left_by_primer(self._memory)
        self._memory.state[:] = self._memory.state[0]
        self._memory.match_state[:] = 0

    def _learn_from(self, codes):
        """Code a text into nowhere."""
        own, coder = state.for_primer(self._memory), ArithmeticCoder()
        for start in range(0, len(codes), self.steps_at_once):
            symbols = codes[start:start + self.steps_at_once, None]
            self._code(own, coder, symbols, np.ones(len(symbols), np.int64), start, self._no_frequencies)

    def code_lengths(self) -> np.ndarray:
        """Bits that each symbol of the streams cost, one stream after the other: float32, shape (steps * batch_size,)."""
        return self._memory.code_lengths[self._memory.base:].astype(np.float32) / LENGTH_PARTS

    def arrays(self) -> dict[str, np.ndarray]:
        """{name: array} of the complete state between two steps: the arrays themselves, to be kept or filled in."""
        return state.kept(self._memory)

    def fingerprint(self) -> bytes:
        """8 bytes that name all probabilities and symbols so far."""
        return self._memory.fingerprint.astype("<u8").tobytes()


def _fits(size):
    """Whether so many bytes of memory are free, as far as the system says."""
    available = available_memory()
    return available is None or size < available


def mixer_bytes(settings: Parameters, source: Source, streams: Streams) -> int:
    """Bytes of memory that a ContextMixer takes, roughly."""
    base = primers.length(settings.primer)
    return state.memory_bytes(context_set(settings.contexts), source.code_bits, source.layout, base, streams,
                               settings.table_bits, settings.has_network)
