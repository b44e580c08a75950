"""The mixing engine as an object: memory for an input of a known size, and steps coded through it."""

import numpy as np

from lib.errors import InputError
from lib.mixing import engine, logistic, mixer, refinement, slots
from lib.mixing.kinds import KINDS

MOST_SYMBOLS = (1 << 31) - (1 << 16)     # places are int32; the last streams may be up to 512 symbols short
_MOST_MAP_CONTEXTS = 1 << 16
_MOST_MATCH_ENTRIES = 1 << 22
_RUNS_SHIFT = 3                # an entry for runs to 8 slots
_LANES = 8                     # inputs are padded to whole vectors


class ContextMixer:
    """Codes with the contexts of complete `settings` over the codes of a source, laid out in streams.

    Raises InputError where there are more than MOST_SYMBOLS.
    """

    def __init__(self, settings, source, streams):
        if streams.symbol_count > MOST_SYMBOLS:
            raise InputError(f"contexts know up to {MOST_SYMBOLS:,} symbols, and this input has "
                             f"{streams.symbol_count:,}; split it into parts, or use preset=network")
        self._kind = KINDS[settings.contexts]
        self._bits = source.code_bits
        self._memory = _allocated(self._kind, source.codes, source.code_bits, streams, settings.table_bits,
                                  settings.has_network)
        self._no_frequencies = np.zeros((streams.batch_size, 0), np.int32)

    def code_steps(self, coder, symbols, active, first_step, frequencies=None):
        """Code steps from `first_step` on through an ArithmeticCoder.

        symbols: uint16, shape (steps, batch_size), read or filled in; active: int64, shape (steps,), how many streams
        have a symbol; frequencies: int32, shape (batch_size, V), of a network, for one step.
        """
        if frequencies is None:
            frequencies = self._no_frequencies
        with coder.open(int(active.sum()) * self._bits) as (state, buffer, decoding):
            self._kind.code_steps(self._memory, state, buffer, symbols, active, first_step, frequencies, decoding)

    def fingerprint(self):
        """8 bytes that name all probabilities and symbols so far."""
        return self._memory.fingerprint.astype("<u8").tobytes()


def mixer_bytes(settings, source, streams):
    """Bytes of memory that a ContextMixer takes, roughly: its large tables."""
    sizes = _Sizes(KINDS[settings.contexts], source.code_bits, streams, settings.has_network)
    return int(8 * (1 << settings.table_bits) + 8 * (1 << settings.table_bits - _RUNS_SHIFT)
               + 4 * (sum(sizes.rows) * sizes.inputs + sum(sizes.final_rows) * len(sizes.rows))
               + 4 * sizes.map_entries * sizes.kind.maps + 4 * sizes.match_entries * sizes.kind.matches
               + 2 * streams.steps * streams.batch_size)


