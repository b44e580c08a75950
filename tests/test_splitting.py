"""Splitting: parts that, coded one after the other, hold what the whole holds, and that join to the very bytes."""

import hashlib
import json
import os
import random
import shutil
import struct
import zlib

import msgpack
import numpy as np
import pytest
from samples import FAST, TEXT, tiny

from lib import (
    CheckpointError,
    FormatError,
    InputError,
    LockstepError,
    Manifest,
    OutputError,
    Settings,
    SettingsError,
    compress,
    decompress,
    inspect,
    join,
    resume,
    split,
)
from lib.__main__ import main
from lib.limits import LARGEST_MANIFEST
from lib.resume import splitting
from lib.sources import PartSource, part
from lib.sources.part import PartDescription
from lib.sources.recognition import source_of

DATA = bytes(range(200)) + TEXT * 3
SETTINGS = {
    "contexts": Settings(preset="fast", contexts="text"),
    "records": Settings(preset="fast", contexts="binary"),
    "network": tiny(batch_size=None),
    "both": Settings(preset="balanced", rnn_units=8, num_layers=1, embedding_size=4, seq_length=5, update_interval=3, primer="none"),
}


def folders(tmp_path, *names):
    made = [tmp_path / name for name in names]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def whole(tmp_path):
    (tmp_path / "book").write_bytes(DATA)
    return tmp_path / "book"


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("batch_size, parts", [(1, 4), (3, 2), (5, 3)])
def test_aligned_parts_take_what_the_whole_takes_and_come_back(tmp_path, whole, kind, batch_size, parts):
    cut, coded, back = folders(tmp_path, "cut", "coded", "back")
    settings = SETTINGS[kind]
    unsplit = compress(whole, settings=settings.with_values({"batch_size": batch_size})).compressed_bytes
    path, manifest = split(whole, parts, cut, batch_size=batch_size)
    for name, size, sha256 in manifest.parts:
        data = (cut / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256)
        compress(cut / name, coded / f"{name}.lks", settings)
    files = [coded / f"{name}.lks" for name, _, _ in manifest.parts]
    frame = 180                                               # header and a segment's frame; nothing is lost beside them
    assert sum(file.stat().st_size for file in files) <= unsplit + frame * (parts - 1)
    for state in coded.glob("*.state"):
        state.unlink()                                        # another machine has none of these
    for file in files:
        decompress(file, back / inspect(file).header.name)
    shutil.copy(path, back)
    joined, _ = join(back / path.name)
    assert joined == back / "book" and joined.read_bytes() == DATA


