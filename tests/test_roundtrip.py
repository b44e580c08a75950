"""Whole files through compress, decompress and inspect: intact, damaged and made to do harm."""

import dataclasses
import hashlib
import os
import shutil
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import (
    NOISE,
    TEXT,
    coded_file,
    crafted_file,
    flipped,
    frame,
    header_block,
    stored_file,
    take_apart,
    there_and_back,
    tiny,
    with_header,
)

from lib import (
    DivergedError,
    FormatError,
    InputError,
    LockstepError,
    OutputError,
    Settings,
    SettingsError,
    compress,
    compression,
    contents,
    decompress,
    inspect,
)
from lib.coding import loop, plan, run
from lib.coding.container import MAGIC, Header, Segment
from lib.models.environment import Environment
from lib.sources import ByteSource
from lib.storage.names import near_name, shown

ELSEWHERE = Environment(device="Z80", threads=1, tensorflow="1.2.3", keras="4.5.6")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def written(path, data):
    path.write_bytes(data)
    return path


def refused(folder, data, kind=FormatError, message=".", chosen=Settings()):
    """Decompressing `data` raises one error in one line and leaves nothing under the output's name."""
    source = written(folder / "in.lks", data)
    (folder / "out.partial").unlink(missing_ok=True)       # it is never replaced
    with pytest.raises(LockstepError, match=message) as error:
        decompress(source, folder / "out", chosen)
    assert type(error.value) is kind and "\n" not in str(error.value)
    assert set(names(folder)) <= {"in.lks", "out.partial"}
    return str(error.value)


@pytest.fixture
def no_network(monkeypatch):
    """For what must be refused before anything of the claimed size is allocated or a network is built."""
    def fail(*arguments):
        raise AssertionError("a network was built")
    monkeypatch.setattr(run, "Predictor", fail)


# --- intact ---

@pytest.mark.parametrize("data", [b"", b"a", b"ab" * 15 + b"a", NOISE, bytes(range(256)) * 2],
                         ids=["empty", "one byte", "31 bytes", "noise", "all values"])
def test_what_does_not_shrink_is_stored(tmp_path, data):
    packed = there_and_back(tmp_path, data, tiny(batch_size=64))
    assert packed.parameters is None and data in (tmp_path / "in.lks").read_bytes()


@pytest.mark.parametrize("data, changes", [
    (b"a" * 1_000, {}),
    (b"ab" * 200, dict(batch_size=512)),             # fewer bytes than streams
    (TEXT[:500], dict(batch_size=7, num_layers=2)),  # a last stream that ends early
    (TEXT[:500], dict(batch_size=1, seq_length=1, update_interval=1)),
    (TEXT[:500], dict(coder="arithmetic-compressor")),
    (TEXT[:500], dict(arithmetic="float16")),
], ids=lambda value: str(value) if isinstance(value, dict) else len(value))
def test_what_goes_in_comes_out(tmp_path, data, changes):
    packed = there_and_back(tmp_path, data, tiny(**changes))
    assert inspect(packed.output_path).parameters == packed.parameters == tiny(**changes).resolve(len(data))
    assert packed.compressed_bytes < len(data)


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_a_network_that_learns_much_too_fast_still_gives_the_input_back(tmp_path, arithmetic):
    there_and_back(tmp_path, TEXT[:500], tiny(start_learning_rate=1, end_learning_rate=1, arithmetic=arithmetic))


@settings(max_examples=8)
@given(st.one_of(st.binary(max_size=400), st.builds(lambda unit, times: (unit * times)[:400],
                                                    st.binary(min_size=1, max_size=5), st.integers(1, 400))),
       st.sampled_from([tiny(), tiny(batch_size=1, coder="arithmetic-compressor"), tiny(num_layers=2, batch_size=5)]),
       st.sampled_from([1, 60, loop.SEGMENT_SYMBOLS]))
def test_any_input_comes_back_whatever_the_settings(tmp_path_factory, data, chosen, segment_symbols):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "SEGMENT_SYMBOLS", segment_symbols)
        there_and_back(tmp_path_factory.mktemp("any"), data, chosen)


