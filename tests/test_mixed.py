"""Files that are made of others: compressed, given back in every way, gone on with, damaged."""

import gzip
import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest
from samples import TEXT, flipped

import lib
from lib import Settings, compress, decompress
from lib.coding.container import Reader
from lib.errors import FormatError
from lib.sources.blocks import BlockSource

LONG = (Path(lib.__file__).parent / "mixing" / "primers" / "text-1.txt").read_bytes()[:12_000]
NOISE = random.Random(3).randbytes(17_000)


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


INPUTS = {
    "zip": zipped(a=LONG[:6_000], b=LONG[6_000:]),
    "zip in zip": zipped(inner=zipped(a=LONG), b=TEXT),
    "gzip": gzip.compress(LONG, mtime=0),
    "streams": b"".join(b"stream\n" + zlib.compress(LONG[start:], 9) + b"\nendstream\n" for start in range(3)),
    "text and noise": LONG * 3 + NOISE + LONG,
}


@pytest.fixture
def made(tmp_path, request):
    """The path of one of INPUTS."""
    path = tmp_path / "in"
    path.write_bytes(INPUTS[request.param])
    return path


def of_each_input(function):
    return pytest.mark.parametrize("made", INPUTS, indirect=True)(function)


@of_each_input
def test_what_it_is_made_of_is_coded_and_comes_back(made, tmp_path):
    result = compress(made, settings=Settings(preset="fast"))
    assert isinstance(result.source, BlockSource)
    assert decompress(result.output_path, tmp_path / "out").output_path.read_bytes() == made.read_bytes()
    contents = lib.inspect(result.output_path)
    assert contents.plan.groups and contents.plan.identity() == result.plan.identity()


def test_deflated_texts_take_little_more_than_the_texts(tmp_path):
    (tmp_path / "texts").write_bytes(LONG)
    (tmp_path / "zip").write_bytes(INPUTS["zip"])
    plain, packed = (compress(tmp_path / name, settings=Settings(preset="fast")).compressed_bytes for name in ("texts", "zip"))
    assert packed < plain + 300 and packed < 0.9 * len(INPUTS["zip"])


def test_text_alone_is_coded_as_ever(tmp_path):
    (tmp_path / "in").write_bytes(LONG)
    assert compress(tmp_path / "in", settings=Settings(preset="fast")).source.kind == 0


@pytest.mark.parametrize("settings", [dict(contexts="binary"), dict(preset="network", rnn_units=8), dict(preset="balanced", arithmetic="float32", rnn_units=8)])
def test_who_chooses_how_bytes_are_coded_gets_bytes(tmp_path, settings):
    (tmp_path / "in").write_bytes(INPUTS["gzip"])
    result = compress(tmp_path / "in", settings=Settings().with_values({"preset": "fast", **settings}))
    assert not result.plan or result.source.kind == 0


def test_with_networks_it_comes_back_on_another_backend(tmp_path):
    (tmp_path / "in").write_bytes(INPUTS["zip in zip"])
    small = Settings(preset="balanced", rnn_units=8, num_layers=1, embedding_size=4, primer="none")
    result = compress(tmp_path / "in", settings=small)
    assert result.backend == "numba" and len(result.plan.groups) == 1
    assert decompress(result.output_path, tmp_path / "out", Settings(backend="numpy")).output_path.read_bytes() == INPUTS["zip in zip"]


