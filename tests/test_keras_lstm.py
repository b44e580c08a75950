"""The LSTM in floating point: two of them learn in step, each of its settings does what it says."""

import numpy as np
import pytest
from samples import ANY_SYMBOLS, STREAMS, SYMBOLS, matrix, tiny, walk

from lib.models.backend import import_keras
from lib.models.environment import Environment
from lib.models.inputs import InputShape
from lib.models.keras_lstm import KerasLSTM
from lib.models.keras_network import FREQUENCY_BITS

STEPS = 8


def model_of(vocabulary_size=SYMBOLS, **changes):
    chosen = dict(arithmetic="float32", start_learning_rate=0.01, end_learning_rate=0.01) | changes
    return KerasLSTM(tiny(**chosen).resolve(0), InputShape.of_last_symbol(vocabulary_size), STEPS)


def weights(model):
    return [weight.numpy() for weight in model._network.weights]


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
def test_frequencies_are_positive_whole_numbers_that_add_up_to_the_scale(arithmetic):
    model = model_of(arithmetic=arithmetic)
    rows = model.predict()
    assert rows.shape == (STREAMS, SYMBOLS) and rows.dtype == np.int32 and rows.min() >= 1
    assert np.abs(rows.sum(1) - 2 ** FREQUENCY_BITS).max() <= 2 * SYMBOLS


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
def test_two_models_stay_in_step_on_the_same_symbols_and_part_on_others(arithmetic):
    one, other = (model_of(arithmetic=arithmetic) for _ in range(2))
    start = one.fingerprint()
    assert start == other.fingerprint() and len(start) == 8
    assert walk(one, ANY_SYMBOLS) == walk(other, ANY_SYMBOLS)
    after = one.fingerprint()
    assert start != after == other.fingerprint()
    changed = ANY_SYMBOLS.copy()
    changed[0, 1] = 3
    walk(one, ANY_SYMBOLS)
    walk(other, changed)
    assert one.fingerprint() != other.fingerprint()


def test_another_seed_is_another_network():
    assert model_of(seed=1).fingerprint() != model_of(seed=2).fingerprint()


def test_the_fingerprint_covers_weights_optimizer_and_state():
    model = model_of(arithmetic="float16")
    parts = [*model._network.weights, *model._trainer.variables]
    seen = {model.fingerprint()}
    for part in parts:
        before = part.numpy()
        part.assign(before + np.ones((), before.dtype))
        seen.add(model.fingerprint())
        part.assign(before)
    model.predict()                   # moves the recurrent state, and nothing else
    seen.add(model.fingerprint())
    assert len(seen) == 1 + len(parts) + 1
    assert any("scale" in part.path for part in model._trainer.variables)


def test_what_stands_in_for_missing_symbols_is_not_learned():
    one, other = model_of(), model_of()
    filled = ANY_SYMBOLS.copy()
    filled[2:, 2] = 4 - filled[2:, 2]
    for model, symbols in ((one, ANY_SYMBOLS), (other, filled)):
        walk(model, symbols[:2])
        walk(model, symbols[2:], active=2)
    assert same(weights(one), weights(other))
    walk(one, ANY_SYMBOLS, active=2)
    walk(other, ANY_SYMBOLS, active=3)
    assert not same(weights(one), weights(other))


def test_learning_lowers_the_cost_of_what_repeats():
    model = model_of()
    again = np.tile(matrix([0, 1, 2], [3, 4, 0], [1, 1, 1]), (20, 1))
    code_lengths = [walk(model, again) for _ in range(3)]
    assert code_lengths[2] < code_lengths[1] < code_lengths[0]
    assert code_lengths[2] < 0.5 * again.size * np.log2(SYMBOLS)


def test_an_update_looks_seq_length_steps_back():
    """Only the embeddings of the newest seq_length inputs move."""
    model = model_of(vocabulary_size=8, batch_size=1, seq_length=3, update_interval=1)
    for step in range(7):
        before = weights(model)[0]
        walk(model, matrix([step + 1]), active=1)
        moved = np.flatnonzero((weights(model)[0] != before).any(1))
        assert moved.tolist() == list(range(max(0, step - 2), step + 1))   # the input at step s is symbol s


def test_weights_move_only_at_the_end_of_an_interval():
    model = model_of(seq_length=4, update_interval=3)
    moved = []
    for row in ANY_SYMBOLS:
        before = weights(model)
        walk(model, [row])
        moved.append(not same(before, weights(model)))
    assert moved == [False, False, True, False, False, True]


def test_the_learning_rate_goes_from_start_to_end_over_the_file():
    model = model_of(update_interval=1, start_learning_rate=0.9, end_learning_rate=0.1)
    rates = []
    for row in ANY_SYMBOLS[:4]:
        walk(model, [row])
        rates.append(float(model._trainer._optimizer.learning_rate))
    assert rates == pytest.approx([0.9, 0.8, 0.7, 0.6])


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
def test_a_network_that_blows_up_still_codes(arithmetic):
    model = model_of(update_interval=1, start_learning_rate=1.0, end_learning_rate=1.0, arithmetic=arithmetic)
    assert 0 < walk(model, np.tile(ANY_SYMBOLS, (10, 1))) < np.inf


def test_weights_that_are_no_numbers_predict_all_symbols_alike():
    model = model_of()
    for weight in model._network.weights:
        weight.assign(np.full(weight.shape, np.nan, np.float32))
    assert (model.predict() == 1).all()


def test_layers_are_joined_by_skip_connections():
    embedding, units = tiny().embedding_size, tiny().rnn_units
    shapes = [weight.shape for weight in weights(model_of(num_layers=2))]
    assert shapes == [(SYMBOLS, embedding),
                      (embedding, 4 * units), (units, 4 * units), (4 * units,),
                      (embedding + units, 4 * units), (units, 4 * units), (4 * units,),
                      (2 * units, SYMBOLS), (SYMBOLS,)]


def test_a_network_says_where_it_runs():
    here = model_of().environment
    assert here.device and here.threads >= 1
    assert Environment.from_header(here.to_header()) == here


def test_a_network_computes_the_same_after_keras_was_had_on_another_backend():
    before = model_of()
    cost = walk(before, ANY_SYMBOLS)
    import_keras("numpy")
    after = model_of()
    assert walk(after, ANY_SYMBOLS) == cost and after.fingerprint() == before.fingerprint()
    assert walk(after, ANY_SYMBOLS) == walk(before, ANY_SYMBOLS)