def test_real_text_comes_back_smaller(tmp_path, real_data):
    original = (real_data / "text" / "grammar.lsp").read_bytes()
    packed = there_and_back(tmp_path, original, tiny(batch_size=16))
    assert packed.parameters and packed.compressed_bytes < 0.9 * len(original)


def test_several_segments_come_back(tmp_path, segmented):
    assert len(take_apart(segmented.data, segmented.streams.steps)[1]) == 3
    decompress(written(tmp_path / "in.lks", segmented.data), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == segmented.original


def test_the_same_input_gives_the_same_file(tmp_path, sample):
    again = compress(written(tmp_path / "sample.txt", TEXT), settings=tiny())
    assert again.output_path.read_bytes() == sample.data


def test_a_result_says_what_was_done(tmp_path, sample):
    packed = sample.result
    assert (packed.input_path.name, packed.output_path.name) == ("sample.txt", "sample.txt.lks")
    assert (packed.original_bytes, packed.compressed_bytes) == (len(TEXT), len(sample.data))
    assert packed.bits_per_byte == 8 * len(sample.data) / len(TEXT)
    assert packed.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert packed.parameters == tiny().resolve(len(TEXT))
    assert packed.seconds > 0 and packed.bytes_per_second == len(TEXT) / packed.seconds
    assert packed.backend == "numba"
    restored = decompress(written(tmp_path / "in.lks", sample.data))
    assert (restored.input_path, restored.output_path) == (tmp_path / "in.lks", tmp_path / "sample.txt")
    assert dataclasses.replace(restored, input_path=packed.input_path, output_path=packed.output_path,
                               seconds=packed.seconds, direction="compress") == packed
    assert restored.parameters == packed.parameters
    assert (packed.direction, restored.direction) == ("compress", "decompress")


def test_a_file_made_on_one_backend_is_decoded_on_another(tmp_path, sample):
    here = decompress(written(tmp_path / "in.lks", sample.data), tmp_path / "out")
    there = decompress(tmp_path / "in.lks", tmp_path / "again", Settings(backend="numpy"))
    assert (here.backend, there.backend) == ("numba", "numpy")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "out").read_bytes() == TEXT


def test_a_result_names_no_backend_where_there_is_no_network(tmp_path, float_sample):
    assert compress(written(tmp_path / "noise", NOISE[:100]), settings=tiny()).backend is None
    assert compress(written(tmp_path / "certain", b"a" * 1_000), settings=tiny()).backend is None
    assert decompress(tmp_path / "noise.lks", tmp_path / "again").backend is None
    assert float_sample.result.backend == "tensorflow"


def test_what_a_file_says_itself_is_not_taken_from_whoever_decodes_it(tmp_path, no_network, sample):
    with pytest.raises(SettingsError, match="the file says rnn_units itself; to decompress, only how to run can be chosen"):
        decompress(written(tmp_path / "in.lks", sample.data), tmp_path / "out", Settings(rnn_units=8))
    assert names(tmp_path) == ["in.lks"]


@pytest.mark.parametrize("run, name", [(compress, "text"), (decompress, "float.lks")])
def test_a_backend_that_cannot_run_a_float_network_is_refused(tmp_path, float_sample, run, name):
    written(tmp_path / "text", TEXT)
    written(tmp_path / "float.lks", float_sample.data)
    chosen = tiny(arithmetic="float32", backend="numpy") if run is compress else Settings(backend="numpy")
    with pytest.raises(SettingsError, match="arithmetic=float32 runs on tensorflow alone, not on numpy"):
        run(tmp_path / name, tmp_path / "out", chosen)
    assert names(tmp_path) == ["float.lks", "text"]


def test_inspect_says_what_a_file_holds(tmp_path, sample, segmented):
    contents = inspect(written(tmp_path / "in.lks", segmented.data))
    assert (contents.header.name, contents.header.original_bytes) == ("sample.txt", len(TEXT))
    assert contents.header.sha256 == hashlib.sha256(TEXT).digest()
    assert contents.parameters == sample.result.parameters and contents.environment is None
    assert (contents.compressed_bytes, contents.intact_segments) == (len(segmented.data), 3)
    assert contents.fault is None
    damaged = inspect(written(tmp_path / "in.lks", segmented.data[:-1]))
    assert damaged.intact_segments == 2 and "cut short in segment 3" in str(damaged.fault)