def test_aligned_parts_go_through_the_very_symbols_of_the_whole(whole, tmp_path):
    for number in range(1, 4):
        split(whole, 3, tmp_path, batch_size=4, overwrite=True)
        source = source_of((tmp_path / f"book.part{number}of3").read_bytes(), Settings())
        streams = source.place.streams
        assert source.restore(source.symbols()) == (tmp_path / f"book.part{number}of3").read_bytes()
        matrix = streams.lay_out(source.symbols())
        steps = -(-len(DATA) // 4)
        for row, step in enumerate(range(streams.first, streams.end)):
            for stream in range(int(streams.active(step))):
                assert source.values[matrix[row, stream]] == DATA[stream * steps + step]
        assert (streams.join(matrix) == source.symbols()).all()


def test_a_part_that_was_stopped_goes_on(tmp_path, whole, stop_after):
    cut, unbroken, stopped = folders(tmp_path, "cut", "unbroken", "stopped")
    _, manifest = split(whole, 2, cut)
    first, second = (name for name, _, _ in manifest.parts)
    for folder in (unbroken, stopped):
        compress(cut / first, folder / first, SETTINGS["contexts"])
    compress(cut / second, unbroken / second, SETTINGS["contexts"])
    stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        compress(cut / second, stopped / second, SETTINGS["contexts"], checkpoint=tmp_path / "kept")
    compress(cut / second, stopped / second, SETTINGS["contexts"], checkpoint=tmp_path / "kept")
    assert (stopped / second).read_bytes() == (unbroken / second).read_bytes()


def test_the_state_of_a_part_is_not_resumed(tmp_path, whole):
    _, manifest = split(whole, 2)
    compress(tmp_path / manifest.parts[0][0], settings=SETTINGS["contexts"])
    state, = tmp_path.glob("*.state")
    with pytest.raises(CheckpointError, match="is not the checkpoint of a run; a part's state is used automatically"):
        resume(state)


def test_settings_are_those_of_the_first_part(tmp_path, whole):
    _, manifest = split(whole, 2, tmp_path)
    first, second = (tmp_path / name for name, _, _ in manifest.parts)
    compress(first, settings=tiny(batch_size=None))
    with pytest.raises(CheckpointError, match="the parts before were coded with rnn_units=8, and not with 16; leave it out"):
        compress(second, settings=tiny(batch_size=None, rnn_units=16))
    assert compress(second).parameters == tiny(batch_size=1).resolve(len(DATA))


def test_a_split_file_is_coded_in_the_streams_that_it_was_split_for(tmp_path, whole):
    _, manifest = split(whole, 2, tmp_path, batch_size=3)
    with pytest.raises(Exception, match="the file was split for batch_size=3, got 4; leave it out, or split the file anew"):
        compress(tmp_path / manifest.parts[0][0], settings=Settings(preset="fast", batch_size=4))


@pytest.mark.parametrize("direction", ["compress", "decompress"])
def test_a_part_needs_what_the_one_before_left(tmp_path, whole, direction):
    _, manifest = split(whole, 2, tmp_path)
    paths = [tmp_path / name for name, _, _ in manifest.parts]
    for path in paths:
        compress(path, settings=SETTINGS["contexts"])
    state, = tmp_path.glob("*.part1of2.state")
    code, later, folder = compress, paths[1], tmp_path / "alone"
    if direction == "decompress":
        code, later = decompress, tmp_path / f"{paths[1].name}.lks"
    folder.mkdir()
    moved = shutil.copy(later, folder)
    with pytest.raises(InputError, match=f"part 2 goes on from where part 1 ended; code that one first, or put its {state.name} into"):
        code(moved)
    other = b"x" + DATA[1:]
    whole.write_bytes(other)
    split(whole, 2, tmp_path, overwrite=True)
    compress(paths[0], settings=SETTINGS["contexts"], overwrite=True)
    theirs = next(path for path in tmp_path.glob("*.part1of2.state") if path != state)
    shutil.copy(theirs, folder / state.name)
    with pytest.raises(CheckpointError, match="belongs to another file than this part"):
        code(moved)
    (folder / state.name).write_bytes(state.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        code(moved)
    shutil.copy(state, folder)
    code(moved)


@pytest.mark.parametrize("size, parts", [(10, 3), (1, 1), (7, 7)])
def test_independent_parts_are_plain_stretches(tmp_path, size, parts):
    (tmp_path / "in").write_bytes(DATA[:size])
    path, manifest = split(tmp_path / "in", parts, independent=True)
    assert b"".join((tmp_path / name).read_bytes() for name, _, _ in manifest.parts) == DATA[:size]
    assert join(path, tmp_path / "out")[0].read_bytes() == DATA[:size]


@pytest.mark.parametrize("size, parts, batch_size", [(4, 1, 4), (1, 1, 1), (100, 7, 16), (101, 34, 3), (1_500, 1_500, 1)])
def test_aligned_parts_of_any_size_join(tmp_path, size, parts, batch_size):
    (tmp_path / "in").write_bytes(DATA[:size])
    path, _ = split(tmp_path / "in", parts, batch_size=batch_size)
    assert join(path, tmp_path / "out")[0].read_bytes() == DATA[:size]


def test_even_parts_that_do_not_shrink_go_on(tmp_path):
    noise = random.Random(1).randbytes(50)
    (tmp_path / "in").write_bytes(noise)
    _, manifest = split(tmp_path / "in", 3, batch_size=2)
    for name, _, _ in manifest.parts:
        compress(tmp_path / name, settings=SETTINGS["contexts"])
        (tmp_path / name).rename(tmp_path / f"{name}.kept")
    for name, _, _ in manifest.parts:
        assert decompress(tmp_path / f"{name}.lks").output_path.read_bytes() == (tmp_path / f"{name}.kept").read_bytes()


def test_join_names_what_is_missing_or_damaged(tmp_path, whole):
    path, manifest = split(whole, 4)
    first, second, third, fourth = (tmp_path / name for name, _, _ in manifest.parts)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    fourth.write_bytes(fourth.read_bytes()[:-1] + b"!")
    with pytest.raises(InputError) as refused:
        join(path, tmp_path / "out")
    assert str(refused.value) == (f"book needs all of its 4 parts, and book.part1of4 is not in {tmp_path}, "
                                  "and book.part2of4, book.part4of4 are damaged; put all of them there; decompress damaged ones again")
    assert not (tmp_path / "out").exists()


def changed_part(number, **changes):
    """A change of one part's entry."""
    return lambda fields: fields | {"parts": [part | changes if index == number else part for index, part in enumerate(fields["parts"])]}


OTHER_PARTS, DAMAGED, NO_MANIFEST = "is not part . of book", "holds a value out of bounds", "is no manifest of parts"


@pytest.mark.parametrize("change, error", [
    (lambda fields: fields | {"sha256": "0" * 64}, OTHER_PARTS),
    (lambda fields: fields | {"sha256": fields["sha256"][:16] + "0" * 48}, "the joined parts are not book"),
    (lambda fields: fields | {"sha256": fields["sha256"].upper()}, DAMAGED),
    (lambda fields: fields | {"sha256": 5}, DAMAGED),
    (lambda fields: fields | {"name": "../book"}, DAMAGED),
    (lambda fields: fields | {"name": ["book"]}, DAMAGED),
    (lambda fields: fields | {"name": fields["parts"][0]["name"]}, DAMAGED),
    (lambda fields: fields | {"lockstep_parts": 2}, "has version 2; this version of Lockstep reads 1"),
    (lambda fields: fields | {"lockstep_parts": True}, DAMAGED),
    (lambda fields: fields | {"batch_size": fields["batch_size"] + 90}, OTHER_PARTS),
    (lambda fields: fields | {"batch_size": 513}, DAMAGED),
    (lambda fields: fields | {"batch_size": True}, DAMAGED),
    (lambda fields: fields | {"batch_size": 0}, DAMAGED),                 # of independent parts, whose sizes add up to the whole's
    (lambda fields: fields | {"size": float("inf")}, DAMAGED),
    (lambda fields: fields | {"size": float(fields["size"])}, DAMAGED),
    (lambda fields: fields | {"size": str(fields["size"])}, DAMAGED),
    (lambda fields: fields | {"size": -1}, DAMAGED),
    (lambda fields: fields | {"size": 1 << 48}, DAMAGED),
    (lambda fields: fields | {"size": fields["size"] - 1}, OTHER_PARTS),
    (lambda fields: fields | {"parts": fields["parts"][::-1]}, OTHER_PARTS),
    (lambda fields: fields | {"parts": fields["parts"][:1]}, DAMAGED),
    (lambda fields: fields | {"parts": fields["parts"][:1] * 2}, DAMAGED),
    (lambda fields: fields | {"parts": []}, DAMAGED),
    (lambda fields: fields | {"parts": fields["parts"] * 5_000}, DAMAGED),
    (lambda fields: fields | {"parts": {"name": 1}}, NO_MANIFEST),
    (changed_part(1, size=-1), DAMAGED),
    (changed_part(1, sha256="x" * 64), DAMAGED),
    (changed_part(1, name="a/b"), DAMAGED),
    (changed_part(1, name=None), DAMAGED),
    (lambda fields: {"parts": []}, NO_MANIFEST),
    (lambda fields: [], NO_MANIFEST),
    (lambda fields: None, NO_MANIFEST),
    (lambda fields: fields | {"parts": [{"name": "/etc/passwd", "size": 1, "sha256": ""}]}, DAMAGED),
])
def test_a_manifest_that_is_none_is_refused(whole, tmp_path, change, error):
    path, _ = split(whole, 2)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError, match=error):
        join(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'{"lockstep_parts": 1, "size": 1e400', b"\xff\xfe", b"", b"1" * 5_000])
