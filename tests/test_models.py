"""lib.models: which network settings ask for, what is known of it without building it, and where it runs."""

import math

import pytest
from samples import SYMBOLS, tiny

from lib.errors import SettingsError
from lib.models import backend, build_model
from lib.models.backend import choose_backend
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.lstm import ExactLSTM
from lib.models.inputs import InputShape
from lib.models.keras_lstm import KerasLSTM
from lib.models.size import network_bytes, operations_per_step, parameter_count

STEPS = 8
SHAPE = InputShape.of_last_symbol(SYMBOLS)
SHAPES = [{}, dict(num_layers=2), dict(num_layers=3, rnn_units=9, embedding_size=5)]


def model_of(vocabulary_size=SYMBOLS, backend="auto", **changes):
    return build_model(tiny(**changes).resolve(0), InputShape.of_last_symbol(vocabulary_size), STEPS, backend)


@pytest.mark.parametrize("changes, kind", [
    ({}, ExactLSTM), (dict(arithmetic="exact"), ExactLSTM), (dict(arithmetic="float32"), KerasLSTM),
    (dict(arithmetic="float16"), KerasLSTM)], ids=str)
def test_the_arithmetic_chooses_the_network(changes, kind):
    assert type(model_of(**changes)) is kind


def test_a_network_depends_on_an_environment_only_where_it_is_float():
    assert model_of().environment is None
    assert model_of(arithmetic="float32").environment is not None


# --- size ---

@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_the_number_of_weights_is_known_beforehand(changes):
    settings = tiny(**changes).resolve(0)
    shapes = Dimensions.of(settings, SHAPE).parameters().values()
    float_network = model_of(**changes, arithmetic="float32")._network
    assert parameter_count(settings, SHAPE) == sum(map(math.prod, shapes))
    assert parameter_count(settings, SHAPE) == sum(math.prod(weight.shape) for weight in float_network.weights)


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_the_memory_reckoned_beforehand_holds_the_network(changes):
    """Weights, gradients and two moments of a float network; the state of an exact one."""
    reckoned = network_bytes(tiny(**changes).resolve(0), SHAPE)
    assert reckoned > 4 * 4 * parameter_count(tiny(**changes).resolve(0), SHAPE)
    assert reckoned > len(model_of(**changes).state_bytes())


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_a_step_multiplies_and_adds_each_weight_once_forward_and_twice_backward(changes):
    settings = tiny(**changes, batch_size=7, seq_length=6, update_interval=2).resolve(0)
    shapes = Dimensions.of(settings, SHAPE).parameters()
    multiplied = sum(math.prod(shape) for name, shape in shapes.items() if name != "embedding")
    forward, backward = 1, 2 * 6 / 2          # an update looks 6 steps back, every 2 steps
    assert operations_per_step(settings, SHAPE) == (2 * 7 * multiplied * forward, 2 * 7 * multiplied * backward)


# --- backends ---

@pytest.mark.parametrize("wanted", ["numba", "numpy", "tensorflow", "jax"])
def test_the_backend_asked_for_is_taken(wanted):
    assert choose_backend(wanted) == wanted


def test_auto_is_numba_and_never_a_gpu():
    """The bits of the GPU that was tried were others: docs/portability.md."""
    assert choose_backend("auto") == "numba"


def test_a_model_says_what_computes_it():
    for name in ("numba", "numpy", "tensorflow"):
        assert model_of(backend=name).backend == name
    assert model_of(arithmetic="float32").backend == model_of(arithmetic="float16").backend == "tensorflow"


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
@pytest.mark.parametrize("name", ["numba", "numpy", "jax"])
def test_a_float_network_runs_on_tensorflow_alone(arithmetic, name):
    with pytest.raises(SettingsError, match=f"^arithmetic={arithmetic} runs on tensorflow alone, not on {name}; "):
        model_of(arithmetic=arithmetic, backend=name)
    assert model_of(arithmetic=arithmetic, backend="tensorflow").backend == "tensorflow"


@pytest.mark.parametrize("name", ["numpy", "tensorflow", "jax"])
def test_a_backend_that_is_not_installed_is_refused_by_name(monkeypatch, name):
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: None)
    backend.keras_backend.cache_clear()
    with pytest.raises(SettingsError, match=f"^backend={name} needs the package {name}, which is not installed; "):
        model_of(backend=name)