def test_inspect_says_where_a_float_file_was_made(tmp_path, float_sample):
    contents = inspect(written(tmp_path / "in.lks", float_sample.data))
    assert contents.parameters == float_sample.result.parameters and contents.parameters.arithmetic == "float32"
    assert contents.environment == Environment.enter() and contents.intact_segments == 3


def test_inspect_says_what_a_stored_file_holds(tmp_path):
    stored = compress(written(tmp_path / "noise", b"noise"), settings=tiny()).output_path
    contents = inspect(stored)
    assert (contents.parameters, contents.environment, contents.intact_segments) == (None, None, 0)
    assert contents.fault is None
    assert "followed by bytes" in str(inspect(written(stored, stored.read_bytes() + b"x")).fault)


def test_progress_rises_to_the_end(tmp_path, segmented, monkeypatch):
    monkeypatch.setattr(loop, "_PROGRESS_SECONDS", -1)
    seen = []
    decompress(written(tmp_path / "in.lks", segmented.data), tmp_path / "out", progress=seen.append)
    assert len(seen) == segmented.streams.steps + 1
    for before, after in zip(seen, seen[1:]):
        assert before.done <= after.done and before.bits <= after.bits and before.seconds <= after.seconds
    assert seen[0].done == 3 and seen[-1].done == len(TEXT) and {one.total for one in seen} == {len(TEXT)}
    assert seen[-1].bits == 8 * sum(len(segment.payload) for segment in take_apart(segmented.data, 185)[1])


