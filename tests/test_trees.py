"""lib.storage.tree and zipped: folders' bytes that are damaged, or made to do harm, and those of earlier versions."""

import hashlib
import io
import json
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TEXT, flipped

from lib import FormatError, InputError, decompress
from lib.coding.container import Header
from lib.storage import folders, tree
from lib.storage.tree import MAGIC, Entry

ROOT = ["", "folder", 0o755, 0]
WHOLE = tree.to_bytes([Entry("", "folder", 0o755, 5), Entry("a", "folder", 0o755, 6), Entry("a/b", "file", 0o644, 7, 4),
                       Entry("a/c", "link", 0o777, 8, target="../d"), Entry("d", "file", 0o600, 9, 3)], [b"four", b"two"])


def made_of(*rows, content=b"", length=None):
    """A folder's bytes of any rows."""
    index = b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)
    return MAGIC + b"\x01" + b"%010d" % (len(index) if length is None else length) + index + content


def refused(data, message, folder):
    with pytest.raises(FormatError, match=message) as error:
        folders.check(data, folders.TREE)
    with pytest.raises(FormatError):
        folders.unpack(data, folder / "made", folders.TREE)
    assert list(folder.iterdir()) == [] and "\n" not in str(error.value)
    assert tree.file_places(data) == []


def test_the_bytes_of_a_folder_are_what_they_were():
    assert WHOLE == (b'\x89LKF\r\n\x1a\x010000000147["","folder",493,5]\n["a","folder",493,6]\n["a/b","file",420,7,4]\n'
                     b'["a/c","link",511,8,"../d"]\n["d","file",384,9,3]\nfourtwo').replace(b"0000000147", WHOLE[8:18])
    assert int(WHOLE[8:18]) == WHOLE.index(b"fourtwo") - 18
    entries, start = tree.parse(WHOLE)
    assert [entry.path for entry in entries] == ["", "a", "a/b", "a/c", "d"] and start == WHOLE.index(b"four")
    assert [(name, WHOLE[begin:begin + size]) for name, begin, size in tree.file_places(WHOLE)] == [("a/b", b"four"), ("d", b"two")]


def file(path, size=0):
    return [path, "file", 0o644, 0, size]


@pytest.mark.parametrize("rows", [
    [file("../out")], [file("/out")], [file("..")], [file(".")], [file("a\0")], [file("/")], [file("a/")], [file("n" * 256)],
    [file("\ud800")], [["a", "folder", 0o755, 0], file("a/..")], [["a", "folder", 0o755, 0], file("a//b")], [file("missing/in")],
    [file("a"), file("a/b")], [["a", "link", 0o777, 0, "/tmp"], file("a/b")], [["a", "link", 0o777, 0, "/tmp"], ["a/b", "folder", 0o755, 0]],
    [["a", "link", 0o777, 0, ".."], ["a/b", "link", 0o777, 0, "x"]],
], ids=ascii)
def test_what_leads_out_of_its_folder_is_refused(tmp_path, rows):
    refused(made_of(ROOT, *rows), "names a file outside of it; the file is refused", tmp_path)


@pytest.mark.parametrize("rows, message", [
    ([], "cut short"),
    ([file("")], "does not begin with the folder itself"),
    ([file("a")], "does not begin with the folder itself"),
    ([["", "link", 0o777, 0, "/tmp"]], "does not begin with the folder itself"),
    ([ROOT, ROOT], "out of order"),
    ([ROOT, file("a"), file("a")], "out of order"),
    ([ROOT, file("b"), file("a")], "out of order"),
    ([ROOT, ["a", "folder", 0o755, 0], ["b", "folder", 0o755, 0], file("a/b")], "out of order"),
    ([ROOT, file("a", -1), file("b", 1)], "out of bounds"),
    ([ROOT, file("a", 1 << 70)], "do not add up"),
    ([ROOT, file("a", 1)], "do not add up"),
    ([ROOT, file("a", 1.0)], "wrong type"),
    ([ROOT, file("a", True)], "wrong type"),
    ([ROOT, file(5)], "wrong type"),
    ([ROOT, ["a", "device", 0, 0, 0]], "wrong type"),
    ([ROOT, ["a", [], 0, 0, 0]], "wrong type"),
    ([ROOT, ["a", "file", 0, 0]], "wrong type"),
    ([ROOT, ["a", "folder", 0, 0, 0]], "wrong type"),
    ([ROOT, ["a", "file", 0o1000, 0, 0]], "out of bounds"),
    ([ROOT, ["a", "file", 0, 1 << 63, 0]], "out of bounds"),
    ([ROOT, ["a", "link", 0o777, 0, ""]], "out of bounds"),
    ([ROOT, ["a", "link", 0o777, 0, "a\0b"]], "out of bounds"),
    ([ROOT, ["a", "link", 0o777, 0, "\ud800"]], "out of bounds"),
    ([ROOT, {"path": "a"}], "cannot be read"),
    ([ROOT, []], "cannot be read"),
    ([ROOT, b"\xff"], "cannot be read"),
    ([ROOT, b""], "cannot be read"),
    ([ROOT, b"[" * 60_000 + b"]" * 5_000], "cannot be read"),
    ([ROOT, b'["a","file",420,' + b"9" * 5_000 + b",0]"], "cannot be read"),
    ([ROOT, b'["a","file",420,1e999,0]'], "wrong type"),
    ([ROOT, b'["' + b"a" * 70_000 + b'","file",420,0,0]'], "cannot be read"),
], ids=lambda value: ascii(value)[:40])
def test_an_index_of_which_anything_is_wrong_is_refused(tmp_path, rows, message):
    refused(made_of(*rows), message, tmp_path)


