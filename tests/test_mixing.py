"""lib.mixing: the engine of contexts, its parts and its kinds, and what it codes."""

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from samples import NOISE, TEXT

from lib.coders.arithmetic import ArithmeticCoder
from lib.coding.streams import Streams
from lib.compiling import compiled
from lib.errors import InputError
from lib.kinds import NEWEST
from lib.mixing import apm, engine, hashing, logistic, matches, mixer, runs, slots, state
from lib.mixing.context_mixer import MOST_SYMBOLS, ContextMixer, mixer_bytes
from lib.mixing.kinds import context_set
from lib.mixing.kinds.jpeg_blocks import FIELDS
from lib.settings import Settings
from lib.sources.bytes import ByteSource

PHRASE = b"The quick brown fox (see below) jumps over\nthe lazy dog; 1,234 times!\n"


def coded(data, kind="text", streams=1, steps_at_once=7, network=None):
    """(payload, fingerprints after each call) of data through a ContextMixer."""
    return _through(ArithmeticCoder(), data, data, kind, streams, steps_at_once, network)


def decoded(payload, like, kind="text", streams=1, steps_at_once=7, network=None):
    """(data, fingerprints) of a payload; `like` gives size and byte values alone."""
    return _through(ArithmeticCoder(payload), None, like, kind, streams, steps_at_once, network)


def _through(coder, data, like, kind, batch_size, steps_at_once, network):
    source = ByteSource.from_bytes(like)
    source.layout = np.array({"video": [3, 5], "image": [0, len(like), 7, 3, 1, 0], "sound": [0, len(like), 2, 2]}.get(kind, []), np.int64)     # a grid for bytes
    streams = Streams(len(like), batch_size)
    settings = Settings(preset="fast", contexts=kind, batch_size=batch_size, table_bits=14).resolve(len(like))
    if network:
        settings = Settings(preset="balanced", contexts=kind, batch_size=batch_size, table_bits=14,
                            weights="none", primer="none").resolve(len(like))
        steps_at_once = 1
    mixed = ContextMixer(settings, source, streams)
    symbols = streams.lay_out(source.symbols()) if data is not None else streams.empty()
    fingerprints = []
    for first in range(0, streams.steps, steps_at_once):
        end = min(first + steps_at_once, streams.steps)
        frequencies = network(first, source.vocabulary_size, batch_size) if network else None
        mixed.code_steps(coder, symbols[first:end], streams.active(np.arange(first, end)), first, frequencies)
        fingerprints.append(mixed.fingerprint())
    return (coder.finish() if data is not None else source.restore(streams.join(symbols))), fingerprints


def check_round_trip(data, **how):
    payload, written = coded(data, **how)
    restored, read = decoded(payload, data, **how)
    assert restored == data and read == written
    return payload


CHOSEN = [name for name, kind in NEWEST.items() if kind.suits_networks]      # for the others: test_jpeg.py and test_mixed.py

INPUTS = {
    "text": TEXT, "lines": PHRASE * 40, "noise": NOISE, "two values": b"ab" * 300, "zeros and ones": bytes([0, 255]) * 50,
    "two bytes": b"xy", "three": b"abc", "all values": bytes(range(256)) * 3, "no letters": b"\n\n\t  \n" * 30,
    "long match": NOISE[:700] * 3, "utf-8": "naïve Größe 名前 ".encode() * 30}


@pytest.mark.parametrize("streams", [1, 2, 5, 40])
@pytest.mark.parametrize("kind", CHOSEN)
@pytest.mark.parametrize("name", INPUTS)
def test_everything_comes_back_and_both_ends_agree_at_every_call(name, kind, streams):
    check_round_trip(INPUTS[name], kind=kind, streams=streams)


@hypothesis_settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([b"a", b"b", b"\n", b"word ", b"\x00\x01", b"\xff", PHRASE]), min_size=2, max_size=60),
       st.sampled_from(sorted(CHOSEN)), st.integers(1, 9))
def test_any_mixture_comes_back(pieces, kind, streams):
    check_round_trip(b"".join(pieces) + b"ab", kind=kind, streams=streams)


def some_network(step, vocabulary_size, streams):
    """Frequencies that know nothing but are always the same at a step."""
    random_numbers = np.random.default_rng(step)
    return (2.0 ** random_numbers.integers(0, 20, (streams, vocabulary_size))).astype(np.int32)


@pytest.mark.parametrize("kind", CHOSEN)
@pytest.mark.parametrize("streams", [1, 3])
def test_a_network_is_mixed_in(kind, streams):
    check_round_trip(TEXT, kind=kind, streams=streams, network=some_network)