def test_a_container_takes_at_most_75_bytes_besides_the_name_in_it(tmp_path):
    """All but payload and set of byte values, for less than 64 KB."""
    packed = compress(written(tmp_path / "book.txt", TEXT))
    header, (segment,) = take_apart(packed.output_path.read_bytes(), -(-len(TEXT) // packed.parameters.batch_size))
    container = packed.compressed_bytes - len(segment.payload) - len(header.description)
    assert container - len("book.txt") <= 75


@pytest.mark.parametrize("preset", ["auto", "network"])
@pytest.mark.parametrize("size", [60_000, 99_999, 131_072])
def test_a_container_of_one_segment_is_within_96_bytes_for_names_up_to_17_letters(preset, size):
    complete = Settings(preset=preset).resolve(size)
    number, overrides = complete.to_header()
    header = Header(size, bytes(32), "n" * 17, number, overrides=overrides)
    payload = bytes(size // 2)
    assert len(coded_file(header, [Segment(-(-size // complete.batch_size), payload, bytes(8))])) - len(payload) <= 96


# --- names ---

@pytest.mark.parametrize("name", ["plain.txt", "naïve 名前.txt", "a b", "-f", ".hidden", "no.lks", "12:30", "~", "%41"])
def test_the_original_gets_its_name_back(tmp_path, name):
    packed = compress(written(tmp_path / name, b"data"), tmp_path / "packed.lks").output_path
    (tmp_path / name).unlink()
    assert decompress(packed).output_path == tmp_path / name
    assert (tmp_path / name).read_bytes() == b"data"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["two\nlines", "back\\slash", "..\\up", "C:x", "a::b", "\x1b[31m", "\u202e", "\udcff.txt", "Shot 1.02\u202fPM.png", "\u3000"],
                         ids=ascii)
def test_an_odd_name_comes_back_as_it_was(tmp_path, name):
    packed = compress(written(tmp_path / name, b"data"), tmp_path / "packed.lks").output_path
    (tmp_path / name).unlink()
    restored = decompress(packed).output_path
    assert restored == tmp_path / name and restored.read_bytes() == b"data"
    said = inspect(packed).facts()[0][1]
    assert said == shown(said)


@pytest.mark.parametrize("name", ["n" * 255, "é" * 100 + ".tar", "x" * 100 + "." + "y" * 100, "." * 200], ids=ascii)
@pytest.mark.parametrize("data", [b"", b"a", NOISE], ids=len)
def test_a_long_name_comes_back_whole_beyond_the_promised_bytes(tmp_path, name, data, monkeypatch):
    monkeypatch.setattr(compression, "_NEVER_SHRINKS", 1_000_000)
    packed = compress(written(tmp_path / name, data), tmp_path / "packed.lks")
    assert packed.compressed_bytes <= len(data) + 96 + len(name.encode())
    (tmp_path / name).unlink()
    assert decompress(packed.output_path).output_path == tmp_path / name
    assert (tmp_path / name).read_bytes() == data


def test_a_name_that_this_system_cannot_have_becomes_a_near_one(tmp_path, monkeypatch):
    packed = compress(written(tmp_path / "a:b", b"data"), tmp_path / "packed.lks").output_path
    monkeypatch.setattr(compression, "near_name", lambda name: near_name(name, is_windows=True))
    lines = []
    assert decompress(packed, warn=lines.append).output_path == tmp_path / "a_b"
    assert lines == ["this system cannot have the name a:b: the output is a_b"]


# --- refused before anything is done ---

@pytest.mark.parametrize("source, target, kind, message", [
    ("missing", "out", InputError, "there is no file"),
    (".", "out", InputError, "is a folder"),
    ("in", "in", OutputError, "is read as input"),
    ("in", "missing/out", OutputError, "there is no folder"),
    ("in", "in/out", OutputError, "there is no folder|Not a directory"),
])
@pytest.mark.parametrize("run", [compress, decompress])
def test_a_run_that_could_not_end_well_does_not_begin(tmp_path, no_network, run, source, target, kind, message):
    if (run, source) == (compress, "."):
        target, kind, message = "in", OutputError, "would lie in the folder"        # it takes folders
    stored = stored_file(b"data", "name")
    written(tmp_path / "in", stored)
    with pytest.raises(kind, match=message):
        run(tmp_path / source, tmp_path / target)
    assert names(tmp_path) == ["in"] and (tmp_path / "in").read_bytes() == stored


def test_a_network_that_does_not_fit_into_memory_is_not_begun(tmp_path, no_network, monkeypatch):
    for module in (plan, contents):
        monkeypatch.setattr(module, "available_memory", lambda: 10_000_000)
    with pytest.raises(InputError, match="use a smaller network"):
        compress(written(tmp_path / "in", TEXT), settings=Settings(rnn_units=2_000))
    assert names(tmp_path) == ["in"]


def test_an_input_that_does_not_fit_into_memory_is_not_read(tmp_path, monkeypatch):
    for module in (plan, contents):
        monkeypatch.setattr(module, "available_memory", lambda: 4_000)
    with pytest.raises(InputError, match="has 553 bytes, more than this machine's memory"):
        compress(written(tmp_path / "in", TEXT))


def test_an_interrupted_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(progress):
        raise KeyboardInterrupt
    monkeypatch.setattr(loop, "_PROGRESS_SECONDS", -1)
    with pytest.raises(KeyboardInterrupt):
        compress(written(tmp_path / "in", TEXT), settings=tiny(), progress=interrupt)
    assert names(tmp_path) == ["in"]


# --- damaged ---

def certain_file():
    """A coded file of ten segments that needs no network: one byte value, 1,000 times."""
    data = b"a" * 1_000
    return coded_file(Header(1_000, hashlib.sha256(data).digest(), "a", preset=1, overrides={1: 10},
                             description=ByteSource.from_bytes(data).description()),
                      [Segment(10, b"", bytes(8))] * 10)


@pytest.fixture(params=["coded", "certain", "stored"])
def intact(request, sample):
    """A file of each kind."""
    return dict(coded=sample.data, certain=certain_file(), stored=stored_file(TEXT, "book.txt"))[request.param]


def test_a_file_that_is_cut_at_any_byte_is_refused(tmp_path, intact):
    for length in range(len(intact)):
        refused(tmp_path, intact[:length])


@pytest.mark.parametrize("mask", [0x01, 0xFF], ids=hex)
def test_a_file_with_any_byte_changed_is_refused(tmp_path, intact, mask):
    for position in range(len(intact)):
        refused(tmp_path, flipped(intact, position, mask))


@pytest.mark.parametrize("data", [NOISE, MAGIC + b"\x01" + NOISE, b"", stored_file(TEXT, "book.txt") * 2, TEXT],
                         ids=["noise", "noise after the magic", "nothing", "a file twice", "text"])
def test_what_is_no_lks_file_is_refused(tmp_path, data):
    refused(tmp_path, data)
    with pytest.raises(FormatError):
        contents = inspect(tmp_path / "in.lks")
        raise contents.fault or AssertionError("nothing was found wrong")


def test_what_comes_out_wrong_is_not_written(tmp_path):
    for data in (with_header(certain_file(), 100, sha256=bytes(32)),
                 Header(4, bytes(32), "name").to_bytes() + b"data"):
        message = refused(tmp_path, data)
        assert "not the original (its SHA-256 differs)" in message and "holds what came out, unchecked" in message
    assert (tmp_path / "out.partial").read_bytes() == b"data"


def test_a_disk_without_room_for_the_original_is_named_before_the_run(tmp_path, no_network, sample, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=500))
    refused(tmp_path, sample.data, OutputError, "will take 553 bytes, and its disk has 500 free")


def beginning(data, segment_count):
    """The first segments of a file of three."""
    header, segments = take_apart(data, 185)
    return coded_file(header, segments[:segment_count])


def with_fingerprint(data, number):
    """A file of three segments with another fingerprint after segment `number`, and valid checksums."""
    header, segments = take_apart(data, 185)
    segments[number] = dataclasses.replace(segments[number], fingerprint=b"another!")
    return coded_file(header, segments)


@pytest.mark.parametrize("damage, kind, recovered, message", [
    (lambda data: flipped(data, len(beginning(data, 1)) + 5), FormatError, 1, "segment 2 is damaged"),
    (lambda data: data[:-1], FormatError, 2, "cut short in segment 3"),
    (lambda data: data + b"more", FormatError, 3, "4 bytes follow the end"),
    (lambda data: with_fingerprint(data, 1), DivergedError, 1, "the model's state after step 140 is not the encoder's"),
], ids=["segment 2 damaged", "segment 3 cut", "bytes at the end", "diverged in segment 2"])
def test_what_comes_before_a_fault_is_kept(tmp_path, segmented, damage, kind, recovered, message):
    error = refused(tmp_path, damage(segmented.data), kind, message)
    assert (kind is DivergedError) == ("try another backend" in error)
    streams, steps = segmented.streams, (70, 140, 185)[recovered - 1]
    held = f"{streams.symbols_before(steps):,} of 553 bytes, the first {steps} of every 185; the rest" if steps < 185 else "all 553 bytes; "
    assert f"{tmp_path / 'out.partial'} holds {held}" in error
    partial = (tmp_path / "out.partial").read_bytes()
    assert len(partial) == len(TEXT)
    for start in range(0, len(TEXT), streams.steps):
        assert partial[start:start + steps] == TEXT[start:start + steps]
        assert set(partial[start + steps:start + streams.steps]) <= set(b" ")      # filler


def test_a_fault_is_named_even_where_nothing_can_be_kept(tmp_path, monkeypatch):
    def full(*arguments, **how):
        raise OutputError("the disk is full")

    monkeypatch.setattr(run, "write_file", full)
    said = refused(tmp_path, certain_file()[:-1], FormatError, "cut short in segment 10")
    assert "could not be kept: the disk is full; " in said


def test_a_float_file_from_another_environment_is_decoded_after_a_warning(tmp_path, float_sample, here):
    data = with_header(float_sample.data, float_sample.streams.steps, environment=ELSEWHERE.to_header())
    events = []
    decompress(written(tmp_path / "in.lks", data), tmp_path / "out", progress=lambda progress: events.append("progress"),
               warn=events.append)
    assert events[0] == (f"the file was made with {ELSEWHERE}; this is {here}. "
                         "It may not decode here")
    assert set(events[1:]) == {"progress"}
    assert (tmp_path / "out").read_bytes() == TEXT


@pytest.mark.parametrize("kind", ["exact", "float", "certain", "stored"])
def test_a_file_that_decodes_here_is_decoded_without_a_warning(tmp_path, segmented, float_sample, kind):
    data = {"exact": segmented.data, "float": float_sample.data, "certain": certain_file(),
            "stored": stored_file(TEXT, "book.txt")}[kind]
    warnings = []
    decompress(written(tmp_path / "in.lks", data), tmp_path / "out", warn=warnings.append)
    assert warnings == [] and (tmp_path / "out").read_bytes() == (b"a" * 1_000 if kind == "certain" else TEXT)


def test_a_float_run_that_diverges_names_both_environments(tmp_path, float_sample, here):
    data = with_header(with_fingerprint(float_sample.data, 0), 185, environment=ELSEWHERE.to_header())
    message = refused(tmp_path, data, DivergedError, "the model's state after step 70 is not the encoder's")
    assert "Nothing could be recovered" in message and names(tmp_path) == ["in.lks"]
    assert f"the file was made with {ELSEWHERE}, and this is {here}. " in message and message.endswith("decode it where it was made")


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_an_exact_run_that_diverges_names_the_backend_and_says_to_try_another(tmp_path, segmented, backend):
    message = refused(tmp_path, with_fingerprint(segmented.data, 0), DivergedError,
                      "the model's state after step 70 is not the encoder's", Settings(backend=backend))
    assert "Nothing could be recovered" in message and names(tmp_path) == ["in.lks"]
    assert f"{backend} or this machine's memory is at fault. " in message
    assert message.endswith("try another backend or machine, and report it")


# --- made to do harm, with valid checksums ---

TERABYTES = 2 ** 44


@pytest.mark.parametrize("data, kind, message", [
    (crafted_file(2 ** 40, original_bytes=TERABYTES), FormatError, "more than the file can hold"),
    (crafted_file(100, original_bytes=TERABYTES), FormatError, "more than the rest can be a part of"),
    (crafted_file(2 ** 40, original_bytes=TERABYTES, description=b"\x00\x80"), InputError, "GB of memory"),
    (header_block(preset=0, original_bytes=TERABYTES), FormatError, "cut short: it holds 0 of"),
    (crafted_file(100, original_bytes=1_600, overrides={4: 8192, 5: 8}), InputError, "use a smaller network"),
    (crafted_file(100, original_bytes=1_600, overrides={4: 8192, 11: "exact"}), InputError, "use a smaller network"),
    (crafted_file(1, original_bytes=0), FormatError, "."),
    (header_block(original_bytes=0), FormatError, "."),
    (crafted_file(63, preset=99), FormatError, "preset 99, which this version of Lockstep does not know"),
    (crafted_file(63, overrides={99: 1}), FormatError, "parameter 99, which this version"),
    (crafted_file(63, overrides={"rnn_units": 64}), FormatError, "parameter rnn_units, which this version"),
    (crafted_file(63, overrides={1: 0}), FormatError, "batch_size must be 1 to 512, got 0"),
    (crafted_file(63, overrides={1: None}), FormatError, "batch_size must be"),
    (crafted_file(63, overrides={5: None}), FormatError, "num_layers must be"),
    (crafted_file(63, overrides={4: "\n7"}), FormatError, "rnn_units must be"),
    (crafted_file(63, overrides={4: "64"}), FormatError, "rnn_units must be 8 to 8192, got '64'"),
    (crafted_file(63, environment=["cpu", 1, "x", 2]), FormatError, "note on where the file was made is damaged"),
    (crafted_file(63, overrides={12: "zip"}), FormatError, "coder must be one of"),
    (crafted_file(63, source_kind=9), FormatError, "data of kind 9, which this version"),
    (crafted_file(63, description=b"\xfa" + bytes(9)), FormatError, "set of byte values is damaged"),
    (header_block(name="../up"), FormatError, "not a plain file name"),
    (frame(b"\x97\x05\xc4\x20" + bytes(32) + b"\xa1a\x01\xc0\x90\x81\x90\x01"), FormatError, "the header"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_header_made_to_do_harm_is_refused_before_it_can(tmp_path, no_network, monkeypatch, data, kind, message):
    for module in (plan, contents):
        monkeypatch.setattr(module, "available_memory", lambda: 2 ** 30)
    refused(tmp_path, data, kind, message)


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_a_payload_made_up_is_a_run_that_diverges(tmp_path, here, arithmetic):
    preset, overrides = tiny(arithmetic=arithmetic).resolve(0).to_header()
    data = crafted_file(100, NOISE, original_bytes=300, description=b"\x00\xf8", preset=preset, overrides=overrides,
                        environment=here.to_header() if arithmetic == "float32" else ())
    assert "Nothing could be recovered" in refused(tmp_path, data, DivergedError)