def test_a_text_that_is_no_manifest_is_one_line(tmp_path, text, capsys):
    (tmp_path / "x.parts.json").write_bytes(text)
    assert main(["join", str(tmp_path / "x.parts.json")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "x.parts.json is no manifest of parts, or damaged; choose the .parts.json file" in said


ODD = [None, True, -1, 0, 1, 2, 513, 1 << 48, 1 << 70, 1.5, 1e300, float("nan"), "", "x", "book.part1of2", "0" * 64, [], [[]], {}, {"name": 1}]


def mutated(value, odd):
    """A JSON value with one thing in it replaced, removed or doubled."""
    if isinstance(value, dict) and value and odd.random() < 0.9:
        key = odd.choice(list(value))
        if odd.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return value | {key: mutated(value[key], odd)}
    if isinstance(value, list) and value and odd.random() < 0.9:
        place = odd.randrange(len(value))
        kept = [] if odd.random() < 0.1 else [mutated(value[place], odd)] * odd.choice((1, 1, 1, 2))
        return value[:place] + kept + value[place + 1:]
    if type(value) is int and odd.random() < 0.5:
        return value + odd.choice((-1, 1, 90))
    return odd.choice(ODD)


def test_whatever_a_manifest_holds_the_whole_comes_out_or_an_error_of_ours(tmp_path, whole):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    path, _ = split(whole, 2, batch_size=3)
    genuine = path.read_text()
    for _ in range(600):
        if odd.random() < 0.7:
            text = json.dumps(mutated(json.loads(genuine), odd)).encode()
        else:
            text = bytearray(genuine.encode())
            for _ in range(odd.choice((1, 2, 5))):
                text[odd.randrange(len(text))] = odd.choice((*b'{}[]",:-0123456789e.', odd.randrange(256)))
        path.write_bytes(text)
        try:
            join(path, tmp_path / "out", overwrite=True)
        except LockstepError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
            assert (tmp_path / "out").read_bytes() == DATA
    assert outcomes[True] > 3 and outcomes[False] > 400


def sealed(packed, version=1):
    """A part file's header with a right checksum, whatever it holds."""
    start = part.MAGIC + bytes([version]) + struct.pack("<H", len(packed)) + packed
    return start + struct.pack("<I", zlib.crc32(start))


def test_whatever_a_part_holds_is_itself_or_an_error_of_ours(tmp_path, whole):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    path, manifest = split(whole, 2, batch_size=3)
    first = tmp_path / manifest.parts[0][0]
    genuine = first.read_bytes()
    place, start = PartSource.place_of(first)
    fields = msgpack.unpackb(place.to_bytes())
    deep = b"\x91" * 250
    assert sealed(place.to_bytes()) == genuine[:start]
    for _ in range(500):
        if odd.random() < 0.7:
            changed = [value if odd.random() < 0.8 else odd.choice([*ODD[:-1], b"", b"12345678", "12345678", bytes(32), float(value)
                       if type(value) is int else 7]) for value in fields]
            try:
                packed = msgpack.packb(changed if odd.random() < 0.9 else odd.choice((changed[:-1], changed + [1], changed[0], {})))
            except OverflowError:
                packed = deep
            data = sealed(packed) + genuine[start:]
        else:
            data = bytearray(genuine)
            for _ in range(odd.choice((1, 2))):
                data[odd.randrange(len(data))] = odd.randrange(256)
            data = bytes(data[:odd.choice((len(data), odd.randrange(len(data))))])
        first.write_bytes(data)
        for read in (lambda: PartSource.place_of(first), lambda data=data: source_of(data, Settings()), lambda: join(path, overwrite=True)):
            try:
                read()
            except LockstepError:
                outcomes[False] += 1
            else:
                outcomes[True] += 1
        assert whole.read_bytes() == DATA
    assert min(outcomes.values()) > 100


@pytest.mark.parametrize("batch_size", [0, -5, 513, 1_000, True, 2.5, "x", len(DATA) + 1])
def test_streams_that_nothing_reads_are_refused_before_anything_is_written(tmp_path, whole, batch_size):
    (tmp_path / "short").write_bytes(DATA[:400])
    with pytest.raises(SettingsError if batch_size != len(DATA) + 1 else LockstepError, match="batch_size must be 1 to 512") as refused:
        split(whole, 2, batch_size=batch_size)
    assert refused.value.parameter == "batch_size"
    with pytest.raises(InputError, match="batch_size must be at most 400 for a file of 400 bytes, got 401"):
        split(tmp_path / "short", 2, batch_size=401)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book", "short"]


@pytest.mark.parametrize("parts", [True, 2.0, "2", None, -1, 10_000, float("inf")])
def test_a_number_of_parts_is_a_whole_one(tmp_path, whole, parts):
    with pytest.raises(InputError, match="parts must be 1 to ") as refused:
        split(whole, parts)
    assert refused.value.parameter == "parts" and list(tmp_path.iterdir()) == [whole]
    assert split(whole, np.int64(2))[1].parts[1][0] == "book.part2of2"


def test_no_part_is_empty(tmp_path, whole):
    """An empty one was written, coded, and refused by decompress."""
    whole.write_bytes(b"abcdef")
    with pytest.raises(InputError, match="parts must be 1 to 2 for a file of 6 bytes in 3 streams, got 3"):
        split(whole, 3, batch_size=3)
    for number in (1, 2):
        split(whole, number, tmp_path, batch_size=3, overwrite=True)
        for index in range(1, number + 1):
            path = tmp_path / f"book.part{index}of{number}"
            packed = compress(path, settings=SETTINGS["contexts"])
            assert decompress(packed.output_path, tmp_path / "back", overwrite=True).output_path.read_bytes() == path.read_bytes()


def test_empty_parts_of_earlier_versions_come_back(tmp_path):
    paths = []
    for number in (1, 2, 3):
        place = PartDescription(hashlib.sha256(b"abc").digest()[:8], 3, 4, number, 3, "text", np.frombuffer(b"abc", np.uint8))
        data = b"".join(b"abc"[start:end] for start, end in place.streams.stretches())
        (tmp_path / f"x.part{number}of3").write_bytes(PartSource(place).header() + data)
        paths.append(compress(tmp_path / f"x.part{number}of3", settings=SETTINGS["contexts"]).output_path)
    for path in paths:
        assert decompress(path, tmp_path / "back", overwrite=True).output_path.read_bytes() == path.with_suffix("").read_bytes()


@pytest.mark.parametrize("name", ["\u202f \u200d\n.txt", "x:y\\z", "n" * 255])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_what_split_writes_join_reads(tmp_path, name):
    (tmp_path / name).write_bytes(DATA)
    if len(name) == 255:
        with pytest.raises(InputError, match="is too long a name for parts of it; give the file a shorter one"):
            split(tmp_path / name, 2)
        assert len(list(tmp_path.iterdir())) == 1
        return
    path, _ = split(tmp_path / name, 2)
    (tmp_path / name).unlink()
    assert join(path)[0] == tmp_path / name and (tmp_path / name).read_bytes() == DATA


def test_the_longest_manifest_fits():
    stem = "\udcff" * (255 - len(".part9999of9999"))
    names = [f"{stem}.part{number:04}of9999" for number in range(1, 10_000)]
    manifest = Manifest(stem, 255 * 9_999, "0" * 64, 0, tuple((name, 255, "0" * 64) for name in names))
    text = manifest.to_json()
    assert len(text) < LARGEST_MANIFEST and Manifest.from_json(text, "x") == manifest


def test_joined_into_a_folder(tmp_path, whole):
    path, _ = split(whole, 2)
    (tmp_path / "folder").mkdir()
    assert join(path, tmp_path / "folder")[0] == tmp_path / "folder" / "book"


def test_nothing_is_replaced_unasked(whole, tmp_path):
    path, _ = split(whole, 2)
    with pytest.raises(OutputError, match="book.part1of2 exists already"):
        split(whole, 2)
    with pytest.raises(OutputError, match="book exists already"):
        join(path)
    (tmp_path / "empty").touch()
    for independent in (False, True):
        with pytest.raises(InputError, match="empty is empty; there is nothing to split"):
            split(tmp_path / "empty", 1, independent=independent)
    for parts in (0, len(DATA) + 1):
        with pytest.raises(InputError, match="parts must be 1 to"):
            split(whole, parts)


@pytest.mark.parametrize("place", range(0, 60, 3))
def test_a_damaged_part_is_told(tmp_path, whole, place):
    split(whole, 2)
    data = bytearray((tmp_path / "book.part1of2").read_bytes())
    data[place] ^= 0x10
    if place < 8:
        assert not isinstance(source_of(bytes(data), Settings()), PartSource) or place == 7
        return
    with pytest.raises(FormatError):
        source_of(bytes(data), Settings())


def test_the_command_line_splits_and_joins(whole, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["split", "book", "--parts", "2"]) == 0
    whole.unlink()
    assert main(["join", "book.parts.json"]) == 0 and whole.read_bytes() == DATA
    assert capsys.readouterr().out == (
        f"book.parts.json: 2 parts of book, {len(DATA):,} bytes\n"
        f"book: {len(DATA):,} bytes, SHA-256 {hashlib.sha256(DATA).hexdigest()} checked\n")


@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("after", [0, 1])
def test_a_file_that_changes_while_it_is_split_is_refused_at_once(tmp_path, monkeypatch, independent, after):
    source = tmp_path / "in"
    source.write_bytes(bytes(range(250)) * 40)
    (tmp_path / "parts").mkdir()
    real, written = splitting._write_part, []

    def write_part(*arguments):
        if len(written) == after:                   # the size stays
            source.write_bytes(bytes(range(1, 251)) * 40)
        written.append(real(*arguments))
        return written[-1]

    monkeypatch.setattr(splitting, "_write_part", write_part)
    with pytest.raises(InputError, match="in has changed while it was split; try again"):
        splitting.split(source, 3, tmp_path / "parts", independent=independent)
    assert len(written) == after and list((tmp_path / "parts").iterdir()) == []


@pytest.mark.parametrize("batch_size", [0, 1, 3, 64])
@pytest.mark.parametrize("size, parts", [(1, 1), (10, 3), (1_000, 7), (1_000, 1_000)])
def test_the_stretches_of_all_parts_are_the_whole_in_order(size, parts, batch_size):
    found = list(splitting._in_file_order(splitting._stretches(size, parts, batch_size)))
    assert [number for start, end, _ in found for number in range(start, end)] == list(range(size))
    assert {part for _, _, part in found} == set(range(parts))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["two\nlines", "back\\slash", "Shot\u202fPM", "\udcff"], ids=ascii)
def test_a_file_of_any_name_is_split_and_joined(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(200)) * 9)
    manifest, _ = splitting.split(tmp_path / name, 2, independent=True)
    (tmp_path / name).unlink()
    assert splitting.join(manifest)[0] == tmp_path / name and (tmp_path / name).read_bytes() == bytes(range(200)) * 9


