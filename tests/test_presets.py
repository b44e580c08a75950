"""The presets as people use them: files made with each come back, and load no more than they need."""

import re
import subprocess
import sys

import pytest
from samples import NOISE, TEXT

from lib import Settings, compress, decompress, inspect
from lib.errors import DivergedError
from lib.parameters import Parameters
from lib.presets import PRESETS, values_of
from tools.build_notebooks import ROOT

SMALL = dict(rnn_units=8, num_layers=1, embedding_size=4, primer="none")     # instead of a preset's network and text
RECORDS = b"".join(bytes([number % 7, 0, number % 256, number // 256, 1, 255]) for number in range(300))


def round_trip(tmp_path, data, settings, **how):
    (tmp_path / "in").write_bytes(data)
    packed = compress(tmp_path / "in", settings=settings, overwrite=True, **how)
    decompress(packed.output_path, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_bytes() == data
    return packed


@pytest.mark.parametrize("data, kind", [(TEXT, "text"), (RECORDS, "binary")])
@pytest.mark.parametrize("preset", ["auto", "fast", "balanced", "best"])
def test_a_file_made_with_a_preset_comes_back(tmp_path, preset, data, kind):
    network = {} if preset == "fast" else SMALL
    packed = round_trip(tmp_path, data, Settings(preset=preset, **network))
    assert packed.parameters.contexts == kind
    assert packed.parameters.has_network == (preset != "fast") == (packed.backend is not None)
    assert packed.compressed_bytes < len(data) / 3


@pytest.mark.parametrize("streams", [1, 3, 50])
def test_contexts_and_a_network_share_streams(tmp_path, streams):
    for preset in ("fast", "balanced"):
        network = SMALL if preset == "balanced" else {}
        round_trip(tmp_path, TEXT, Settings(preset=preset, batch_size=streams, **network))


def test_float_networks_are_mixed_too(tmp_path):
    packed = round_trip(tmp_path, TEXT[:200], Settings(preset="balanced", arithmetic="float32", **SMALL))
    assert inspect(packed.output_path).environment is not None


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
def test_every_backend_makes_the_same_mixed_file(tmp_path, backend):
    mixed = Settings(preset="balanced", **SMALL)
    expected = round_trip(tmp_path, TEXT[:200], mixed).output_path.read_bytes()
    made = round_trip(tmp_path, TEXT[:200], mixed.with_values({"backend": backend}))
    assert made.backend == backend and made.output_path.read_bytes() == expected


def test_noise_is_stored_as_it_is(tmp_path):
    packed = round_trip(tmp_path, NOISE, Settings(preset="fast"))
    assert packed.parameters is None and packed.compressed_bytes <= len(NOISE) + 96


def test_one_value_needs_neither_network_nor_contexts(tmp_path):
    assert round_trip(tmp_path, b"a" * 5_000, Settings(preset="fast")).compressed_bytes < 96


def test_a_changed_probability_is_noticed(tmp_path, monkeypatch):
    """A decoder whose contexts are not the encoder's stops, whether or not it has a network."""
    from lib.mixing import state
    (tmp_path / "in").write_bytes(TEXT * 3)
    packed = compress(tmp_path / "in", settings=Settings(preset="fast"))
    fill = state.apm.fresh
    monkeypatch.setattr(state.apm, "fresh", lambda contexts: fill(contexts) + 640)
    with pytest.raises(DivergedError, match="the model's state after step .* is not the encoder's"):
        decompress(packed.output_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_chosen_is_noted(tmp_path):
    notes = []
    round_trip(tmp_path, TEXT, Settings(**SMALL), note=notes.append)
    assert any(note.startswith("auto took best for data that looks like text: ") for note in notes)
    assert any(re.fullmatch(r"coding with contexts for text, .*; takes about [\d,]+ MB of memory", note) for note in notes)


@pytest.mark.parametrize("preset, modules", [("fast", ("tensorflow", "keras", "jax")), ("balanced", ("tensorflow", "jax"))])
def test_a_preset_loads_no_more_than_it_needs(tmp_path, preset, modules):
    (tmp_path / "in").write_bytes(TEXT)
    program = ("import sys; from lib import Settings, compress, decompress, inspect\n"
               f"made = compress('{tmp_path}/in', settings=Settings(preset={preset!r}))\n"
               f"decompress(made.output_path, '{tmp_path}/out'); inspect(made.output_path)\n"
               f"print([name for name in {modules!r} if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("number", PRESETS)
def test_every_released_preset_can_be_built(number):
    complete = Parameters(**values_of(number))
    assert complete.has_network or complete.has_contexts
