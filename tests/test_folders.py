"""Folders: in as one .lks file, and out again with all that was in them."""

import os
import socket
import stat
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from samples import TEXT

from lib import InputError, OutputError, Settings, compress, decompress, inspect
from lib.sources import ImageSource, VideoSource
from lib.sources.recognition import source_of
from lib.storage import folders, restoring, tree
from lib.storage.names import near_name

FAST = Settings(preset="fast", contexts="text")
on_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "notes"
    (made / "deep" / "er").mkdir(parents=True)
    for name, data in (("b.txt", TEXT), ("a.txt", TEXT[:99]), ("deep/er/naïve.txt", TEXT[9:]), ("empty", b"")):
        (made / name).write_bytes(data)
    return made


def facts_of(folder):
    """All that is in a folder: {path: (mode, mtime, content or link's target)}."""
    facts = {}
    for path in (folder, *folder.rglob("*")):
        said = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        facts[str(path.relative_to(folder))] = (said.st_mode, said.st_mtime_ns, content)
    return facts


def packed(folder):
    data, lost = folders.pack(folder)
    assert lost == []
    return data


def unpacked(data, path):
    assert folders.unpack(data, path, folders.TREE) == []
    return path


def test_a_folder_goes_in_and_comes_out(tmp_path, folder):
    packed = compress(folder, settings=FAST)
    assert packed.output_path == tmp_path / "notes.lks" and inspect(packed.output_path).header.archive == folders.TREE
    with pytest.raises(OutputError, match="notes exists already"):
        decompress(packed.output_path)
    with pytest.raises(OutputError, match="notes exists already, and folders are never replaced"):
        decompress(packed.output_path, overwrite=True)
    (tmp_path / "elsewhere").mkdir()
    restored = decompress(packed.output_path, tmp_path / "elsewhere").output_path
    assert restored == tmp_path / "elsewhere" / "notes" and facts_of(restored) == facts_of(folder)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["notes"]


@on_unix
def test_modes_times_links_and_empty_folders_come_back(tmp_path, folder):
    (folder / "hollow" / "in").mkdir(parents=True)
    os.symlink("../a.txt", folder / "deep" / "to a file")
    os.symlink("deep/er", folder / "to a folder")
    os.symlink("nowhere", folder / "dangling")
    os.symlink("..", folder / "deep" / "up")
    for number, (name, mode) in enumerate((("a.txt", 0o600), ("b.txt", 0o755), ("empty", 0o400), ("deep/er/naïve.txt", 0),
                                           ("deep/er", 0o555), ("hollow", 0o700), ("", 0o555))):
        os.utime(folder / name, ns=(7, 1_600_000_000_123_456_789 + number))
        os.chmod(folder / name, mode)
    os.utime(folder / "dangling", ns=(5, -5), follow_symlinks=False)
    restored = unpacked(packed(folder), tmp_path / "again")
    assert facts_of(restored) == facts_of(folder) and packed(restored) == packed(folder)
    assert (restored / "to a folder").is_symlink() and (restored / "hollow" / "in").is_dir()


@pytest.mark.parametrize("hollow", ["", "inside/deeper"])
def test_a_folder_without_files_comes_back(tmp_path, hollow):
    (tmp_path / "hollow" / hollow).mkdir(parents=True)
    before = facts_of(tmp_path / "hollow")
    output = compress(tmp_path / "hollow", settings=FAST).output_path
    assert facts_of(decompress(output, tmp_path / "again").output_path) == before


@on_unix
@pytest.mark.parametrize("name", ["Shot 1.02.03\u202fPM.png", "a\u00a0b", "\u3000", "\U0001f468\u200d\U0001f469", "two\nlines", "back\\slash",
                                  "x:y", "C:", "\udcff\udcfe", "\x1b[31m", "n" * 255, " ", "-rf", "[", '"'], ids=lambda name: ascii(name[:20]))
def test_every_name_that_a_file_can_have_comes_back(tmp_path, folder, name):
    (folder / name).mkdir()
    (folder / name / name).write_bytes(TEXT)
    os.symlink(name, folder / "deep" / name)
    output = compress(folder, settings=FAST).output_path
    assert facts_of(decompress(output, tmp_path / "again").output_path) == facts_of(folder)