def test_a_split_that_fails_removes_what_it_wrote_and_nothing_else(tmp_path, whole, monkeypatch):
    """Not a part that another made meanwhile, nor one that was there before."""
    (tmp_path / "book.part1of4").write_bytes(b"an older part")
    real, made = splitting._write_part, []

    def write_part(path, *rest):
        if path.name == "book.part3of4":
            path.write_bytes(b"another's")
        made.append(path.name)
        return real(path, *rest)

    monkeypatch.setattr(splitting, "_write_part", write_part)
    with pytest.raises(OutputError, match="book.part1of4 exists already"):
        split(whole, 4)
    (tmp_path / "book.part1of4").unlink()
    with pytest.raises(OutputError, match="book.part3of4 exists already"):
        split(whole, 4)
    assert made == ["book.part1of4", "book.part2of4", "book.part3of4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book", "book.part3of4"]
    assert (tmp_path / "book.part3of4").read_bytes() == b"another's"


def test_a_part_does_not_go_on_from_one_that_was_coded_in_another_way(tmp_path, whole):
    split(whole, 2)
    compress(tmp_path / "book.part1of2", settings=FAST)
    other = compress(tmp_path / "book.part1of2", tmp_path / "other.lks", Settings(preset="fast", table_bits=15)).output_path
    packed = compress(tmp_path / "book.part2of2", settings=Settings(preset="fast", table_bits=15)).output_path
    back = tmp_path / "back"
    back.mkdir()
    decompress(tmp_path / "book.part1of2.lks", back)
    with pytest.raises(CheckpointError, match="is the state of a part that was coded in another way; decompress the part"):
        decompress(packed, back)
    decompress(other, back, overwrite=True)
    decompress(packed, back)
