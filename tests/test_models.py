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
LARGE = backend._GPU_PAYS         # operations a step


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
    assert operations_per_step(settings, SHAPE) == 2 * 7 * multiplied * (forward + backward)


# --- backends ---

@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend to a machine: whether it has a GPU, and which packages are installed."""
    def pretend(gpu, *packages):
        device = tmp_path / "gpu"
        if gpu:
            device.touch()
        monkeypatch.setattr(backend, "_GPU_DEVICES", (str(tmp_path / "missing"), str(device)))
        monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: name in packages or None)
    return pretend


@pytest.mark.parametrize("wanted", ["numba", "numpy", "tensorflow", "jax"])
@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("operations", [0, 1e12])
def test_the_backend_asked_for_is_taken(machine, wanted, gpu, operations):
    machine(gpu, "tensorflow", "jax")
    assert choose_backend(wanted, operations) == wanted


@pytest.mark.parametrize("operations", [0, LARGE, 1e15])
def test_auto_is_numba_without_a_gpu_whatever_the_size(machine, operations):
    machine(False, "tensorflow", "jax")
    assert choose_backend("auto", operations) == "numba"


@pytest.mark.parametrize("installed, large", [
    (["tensorflow", "jax"], "tensorflow"), (["jax"], "jax"), (["tensorflow"], "tensorflow"), ([], "numba")], ids=str)
def test_auto_takes_a_gpu_for_large_networks_where_a_package_can(machine, installed, large):
    machine(True, *installed)
    assert choose_backend("auto", LARGE) == large
    assert choose_backend("auto", LARGE - 1) == "numba"


def test_a_model_says_what_computes_it():
    for name in ("numba", "numpy", "tensorflow"):
        assert model_of(backend=name).backend == name
    assert model_of(arithmetic="float32").backend == model_of(arithmetic="float16").backend == "tensorflow"


def test_auto_goes_by_the_size_of_the_network(machine, monkeypatch):
    machine(True, "tensorflow")
    operations = operations_per_step(tiny().resolve(0), SHAPE)
    for threshold, name in ((operations + 1, "numba"), (operations, "tensorflow")):
        monkeypatch.setattr(backend, "_GPU_PAYS", threshold)
        assert model_of().backend == name


@pytest.mark.parametrize("arithmetic", ["float32", "float16"])
@pytest.mark.parametrize("name", ["numba", "numpy", "jax"])
def test_a_float_network_runs_on_tensorflow_alone(arithmetic, name):
    with pytest.raises(SettingsError, match=f"^arithmetic={arithmetic} runs on tensorflow alone, not on {name}; "):
        model_of(arithmetic=arithmetic, backend=name)
    assert model_of(arithmetic=arithmetic, backend="tensorflow").backend == "tensorflow"


@pytest.mark.parametrize("name", ["numpy", "tensorflow", "jax"])
def test_a_backend_that_is_not_installed_is_refused_by_name(machine, name):
    machine(False)
    backend.keras_backend.cache_clear()
    with pytest.raises(SettingsError, match=f"^backend={name} needs the package {name}, which is not installed; "):
        model_of(backend=name)