def test_a_name_that_the_system_cannot_have_becomes_a_near_and_free_one(tmp_path, folder, monkeypatch):
    for name in ("x:y", "x?y", "x_y", "x_y (2)"):
        (folder / name).mkdir()
        (folder / name / "in").write_text(name)
    monkeypatch.setattr(restoring, "near_name", lambda name: near_name(name, is_windows=True))
    lines = folders.unpack(packed(folder), tmp_path / "again", folders.TREE)
    made = {path.name: (path / "in").read_text() for path in (tmp_path / "again").iterdir() if path.name.startswith("x")}
    assert sorted(made.values()) == ["x:y", "x?y", "x_y", "x_y (2)"] and "x:y" not in made and "x?y" not in made
    assert lines[0] == "x:y is restored as x_y: this disk cannot have its name beside the others" and len(lines) == 4


@pytest.mark.parametrize("error", [22, 36, 84])
def test_a_name_that_the_disk_refuses_becomes_a_plain_one(tmp_path, folder, monkeypatch, error):
    real = os.mkdir
    (folder / "näive").mkdir()

    def mkdir(path, *mode):
        if not str(path).isascii():
            raise OSError(error, "no such name here")
        real(path, *mode)

    data = packed(folder)
    monkeypatch.setattr(os, "mkdir", mkdir)
    assert folders.unpack(data, tmp_path / "again", folders.TREE) == [
        "näive is restored as n_ive: this disk cannot have its name beside the others"]
    assert (tmp_path / "again" / "n_ive").is_dir()


@on_unix
def test_links_that_lead_out_are_restored_as_they_were_and_said(tmp_path, folder):
    for name, target in (("absolute", "/etc/passwd"), ("up", "../out"), ("deep/fine", "../a.txt"), ("deep/out", "er/../../../out")):
        os.symlink(target, folder / name)
    lines = folders.unpack(packed(folder), tmp_path / "again", folders.TREE)
    assert lines == ["3 link(s) lead out of the folder, as absolute to /etc/passwd"]
    assert facts_of(tmp_path / "again") == facts_of(folder)


@on_unix
def test_what_is_not_kept_is_said(tmp_path, folder):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(folder / "deep" / "plug"))
    os.link(folder / "a.txt", folder / "other name")
    os.link(folder / "b.txt", tmp_path / "outside")                       # the only name in the folder: nothing is lost
    os.chmod(folder / "empty", 0o4755)
    if hasattr(os, "setxattr"):
        os.setxattr(folder / "b.txt", "user.note", b"kept elsewhere")
    lines = []
    output = compress(folder, settings=FAST, warn=lines.append).output_path
    assert lines[0].startswith("left out, as no file, folder or link: ") and "pipe" in lines[0] and "plug" in lines[0]
    assert lines[1] == "2 in the folder are hard links to the same files, and become separate files"
    assert "special permission bits" in lines[2] and len(lines) == 3 + hasattr(os, "setxattr")
    again = decompress(output, tmp_path / "again").output_path
    assert not (again / "pipe").exists() and (again / "other name").read_bytes() == TEXT[:99]
    assert stat.S_IMODE((again / "empty").stat().st_mode) == 0o755


@on_unix
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_owners_are_not_kept_and_that_is_said(folder):
    os.chown(folder / "a.txt", 12_345, 12_345)
    assert folders.pack(folder)[1] == ["1 in the folder belong to other users, which is not kept"]


def test_the_same_content_is_the_same_bytes(tmp_path, folder):
    before = packed(folder)
    os.utime(folder / "a.txt", ns=(1, folder.joinpath("a.txt").stat().st_mtime_ns))
    assert packed(folder) == before == packed(unpacked(before, tmp_path / "again"))
    os.chmod(folder / "a.txt", 0o600)
    assert packed(folder) != before


def test_a_run_on_a_folder_goes_on_after_a_stop(tmp_path, folder, stop_after):
    (folder / "long").write_bytes(bytes(range(256)) * 20)
    whole = compress(folder, tmp_path / "whole", FAST).output_path.read_bytes()
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        compress(folder, tmp_path / "notes.lks", FAST, checkpoint=tmp_path / "kept")
    stop_after(10_000)
    assert compress(folder, tmp_path / "notes.lks", FAST, checkpoint=tmp_path / "kept").output_path.read_bytes() == whole