def test_a_network_that_knows_makes_the_payload_smaller_and_one_that_does_not_hardly_larger():
    data = NOISE
    values = np.unique(np.frombuffer(data, np.uint8))

    def oracle(step, vocabulary_size, streams):
        frequencies = np.ones((streams, vocabulary_size), np.int32)
        frequencies[0, np.searchsorted(values, data[step])] = 1 << 20
        return frequencies

    alone, knowing, guessing = (len(coded(data, network=network, steps_at_once=1)[0])
                                for network in (None, oracle, some_network))
    assert knowing < alone / 5
    assert guessing < 1.05 * alone


@pytest.mark.parametrize("steps_at_once", [1, 2, 1_000])
def test_how_many_steps_are_coded_at_once_changes_nothing(steps_at_once):
    assert coded(TEXT, steps_at_once=steps_at_once)[0] == coded(TEXT)[0]


def test_a_stretch_that_came_before_costs_little_also_where_it_came_in_another_stream():
    once = len(coded(NOISE[:1_000])[0])
    assert len(coded(NOISE[:1_000] * 2)[0]) < once + 200
    both = NOISE[:1_000] + NOISE[1_800:] + NOISE[:800]         # the second stream repeats the first, 200 steps later
    assert len(coded(both, streams=2)[0]) < once + 200 + 250


def test_what_one_stream_learned_helps_the_others():
    text = PHRASE * 30
    assert len(coded(text, streams=6)[0]) < 2 * len(coded(text)[0])


def test_tables_never_change():
    """They are part of the file format."""
    digests = {name: hashlib.sha256(np.ascontiguousarray(table).astype(f"<i{table.itemsize}").tobytes()).hexdigest()[:16]
               for name, table in dict(squash=logistic.SQUASH, stretch=logistic.STRETCH, rates=logistic.RATES).items()}
    assert digests == TABLES


TABLES = {"squash": "0fba0ee59b1e8e54", "stretch": "0b2bb16f53fa3866", "rates": "9907bf9ddc225daf"}


def test_stretch_and_squash_are_each_other_s_inverse_within_a_step():
    logits = np.arange(-logistic.LIMIT, logistic.LIMIT + 1)
    probabilities = logistic.SQUASH[logits + logistic.LIMIT + 1]
    assert probabilities.min() >= 1 and probabilities.max() < logistic.ONE
    assert (np.diff(probabilities) >= 0).all() and (np.diff(logistic.STRETCH) >= 0).all()
    exact = np.abs(logits) < 8 << logistic.LOGIT_FRACTION
    assert np.abs(logistic.STRETCH[probabilities[exact]] - logits[exact]).max() <= 12
    assert logistic.STRETCH[1 << 15] == 0 and logistic.SQUASH[logistic.LIMIT + 1] == 1 << 15
    assert abs(int(logistic.SQUASH[logistic.LIMIT + 1 + 256]) - 65536 / (1 + np.exp(-1))) < 1


@compiled
def _adapt(adaptive, bits, most):
    for bit in bits:
        adaptive = logistic.adapted(adaptive, bit, most)
    return adaptive


@pytest.mark.parametrize("most", [1, 30, 1023])
@given(bits=st.lists(st.integers(0, 1), max_size=60))
@hypothesis_settings(deadline=None)
def test_an_adaptive_probability_stays_in_its_bits_and_goes_to_the_mean(most, bits):
    state = int(_adapt(np.uint32(logistic.EVEN), np.array(bits, np.int64), most))
    assert 0 <= state < 1 << 32 and state & logistic.MOST_COUNT == min(len(bits), most)
    if most == 1023 and bits:
        assert abs((state >> 10) / (1 << 22) - (sum(bits) + 0.25) / (len(bits) + 0.5)) < 0.02


@pytest.mark.parametrize("bit", [0, 1])
def test_an_adaptive_probability_never_leaves_its_bits_however_long_it_is_right(bit):
    state = int(_adapt(np.uint32(logistic.EVEN), np.full(100_000, bit, np.int64), 1023))
    assert 0 < state >> 10 < 1 << 22 or bit == 0 and state >> 10 == 0


@compiled
def _walk_slots(table, contexts, bits, seen):
    """Code each context's four bits; fills in how often each bit's slot had been seen."""
    for index in range(len(contexts)):
        group, check = slots.find_group(table, contexts[index], 1)
        local = 1
        for depth in range(4):
            place = slots.find(table, group, check, local)
            seen[index, depth] = slots.seen(table[place])
            table[place] = slots.after(table[place], bits[index, depth])
            local = local << 1 | bits[index, depth]