class _Sizes:
    """How large the tables of a kind are for an input."""

    def __init__(self, kind, bits, streams, with_network):
        self.kind = kind
        self.used_inputs = (engine.INPUTS_PER_CONTEXT * kind.contexts + engine.INPUTS_PER_MATCH * kind.matches + 1
                            + engine.INPUTS_OF_NETWORK * with_network)
        self.inputs = -(-self.used_inputs // _LANES) * _LANES
        self.rows = [_rows(*selector, bits) for selector in kind.selectors]
        self.final_rows = [_rows(*selector, bits) for selector in kind.final_selectors]
        self.map_contexts = min(_MOST_MAP_CONTEXTS, _power_of_two(streams.symbol_count))
        self.map_entries = self.map_contexts * refinement.STEPS
        self.match_entries = min(_MOST_MATCH_ENTRIES, _power_of_two(streams.symbol_count))


def _allocated(kind, values, bits, streams, table_bits, with_network):
    sizes = _Sizes(kind, bits, streams, with_network)
    batch_size, contexts, sets, finals = streams.batch_size, kind.contexts, len(sizes.rows), len(sizes.final_rows)
    symbols, possible = _tree(values, bits)
    return engine.Memory(
        bits=bits, steps=streams.steps, contexts=np.zeros(contexts, np.uint64), selected=np.zeros(sets, np.int64),
        final_selected=np.zeros(finals, np.int64), refined_by=np.zeros(kind.maps, np.uint64),
        state=np.zeros((batch_size, kind.state), np.int64), indirect=np.zeros(kind.indirect, np.int64),
        codes=np.zeros(streams.steps * batch_size + 1, np.uint16), values=values, symbols=symbols,
        possible=possible, fingerprint=np.zeros(1, np.uint64),
        slots=_aligned(1 << table_bits), runs=np.zeros(1 << table_bits - _RUNS_SHIFT, np.uint64),
        histories=np.full((contexts, engine.HISTORIES), logistic.EVEN, np.uint32),
        run_worth=np.full((contexts, engine.RUN_CLASSES), logistic.LIKELY, np.uint32),
        match_table=np.zeros((kind.matches, sizes.match_entries), np.int32),
        match_state=np.zeros((batch_size, kind.matches, 2), np.int64),
        match_worth=np.full((kind.matches, engine.MATCH_LENGTHS), logistic.LIKELY, np.uint32),
        rates=np.array(kind.rates), uses=np.zeros(sum(sizes.rows), np.int32),
        start_weights=_start_weights(sizes, with_network),
        weights=np.zeros((sum(sizes.rows), sizes.inputs), np.int32),
        first_row=_starts(sizes.rows), scope=_scopes(kind.selectors),
        final_start_weights=np.full(sets, (1 << mixer.WEIGHT_FRACTION) // sets, np.int32),
        final_weights=np.zeros((sum(sizes.final_rows), sets), np.int32),
        final_first_row=_starts(sizes.final_rows), final_scope=_scopes(kind.final_selectors),
        maps=np.tile(refinement.fresh(sizes.map_contexts), (kind.maps, 1)),
        inputs=np.zeros(sizes.inputs, np.int32), places=np.zeros((4, contexts), np.int64),
        last=np.zeros(contexts, np.int64), rows=np.zeros(sets, np.int64), logits=np.zeros(sets, np.int32),
        final_rows=np.zeros(finals, np.int64), final_logits=np.zeros(finals, np.int32),
        guesses=np.zeros(kind.matches, np.int64), touched=np.zeros(1, np.uint64), shares=np.zeros(2 << bits, np.int64))


def _tree(values, bits):
    """(the symbol of each code, whether there is a value under each node) of the codes that occur."""
    nodes = 1 << bits
    symbols, possible = np.zeros(nodes, np.uint16), np.zeros(2 * nodes, np.uint8)
    symbols[values] = np.arange(len(values))
    possible[nodes + values.astype(np.int64)] = 1
    for node in range(nodes - 1, 0, -1):
        possible[node] = possible[2 * node] | possible[2 * node + 1]
    return symbols, possible


def _rows(values, scope, bits):
    """Rows of a weight set."""
    return values * {engine.BY_NODE: 1 << bits, engine.BY_DEPTH: bits, engine.BY_MATCH: engine.MATCH_CLASSES << bits,
                     engine.BY_ORDER: engine.MOST_ORDERS * bits}[scope]


def _start_weights(sizes, with_network):
    weights = np.full(sizes.inputs, sizes.kind.start_weight, np.int32)
    if with_network:
        weights[sizes.used_inputs - engine.INPUTS_OF_NETWORK] = engine.NETWORK_START_WEIGHT
    return weights


def _starts(rows):
    """Where each set's rows begin among those of all."""
    return np.cumsum([0, *rows[:-1]])


def _scopes(selectors):
    return np.array([scope for _, scope in selectors])


def _aligned(count):
    """uint64 zeros whose groups of slots do not straddle cache lines."""
    raw = np.zeros(count + slots.GROUP, np.uint64)
    start = -raw.ctypes.data // raw.itemsize % slots.GROUP
    return raw[start:start + count]


def _power_of_two(count):
    """The least power of two from `count` on, 1,024 or more."""
    return 1 << max(10, (count - 1).bit_length())
