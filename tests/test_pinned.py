"""What encoders write is pinned: for every preset and kind an input made here, and the SHA-256 of the very file.

A change of any of these is a change of a released format or preset: give what has changed a new number (lib.kinds,
lib.presets), or find out why the same input, settings and version no longer give the same file.
"""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from samples import NOISE, TEXT, a_ppm, a_wav

from lib import Settings, compress
from lib.kinds import NEWEST
from lib.sources.blocks import BlockSource
from lib.transforms import lepton

_GOLDEN = Path(__file__).parent / "golden"
_RANDOM = np.random.Generator(np.random.PCG64(5))
_TOKENS = np.repeat(_RANDOM.integers(0, 40, (1, 4, 8)), 12, 0)
_TOKENS[_RANDOM.random(_TOKENS.shape) < 0.1] = 7


def _npy(array):
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    text = header + " " * (117 - len(header)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + array.tobytes()


INPUTS = {
    "text": TEXT,
    "binary": b"".join(bytes([number % 7, 0, number % 256, number // 256, 1, 255]) for number in range(90)) + NOISE[:60],
    "video": _npy(_TOKENS.astype("<i2")),
    "image": a_ppm(24, 17),
    "sound": a_wav(150),
    "jpeg": (_GOLDEN / "slope.jpg").read_bytes(),
}
PINNED = {
    ("text", "fast"): "f83d0d509d1218094dbdbec1e51b499d",
    ("text", "balanced"): "80397670a3a26f54b50c5a57ea59ba12",
    ("text", "best"): "08140bd075411670c7aefa8652c37f00",
    ("text", "network"): "13800c895972cb07d2abd9d7e086bda4",
    ("binary", "fast"): "2329c8a7cd95b4022b7dca33e3a8ce31",
    ("binary", "balanced"): "1e652d7cfcd207f5075fdf6d3280fd99",
    ("binary", "best"): "19a6f36ba9d2bdde90ea3a3185062158",
    ("binary", "network"): "8ed0e60e3803efea5e92b5281a41550f",
    ("video", "fast"): "dcafa1ca538bfa99365173896122a697",
    ("video", "balanced"): "3c39d0d689887014ea3f287869c75b96",
    ("video", "best"): "9fff7c032f45bfc024482f905d5aa9f6",
    ("video", "network"): "a9214099c246db355390ee914472b13f",
    ("image", "fast"): "5ac6fdc1ac1234ce425fc188f5c6f755",
    ("image", "balanced"): "eb22c6cc512575ff8daec79fe24d45a4",
    ("image", "best"): "0558c33321ff8ce240b506372d5e80ef",
    ("image", "network"): "4b87988778c5a3158980bc35912b6eb8",
    ("sound", "fast"): "3ad434553c93f7afe5224180802064b3",
    ("sound", "balanced"): "9f7b71894188efe9c0e69150b005c02c",
    ("sound", "best"): "a47a309658a44abe73af93da5e310a18",
    ("sound", "network"): "5f7067f323455223f04afe9513c60fe6",
    ("jpeg", "fast"): "0dcabf6850d2b47df85acc0d0d301cd6",
    ("jpeg", "balanced"): "0dcabf6850d2b47df85acc0d0d301cd6",
    ("jpeg", "network"): "7c1dc255fb7eb4abb82cde23809d33be",
}


PINNED_OF_PARTS = {            # of parts.zip, which holds all kinds
    "fast": "75ac0e856f3e9a6d5ce35e00d15a80ab",
    "balanced": "e3f2ce481ed9701191a8c695685b5016",
    "best": "cd73db242efbbde7b72669b8cbd1c011",
}


# What presets wrote before they began with networks that had learned, numbers 12 and 14: by the same settings, and named by those numbers.
PINNED_BEFORE = {
    12: ("balanced", dict(num_layers=2, rnn_units=200), "a61c0b04d845119ca364f30fe56a83e8"),
    14: ("best", dict(seq_length=24, update_interval=16, rnn_units=400), "97433863e3043221b6405e9752737809"),
}


def test_every_kind_is_pinned():
    assert INPUTS.keys() | {"packed"} == NEWEST.keys()               # which is the bytes themselves


@pytest.mark.parametrize("kind, preset", PINNED)
def test_a_preset_writes_the_very_file_that_it_always_wrote(tmp_path, monkeypatch, kind, preset):
    monkeypatch.setattr(lepton, "is_there", lambda: False)           # with which `fast` would leave JPEGs to Lepton
    (tmp_path / "in").write_bytes(INPUTS[kind])
    made = compress(tmp_path / "in", settings=Settings(preset=preset))
    assert made.parameters.contexts == ("none" if preset == "network" else kind)
    assert hashlib.sha256(made.output_path.read_bytes()).hexdigest()[:32] == PINNED[kind, preset]


@pytest.mark.parametrize("number", PINNED_BEFORE)
def test_a_preset_of_before_writes_what_it_wrote(tmp_path, number):
    preset, chosen, digest = PINNED_BEFORE[number]
    (tmp_path / "in").write_bytes(TEXT)
    made = compress(tmp_path / "in", settings=Settings(preset=preset, weights="none", primer="text-1", **chosen))
    assert made.parameters.to_header()[0] == number
    assert hashlib.sha256(made.output_path.read_bytes()).hexdigest()[:32] == digest


@pytest.mark.parametrize("preset", PINNED_OF_PARTS)
def test_a_file_of_parts_is_the_very_file_that_it_always_was(tmp_path, monkeypatch, preset):
    monkeypatch.setattr(lepton, "is_there", lambda: False)
    (tmp_path / "in").write_bytes((_GOLDEN / "parts.zip").read_bytes())
    made = compress(tmp_path / "in", settings=Settings(preset=preset, rnn_units=8))
    assert isinstance(made.source, BlockSource)
    assert hashlib.sha256(made.output_path.read_bytes()).hexdigest()[:32] == PINNED_OF_PARTS[preset]
