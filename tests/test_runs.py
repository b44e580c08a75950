"""Files that are long runs, or one value alone: coded in next to no time, and given back to the last byte."""

import dataclasses
import random

import msgpack
import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from samples import FAST, NOISE, TEXT, coded_file, take_apart, there_and_back, tiny

from lib import Settings, compress, decompress, learn
from lib.coding.plan import Plan
from lib.coding.predictor import Predictor
from lib.coding.streams import Streams
from lib.errors import FormatError, InputError
from lib.limits import MOST_ORIGINAL
from lib.sources import ByteSource, RunSource, base, describe_source, runs
from lib.sources.recognition import source_of

DISK = b"".join([TEXT, bytes(40_000), NOISE[:700], b"\xff" * 30_000, bytes(50_000), TEXT[:300]])
NOISY = random.Random(2).randbytes(400_000)


@pytest.mark.parametrize("settings", [FAST, Settings(preset="fast", contexts="text"), Settings(preset="fast", batch_size=3), tiny()],
                         ids=["fast", "text", "streams", "network"])
def test_a_file_of_long_runs_comes_back(tmp_path, settings):
    packed = there_and_back(tmp_path, DISK, settings)
    assert type(packed.source) is RunSource and packed.source.symbol_count < len(DISK) - 119_000
    assert packed.source.left_out == len(DISK) - packed.source.symbol_count


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 31, 32, 33, 63, 64, 65, 96, 200])), min_size=1, max_size=12))
def test_runs_of_any_lengths_at_any_places_come_back(stretches):
    data = b"".join(bytes([value]) * length for value, length in stretches)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in dict(_SHORTEST=64, _BLOCK=32, _LEAST=1, _LEAST_SHARE=0).items():
            patch.setattr(runs, name, value)
        source = RunSource.from_bytes(data)
        array = np.frombuffer(data, np.uint8)
        ends = [0, *(np.flatnonzero(np.diff(array)) + 1).tolist(), len(array)]
        long = [(start, end) for start, end in zip(ends, ends[1:]) if end - start >= 64]
        assert list(runs._long_runs(array)) == long
    if not long:
        assert source is None
        return
    reader = describe_source(RunSource.kind, len(data), source.description())
    assert reader.restore(source.symbols()) == data and reader.symbol_count == source.symbol_count
    assert reader.left_out == sum(end - start - 32 for start, end in long) == len(data) - source.symbol_count


@pytest.mark.parametrize("data", [TEXT * 30, NOISE * 50, NOISY + bytes(100_000), bytes(4_095).join([b"a"] * 40), b"\0\1" * 50_000,
                                  bytes(40_000)], ids=["text", "noise", "a fifth", "short runs", "alternating", "small"])
def test_other_files_are_bytes_as_before(data):
    assert type(source_of(data, FAST)) is ByteSource


def test_real_files_are_bytes_as_before(real_data):
    for path in [*(real_data / "binary").iterdir(), *(real_data / "text").iterdir()]:
        assert RunSource.from_bytes(path.read_bytes()) is None


ALL = b""                # all byte values, described


@pytest.mark.parametrize("values, original_bytes", [
    ([ALL, [10, 10], [100]], 1_000), ([ALL, [], []], 1_000), ([ALL, [10], [0]], 1_000), ([ALL, [0], [10]], 1_000), ([ALL, [-1], [10]], 1_000),
    ([ALL, [10], [-5]], 1_000), ([ALL, [10], [991]], 1_000), ([ALL, [10], [1_000]], 1_000), ([ALL, [600, 301], [50, 50]], 1_000),
    ([ALL, [10], [True]], 1_000), ([ALL, [10.0], [10]], 1_000), ([ALL, [10], [MOST_ORIGINAL + 1]], 1_000), ([ALL, [10], [(1 << 64) - 1]], 1_000),
    ([bytes(32), [10], [10]], 1_000), ([b"\5\0", [10], [10]], 1_000), (["", [10], [10]], 1_000), ([ALL, {10: 10}, [10]], 1_000),
    ([ALL, b"\5", b"\5"], 1_000), ([ALL, [10]], 1_000), (7, 1_000), (None, 1_000), ([ALL, [10], [10], 1], 1_000)], ids=repr)
def test_a_description_of_runs_that_nothing_could_have_made_is_refused(values, original_bytes):
    with pytest.raises(FormatError, match="the description of runs of bytes is damaged"):
        describe_source(RunSource.kind, original_bytes, base.packed_description(values))
    with pytest.raises(FormatError, match="the description of runs of bytes is damaged"):
        describe_source(RunSource.kind, original_bytes, msgpack.packb(values))


