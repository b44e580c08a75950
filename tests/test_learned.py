"""Networks that know something before they code: their bytes, what a file takes of them, and what the library comes with."""

from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TEXT

from lib import Settings, compress, decompress, inspect, learned
from lib.coding.plan import Plan
from lib.errors import FormatError, InstallationError, SettingsError
from lib.models.exact import bounds
from lib.models.exact.dimensions import Dimensions
from lib.models.inputs import InputShape
from lib.models.weights import Format, LearnedNetwork
from lib.sources import ByteSource

SHIPPED = 3_000_000            # bytes of all networks in the library, at most


def network_of(alphabet=(3, 7, 65, 66), layers=2, units=8, embedding=4, others=0, seen=1, seed=1):
    """A LearnedNetwork of weights by chance."""
    draw, alphabet = np.random.default_rng(seed), np.array(alphabet, np.uint16)
    shapes = Dimensions(len(alphabet), embedding, units, layers, 1, 1, 1, seen, len(alphabet) + others).parameters()
    return LearnedNetwork.of({name: draw.normal(0, 0.6, shape) for name, shape in shapes.items()}, "last", seen, alphabet, (0.001, 0.0005))


def same(one, other):
    return (one.values == other.values and one.alphabet.tolist() == other.alphabet.tolist() and list(one.weights) == list(other.weights)
            and all(np.array_equal(array, other.weights[name]) for name, array in one.weights.items()))


@given(st.sets(st.integers(0, 65_535), min_size=1, max_size=40), st.integers(1, 4), st.integers(1, 9), st.integers(1, 5), st.integers(0, 3))
def test_a_network_comes_back_from_its_bytes(alphabet, layers, units, embedding, others):
    network = network_of(sorted(alphabet), layers, units, embedding, others)
    again = LearnedNetwork.from_bytes(network.to_bytes())
    assert same(network, again) and again.others == others and again.count == network.count


def test_weights_are_rounded_to_their_format_and_take_few_bits():
    network = network_of(range(256), units=100)
    for name, steps in network.weights.items():
        assert np.abs(steps).max() <= Format.of(name).limit
        assert np.array_equal(LearnedNetwork.of(network.floats(), "last", 1, network.alphabet, network.rates).weights[name], steps)
    assert len(network.to_bytes()) < network.count * 6 / 8


def test_the_symbols_of_a_file_pick_rows_and_columns():
    network = network_of((3, 7, 65, 66), others=2)
    taken = network.weights_for(np.array([7, 66, 80], np.uint16))
    one = 1 << bounds.WEIGHT_FRACTION
    embedding, kernel, bias = (network.floats()[name] for name in ("embedding", "output_kernel", "output_bias"))
    assert np.array_equal(taken["embedding"], np.round(np.concatenate([embedding[[1, 3]], np.zeros((1, 4)), embedding[4:]]) * one))
    assert np.array_equal(taken["output_kernel"][:, :2], np.round(kernel[:, [1, 3]] * one)) and not taken["output_kernel"][:, 2].any()
    assert taken["output_bias"].tolist() == [*np.round(bias[[1, 3]] * one), -one]
    assert np.array_equal(taken["kernel_0"], np.round(network.floats()["kernel_0"] * one))
    assert network.fits(InputShape(3, 1, 5)) and not network.fits(InputShape(3, 2, 5)) and not network.fits(InputShape(3, 1, 3))


