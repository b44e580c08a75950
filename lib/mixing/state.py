"""What a run of the mixing engine keeps: its tables, how large they are for an input, and how they begin."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lib.coding.streams import Streams
from lib.mixing import apm, distances, engine, logistic, mixer, selectors, slots
from lib.mixing.kinds.context_set import ContextSet

_MOST_MAP_CONTEXTS = 1 << 16
_MOST_MATCH_ENTRIES = 1 << 22
_RUNS_SHIFT = 3                # an entry for runs to 8 slots
_LANES = 8                     # inputs are padded to whole vectors


class PredictorState(NamedTuple):
    """Everything a run of the engine keeps or scratches on.

    B streams, C contexts, W weight sets and F final ones, M matches, A maps.
    """

    bits: int                     # of a code
    base: int                     # the first stream's first place; a primer's symbols are before it
    steps: int                    # of a stream
    layout: np.ndarray            # int64 (any,): what a kind knows of how the symbols lie, as the width of a frame
    # What is set before each symbol
    contexts: np.ndarray          # uint64 (C,): hashes
    selected: np.ndarray          # int64 (W,): values that select the rows of the first layer's weight sets
    final_selected: np.ndarray    # int64 (F,): likewise of the second layer's
    map_contexts: np.ndarray        # uint64 (A,): hashes
    predictions: np.ndarray           # int64 (G,): of the code, in quarters
    confidence: np.ndarray          # int64 (G,): the class of each prediction; of the first -1 where there are none for this symbol
    # What a kind keeps of its own
    state: np.ndarray             # int64 (B, any)
    indirect: np.ndarray          # int64 (any,)
    fits: np.ndarray              # float64 (B, any), for lib.mixing.least_squares
    # What has been coded
    codes: np.ndarray             # uint16 (base + B * steps + 1,): the primer and all streams, one after the other
    values: np.ndarray            # uint16 (V,): the code of each symbol of the vocabulary
    symbols: np.ndarray           # uint16 (2^bits,): its inverse
    possible: np.ndarray          # uint8 (2^(bits + 1),): whether there is a value under a node
    fingerprint: np.ndarray       # uint64 (1,): a hash of all probabilities and bits
    code_lengths: np.ndarray             # uint16 (base + B * steps,): what each symbol cost, in parts of a bit; or (0,)
    # Tables
    slots: np.ndarray             # uint64
    runs: np.ndarray              # uint64
    histories: np.ndarray         # uint32 (C, 256)
    run_worth: np.ndarray         # uint32 (C, 16)
    match_table: np.ndarray       # int32 (M, any)
    match_state: np.ndarray       # int64 (B, M, 2)
    match_worth: np.ndarray       # uint32 (M, 64)
    distances: np.ndarray         # uint32 (G, any)
    rates: np.ndarray             # int64 (2,): of the first layer's rows, at first and in the end; of 2^16
    uses: np.ndarray              # int32 (rows of all sets,)
    start_weights: np.ndarray     # int32 (inputs,)
    weights: np.ndarray           # int32 (rows of all sets, inputs): what they differ by from those they start with
    first_row: np.ndarray         # int64 (W,)
    scope: np.ndarray             # int64 (W,): a BY_... of lib.mixing.selectors
    final_start_weights: np.ndarray   # int32 (W,)
    final_weights: np.ndarray     # int32 (rows of all final sets, W)
    final_first_row: np.ndarray   # int64 (F,)
    final_scope: np.ndarray       # int64 (F,)
    maps: np.ndarray              # int32 (A, contexts * STEPS)
    # Scratch
    inputs: np.ndarray            # int32 (inputs,)
    places: np.ndarray            # int64 (4, C): of slots and runs, groups, checks
    last: np.ndarray              # int64 (C,): the symbol of each context's run
    rows: np.ndarray              # int64 (W,)
    logits: np.ndarray            # int32 (W,)
    final_rows: np.ndarray        # int64 (F,)
    final_logits: np.ndarray      # int32 (F,)
    expected: np.ndarray          # int64 (M,): the bit each match expects, or -1
    distance_places: np.ndarray   # int64 (G,)
    touched: np.ndarray           # uint64 (1,): nothing of use, see find_groups
    shares: np.ndarray            # int64 (2^(bits + 1),): the network's frequencies, added up by node
    work: np.ndarray              # float64 (any,), a kind's


# What is no scratch and no constant: the state between two symbols.
_KEPT = ("state", "indirect", "fits", "codes", "fingerprint", "slots", "runs", "histories", "run_worth", "match_table",
         "match_state", "match_worth", "distances", "uses", "weights", "final_weights", "maps")
# What `for_primer` sets for the symbols of a primer, and what they write and nothing reads.
_OF_STREAMS = ("base", "steps", "values", "symbols", "possible", "code_lengths")
_BY_STREAM = ("state", "fits", "match_state")      # kept, with a row for each stream


def kept(memory: PredictorState) -> dict[str, np.ndarray]:
    """{name: array} of all that a run goes on from: the arrays themselves."""
    return {name: getattr(memory, name) for name in _KEPT}


def kept_bytes(memory: PredictorState) -> int:
    """Bytes of all that `kept` gives."""
    return sum(array.nbytes for array in kept(memory).values())


def memory_bytes(kind: ContextSet, bits: int, layout: np.ndarray, base: int, streams: Streams, table_bits: int, with_network: bool) -> int:
    """Bytes of memory that a PredictorState takes, roughly: its large tables, as far as the input touches them."""
    sizes = _Sizes(kind, bits, base, streams, with_network)
    rows, final_rows = (sum(min(count, bits * sizes.places) for count in counts) for counts in (sizes.rows, sizes.final_rows))
    return int(8 * (1 << table_bits) + 8 * (1 << table_bits - _RUNS_SHIFT)
               + 4 * (rows * sizes.inputs + final_rows * len(sizes.rows))
               + 4 * sizes.map_entries * sizes.kind.maps + 4 * sizes.match_entries * sizes.kind.matches
               + 4 * distances.entries(bits) * kind.predictions + 8 * streams.batch_size * kind.fits(layout)
               + 2 * sizes.places)


class _Sizes:
    """How large the tables of a kind are for an input."""

    def __init__(self, kind: ContextSet, bits: int, base: int, streams: Streams, with_network: bool) -> None:
        self.kind, self.places = kind, base + streams.steps * streams.batch_size
        self.used_inputs = (kind.inputs * kind.contexts + engine.INPUTS_PER_MATCH * kind.matches + 1
                            + engine.INPUTS_PER_PREDICTION * kind.predictions
                            + engine.INPUTS_OF_NETWORK * with_network)
        self.inputs = -(-self.used_inputs // _LANES) * _LANES
        self.rows = [selectors.row_count(*selector, bits) for selector in kind.selectors]
        self.final_rows = [selectors.row_count(*selector, bits) for selector in kind.final_selectors]
        self.map_contexts = min(_MOST_MAP_CONTEXTS, _power_of_two(base + streams.symbol_count))
        self.map_entries = self.map_contexts * apm.STEPS
        self.match_entries = min(_MOST_MATCH_ENTRIES, _power_of_two(base + streams.symbol_count))


def allocated(kind: ContextSet, values: np.ndarray, bits: int, layout: np.ndarray, base: int, streams: Streams, table_bits: int,
              with_network: bool, with_code_lengths: bool = False, learned: bool = False) -> PredictorState:
    """A fresh PredictorState for codes `values`, uint16 (V,), of `bits` bits, with room for a primer of `base` symbols.

    learned: whether the network has learned before.

    What a short input leaves alone is never touched.
    """
    sizes = _Sizes(kind, bits, base, streams, with_network)
    batch_size, contexts, sets, finals = streams.batch_size, kind.contexts, len(sizes.rows), len(sizes.final_rows)
    symbols, possible = _tree(values, bits)
    return PredictorState(
        bits=bits, base=base, steps=streams.steps, layout=layout, contexts=np.zeros(contexts, np.uint64),
        selected=np.zeros(sets, np.int64),
        final_selected=np.zeros(finals, np.int64), map_contexts=np.zeros(kind.maps, np.uint64),
        predictions=np.zeros(kind.predictions, np.int64), confidence=np.zeros(kind.predictions, np.int64),
        state=np.zeros((batch_size, kind.state), np.int64), indirect=np.zeros(kind.indirect, np.int64),
        fits=np.zeros((batch_size, kind.fits(layout))),
        codes=np.zeros(sizes.places + 1, np.uint16), values=values, symbols=symbols,
        possible=possible, fingerprint=np.zeros(1, np.uint64),
        code_lengths=np.zeros(sizes.places if with_code_lengths else 0, np.uint16),
        slots=_aligned(1 << table_bits), runs=np.zeros(1 << table_bits - _RUNS_SHIFT, np.uint64),
        histories=np.full((contexts, engine.HISTORIES), logistic.EVEN, np.uint32),
        run_worth=np.full((contexts, engine.RUN_CLASSES), logistic.LIKELY, np.uint32),
        match_table=np.zeros((kind.matches, sizes.match_entries), np.int32),
        match_state=np.zeros((batch_size, kind.matches, 2), np.int64),
        match_worth=np.full((kind.matches, engine.MATCH_LENGTHS), logistic.LIKELY, np.uint32),
        distances=np.zeros((kind.predictions, distances.entries(bits)), np.uint32),
        rates=np.array(kind.rates), uses=np.zeros(sum(sizes.rows), np.int32),
        start_weights=_start_weights(sizes, with_network, learned),
        weights=np.zeros((sum(sizes.rows), sizes.inputs), np.int32),
        first_row=_starts(sizes.rows), scope=_scopes(kind.selectors),
        final_start_weights=np.full(sets, (1 << mixer.WEIGHT_FRACTION) // max(sets, 1), np.int32),
        final_weights=np.zeros((sum(sizes.final_rows), sets), np.int32),
        final_first_row=_starts(sizes.final_rows), final_scope=_scopes(kind.final_selectors),
        maps=np.tile(apm.fresh(sizes.map_contexts), (kind.maps, 1)),
        inputs=np.zeros(sizes.inputs, np.int32), places=np.zeros((4, contexts), np.int64),
        last=np.zeros(contexts, np.int64), rows=np.zeros(sets, np.int64), logits=np.zeros(sets, np.int32),
        final_rows=np.zeros(finals, np.int64), final_logits=np.zeros(finals, np.int32),
        expected=np.zeros(kind.matches, np.int64), distance_places=np.zeros(kind.predictions, np.int64),
        touched=np.zeros(1, np.uint64), shares=np.zeros(2 << bits, np.int64), work=np.zeros(kind.work))


def for_primer(memory: PredictorState) -> PredictorState:
    """The same PredictorState, laid out to read the symbols before `base` as its one stream, of any codes."""
    values = np.arange(1 << memory.bits, dtype=np.uint16)
    symbols, possible = _tree(values, memory.bits)
    return memory._replace(base=0, steps=memory.base, values=values, symbols=symbols, possible=possible)


def left_by_primer(memory: PredictorState) -> dict[str, np.ndarray]:
    """{name: array}: copies of what the symbols before `base` left, in tables like these; for `begin_with`."""
    own = {"state": memory.state[:1], "fits": memory.fits[:1], "codes": memory.codes[:memory.base]}
    return {name: own.get(name, array).copy() for name, array in kept(memory).items() if name != "match_state"}


def begin_with(memory: PredictorState, left: Mapping[str, np.ndarray]) -> None:
    """Let the first stream of a fresh PredictorState go on from where a primer's symbols ended in another one."""
    arrays = kept(memory)
    for name, array in left.items():
        arrays[name][:len(array)] = array


