"""lib.storage.files: output files that appear complete or not at all, and inputs that are refused early."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys

import pytest
from conftest import ROOT
from samples import TEXT

from lib import Settings, compress, decompress, join, learn, split
from lib.coding.run import keep_partial
from lib.errors import CheckpointError, InputError, OutputError
from lib.resume.run import Run
from lib.storage import temporary
from lib.storage.files import OutputFile, check_input, check_target, mode_of, read_file, reserved, write_file

FAST = Settings(preset="fast", contexts="text")
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

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


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path, monkeypatch, call):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutputError, match="cannot write .*out: No space left on device; free some space or choose another folder"):
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


@on_unix
@pytest.mark.parametrize("mode, umask, permissions", [(0o600, 0o022, 0o600), (0o640, 0o022, 0o640), (0o666, 0o027, 0o640), (0o644, 0, 0o644)],
                         ids=oct)
def test_an_output_has_no_more_permissions_than_it_may_from_the_start_on(tmp_path, mode, umask, permissions):
    before = os.umask(umask)
    try:
        with OutputFile(tmp_path / "out", mode=mode) as output:
            assert stat.S_IMODE(output.written_path.stat().st_mode) == permissions
            output.commit()
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == permissions


@on_unix
@pytest.mark.parametrize("modes, bits", [([0o600], 0o600), ([0o755], 0o644), ([0o444], 0o644), ([0o644, 0o640], 0o640), ([0o604, 0o640], 0o600)])
def test_what_is_made_of_files_may_do_what_all_of_them_allow(tmp_path, modes, bits):
    paths = [tmp_path / str(number) for number in range(len(modes))]
    for path, mode in zip(paths, modes):
        path.write_bytes(b"data")
        path.chmod(mode)
    assert mode_of(*paths) == bits


def permissions_in(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def a_run(input_path, output_path, mode):
    return Run("decompress", input_path, output_path, bytes(32), False, Settings(), None, mode=mode)


@on_unix
def test_all_that_is_made_of_a_secret_is_one(tmp_path, stop_after):
    secret = tmp_path / "in"
    secret.write_bytes(bytes(range(97, 123)) * 200)
    secret.chmod(0o600)
    (tmp_path / "made").mkdir()
    for _ in range(2):
        stop_after(2)
        with pytest.raises(KeyboardInterrupt):
            compress(secret, tmp_path / "made" / "out", FAST, checkpoint=tmp_path / "made" / "kept")
    assert {"kept", "kept.previous"} <= set(names(tmp_path / "made"))
    stop_after(10_000)
    output = compress(secret, tmp_path / "made" / "out.lks", FAST).output_path
    decompress(output, tmp_path / "made" / "back")
    keep_partial(a_run(output, tmp_path / "made" / "back", mode_of(output)), b"some", "some")
    learn([secret], tmp_path / "made" / "a.prior")
    manifest, _ = split(secret, 2, tmp_path / "made")
    join(manifest, tmp_path / "made" / "joined")
    compress(tmp_path / "made" / "in.part1of2", settings=FAST)
    assert len(names(tmp_path / "made")) == 12 and set(permissions_in(tmp_path).values()) == {0o600}


@on_unix
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_file_is_never_replaced(tmp_path, overwrite):
    os.mkfifo(tmp_path / "pipe")
    os.symlink(tmp_path / "pipe", tmp_path / "link")
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "plug"))
        for target in ("pipe", "plug", "link", "/dev/null"):
            with pytest.raises(OutputError, match="is a device, a pipe or a socket; name a file"):
                write_file(tmp_path / target, b"data", overwrite)
        os.symlink(tmp_path, tmp_path / "here")
        with pytest.raises(OutputError, match="is a folder"):
            write_file(tmp_path / "here", b"data", overwrite)
    assert names(tmp_path) == ["here", "link", "pipe", "plug"] and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@on_unix
def test_a_link_stays_one_and_what_it_leads_to_is_replaced_only_if_that_is_allowed(tmp_path):
    (tmp_path / "far").mkdir()
    os.symlink("far/file", tmp_path / "link")
    with pytest.raises(OutputError, match="link exists already"):            # it dangles
        write_file(tmp_path / "link", b"new")
    write_file(tmp_path / "link", b"new", overwrite=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "file").read_bytes() == b"new"
    write_file(tmp_path / "link", b"newer", overwrite=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "file").read_bytes() == b"newer"
    os.symlink("loop", tmp_path / "loop")
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            write_file(tmp_path / "loop", b"data", overwrite)
    assert names(tmp_path) == ["far", "link", "loop"] and names(tmp_path / "far") == ["file"]


@on_unix
@pytest.mark.parametrize("way", ["itself", "symbolic link", "hard link", "roundabout"])
def test_an_input_is_never_replaced(tmp_path, way):
    original = tmp_path / "in"
    original.write_bytes(b"the only copy")
    target = {"itself": original, "roundabout": tmp_path / ".." / tmp_path.name / "in"}.get(way, tmp_path / "other")
    if way == "symbolic link":
        os.symlink(original, target)
    if way == "hard link":
        os.link(original, target)
    with pytest.raises(OutputError, match="is (read as input|the same file as .*, which is read); choose another name"):
        check_target(target, True, [original])
    (tmp_path / "a.prior").write_bytes(learn([original], tmp_path / "first").path.read_bytes())
    packed = compress(original, tmp_path / "packed", FAST).output_path.read_bytes()
    for run in (lambda: compress(original, target, FAST, overwrite=True), lambda: learn([original], target, overwrite=True),
                lambda: learn([tmp_path / "a.prior", original], target, overwrite=True)):
        with pytest.raises(OutputError, match="is read"):
            run()
    assert original.read_bytes() == b"the only copy"
    original.write_bytes(packed)
    with pytest.raises(OutputError, match="is read"):
        decompress(original, target, overwrite=True)
    assert original.read_bytes() == packed


def test_a_prior_is_not_replaced_by_what_is_coded_with_it(tmp_path):
    (tmp_path / "in").write_bytes(b"some text, " * 20)
    prior = learn([tmp_path / "in"], tmp_path / "a.prior").path
    before = prior.read_bytes()
    packed = compress(tmp_path / "in", settings=FAST, prior=prior).output_path
    for run, source in ((compress, tmp_path / "in"), (decompress, packed)):
        with pytest.raises(OutputError, match="is read"):
            run(source, prior, overwrite=True, prior=prior)
    assert prior.read_bytes() == before


@pytest.mark.parametrize("name, other", [("kept", "kept"), ("kept.previous", "kept"), ("kept", "link")])
def test_a_checkpoint_takes_the_place_of_no_input(tmp_path, name, other):
    (tmp_path / name).write_bytes(b"the only copy")
    if other == "link":
        os.link(tmp_path / name, tmp_path / other)
    with pytest.raises(CheckpointError, match="is the run's own input or output"):
        compress(tmp_path / name, tmp_path / "out", FAST, checkpoint=tmp_path / other)
    assert (tmp_path / name).read_bytes() == b"the only copy" and not (tmp_path / "out").exists()


def test_parts_and_their_manifest_are_not_replaced_by_what_they_make(tmp_path):
    (tmp_path / "in").write_bytes(bytes(range(200)) * 9)
    manifest, made = split(tmp_path / "in", 2, independent=True)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for target in (manifest, tmp_path / made.parts[1][0]):
        with pytest.raises(OutputError, match="is read"):
            join(manifest, target, overwrite=True)
    os.remove(tmp_path / "in.part1of2")
    os.link(tmp_path / "in", tmp_path / "in.part1of2")
    with pytest.raises(OutputError, match="is read"):
        split(tmp_path / "in", 2, independent=True, overwrite=True)
    assert before[tmp_path / "in"] == (tmp_path / "in").read_bytes() and before[manifest] == manifest.read_bytes()


def test_a_partial_takes_a_free_name(tmp_path):
    (tmp_path / "out.partial").write_bytes(b"theirs")
    assert "out (2).partial holds a bit" in keep_partial(a_run(tmp_path / "in", tmp_path / "out", 0o600), b"ours", "a bit")
    assert (tmp_path / "out.partial").read_bytes() == b"theirs" and (tmp_path / "out (2).partial").read_bytes() == b"ours"


def test_what_was_written_can_be_read_back_before_it_has_its_name(tmp_path):
    with OutputFile(tmp_path / "out") as output:
        output.write(b"complete")
        output.flush()
        assert output.written_path.read_bytes() == b"complete" and not (tmp_path / "out").exists()


# --- what dead runs left ---

KILLED = """
import os, signal, sys
from lib.storage.files import OutputFile
output = OutputFile(sys.argv[1]).__enter__()
output.write(b"half of it")
output.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@on_unix
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    ran = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "out"], cwd=ROOT, timeout=60)
    assert ran.returncode == -signal.SIGKILL and len(names(tmp_path)) == 1
    (tmp_path / ".lockstep-my_notes.tmp").write_bytes(b"not ours")
    (tmp_path / ".lockstep-mine").write_bytes(b"not ours")
    os.symlink(tmp_path / ".lockstep-mine", tmp_path / ".lockstep-00000000-00000000.tmp")
    write_file(tmp_path / "other", b"data")
    assert names(tmp_path) == [".lockstep-00000000-00000000.tmp", ".lockstep-mine", ".lockstep-my_notes.tmp", "other"]