def test_code_lengths_are_those_of_all_groups(tmp_path):
    (tmp_path / "in").write_bytes(INPUTS["zip"])
    result = compress(tmp_path / "in", settings=Settings(preset="fast"), code_lengths=True)
    assert len(result.code_lengths) == result.source.symbol_count
    assert result.code_lengths.sum() / 8 == pytest.approx(result.compressed_bytes, abs=400)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_run_that_was_stopped_goes_on_in_any_group(tmp_path, monkeypatch, preset, share):
    (tmp_path / "in").write_bytes(INPUTS["text and noise"])
    settings = Settings(preset=preset, rnn_units=8, num_layers=1, embedding_size=4, primer="none") if preset == "balanced" else Settings(preset=preset)
    whole = compress(tmp_path / "in", tmp_path / "whole", settings)
    for direction, arguments in ((compress, (tmp_path / "in", tmp_path / "out", settings)), (decompress, (tmp_path / "whole", tmp_path / "back"))):
        with pytest.raises(KeyboardInterrupt):
            stopped(monkeypatch, direction, arguments, tmp_path / "checkpoint", share)
        direction(*arguments, checkpoint=tmp_path / "checkpoint")
    assert (tmp_path / "out").read_bytes() == whole.output_path.read_bytes()
    assert (tmp_path / "back").read_bytes() == INPUTS["text and noise"]


def stopped(monkeypatch, direction, arguments, checkpoint, share):
    """A run that is asked to stop after a share of its symbols."""
    from lib.resume import keeper
    so_far = [0.0]

    def progress(now):
        so_far[0] = now.done / now.total

    with monkeypatch.context() as patch:
        patch.setattr("lib.coding.loop._PROGRESS_SECONDS", 0.0)
        patch.setattr(keeper, "is_asked_to_stop", lambda: so_far[0] >= share)
        direction(*arguments, checkpoint=checkpoint, progress=progress)


def test_the_same_in_many_streams(tmp_path):
    (tmp_path / "in").write_bytes(INPUTS["zip"])
    result = compress(tmp_path / "in", settings=Settings(preset="fast", batch_size=7))
    assert decompress(result.output_path, tmp_path / "out").output_path.read_bytes() == INPUTS["zip"]


@pytest.mark.parametrize("settings", [dict(preset="fast", batch_size=7), dict(preset="balanced", rnn_units=8, num_layers=1, embedding_size=4, batch_size=3)])
def test_each_group_has_streams_of_its_own(tmp_path, monkeypatch, settings):
    monkeypatch.setattr("lib.transforms.lepton.is_there", lambda: False)
    data = LONG * 2 + (Path(__file__).parent / "golden" / "slope.jpg").read_bytes() + INPUTS["gzip"]
    (tmp_path / "in").write_bytes(data)
    result = compress(tmp_path / "in", settings=Settings(primer="none", **settings))
    streams = {group.name: part.batch_size for group, part in zip(result.source.groups, result.plan.streams.groups)}
    assert streams["jpeg"] == 1 and streams["text"] == settings["batch_size"]
    assert decompress(result.output_path, tmp_path / "out").output_path.read_bytes() == data


def test_damage_is_found(tmp_path):
    (tmp_path / "in").write_bytes(INPUTS["zip"])
    packed = bytearray(compress(tmp_path / "in", settings=Settings(preset="fast")).output_path.read_bytes())
    Reader(bytes(packed))
    for place in range(0, len(packed), 41):
        packed[place] ^= 16
        (tmp_path / "bad").write_bytes(packed)
        with pytest.raises(FormatError):
            decompress(tmp_path / "bad", tmp_path / "out")
        packed[place] ^= 16


def test_of_a_damaged_file_the_beginning_is_kept(tmp_path):
    data = INPUTS["text and noise"] + INPUTS["zip"]
    (tmp_path / "in").write_bytes(data)
    packed = compress(tmp_path / "in", settings=Settings(preset="fast"))
    whole = packed.output_path.read_bytes()
    groups = [group.source.symbol_count for group in packed.source.groups]
    assert len(groups) == 2                                # text, then noise, which lies behind the first text
    packed.output_path.write_bytes(flipped(whole, len(whole) - 200))
    with pytest.raises(FormatError, match="out.partial holds the first 3.,... of 71,983 bytes"):
        decompress(packed.output_path, tmp_path / "out")
    kept = (tmp_path / "out.partial").read_bytes()
    assert len(kept) > 35_000 and kept == data[:len(kept)]
