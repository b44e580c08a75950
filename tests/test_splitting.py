"""Splitting: parts that, coded one after the other, hold what the whole holds, and that join to the very bytes."""

import hashlib
import json
import os
import random
import shutil

import pytest
from samples import TEXT, tiny

from lib import CheckpointError, FormatError, InputError, OutputError, Settings, compress, decompress, inspect, join, resume, split
from lib.__main__ import main
from lib.resume import splitting
from lib.sources import PartSource, source_of

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
    with pytest.raises(CheckpointError, match="is not the checkpoint of a run; what a part leaves to the next is used by itself"):
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
    with pytest.raises(InputError, match=f"part 2 goes on from where part 1 ended: code that one first, or put its {state.name} into"):
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


@pytest.mark.parametrize("size, parts, batch_size", [(3, 3, 4), (1, 1, 1), (100, 7, 16), (101, 50, 3)])
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
    assert str(refused.value) == (f"book needs all of its 4 parts: book.part1of4 is not in {tmp_path}; "
                                  "book.part2of4, book.part4of4 are damaged: decompress again")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change, error", [
    (lambda fields: fields | {"sha256": "0" * 64}, "what the parts make is not book"),
    (lambda fields: fields | {"name": "../book"}, "holds a value out of bounds"),
    (lambda fields: fields | {"lockstep_parts": 2}, "has version 2; this version of Lockstep reads 1"),
    (lambda fields: {"parts": []}, "is no manifest of parts"),
    (lambda fields: [], "is no manifest of parts"),
    (lambda fields: fields | {"parts": [{"name": "/etc/passwd", "size": 1, "sha256": ""}]}, "holds a value out of bounds"),
])
def test_a_manifest_that_is_none_is_refused(whole, tmp_path, change, error):
    path, _ = split(whole, 2)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError, match=error):
        join(path, tmp_path / "out")


def test_nothing_is_replaced_unasked(whole, tmp_path):
    path, _ = split(whole, 2)
    with pytest.raises(OutputError, match="book.part1of2 exists already"):
        split(whole, 2)
    with pytest.raises(OutputError, match="book exists already"):
        join(path)
    (tmp_path / "empty").touch()
    for independent in (False, True):
        with pytest.raises(InputError, match="empty is empty: there is nothing to split"):
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