@on_unix
def test_what_living_runs_write_stays(tmp_path):
    with OutputFile(tmp_path / "one") as one, OutputFile(tmp_path / "two") as two:
        made, held = temporary.make_folder(tmp_path)
        write_file(tmp_path / "three", b"3")
        assert len(names(tmp_path)) == 4
        one.write(b"1"), two.write(b"2")
        one.commit(), two.commit()
        assert made.is_dir()
        temporary.release(held)
    write_file(tmp_path / "four", b"4")
    assert names(tmp_path) == ["four", "one", "three", "two"]


@on_unix
def test_what_another_machine_writes_on_a_shared_disk_is_left_alone_for_a_week(tmp_path):
    theirs = tmp_path / ".lockstep-0badcafe-12345678.tmp"
    theirs.write_bytes(b"of a machine whose locks nobody sees here")
    write_file(tmp_path / "one", b"1")
    assert theirs.exists()
    os.utime(theirs, (1, 1))
    write_file(tmp_path / "two", b"2")
    assert not theirs.exists()


@on_unix
def test_what_is_collected_before_it_is_held_is_made_anew(tmp_path, monkeypatch):
    import fcntl
    real, collected = fcntl.flock, []

    def flock(descriptor, how):
        if not collected:
            collected.extend(tmp_path.glob(".lockstep-*.tmp"))
            collected[0].unlink()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    write_file(tmp_path / "out", b"data")
    assert len(collected) == 1 and (tmp_path / "out").read_bytes() == b"data" and names(tmp_path) == ["out"]


