"""One file out of a folder, without what comes after it."""

import os
import random
from pathlib import Path

import pytest
from samples import FAST, TEXT, a_ppm, a_wav, flipped, tiny

from lib import FormatError, InputError, OutputError, SettingsError, compress, entries_of, extract, learn
from lib.__main__ import main
from lib.coding import partial
from lib.coding.predictor import Predictor
from lib.sources.blocks import BlockSource

JPEG = (Path(__file__).parent / "golden" / "slope.jpg").read_bytes()
FILES = {"a.txt": TEXT, "b.jpg": JPEG, "sub/c.ppm": a_ppm(40, 30), "sub/d.txt": TEXT[::-1] * 3, "sub/e.wav": a_wav(900), "sub/f": b"",
         "z.bin": random.Random(1).randbytes(9_000)}


@pytest.fixture
def folder(tmp_path):
    for name, data in FILES.items():
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_bytes(data)
    os.chmod(tmp_path / "all" / "a.txt", 0o600)
    return tmp_path / "all"


@pytest.fixture
def made(folder, monkeypatch):
    monkeypatch.setattr("lib.transforms.lepton.is_there", lambda: False)     # so that sounds are the last group
    result = compress(folder, settings=FAST)
    assert isinstance(result.source, BlockSource)
    return result.output_path


@pytest.mark.parametrize("name", FILES)
def test_each_file_comes_alone(made, tmp_path, name):
    out = extract(made, name, tmp_path / "out")
    assert out.read_bytes() == FILES[name]
    if name == "a.txt":
        assert out.stat().st_mode & 0o777 == 0o600


def test_names_are_those_of_the_folder(made):
    assert [entry.path for entry in entries_of(made) if entry.kind == "file"] == sorted(FILES)


def test_what_comes_after_is_not_decoded(made, tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(partial, "Predictor", lambda plan, *rest: decoded.append(plan.parameters.contexts) or Predictor(plan, *rest))
    extract(made, "a.txt", tmp_path / "out")
    assert decoded == ["binary"]                   # as the index


def test_a_folder_of_one_kind_and_one_with_a_network(tmp_path):
    (tmp_path / "texts").mkdir()
    for number in range(3):
        (tmp_path / "texts" / str(number)).write_bytes(TEXT * (number + 1))
    for settings in (FAST, tiny()):
        packed = compress(tmp_path / "texts", tmp_path / "packed.lks", settings, overwrite=True).output_path
        for number in range(3):
            assert extract(packed, str(number), tmp_path, overwrite=True).read_bytes() == TEXT * (number + 1)


def test_a_folder_that_is_stored(tmp_path):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "x").write_bytes(random.Random(2).randbytes(500))
    packed = compress(tmp_path / "noise", settings=FAST)
    assert packed.parameters is None
    assert extract(packed.output_path, "x", tmp_path).read_bytes() == (tmp_path / "noise" / "x").read_bytes()


@pytest.mark.parametrize("name, said", [("c.ppm", "did you mean sub/c.ppm?"), ("a.tx", "did you mean a.txt?"), ("nothing like it", "info lists its files"),
                                        ("sub", "is a folder")])
def test_a_name_that_is_no_files_is_refused(made, name, said):
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        extract(made, name)


def test_a_single_file_is_no_folder(tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    packed = compress(tmp_path / "text", settings=FAST).output_path
    assert entries_of(packed) == []
    with pytest.raises(InputError, match="a single file, text"):
        extract(packed, "text")


def test_nothing_is_replaced_and_nothing_taken_from_a_damaged_file(made, tmp_path):
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(OutputError):
        extract(made, "a.txt", tmp_path / "out")
    made.write_bytes(made.read_bytes()[:-1])
    with pytest.raises(FormatError):
        extract(made, "sub/e.wav", tmp_path / "other")
    with pytest.raises(SettingsError):
        extract(made, "a.txt", tmp_path / "other", FAST.with_values({"rnn_units": 3}))
    assert (tmp_path / "out").read_bytes() == b"mine" and not (tmp_path / "other").exists()


def test_on_the_command_line(made, tmp_path, capsys):
    assert main(["info", str(made)]) == 0
    said = capsys.readouterr().out
    assert "sub/d.txt" in said and f"{len(JPEG):,} b.jpg" in said
    assert main(["decompress", str(made), "--only", "sub/d.txt", "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out").read_bytes() == FILES["sub/d.txt"] and f"{len(FILES['sub/d.txt']):,} bytes" in capsys.readouterr().out
    assert main(["decompress", str(made), str(made), "--only", "a.txt"]) == 1
    assert "one file out of one folder" in capsys.readouterr().err


def test_info_of_a_folder_whose_prior_is_not_here(folder, tmp_path, capsys):
    learn([folder / "sub" / "d.txt"], tmp_path / "x.prior")
    compress(folder, tmp_path / "away.lks", FAST, prior=tmp_path / "x.prior")
    (tmp_path / "x.prior").unlink()
    assert main(["info", str(tmp_path / "away.lks")]) == 0
    said = capsys.readouterr()
    assert "original" in said.out and "the files cannot be listed" in said.err


def test_what_lies_before_a_damage_can_be_taken_out(made, tmp_path):
    data = made.read_bytes()
    made.write_bytes(flipped(data, len(data) - 100))       # in the last group: sounds
    assert extract(made, "a.txt", tmp_path / "out").read_bytes() == TEXT
    assert extract(made, "sub/c.ppm", tmp_path / "picture").read_bytes() == FILES["sub/c.ppm"]
    with pytest.raises(FormatError, match="segment .* is damaged"):
        extract(made, "sub/e.wav", tmp_path / "sound")
    assert not (tmp_path / "sound").exists()


def test_a_name_may_be_written_as_info_lists_it(tmp_path, capsys):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "two\nlines").write_bytes(TEXT)
    (tmp_path / "all" / "other").write_bytes(TEXT[::-1])
    packed = compress(tmp_path / "all", settings=FAST).output_path
    assert main(["info", str(packed)]) == 0
    listed = next(line for line in capsys.readouterr().out.splitlines() if "two" in line)
    name = listed.split()[-1]
    assert extract(packed, name, tmp_path / "out").read_bytes() == TEXT
