"""Folders: in as one .lks file, and out again with all their files."""

import io
import os
import shutil
import zipfile

import pytest
from samples import TEXT, flipped

from lib import FormatError, InputError, OutputError, Settings, compress, decompress, inspect
from lib.storage import folders

FAST = Settings(preset="fast", contexts="text")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "notes"
    (made / "deep" / "er").mkdir(parents=True)
    for name, data in (("b.txt", TEXT), ("a.txt", TEXT[:99]), ("deep/er/naïve.txt", TEXT[9:]), ("empty", b"")):
        (made / name).write_bytes(data)
    return made


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_goes_in_and_comes_out(tmp_path, folder):
    packed = compress(folder, settings=FAST)
    assert packed.output_path == tmp_path / "notes.lks" and inspect(packed.output_path).header.is_folder
    with pytest.raises(OutputError, match="notes exists already"):
        decompress(packed.output_path)
    with pytest.raises(OutputError, match="notes exists already, and folders are never replaced"):
        decompress(packed.output_path, overwrite=True)
    (tmp_path / "elsewhere").mkdir()
    restored = decompress(packed.output_path, tmp_path / "elsewhere").output_path
    assert restored == tmp_path / "elsewhere" / "notes" and files_of(restored) == files_of(folder)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["notes"]


def test_the_same_files_are_the_same_bytes(tmp_path, folder):
    before = folders.pack(folder)
    os.utime(folder / "a.txt", (1, 1))
    os.chmod(folder / "a.txt", 0o600)
    assert folders.pack(folder) == before
    folders.unpack(before, tmp_path / "again")
    assert folders.pack(tmp_path / "again") == before


def test_a_run_on_a_folder_goes_on_after_a_stop(tmp_path, folder, stop_after):
    (folder / "long").write_bytes(bytes(range(256)) * 20)
    whole = compress(folder, tmp_path / "whole", FAST).output_path.read_bytes()
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        compress(folder, tmp_path / "notes.lks", FAST, checkpoint=tmp_path / "kept")
    stop_after(10_000)
    assert compress(folder, tmp_path / "notes.lks", FAST, checkpoint=tmp_path / "kept").output_path.read_bytes() == whole


def test_what_no_archive_keeps_is_refused(tmp_path, folder):
    (tmp_path / "hollow" / "inside").mkdir(parents=True)
    with pytest.raises(InputError, match="hollow is a folder without files"):
        compress(tmp_path / "hollow", settings=FAST)
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError, match="pipe is no plain file; leave it out"):
        compress(folder, settings=FAST)


def test_what_would_change_the_folder_that_is_read_is_refused(tmp_path, folder):
    for places in (dict(output_path=folder / "in.lks"), dict(checkpoint=folder / "deep" / "kept")):
        with pytest.raises(OutputError, match="would lie in the folder that is compressed; choose a place outside of it"):
            compress(folder, settings=FAST, **places)
    assert not list(folder.glob("**/*kept*")) and not (folder / "in.lks").exists()


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a//b", "c:/out", "a\\b", "", "folder/"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path, name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("fine"), b"data")
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        archive.writestr(entry, b"data")
    if name == "a//b":
        folders.unpack(file.getvalue(), tmp_path / "made")           # the same as a/b
        return
    with pytest.raises(FormatError, match="outside of it|cannot be read"):
        folders.unpack(file.getvalue(), tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_made_to_do_harm_is_refused_whatever_is_wrong_with_it(tmp_path, folder):
    data = folders.pack(folder)
    central = data.index(b"PK\1\2")
    for place in range(central, len(data)):
        for mask in (1, 0x80):
            try:
                folders.unpack(flipped(data, place, mask), tmp_path / "made")
            except FormatError:
                assert not (tmp_path / "made").exists()
            else:
                shutil.rmtree(tmp_path / "made")


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"x" * 99, lambda data: data.replace(b"It was", b"It has", 1)])
def test_a_damaged_archive_is_refused(tmp_path, folder, damage):
    data = folders.pack(folder)
    with pytest.raises(FormatError, match="the archive of the folder cannot be read"):
        folders.unpack(damage(data), tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