@on_unix
def test_without_locks_nothing_is_collected(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary, "fcntl", None)
    (tmp_path / ".lockstep-dead.tmp").write_bytes(b"")
    write_file(tmp_path / "out", b"data")
    assert names(tmp_path) == [".lockstep-dead.tmp", "out"]


@pytest.mark.parametrize("change", [lambda file: file.write_bytes(b"longer than it was"), lambda file: os.utime(file, ns=(1, 1))])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, change):
    (tmp_path / "in").write_bytes(b"data")
    assert read_file(tmp_path / "in") == b"data"
    real = os.fstat

    def fstat(descriptor):
        facts = real(descriptor)
        change(tmp_path / "in")
        return facts

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(InputError, match="in has changed while it was read; try again"):
        read_file(tmp_path / "in")


def test_an_input_has_a_size(tmp_path):
    (tmp_path / "in").write_bytes(bytes(1_234))
    assert check_input(tmp_path / "in") == check_input(str(tmp_path / "in")) == 1_234


@pytest.mark.parametrize("name, message", [
    ("", "is a folder; name a file"),
    ("missing", "there is no file .*missing; check the name"),
    ("in/below", "cannot read .*: Not a directory"),
    ("n" * 300, "cannot read .*: File name too long"),
    ("nul\0", "cannot read"),
], ids=ascii)
def test_an_input_that_is_no_file_is_refused(tmp_path, name, message):
    (tmp_path / "in").write_bytes(b"a file")
    with pytest.raises(InputError, match=message):
        check_input(tmp_path / name)


# --- one run for each output ---

def test_an_output_is_made_by_one_run_at_a_time(tmp_path):
    with reserved(tmp_path / "out", None):
        with pytest.raises(OutputError, match="another run is writing .*out; stop it, wait"), reserved(tmp_path / "out"):
            pytest.fail("it was reserved twice")
        with reserved(tmp_path / "other"):
            write_file(tmp_path / "new", b"data")         # collects what is stale, and that is not
            with pytest.raises(OutputError), reserved(tmp_path / "other", tmp_path / "out"):
                pytest.fail("it was reserved twice")
    with reserved(tmp_path / "out", tmp_path / "other"):
        pass
    assert names(tmp_path) == ["new"]


def test_a_reservation_goes_by_where_it_leads(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    os.symlink(tmp_path / "folder", tmp_path / "link")
    monkeypatch.chdir(tmp_path)
    with reserved("folder/out"), pytest.raises(OutputError), reserved(tmp_path / "link" / "out"):
        pytest.fail("it was reserved twice")


HOLDS = """
import sys
from lib.storage.files import reserved
with reserved(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@on_unix
def test_what_another_process_reserved_is_free_when_it_dies(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path / "out"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match="another run"), reserved(tmp_path / "out"):
            pytest.fail("it was reserved twice")
        other.kill()
    assert len(names(tmp_path)) == 1                      # what the dead one left
    with reserved(tmp_path / "out"):
        pass
    assert names(tmp_path) == []


@on_unix
def test_who_looks_whether_a_reservation_is_stale_does_not_stop_it(tmp_path, monkeypatch):
    import fcntl
    real, tries = fcntl.flock, []

    def flock(descriptor, how):
        tries.append(descriptor)
        if len(tries) == 1:
            raise BlockingIOError
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with reserved(tmp_path / "out"):
        assert len(tries) == 2


def test_where_nothing_can_be_written_nothing_is_reserved(tmp_path):
    with reserved(tmp_path / "missing" / "out"):
        assert names(tmp_path) == []


def test_a_second_run_on_an_output_is_refused(tmp_path):
    (tmp_path / "in").write_bytes(TEXT)
    with reserved(tmp_path / "in.lks"), pytest.raises(OutputError, match="another run is writing .*in.lks"):
        compress(tmp_path / "in", settings=FAST)
    packed = compress(tmp_path / "in", settings=FAST).output_path
    with reserved(tmp_path / "again"), pytest.raises(OutputError, match="another run is writing"):
        decompress(packed, tmp_path / "again")
    with reserved(tmp_path / "kept"), pytest.raises(OutputError, match="another run is writing .*kept"):
        decompress(packed, tmp_path / "again", checkpoint=tmp_path / "kept")
    assert names(tmp_path) == ["in", "in.lks"]
