"""lib.models: networks that learn in step, and what is known of them without building one."""

import numpy as np
import pytest
from samples import tiny

from lib.models import CertainModel, build_model
from lib.models.environment import Environment
from lib.models.keras_lstm import FREQUENCY_BITS, KerasLSTM
from lib.models.size import network_bytes, parameter_count

SYMBOLS = 5
STREAMS = tiny().batch_size
STEPS = 8


def model_of(**changes):
    settings = tiny(start_learning_rate=0.01, end_learning_rate=0.01, **changes)
    return build_model(settings.resolve(0), SYMBOLS, STEPS)


def matrix(*rows):
    return np.array(rows, np.uint16)


def walk(model, symbols, active=STREAMS):
    """Let a model predict and learn each row of symbols; returns the bits they cost."""
    bits = 0.0
    for row in symbols:
        rows = model.predict()
        chosen = rows[np.arange(active), row[:active]]
        bits += np.log2(rows[:active].sum(1, dtype=np.int64) / chosen).sum()
        model.learn(row, active)
    return bits


def weights(model):
    return [weight.numpy() for weight in model._network.weights]


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


ANY_SYMBOLS = matrix([0, 1, 2], [3, 4, 0], [1, 1, 1], [4, 0, 2], [2, 3, 3], [0, 0, 4])


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
    costs = [walk(model, again) for _ in range(3)]
    assert costs[2] < costs[1] < costs[0]
    assert costs[2] < 0.5 * again.size * np.log2(SYMBOLS)


def test_an_update_looks_seq_length_steps_back():
    """Only the embeddings of the newest seq_length inputs move."""
    settings = tiny(batch_size=1, seq_length=3, update_interval=1)
    model = build_model(settings.resolve(0), 8, STEPS)
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
    settings = tiny(update_interval=1, start_learning_rate=0.5, end_learning_rate=0.1)
    model = build_model(settings.resolve(0), SYMBOLS, steps=4)
    rates = []
    for row in ANY_SYMBOLS[:4]:
        walk(model, [row])
        rates.append(float(model._trainer._optimizer.learning_rate))
    assert rates == pytest.approx([0.5, 0.4, 0.3, 0.2])


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
def test_a_network_that_blows_up_still_codes(arithmetic):
    model = build_model(tiny(update_interval=1, start_learning_rate=1.0, end_learning_rate=1.0,
                             arithmetic=arithmetic).resolve(0), SYMBOLS, STEPS)
    assert 0 < walk(model, np.tile(ANY_SYMBOLS, (10, 1))) < np.inf


def test_weights_that_are_no_numbers_predict_all_symbols_alike():
    model = model_of()
    for weight in model._network.weights:
        weight.assign(np.full(weight.shape, np.nan, np.float32))
    assert (model.predict() == 1).all()


@pytest.mark.parametrize("changes", [{}, dict(num_layers=2), dict(num_layers=3, rnn_units=9, embedding_size=5)],
                         ids=str)
def test_the_number_of_weights_is_known_beforehand(changes):
    settings = tiny(**changes).resolve(0)
    model = build_model(settings, SYMBOLS, STEPS)
    assert parameter_count(settings, SYMBOLS) == sum(weight.size for weight in weights(model))
    assert network_bytes(settings, SYMBOLS) > 4 * 4 * parameter_count(settings, SYMBOLS)


def test_layers_are_joined_by_skip_connections():
    embedding, units = tiny().embedding_size, tiny().rnn_units
    shapes = [weight.shape for weight in weights(model_of(num_layers=2))]
    assert shapes == [(SYMBOLS, embedding),
                      (embedding, 4 * units), (units, 4 * units), (4 * units,),
                      (embedding + units, 4 * units), (units, 4 * units), (4 * units,),
                      (2 * units, SYMBOLS), (SYMBOLS,)]


def test_an_alphabet_of_one_symbol_needs_no_network():
    model = build_model(tiny().resolve(0), 1, STEPS)
    assert type(model) is CertainModel and type(model_of()) is KerasLSTM
    assert model.predict().tolist() == [[1]] * STREAMS
    before = model.fingerprint()
    walk(model, np.zeros((3, STREAMS), np.uint16))
    assert model.fingerprint() == before and len(before) == 8 and model.environment is None


def test_an_environment_comes_back_from_a_header():
    environment = Environment("skylake", 4, "2.21.0", "3.15.1")
    assert environment.to_header() == ("skylake", 4, 22100, 31501)
    assert Environment.from_header(list(environment.to_header())) == environment
    assert str(environment) == "TensorFlow 2.21.0 and Keras 3.15.1 on skylake with 4 threads"


@pytest.mark.parametrize("version, number", [
    ("2.21", 22100), ("2.21.0-rc1", 22100), ("2.21.3.dev20260101", 22103), ("10.0.12", 100012)])
def test_versions_are_told_apart_by_three_numbers(version, number):
    assert Environment("cpu", 1, version, "3.15.1").to_header()[2] == number


@pytest.mark.parametrize("fields", [
    [], ["cpu"], ["cpu", 4, 1], ["cpu", 4, "2.21.0", 31501], [1, 2, 3, 4], ["cpu", 1, 2, 3, 4], ["cpu", 4, True, 2],
    [["cpu"], 4, 1, 2], [b"cpu", 4, 1, 2], ["cpu", 0, 1, 2], ["cpu", -1, 1, 2], ["cpu", 2 ** 40, 1, 2]], ids=str)
def test_fields_that_are_no_environment_give_none(fields):
    assert Environment.from_header(fields) is None


@pytest.mark.parametrize("device", ["\x1b[31mcpu", "cpu\nOK", "\u202ecpu"], ids=ascii)
def test_a_device_from_a_header_cannot_write_to_the_terminal_as_it_likes(device):
    assert str(Environment.from_header([device, 4, 22100, 31501])).isprintable()


def test_a_network_says_where_it_runs():
    here = model_of().environment
    assert here.device and here.threads >= 1
    assert Environment.from_header(here.to_header()) == here