@pytest.mark.parametrize("data, message", [
    (b"", "it is none"), (MAGIC, "does not know"), (MAGIC + b"\x02" + bytes(99), "does not know; a newer version may"),
    (MAGIC + b"\x01" + b"-000000009", "no length"), (MAGIC + b"\x01" + b"12345", "no length"), (MAGIC + b"\x01" + b"9999999999" + bytes(99), "cut short"),
    (made_of(ROOT, length=5), "cut short"), (made_of(ROOT, content=b"x"), "do not add up"), (WHOLE[:-1], "do not add up"),
    (WHOLE[:50], "cut short"), (made_of(*[b""] * ((1 << 20) + 1)), "too many entries"),
], ids=lambda value: ascii(value)[:30])
def test_bytes_that_are_no_folder_are_refused(tmp_path, data, message):
    refused(data, message, tmp_path)


def test_a_folder_in_an_unknown_form_is_refused(tmp_path):
    for archive in (0, 3, -1):
        with pytest.raises(FormatError, match="does not know; a newer version may"):
            folders.unpack(WHOLE, tmp_path / "made", archive)
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_folder_with_a_damaged_byte_is_a_folder_or_refused(place, mask):
    try:
        entries, start = tree.parse(flipped(WHOLE, place, mask))
    except FormatError:
        return
    assert sum(entry.size for entry in entries) == len(WHOLE) - start


def test_what_the_reader_would_refuse_is_not_written(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"")
    for limit, most in (("MOST_ENTRIES", 2), ("LONGEST_INDEX", 60), ("LONGEST_ENTRY", 20)):
        with monkeypatch.context() as patch:
            patch.setattr(tree, limit, most)
            with pytest.raises(InputError, match="compress its folders one by one"):
                folders.pack(tmp_path)
    folders.check(folders.pack(tmp_path)[0], folders.TREE)


# --- folders of version 0.1 ---

def zipped(*names, data=TEXT):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            archive.writestr(entry, data)
    return packed.getvalue()


def test_a_folder_of_version_0_1_comes_out(tmp_path):
    data = zipped("a.txt", "deep/er/Shot\u202fPM.png", "x:y", "deep/back\\slash")
    header = Header(len(data), hashlib.sha256(data).digest(), "notes", archive=folders.ZIPPED)
    (tmp_path / "notes.lks").write_bytes(header.to_bytes() + data)
    made = decompress(tmp_path / "notes.lks").output_path
    assert sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()) == [
        "a.txt", "deep/back\\slash", "deep/er/Shot\u202fPM.png", "x:y"]
    assert (made / "a.txt").read_bytes() == TEXT
    usual = tmp_path / "usual"
    usual.mkdir()
    assert made.stat().st_mode == (made / "deep").stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("names", [["../out"], ["/out"], ["a/../../out"], [""], ["folder/"], ["a", "a/b"], ["a", "a"], ["a/b", "a//b"]], ids=str)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path, names):
    with pytest.raises(FormatError, match="outside of it|cannot be read|two files of one name"):
        folders.unpack(zipped(*names), tmp_path / "made", folders.ZIPPED)
    assert list(tmp_path.iterdir()) == []


def test_a_zip_made_to_do_harm_is_refused_whatever_is_wrong_with_it():
    data = zipped("a.txt", "deep/b.txt", data=b"short")
    for place in range(data.index(b"PK\1\2"), len(data)):
        for mask in (1, 0x80):
            try:
                folders.check(flipped(data, place, mask), folders.ZIPPED)
            except FormatError as error:
                assert os.linesep not in str(error)


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"x" * 99, lambda data: data.replace(b"It was", b"It has", 1)])
def test_a_damaged_zip_is_refused(tmp_path, damage):
    with pytest.raises(FormatError, match="the archive of the folder cannot be read"):
        folders.unpack(damage(zipped("a.txt")), tmp_path / "made", folders.ZIPPED)
    assert list(tmp_path.iterdir()) == []
