"""Files made by earlier versions stay readable. A golden file is never made again to please a test."""

import hashlib

import pytest

from lib import DivergedError, Settings, decompress, inspect
from tools.build_notebooks import ROOT

GOLDEN = ROOT / "tests" / "golden"
SHA256 = {
    "stored.bin.lks": "dd5dc22d292a5267770eacf78e332369d09926bcac6a1e0d1a89e5880b37e322",
    "one-value.bin.lks": "b25ad8ac0695d1719c853d24d717de78164ead9704712fbed6d1c675d1f15cb7",
    "exact.txt.lks": "0743a0d5a73af83ba7d9b82fe5aad8902c2844b49e8bd32a683c6d6d70f76634",
    "exact-odd.txt.lks": "efe9062a6ee3bceb3760d6b02affe86ca1b00efa54510237a4646fc49a3a947c",
    "float32.txt.lks": "455f146cdaccffd5323bbff077da7c3a293550ec7a8e51b65b968c1e7a33dc3b",
}


@pytest.mark.parametrize("name", SHA256)
def test_a_golden_file_is_as_it_was(name):
    assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == SHA256[name]


@pytest.mark.parametrize("name", ["stored.bin", "one-value.bin"])
def test_a_file_that_depends_on_no_floating_point_decodes_everywhere(tmp_path, name):
    decompress(GOLDEN / f"{name}.lks", tmp_path / name)
    assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("backend", ["numba", "numpy", "tensorflow", "jax"])
@pytest.mark.parametrize("name", ["exact.txt.lks", "exact-odd.txt.lks"])     # the preset auto; sizes that are odd
def test_an_exact_file_decodes_everywhere(tmp_path, name, backend):
    decompress(GOLDEN / name, tmp_path / "out", Settings(backend=backend))
    assert (tmp_path / "out").read_bytes() == (GOLDEN / "exact.txt").read_bytes()


def test_a_float_file_decodes_or_says_why_not(tmp_path):
    contents = inspect(GOLDEN / "float32.txt.lks")
    assert contents.fault is None and contents.intact_segments == 1
    assert contents.settings == Settings(
        preset="network", batch_size=4, seq_length=10, update_interval=5, rnn_units=16, num_layers=2, embedding_size=8,
        start_learning_rate=0.008, end_learning_rate=0.003, adam_beta_2=0.999, seed=1, arithmetic="float32",
        coder="numba", contexts="none", table_bits=22)
    try:
        decompress(GOLDEN / "float32.txt.lks", tmp_path / "out")
    except DivergedError as error:
        assert str(contents.environment) in str(error) and not (tmp_path / "out").exists()
    else:
        assert (tmp_path / "out").read_bytes() == (GOLDEN / "float32.txt").read_bytes()