def read_by_primer(memory: PredictorState) -> bytes:
    """SHA-256 of all in a fresh PredictorState that a primer's symbols are coded with: what they leave depends on it, and on them.

    Every field counts but those that `for_primer` sets. Of kept tables it is the shape: they begin alike in every run.
    """
    digest = hashlib.sha256(str(memory.bits).encode())
    for name, value in memory._asdict().items():
        if name in _OF_STREAMS or name == "bits":
            continue
        shape = value.shape[1:] if name in _BY_STREAM else (len(value.shape),) if name == "codes" else value.shape
        digest.update(f"{name} {value.dtype} {shape}".encode())
        if name not in _KEPT:
            digest.update(value.tobytes())
    return digest.digest()


def _tree(values, bits):
    """(the symbol of each code, whether there is a value under each node) of the codes that occur."""
    nodes = 1 << bits
    symbols, possible = np.zeros(nodes, np.uint16), np.zeros(2 * nodes, np.uint8)
    symbols[values] = np.arange(len(values))
    possible[nodes + values.astype(np.int64)] = 1
    for node in range(nodes - 1, 0, -1):
        possible[node] = possible[2 * node] | possible[2 * node + 1]
    return symbols, possible


def _start_weights(sizes, with_network, learned):
    weights = np.full(sizes.inputs, sizes.kind.start_weight // (engine.LESS_BESIDE_LEARNED if learned else 1), np.int32)
    if with_network:
        weights[sizes.used_inputs - engine.INPUTS_OF_NETWORK] = engine.LEARNED_START_WEIGHT if learned else engine.NETWORK_START_WEIGHT
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