def test_a_file_that_changes_while_it_is_packed_is_refused(folder, monkeypatch):
    real = os.fstat

    def fstat(descriptor):
        facts = real(descriptor)
        with open(folder / "b.txt", "ab") as file:
            file.write(b"more")
        return facts

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(InputError, match="b.txt has changed while it was read; try again"):
        folders.pack(folder)


def test_what_would_change_the_folder_that_is_read_is_refused(tmp_path, folder):
    for places in (dict(output_path=folder / "in.lks"), dict(checkpoint=folder / "deep" / "kept")):
        with pytest.raises(OutputError, match="would lie in the folder that is compressed; choose a place outside of it"):
            compress(folder, settings=FAST, **places)
    assert not list(folder.glob("**/*kept*")) and not (folder / "in.lks").exists()


@on_unix
def test_the_output_goes_beside_a_link_to_a_folder(tmp_path, folder):
    (tmp_path / "here").mkdir()
    os.symlink(folder, tmp_path / "here" / "link")
    output = compress(tmp_path / "here" / "link", settings=FAST).output_path
    assert output == tmp_path / "here" / "link.lks"
    assert facts_of(decompress(output, tmp_path / "again").output_path) == facts_of(folder)


def test_the_folder_where_one_is_has_a_name(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert compress(".", tmp_path / "out.lks", settings=FAST).output_path.exists()
    assert inspect(tmp_path / "out.lks").header.name == "notes"
    monkeypatch.chdir(folder / "deep")
    assert compress("..", tmp_path / "up.lks", settings=FAST).output_path.exists()
    assert inspect(tmp_path / "up.lks").header.name == "notes"


@on_unix
@pytest.mark.parametrize("name, mode", [("a.txt", 0o600), ("deep", 0o711), ("", 0o700)])
def test_an_output_hides_what_anything_in_the_folder_hides(tmp_path, folder, name, mode):
    assert stat.S_IMODE(compress(folder, tmp_path / "open.lks", FAST).output_path.stat().st_mode) == 0o644
    os.chmod(folder / name, mode)
    assert stat.S_IMODE(compress(folder, settings=FAST).output_path.stat().st_mode) == 0o600


@on_unix
def test_a_folder_that_cannot_be_finished_leaves_nothing_behind(tmp_path, folder, monkeypatch):
    (folder / "deep" / "er").chmod(0o555)
    data = packed(folder)

    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OutputError, match="cannot write .*again: No space left on device; nothing was left behind"):
        unpacked(data, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


KILLED = """
import os, signal, sys
from lib.storage import folders
os.rename = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
folders.unpack(folders.pack(sys.argv[1])[0], sys.argv[2], folders.TREE)
"""


@on_unix
def test_what_a_killed_run_left_of_a_folder_is_removed_by_the_next(tmp_path, folder):
    (folder / "deep" / "er").chmod(0o555)
    subprocess.run([sys.executable, "-c", KILLED, folder, tmp_path / "again"], cwd=ROOT, timeout=60)
    assert len(list(tmp_path.glob(".lockstep-*.tmp"))) == 1
    unpacked(packed(folder), tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "notes"]


def test_a_folder_of_many_small_texts_looks_like_text(tmp_path):
    (tmp_path / "many").mkdir()
    for number in range(200):
        (tmp_path / "many" / f"note {number}.txt").write_bytes(TEXT[number:number + 60])
    source = source_of(packed(tmp_path / "many"), Settings(preset="fast"))
    assert source.suitable_contexts() == "text"


def test_pictures_and_clips_in_a_folder_are_found(tmp_path):
    for name in ("pictures", "clips"):
        (tmp_path / name / "deep").mkdir(parents=True)
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / "deep" / f"{number}.png")
        np.save(tmp_path / "clips" / f"{number}.npy", np.random.default_rng(number).integers(0, 99, (20, 8, 16)).astype(np.uint16))
    assert isinstance(source_of(packed(tmp_path / "pictures"), Settings(preset="fast")), ImageSource)
    assert isinstance(source_of(packed(tmp_path / "clips"), Settings(preset="fast")), VideoSource)
    places = tree.file_places(packed(tmp_path / "pictures"))
    assert [name for name, _, _ in places] == ["deep/0.png", "deep/1.png", "deep/2.png"]