def test_a_slot_is_found_again_and_no_other_contexts_is_taken_for_it():
    random_numbers = np.random.default_rng(1)
    contexts = random_numbers.integers(0, 1 << 63, 400).astype(np.uint64)
    bits = random_numbers.integers(0, 2, (400, 4))
    table, seen = np.zeros(1 << 16, np.uint64), np.zeros((400, 4), np.int64)
    for expected in range(5):
        _walk_slots(table, contexts, bits, seen)
        assert (seen == expected).mean() > 0.97 and seen.max() <= expected


def test_siblings_have_slots_of_their_own():
    contexts, table = np.full(2, 12345, np.uint64), np.zeros(1 << 10, np.uint64)
    seen = np.zeros((2, 4), np.int64)
    _walk_slots(table, contexts, np.array([[0, 0, 0, 0], [0, 0, 0, 1]]), seen)
    assert seen.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]
    _walk_slots(table, contexts, np.array([[1, 0, 0, 0], [1, 1, 0, 0]]), seen)
    assert seen.tolist() == [[2, 0, 0, 0], [3, 1, 0, 0]]


@compiled
def _walk_runs(table, context, symbols, out):
    for index in range(len(symbols)):
        place = runs.find_run(table, context)
        out[index, 0], out[index, 1] = runs.last_symbol(table[place]), runs.run_length(table[place])
        table[place] = runs.run_after(table[place], symbols[index])


def test_a_run_counts_how_often_the_last_symbol_came():
    out = np.zeros((6, 2), np.int64)
    _walk_runs(np.zeros(64, np.uint64), np.uint64(99), np.array([7, 7, 65535, 65535, 65535, 0]), out)
    assert out.tolist() == [[-1, 0], [7, 1], [7, 2], [65535, 1], [65535, 2], [65535, 3]]


@compiled
def _follow(table, state, context, shortest, codes, position, base, steps):
    matches.follow(table, state, context, shortest, codes, position, base, steps)


@pytest.mark.parametrize("candidate, found", [(3, True), (4, True), (5, False), (13, True), (15, False), (14, True)])
def test_a_match_is_only_followed_into_what_is_coded(candidate, found):
    """Two streams of ten steps; the next symbol is that of step 5 of the first one."""
    codes = np.full(21, 7, np.uint16)
    table, state = np.zeros(16, np.int32), np.zeros(2, np.int64)
    table[0] = candidate + 1
    _follow(table, state, np.uint64(0), 2, codes, 5, 0, 10)
    assert (state[matches.LENGTH] > 0) == found
    assert not found or state[matches.POINTER] == candidate and state[matches.LENGTH] == candidate % 10
    assert table[0] == 6


@pytest.mark.parametrize("candidate, length", [(3, 3), (7, 5), (8, 0), (12, 4), (13, 0), (22, 4), (23, 0)])
def test_a_match_may_always_be_followed_into_a_primer(candidate, length):
    """A primer of eight symbols, then two streams of ten steps; the next symbol is that of step 5 of the second."""
    codes = np.full(29, 7, np.uint16)
    table, state = np.zeros(16, np.int32), np.zeros(2, np.int64)
    table[0] = candidate + 1
    _follow(table, state, np.uint64(0), 2, codes, 8 + 10 + 5, 8, 10)
    assert state[matches.LENGTH] == length


def test_a_match_ends_with_the_input():
    codes, state = np.full(21, 7, np.uint16), np.array([18, 5])
    for position, length in ((9, 6), (10, 0)):
        _follow(np.zeros(16, np.int32), state, np.uint64(0), 99, codes, position, 0, 10)
        assert state[matches.LENGTH] == length


@compiled
def _mix(weights, inputs, from_start):
    return mixer.mixed(weights, inputs, from_start)


@compiled
def _learn(weights, inputs, logit, bit, rate):
    mixer.learn(weights, inputs, logit, bit, rate)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_weights_and_inputs_do_not_overflow(sign):
    inputs = np.full(256, logistic.LIMIT, np.int32)
    weights = np.full(256, sign * mixer.WEIGHT_LIMIT, np.int32)
    assert _mix(weights, inputs, np.int32(0)) == sign * logistic.LIMIT
    _learn(weights, inputs, -sign * logistic.LIMIT, int(sign > 0), 1023)
    assert (np.abs(weights) <= mixer.WEIGHT_LIMIT).all()


def test_mixing_learns_which_input_is_right():
    random_numbers = random.Random(1)
    weights, start = np.zeros(2, np.int32), np.int32(0)
    for _ in range(2_000):
        bit = random_numbers.randrange(2)
        inputs = np.array([500 if bit else -500, random_numbers.randrange(-500, 500)], np.int32)
        _learn(weights, inputs, int(_mix(weights, inputs, start)), bit, 200)
    assert weights[0] > 1 << mixer.WEIGHT_FRACTION and abs(weights[1]) < weights[0] / 5