def test_damaged_bytes_are_refused():
    good = network_of().to_bytes()
    for end in (0, 1, len(good) // 2):
        with pytest.raises(FormatError):
            LearnedNetwork.from_bytes(good[:end])
    fields = msgpack.unpackb(good)
    for place, value in ((0, "else"), (1, 0), (1, 9), (2, -1), (2, 1 << 30), (3, "4"), (5, None), (6, 0), (6, []), (7, [1]), (7, ["a", 1]), (8, []),
                         (8, [[]] * len(fields[8])), (9, 5)):
        with pytest.raises(FormatError):
            LearnedNetwork.from_bytes(msgpack.packb([*fields[:place], value, *fields[place + 1:]]))
    counts = [list(counted) for counted in fields[8]]
    counts[0][0], counts[0][1] = counts[0][0] - 1, counts[0][1] + 2
    with pytest.raises(FormatError):
        LearnedNetwork.from_bytes(msgpack.packb([*fields[:8], counts, fields[9]]))


@pytest.mark.parametrize("name", learned.NAMES)
def test_what_the_library_says_of_a_network_is_so(name):
    data = learned.read(name)
    network = LearnedNetwork.from_bytes(data)
    assert len(data) == learned.size_of(name)
    assert network.values == dict(learned.values_of(name)) and network.alphabet.tolist() == list(range(256)) and network.inputs == "last"


def test_all_networks_together_are_small():
    assert sum(map(learned.size_of, learned.NAMES)) <= SHIPPED


def test_a_network_that_is_missing_or_changed_is_an_error_of_the_installation(monkeypatch, tmp_path):
    monkeypatch.setattr(learned, "FOLDER", tmp_path)
    with pytest.raises(InstallationError, match="text-small-1.network is missing or changed"):
        learned.read("text-small-1")
    (tmp_path / "text-small-1.network").write_bytes(b"else")
    with pytest.raises(InstallationError):
        learned.read("text-small-1")


@pytest.mark.parametrize("preset, name", [("balanced", "text-small-1"), ("best", "text-large-1")])
def test_presets_for_text_begin_with_a_network(preset, name):
    assert Settings(preset=preset).resolve(10_000).weights == name
    assert Settings(preset=preset).resolve(10_000, "binary").weights == "none"


@pytest.mark.parametrize("chosen", [dict(rnn_units=64), dict(num_layers=1), dict(embedding_size=8), dict(weights="none")], ids=str)
def test_a_shape_of_ones_own_begins_from_nothing_with_the_rates_for_that(chosen):
    complete = Settings(preset="balanced", **chosen).resolve(10_000)
    assert (complete.weights, complete.update_delay, complete.start_learning_rate) == ("none", 0, 0.005)


def test_weights_bring_their_shape():
    complete = Settings(preset="balanced", weights="text-large-1").resolve(10_000)
    assert (complete.num_layers, complete.rnn_units) == (3, 384)
    assert Settings(preset="network", weights="text-small-1").resolve(10_000).rnn_units == 160


@pytest.mark.parametrize("chosen, said", [
    (dict(weights="text-small-1", rnn_units=64), "weights=text-small-1 have rnn_units=160, got 64"),
    (dict(weights="text-small-1", arithmetic="float32"), "weights=text-small-1 need arithmetic=exact"),
    (dict(weights="prior", prior="none"), "weights=prior need a prior"),
    (dict(weights="text-small-1", num_layers=0), "num_layers=0 has none"),
    (dict(weights="text-9"), "weights must be one of none, text-small-1, text-large-1, prior")], ids=str)
def test_what_does_not_go_together_is_refused(chosen, said):
    with pytest.raises(SettingsError, match=said):
        Settings(**chosen)


def test_text_takes_much_less_with_a_network_that_read_some(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_bytes((Path(__file__).parents[1] / "docs" / "design.md").read_bytes()[:4_000])
    sizes = {}
    for weights in ("text-small-1", "none"):
        result = compress(path, tmp_path / f"{weights}.lks", Settings(preset="network", weights=weights, batch_size=1))
        sizes[weights] = result.compressed_bytes
        decompress(result.output_path, tmp_path / f"{weights}.txt")
        assert (tmp_path / f"{weights}.txt").read_bytes() == path.read_bytes()
    assert sizes["text-small-1"] < 0.7 * sizes["none"]
    assert "from text-small-1" in inspect(tmp_path / "text-small-1.lks").plan.summary()


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
def test_every_backend_codes_the_same_with_a_network_that_learned(tmp_path, backend):
    (tmp_path / "a.txt").write_bytes(TEXT[:300])
    how = dict(preset="balanced", seq_length=8, update_interval=8, update_delay=5)
    first = compress(tmp_path / "a.txt", tmp_path / "numba.lks", Settings(**how))
    other = compress(tmp_path / "a.txt", tmp_path / "other.lks", Settings(**how, backend=backend))
    assert first.output_path.read_bytes() == other.output_path.read_bytes()


def test_a_plan_says_what_memory_a_learned_network_takes():
    source = ByteSource.from_bytes(TEXT)
    assert Plan.of(Settings(preset="best").resolve(len(TEXT)), source).predictor_bytes > 20 * 3_560_192
