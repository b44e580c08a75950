"""Files made by earlier versions stay readable. A golden file is never made again to please a test."""

import hashlib
import shutil

import pytest

from lib import DivergedError, Settings, decompress, inspect, join
from lib.parameters import Parameters
from lib.transforms import lepton
from tools.build_notebooks import ROOT

GOLDEN = ROOT / "tests" / "golden"
SHA256 = {
    "stored.bin.lks": "dd5dc22d292a5267770eacf78e332369d09926bcac6a1e0d1a89e5880b37e322",
    "one-value.bin.lks": "b25ad8ac0695d1719c853d24d717de78164ead9704712fbed6d1c675d1f15cb7",
    "exact.txt.lks": "0743a0d5a73af83ba7d9b82fe5aad8902c2844b49e8bd32a683c6d6d70f76634",
    "exact-odd.txt.lks": "efe9062a6ee3bceb3760d6b02affe86ca1b00efa54510237a4646fc49a3a947c",
    "fast.txt.lks": "48e4d0e39f90bcd0a649ccf75de07eeb3c1a8971aff867a6de10441733fe7623",
    "fast.bin.lks": "d1125cc0185ac8f0083446033faec54ee0a142b5a079d80f4f2aaffbae440643",
    "balanced.txt.lks": "81e5ed11cd7a6d8e5c54197e017a80ddec17373b724164da0a99561b092eb008",
    "balanced-odd.bin.lks": "c5d84dc59d71500411e3cc807fca634cdf3777ef4e11888226fed276ceffd5ba",
    "primed-odd.txt.lks": "50490492ce0a1d32edac25afe2c593efbd940080e7e3089d7db16609d07a14fe",
    "float32.txt.lks": "455f146cdaccffd5323bbff077da7c3a293550ec7a8e51b65b968c1e7a33dc3b",
    "learned.prior": "7440db52936ec2b7677a647466ca74186e2d9e9e9b89d852b82f7ea9b8d8a6a0",
    "with-prior.txt.lks": "9757b09440b4de4ea9b4883695fed756469a7b362f347111ecc61e4864bf0413",
    "parted.txt.parts.json": "839b6503d3c5b9e6fc9ad4dc761e038443115353f295104cd27d24b603e3c2bd",
    "parted.txt.part1of2.lks": "62d5cc56ec5dffee46aaf7c91858f3ee0d72a269a1f5d5ba3ac8f7b83d0d99be",
    "parted.txt.part2of2.lks": "cdfbaac9d931d5f34608d5b63b00caa0e62f9f4977fd3cea914d37ba498a929e",
    "clip.npy.lks": "7c9368b0402a55f303f14053a1457c149fd52de20b37ea3f7bbbab62c9d2ec92",
    "clip-balanced.npy.lks": "581e2155868e498bc35625b8edd7748498a317b2195ce9b7130671ae9ca2f0ee",
    "slope.ppm.lks": "329a82eb04515c31bfdcb3383e317c80118435b1e552e19962a832490535553a",
    "palette.png.lks": "54c34e5a0470736b6c46ffd248b386baaacc60abf0c035d10ba7b8063851d07b",
    "grey16.tif.lks": "7f98fe6966534cded1de09241be32fc8429440e464d09465c7b496ccf4ca7030",
    "slope-balanced.ppm.lks": "c5a22994b75a5f4b67a4f76eef7156fc75864f4e9a4bdf527f4b4d53057a3854",
    "swell.wav.lks": "b0606053a6fcb4bbeb25a6b11f29b3421cbbb182cc027d26deb162608bbaa73f",
    "swell.aif.lks": "d6ccd23f0aaf3f82518dc99a7954deb509e4c706a08fd71a31ee18af9e9a6a37",
    "swell-balanced.wav.lks": "982c5abac21651619b02cc76c789cb29ff14a5a9b0520d90fc14a3b2fb365e72",
    "slope.jpg.lks": "9dddccceb6c92f499cb561e1b9e969fa8e1184e3630f0052c093960e26c9a15b",
    "parts.zip.lks": "4e80a52447d1cb0fb9aaaff7960b2c67898015854de06490e781626adc489e69",
    "parts-balanced.zip.lks": "cbc5fcbbdf2db12d352923e722e81f99b3f281a40d1f439147405318e0e266a6",
    "parts-lepton.zip.lks": "fe2a63de6bb65a7c93fd1e0f861acde023bbc55f94d70946ea5267f2648c2e5d",
    "read-before.txt.lks": "13ac36affe38aaa85f6d5a89dc6de4e56366d859a757f18d4b3a049526f9fad6",
    "read-before-odd.txt.lks": "03d006ef9e7e04445bf6a4ac1a76befdf0df32e2e288680851f40b45a6a14bc1",
    "network.prior": "778b889003e297bcd5d51783b4b3b4a841b5bb718420be2ace3c1dacf8e462e2",
    "with-network.txt.lks": "7b5b59dcbf79bcc233bd4d2c324fe9d18582474befbd1fef55885cc69839462e",
}


@pytest.mark.parametrize("name", SHA256)
def test_a_golden_file_is_as_it_was(name):
    assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == SHA256[name]