@compiled
def _refined(maps, context, logit):
    return apm.refined(maps, context, logit)


@compiled
def _refine(maps, context, logit, bit, rate_bits):
    apm.refine(maps, context, logit, bit, rate_bits)


def test_a_fresh_map_changes_nothing_and_an_old_one_knows_better():
    maps = apm.fresh(3)
    for logit in (-logistic.LIMIT, -777, 0, 1, 500, logistic.LIMIT):
        plain = int(logistic.SQUASH[logit + logistic.LIMIT + 1])
        assert abs(int(_refined(maps, 1, logit)) - plain) <= 0.02 * min(plain, 65536 - plain) + 1
    before = maps.copy()
    for _ in range(300):
        _refine(maps, 1, 100, 1, 5)
    assert _refined(maps, 1, 100) > 64_000
    steps = apm.STEPS
    assert (maps[:steps] == before[:steps]).all() and (maps[2 * steps:] == before[2 * steps:]).all()
    assert (maps[steps:2 * steps] != before[steps:2 * steps]).sum() == 2


@compiled
def _hashes(values, out):
    for index in range(len(values)):
        out[index] = hashing.spread(hashing.joined(values[index], 1))


def test_hashes_differ_in_every_part():
    out = np.zeros(4_096, np.uint64)
    _hashes(np.arange(4_096), out)
    for shift in (0, 16, 20, 48):
        assert len(set((out >> np.uint64(shift) & np.uint64(0xFFF)).tolist())) > 2_400      # 63 % of 4,096, as at random


def test_memory_grows_with_the_input_up_to_about_a_gigabyte():
    source = ByteSource.from_bytes(bytes(range(256)))

    def needed(size, kind):
        return mixer_bytes(Settings(preset="fast", contexts=kind).resolve(size), source, Streams(size, 1))

    for kind in CHOSEN:
        assert needed(10_000, kind) < 150e6
        assert needed(10_000, kind) < needed(1_000_000, kind) < needed(50_000_000, kind) < 1.1e9


@pytest.mark.parametrize("kind", map(context_set, NEWEST), ids=lambda kind: kind.name)
def test_what_is_kept_of_a_primer_is_named_by_every_field_that_it_is_read_with(kind):
    """A field that is added later counts by itself: all do but the tables that a primer fills, and what belongs to the streams."""
    fresh = state.allocated(kind, np.arange(256, dtype=np.uint16), 8, np.resize([0, 999, 7, 3, 1, 0], FIELDS), 0, Streams(999, 2), 12, True)
    name, of_streams = state.read_by_primer(fresh), {"base", "steps", "values", "symbols", "possible", "code_lengths"}
    assert state.read_by_primer(state.for_primer(fresh)._replace(base=9, code_lengths=np.zeros(7, np.uint16))) == name
    for field, value in fresh._asdict().items():
        if field in of_streams or field in state.kept(fresh):
            continue
        others = [value + 1] if isinstance(value, int) or value.size else []
        for other in [*others, *([] if isinstance(value, int) else [np.append(value, value.dtype.type(0))])]:
            assert state.read_by_primer(fresh._replace(**{field: other})) != name, field
    assert state.read_by_primer(fresh._replace(maps=fresh.maps[:, 1:])) != name


def test_an_input_with_more_places_than_can_be_numbered_is_refused():
    source = ByteSource.from_bytes(b"ab")
    settings = Settings(preset="fast").resolve(10)
    with pytest.raises(InputError, match="split it into parts"):
        ContextMixer(settings, source, Streams(MOST_SYMBOLS + 1, 1))


@pytest.mark.parametrize("kind", map(context_set, NEWEST), ids=lambda kind: kind.name)
def test_no_kind_leaves_the_bounds_of_the_mixer(kind):
    inputs = (engine.INPUTS_PER_CONTEXT * kind.contexts + engine.INPUTS_PER_MATCH * kind.matches + 1
              + engine.INPUTS_OF_NETWORK)
    assert inputs <= 256 and (0 < min(kind.rates) or not kind.contexts) and max(kind.rates) < 1024


def test_every_kind_that_suits_networks_can_be_chosen():
    assert {"none", *CHOSEN} == set(Settings.__dataclass_fields__["contexts"].metadata["choices"])
    assert {name: context_set(kind.stored_name).name for name, kind in NEWEST.items()} == {name: name for name in NEWEST}
