"""lib.storage.files: output files that appear complete or not at all, and inputs that are refused early."""

import errno
import os
import subprocess
import sys

import pytest
from conftest import ROOT

from lib.errors import InputError, OutputError
from lib.storage.files import OutputFile, check_input, write_file

# Writes 300,000 bytes where a file may have no more than 100,000, and says how that went.
BEYOND_THE_LIMIT = """
import resource, sys
from lib.errors import OutputError
from lib.storage.files import write_file
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_file(sys.argv[1], bytes(300_000))
except OutputError as error:
    print(error)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_only_once_it_is_complete(tmp_path):
    with OutputFile(tmp_path / "out") as output:
        for part in (b"one ", b"two ", b"three"):
            output.write(part)
            assert "out" not in names(tmp_path) and len(names(tmp_path)) == 1
        assert output.commit() == 13
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"one two three"


def test_a_file_can_be_begun_anew(tmp_path):
    with OutputFile(tmp_path / "out") as output:
        output.write(bytes(100_000))
        output.restart()
        output.write(b"short")
        assert output.commit() == 5
    assert (tmp_path / "out").read_bytes() == b"short"


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
def test_nothing_is_left_behind_when_writing_stops(tmp_path, stop):
    with pytest.raises(stop), OutputFile(tmp_path / "out") as output:
        output.write(b"half of it")
        raise stop
    assert names(tmp_path) == []


def test_nothing_is_left_behind_without_a_commit(tmp_path):
    with OutputFile(tmp_path / "out") as output:
        output.write(b"all of it")
    assert names(tmp_path) == []


def test_an_existing_file_stays_unless_it_may_be_replaced(tmp_path):
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="out exists already; .*--force"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    with OutputFile(target, overwrite=True) as output:
        output.write(b"new")
        assert target.read_bytes() == b"old"
        output.commit()
    assert target.read_bytes() == b"new" and names(tmp_path) == ["out"]


def test_an_existing_file_survives_a_failed_replacement(tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(RuntimeError), OutputFile(tmp_path / "out", overwrite=True) as output:
        output.write(b"new")
        raise RuntimeError
    assert (tmp_path / "out").read_bytes() == b"old" and names(tmp_path) == ["out"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(OutputError, match="exists already"), OutputFile(tmp_path / "out") as output:
        output.write(b"ours")
        (tmp_path / "out").write_bytes(b"theirs")
        output.commit()
    assert (tmp_path / "out").read_bytes() == b"theirs" and names(tmp_path) == ["out"]


@pytest.mark.parametrize("target, message", [
    ("", "is a folder; name a file in it"),
    ("missing/out", "there is no folder .*missing to write out into"),
    ("file/out", "there is no folder .*file to write out into|Not a directory"),
    ("n" * 300, "File name too long"),
    ("nul\0", "cannot write"),
], ids=ascii)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_target_that_cannot_be_is_refused(tmp_path, target, message, overwrite):
    (tmp_path / "file").write_bytes(b"a file")
    with pytest.raises(OutputError, match=message):
        write_file(tmp_path / target, b"data", overwrite)
    assert names(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == b"a file"


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path, monkeypatch, call):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutputError, match="cannot write .*out: No space left on device; nothing was left behind"):
        write_file(tmp_path / "out", b"data")
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
def test_a_file_that_the_system_cuts_off_is_an_output_error(tmp_path):
    ran = subprocess.run([sys.executable, "-c", BEYOND_THE_LIMIT, tmp_path / "out"], cwd=ROOT,
                         capture_output=True, text=True, timeout=60)
    assert ran.stdout.startswith(f"cannot write {tmp_path / 'out'}: File too large") and ran.stderr == ""
    assert names(tmp_path) == []


def test_a_folder_that_vanishes_meanwhile_is_an_output_error(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OutputError, match="No such file or directory|there is no folder"), \
            OutputFile(folder / "out") as output:
        output.write(b"data")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        output.commit()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize("umask, permissions", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)], ids=oct)
def test_permissions_are_those_of_any_new_file(tmp_path, umask, permissions):
    before = os.umask(umask)
    try:
        write_file(tmp_path / "out", b"data")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == permissions


def test_an_input_has_a_size(tmp_path):
    (tmp_path / "in").write_bytes(bytes(1_234))
    assert check_input(tmp_path / "in") == check_input(str(tmp_path / "in")) == 1_234


@pytest.mark.parametrize("name, message", [
    ("", "is a folder; name one file"),
    ("missing", "there is no file .*missing; check the name"),
    ("in/below", "cannot read .*: Not a directory"),
    ("n" * 300, "cannot read .*: File name too long"),
    ("nul\0", "cannot read"),
], ids=ascii)
def test_an_input_that_is_no_file_is_refused(tmp_path, name, message):
    (tmp_path / "in").write_bytes(b"a file")
    with pytest.raises(InputError, match=message):
        check_input(tmp_path / name)