@pytest.mark.parametrize("name", ["stored.bin", "one-value.bin"])
def test_a_file_that_depends_on_no_floating_point_decodes_everywhere(tmp_path, name):
    decompress(GOLDEN / f"{name}.lks", tmp_path / name)
    assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("name, weights", [("read-before.txt.lks", "text-small-1"), ("read-before-odd.txt.lks", "text-large-1"),
                                           ("with-network.txt.lks", "prior")])
def test_a_file_of_a_network_that_learned_before_decodes(tmp_path, name, weights):
    assert inspect(GOLDEN / name).parameters.weights == weights
    decompress(GOLDEN / name, tmp_path / "out", prior=GOLDEN / "network.prior" if weights == "prior" else None)
    assert (tmp_path / "out").read_bytes() == (GOLDEN / "exact.txt").read_bytes()


@pytest.mark.parametrize("name, backend", [
    *(("exact.txt.lks", backend) for backend in ("numba", "tensorflow", "jax")),             # NumPy would take a minute
    *(("exact-odd.txt.lks", backend) for backend in ("numba", "numpy", "tensorflow", "jax")),     # sizes that are odd
])
def test_an_exact_file_decodes_everywhere(tmp_path, name, backend):
    decompress(GOLDEN / name, tmp_path / "out", Settings(backend=backend))
    assert (tmp_path / "out").read_bytes() == (GOLDEN / "exact.txt").read_bytes()


# "odd", and swell.aif: three streams, of which the last ends early; "primed", and balanced for text: after a primer. parts.zip holds
# something of each kind, and something for each transform.
@pytest.mark.parametrize("name, original", [
    ("fast.txt", "exact.txt"), ("fast.bin", "mixed.bin"), ("primed-odd.txt", "exact.txt"),
    ("balanced.txt", "exact.txt"), ("balanced-odd.bin", "mixed.bin"), ("clip.npy", "clip.npy"),
    ("clip-balanced.npy", "clip.npy"), ("slope.ppm", "slope.ppm"), ("palette.png", "palette.png"), ("grey16.tif", "grey16.tif"),
    ("slope-balanced.ppm", "slope.ppm"), ("swell.wav", "swell.wav"), ("swell.aif", "swell.aif"), ("swell-balanced.wav", "swell.wav"),
    ("slope.jpg", "slope.jpg"), ("parts.zip", "parts.zip"), ("parts-balanced.zip", "parts.zip")])
def test_a_file_of_contexts_decodes(tmp_path, name, original):
    decompress(GOLDEN / f"{name}.lks", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (GOLDEN / original).read_bytes()


@pytest.mark.skipif(not lepton.is_there(), reason="needs lepton-jpeg-python")
def test_a_file_with_a_jpeg_of_lepton_decodes(tmp_path):
    decompress(GOLDEN / "parts-lepton.zip.lks", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (GOLDEN / "parts.zip").read_bytes()


def test_a_file_finds_its_golden_prior(tmp_path):
    decompress(GOLDEN / "with-prior.txt.lks", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (GOLDEN / "exact.txt").read_bytes()


def test_golden_parts_decode_one_after_the_other_and_are_joined(tmp_path):
    for part in (1, 2):
        decompress(GOLDEN / f"parted.txt.part{part}of2.lks", tmp_path / f"parted.txt.part{part}of2")
    shutil.copy(GOLDEN / "parted.txt.parts.json", tmp_path)
    join(tmp_path / "parted.txt.parts.json")
    assert (tmp_path / "parted.txt").read_bytes() == (GOLDEN / "exact.txt").read_bytes()


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
@pytest.mark.parametrize("name, original", [("balanced-odd.bin", "mixed.bin"), ("clip-balanced.npy", "clip.npy"),
                                            ("slope-balanced.ppm", "slope.ppm"), ("swell-balanced.wav", "swell.wav")])
def test_contexts_and_a_network_decode_on_every_backend(tmp_path, name, original, backend):
    decompress(GOLDEN / f"{name}.lks", tmp_path / "out", Settings(backend=backend))
    assert (tmp_path / "out").read_bytes() == (GOLDEN / original).read_bytes()


def test_a_float_file_decodes_or_says_why_not(tmp_path):
    contents = inspect(GOLDEN / "float32.txt.lks")
    assert contents.fault is None and contents.intact_segments == 1
    assert contents.parameters == Parameters(
        batch_size=4, seq_length=10, update_interval=5, rnn_units=16, num_layers=2, embedding_size=8,
        start_learning_rate=0.008, end_learning_rate=0.003, adam_beta_2=0.999, seed=1, arithmetic="float32",
        coder="numba", contexts="none", table_bits=22, primer="none",
        prior="none", weights="none", update_delay=0, context_size=0, context_frames=1, image_neighbours="no")
    try:
        decompress(GOLDEN / "float32.txt.lks", tmp_path / "out")
    except DivergedError as error:
        assert str(contents.environment) in str(error) and not (tmp_path / "out").exists()
    else:
        assert (tmp_path / "out").read_bytes() == (GOLDEN / "float32.txt").read_bytes()
