"""Files of exact arithmetic are the same on every backend, however its process computes."""

import pytest
from samples import TEXT, TINY

from benchmarks.portability import Variation, run_lockstep, variations

SETTINGS = [f"{name}={value}" for name, value in (TINY | dict(rnn_units=40, num_layers=2, seq_length=5)).items()]
LABELS = {"numba": ("1 core",), "numpy": ("1 core",), "tensorflow": ("1 core", "no oneDNN", "fast math"),
          "jax": ("unoptimised", "fast math", "narrow vectors")}
CHOSEN = [variation for variation in variations(LABELS) if variation.label in LABELS[variation.backend]]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(original, its .lks file by the default backend)."""
    folder = tmp_path_factory.mktemp("portability")
    original = folder / "text"
    original.write_bytes(TEXT)
    run_lockstep(Variation("numba"), "compress", original, folder / "text.lks", SETTINGS)
    return original, folder / "text.lks"


@pytest.mark.parametrize("variation", CHOSEN, ids=str)
def test_a_file_is_the_same_however_it_is_computed(tmp_path, made, variation):
    original, expected = made
    run_lockstep(variation, "compress", original, tmp_path / "again.lks", SETTINGS)
    assert (tmp_path / "again.lks").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("backend", LABELS)
def test_a_file_decodes_on_every_backend(tmp_path, made, backend):
    original, packed = made
    run_lockstep(Variation(backend), "decompress", packed, tmp_path / "text")
    assert (tmp_path / "text").read_bytes() == original.read_bytes()