def test_runs_of_more_than_memory_holds_are_refused_before_anything_is_allocated(tmp_path):
    packed = there_and_back(tmp_path, DISK)
    header, segments = take_apart((tmp_path / "in.lks").read_bytes(), packed.source.symbol_count)
    source = describe_source(header.source_kind, header.original_bytes, header.description)
    values, gaps, lengths = base.unpacked_description(header.description)
    more = 1 << 46
    crafted = coded_file(dataclasses.replace(header, original_bytes=header.original_bytes + more,
                                             description=base.packed_description([values, gaps, [lengths[0] + more, *lengths[1:]]])), segments)
    (tmp_path / "crafted.lks").write_bytes(crafted)
    with pytest.raises(InputError, match="GB of memory"):
        decompress(tmp_path / "crafted.lks", tmp_path / "crafted")
    assert source.left_out == sum(lengths)


def test_a_prior_of_bytes_helps_with_runs(tmp_path):
    (tmp_path / "before").write_bytes(TEXT + NOISE[:700])
    (tmp_path / "disk").write_bytes(DISK)
    prior = learn([tmp_path / "before"], tmp_path / "x.prior").path
    alone = compress(tmp_path / "disk", tmp_path / "alone.lks", FAST)
    primed = compress(tmp_path / "disk", settings=FAST, prior=prior)
    assert type(primed.source) is RunSource and primed.compressed_bytes < alone.compressed_bytes - 500
    decompress(primed.output_path, tmp_path / "out", prior=prior)
    assert (tmp_path / "out").read_bytes() == DISK


@pytest.mark.parametrize("settings", [FAST, Settings(), tiny(), Settings(preset="network", coder="arithmetic-compressor", arithmetic="float32")],
                         ids=["fast", "auto", "network", "reference coder"])
def test_one_value_alone_costs_a_frame_for_each_segment(tmp_path, settings):
    packed = there_and_back(tmp_path, b"z" * 60_000, settings)
    assert type(packed.source) is ByteSource and packed.compressed_bytes < 110


def test_one_value_alone_is_coded_as_ever(tmp_path):
    """As in the golden file: an empty payload for each segment, and a fingerprint of zeros."""
    data = (ROOT / "tests" / "golden" / "one-value.bin").read_bytes()
    (tmp_path / "one-value.bin").write_bytes(data)
    golden = (ROOT / "tests" / "golden" / "one-value.bin.lks").read_bytes()
    packed = compress(tmp_path / "one-value.bin", settings=Settings(preset="network"))
    steps = Streams(len(data), packed.parameters.batch_size).steps
    (segment,) = take_apart(packed.output_path.read_bytes(), steps)[1]
    assert segment.payload == b"" and segment.fingerprint == bytes(8)
    assert golden.endswith(segment.payload + segment.fingerprint + golden[-4:])


def test_a_run_of_one_value_is_stopped_and_goes_on(tmp_path, stop_after, monkeypatch):
    (tmp_path / "in").write_bytes(b"z" * 60_000)
    unbroken = compress(tmp_path / "in", tmp_path / "unbroken.lks", FAST).output_path.read_bytes()
    monkeypatch.setattr("lib.coding.predictor._CERTAIN_AT_ONCE", 1_000)
    stop_after(30)
    with pytest.raises(KeyboardInterrupt):
        compress(tmp_path / "in", tmp_path / "in.lks", FAST, checkpoint=tmp_path / "kept")
    stop_after(0)
    packed = compress(tmp_path / "in", tmp_path / "in.lks", FAST, checkpoint=tmp_path / "kept")
    assert packed.output_path.read_bytes() == unbroken
    stop_after(30)
    with pytest.raises(KeyboardInterrupt):
        decompress(tmp_path / "in.lks", tmp_path / "out", checkpoint=tmp_path / "kept")
    stop_after(0)
    decompress(tmp_path / "in.lks", tmp_path / "out", checkpoint=tmp_path / "kept")
    assert (tmp_path / "out").read_bytes() == b"z" * 60_000


def test_a_vocabulary_of_one_value_needs_no_model():
    source = ByteSource.from_bytes(b"zzz")
    predictor, symbols = Predictor(Plan.of(tiny(batch_size=1).resolve(3), source)), np.ones((3, 1), np.uint16)
    predictor.code_steps(None, symbols, np.ones(3, np.int64), 0)
    assert symbols.tolist() == [[0]] * 3 and predictor.sections() == {} and predictor.fingerprint() == bytes(8)
    assert (predictor.environment, predictor.backend, predictor.code_lengths()) == (None, None, None)
