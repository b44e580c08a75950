"""python -m lib: exit codes, messages, and what is left behind."""

import contextlib
import importlib.util
import io
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib

import pytest
from conftest import ROOT
from samples import INTERRUPTIBLE, NOISE, TEXT, TINY, deflated_by_chance, stored_file, tiny

from lib import InputError, __version__
from lib import __main__ as command_line
from lib.__main__ import main
from lib.models.backend import keras_backend

SETTINGS = [argument for name, value in TINY.items() for argument in ("--set", f"{name}={value}")]


def lockstep(folder, *arguments, **environment):
    """Run the command line on files in `folder`."""
    return subprocess.run([sys.executable, "-m", "lib", *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path, sample, float_sample):
    """A folder with two inputs and a .lks file of each kind."""
    files = tmp_path / "files"
    files.mkdir()
    for name, data in (("book.txt", TEXT), ("coded.lks", sample.data), ("damaged.lks", sample.data[:-1]),
                       ("float.lks", float_sample.data), ("small", b"small"),
                       ("stored.lks", stored_file(b"small", "small"))):
        (files / name).write_bytes(data)
    return files


@pytest.fixture
def without_tensorflow(tmp_path):
    """PYTHONPATH under which an import of TensorFlow or Keras leaves a mark and fails."""
    modules, mark = tmp_path / "modules", tmp_path / "mark"
    modules.mkdir()
    for name in ("tensorflow", "keras"):
        (modules / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\nraise ImportError\n")
    yield os.pathsep.join((str(modules), str(ROOT)))
    assert not mark.exists()


def test_a_file_goes_in_and_comes_out_again(folder):
    packed = lockstep(folder, "compress", "book.txt", *SETTINGS)
    assert (packed.returncode, packed.stderr) == (0, "")
    size = (folder / "book.txt.lks").stat().st_size
    assert packed.stdout.startswith(f"book.txt.lks: 553 -> {size} bytes, {8 * size / 553:.3f} bits per byte, ")
    assert packed.stdout.endswith(f"({tiny().resolve(553).summary()}; computed by numba)\n")
    assert packed.stdout.count("\n") == 1
    (folder / "book.txt").unlink()
    restored = lockstep(folder, "decompress", "book.txt.lks")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert re.fullmatch(r"book\.txt: 553 bytes, SHA-256 [0-9a-f]{64} checked, [0-9.]+ s\n", restored.stdout)
    assert (folder / "book.txt").read_bytes() == TEXT


def test_several_files_go_into_a_folder_and_one_that_fails_stops_none(folder):
    (folder / "packed").mkdir()
    packed = lockstep(folder, "compress", "book.txt", "missing", "small", "-o", "packed", *SETTINGS)
    assert packed.returncode == 1 and names(folder / "packed") == ["book.txt.lks", "small.lks"]
    assert packed.stderr == ("lockstep: missing: there is no file missing; check the name\n"
                             "lockstep: 1 of 3 files failed, the others are done\n")
    back = lockstep(folder / "packed", "decompress", "-q", "book.txt.lks", "small.lks")
    assert (back.returncode, back.stdout, back.stderr) == (0, "", "")
    assert all((folder / "packed" / name).read_bytes() == (folder / name).read_bytes() for name in ("book.txt", "small"))


def test_an_exact_network_needs_no_tensorflow_on_a_processor(folder, without_tensorflow):
    packed = lockstep(folder, "compress", "-q", "book.txt", *SETTINGS, PYTHONPATH=without_tensorflow)
    assert (packed.returncode, packed.stdout, packed.stderr) == (0, "", "")
    restored = lockstep(folder, "decompress", "-q", "book.txt.lks", "-o", "again", PYTHONPATH=without_tensorflow)
    assert (restored.returncode, restored.stdout, restored.stderr) == (0, "", "")
    assert (folder / "again").read_bytes() == TEXT


def test_another_backend_gives_the_same_file_and_gives_it_back(folder):
    (folder / "sample.txt").write_bytes(TEXT)
    packed = lockstep(folder, "compress", "sample.txt", *SETTINGS, "--set", "backend=numpy")
    assert (packed.returncode, packed.stderr) == (0, "") and packed.stdout.endswith("; computed by numpy)\n")
    assert (folder / "sample.txt.lks").read_bytes() == (folder / "coded.lks").read_bytes()     # made by the default
    restored = lockstep(folder, "decompress", "coded.lks", "-o", "again", "--set", "backend=numpy")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert (folder / "again").read_bytes() == TEXT


@pytest.mark.parametrize("name, arithmetic, segments", [("coded.lks", "exact", 1), ("float.lks", "float32", 3)])
def test_info_says_what_a_file_holds(folder, without_tensorflow, here, name, arithmetic, segments):
    info = lockstep(folder, "info", name, PYTHONPATH=without_tensorflow)
    assert (info.returncode, info.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in info.stdout.splitlines())
    assert lines["original"] == "sample.txt, 553 bytes"
    assert lines["model"] == tiny(arithmetic=arithmetic).resolve(553).summary()
    assert lines["segments"] == f"{segments} intact"
    assert lines["decodes"] == ("everywhere" if arithmetic == "exact" else f"only with {here}")


def test_info_and_decompress_need_no_network_where_data_is_stored(folder, without_tensorflow):
    info = lockstep(folder, "info", "stored.lks", PYTHONPATH=without_tensorflow)
    assert info.returncode == 0 and "none; the data is stored as it is" in info.stdout and "everywhere" in info.stdout
    (folder / "small").unlink()
    restored = lockstep(folder, "decompress", "-q", "stored.lks", PYTHONPATH=without_tensorflow)
    assert (restored.returncode, restored.stdout, restored.stderr) == (0, "", "")
    assert (folder / "small").read_bytes() == b"small"


def test_info_shows_what_a_damaged_file_still_holds(folder, without_tensorflow):
    info = lockstep(folder, "info", "damaged.lks", PYTHONPATH=without_tensorflow)
    assert info.returncode == 1 and "0 intact" in info.stdout
    assert info.stderr == "lockstep: the file is cut short in segment 1, or damaged there; get a complete copy\n"


@pytest.mark.parametrize("arguments, message", [
    (["compress", "missing"], "there is no file missing; check the name"),
    (["decompress", "missing"], "there is no file missing; check the name"),
    (["info", "missing"], "there is no file missing; check the name"),
    (["decompress", "."], ". is a folder; name a file"),
    (["info", "."], ". is a folder; name a file"),
    (["compress", "book.txt", "--set", "rnn_units=-3"], "rnn_units must be 8 to 8192, got -3"),
    (["compress", "book.txt", "--set", "units=5"], "there is no setting 'units'; did you mean rnn_units?"),
    (["compress", "book.txt", "--set", "rnn_units"], "a setting is written name=value, got 'rnn_units'"),
    (["compress", "book.txt", "--set", "backend=torch"],
     "backend must be one of auto, numba, numpy, tensorflow, jax, got 'torch'"),
    (["compress", "book.txt", "--set", "arithmetic=float32", "--set", "backend=numpy"],
     "arithmetic=float32 runs on tensorflow alone, not on numpy; "),
    (["compress", "book.txt", "--preset", "worst"],
     "preset must be one of auto, fast, balanced, best, gpu, network, got 'worst'"),
    (["compress", "book.txt", "-o", "coded.lks"], "coded.lks exists already; "),
    (["compress", ""], "the name is empty; name a file; the current folder is called ."),
    (["compress", "book.txt", "-o", ""], "the name is empty; name a file or a folder"),
    (["compress", "book.txt", "-c", ""], "the name is empty"),
    (["compress", "book.txt", "-p", ""], "the name is empty"),
    (["decompress", ""], "the name is empty"),
    (["resume", ""], "the name is empty"),
    (["split", "", "-n", "2"], "the name is empty"),
    (["split", "book.txt", "-n", "2", "-o", ""], "the name is empty"),
    (["join", ""], "the name is empty"),
    (["learn", "book.txt", "", "-o", "x.prior"], "the name is empty"),
    (["info", ""], "the name is empty"),
    (["compress", "book.txt", "-o", "out/"], "there is no folder out/; make it first"),
    (["compress", "book.txt", "-c", "kept/"], "there is no folder kept/; make it first"),
    (["decompress", "coded.lks", "-o", "out/"], "there is no folder out/; make it first"),
    (["split", "book.txt", "-n", "2", "-o", "out/"], "there is no folder out/; make it first"),
    (["join", "x.parts.json", "-o", "out/"], "there is no folder out/; make it first"),
    (["learn", "book.txt", "-o", "out/"], "there is no folder out/; make it first"),
    (["compress", "book.txt", "-o", "missing/out"], "there is no folder missing to write out into"),
    (["split", "book.txt", "-n", "2", "-o", "missing"], "there is no folder missing"),
    (["split", "book.txt", "-n", "2", "-b", "1000"], "batch_size must be 1 to 512, got 1000"),
    (["split", "book.txt", "-n", "2", "-b", "-5"], "batch_size must be 1 to 512, got -5"),
    (["split", "book.txt", "-n", "2", "-b", "0"], "batch_size must be 1 to 512, got 0"),
    (["split", "book.txt", "-n", "0"], "parts must be 1 to 553 for a file of 553 bytes, got 0"),
    (["compress", "book.txt", "small", "-o", "out"], "several files need a folder for their outputs, and out is none"),
    (["compress", "book.txt", "small", "-c", "kept"], "a checkpoint is for one file; give one"),
    (["compress", "book.txt", "-o", "n" * 300], "cannot write nnn"),
    (["decompress", "book.txt"], "this is not a .lks file"),
    (["decompress", "coded.lks", "-o", "book.txt"], "book.txt exists already; "),
    (["decompress", "stored.lks"], "small exists already; "),
    (["decompress", "damaged.lks", "-o", "out"], "the file is cut short in segment 1"),
    (["decompress", "coded.lks", "-o", "out", "--set", "rnn_units=8"],
     "the file says rnn_units itself; to decompress, only how to run can be chosen (checkpoint_minutes, backend)"),
    (["decompress", "coded.lks", "-o", "out", "--set", "backend=torch"],
     "backend must be one of auto, numba, numpy, tensorflow, jax, got 'torch'"),
    (["decompress", "float.lks", "-o", "out", "--set", "backend=numpy"],
     "arithmetic=float32 runs on tensorflow alone, not on numpy; "),
    (["info", "book.txt"], "this is not a .lks file"),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_what_goes_wrong_is_one_line_and_leaves_nothing_behind(folder, without_tensorflow, arguments, message):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = lockstep(folder, *arguments, PYTHONPATH=without_tensorflow)
    assert ran.returncode == 1 and ran.stdout == ""
    assert ran.stderr.startswith(f"lockstep: {message}") and ran.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("arguments", [["compress", "book.txt", *SETTINGS], ["decompress", "coded.lks", "-o", "out"]],
                         ids=lambda arguments: arguments[0])
def test_a_backend_that_is_not_installed_is_refused(folder, capsys, monkeypatch, arguments):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else find_spec(name))
    monkeypatch.chdir(folder)
    keras_backend.cache_clear()
    before = names(folder)
    assert main([*arguments, "--set", "backend=jax"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("lockstep: backend=jax needs the package jax, which is not installed; ")
    assert (captured.out, captured.err.count("\n")) == ("", 1) and names(folder) == before


@pytest.mark.parametrize("arguments", [[], ["pack"], ["compress"], ["info", "a", "b"]], ids=str)
def test_an_unknown_command_line_is_answered_with_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and "usage: python -m lib" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, expected", [
    (["--version"], f"Lockstep {__version__}"), (["--help"], "decompress"), (["compress", "--help"], "rnn_units=160"),
    (["compress", "--help"], "backend=auto"), (["decompress", "--help"], "backend=NAME")])
def test_help_and_version_are_answered(arguments, expected, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0 and expected in capsys.readouterr().out


def test_a_png_that_is_written_anew_is_said(tmp_path):
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 60, 60, 8, 0, 0, 0, 0)), (b"IDAT", deflated_by_chance(bytes(60 * 61))), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
                                          for kind, body in chunks)
    (tmp_path / "in.png").write_bytes(data)
    ran = lockstep(tmp_path, "compress", "in.png", "--set", "pixels=yes")
    assert ran.returncode == 0 and ran.stdout.startswith(f"in.png.lks: {len(data):,} -> ")
    assert ran.stdout.endswith("; the PNG comes back written anew)\n")


@pytest.mark.parametrize("command, source, target", [("compress", "small", "out.lks"), ("decompress", "stored.lks", "out")])
def test_force_replaces_the_output(folder, capsys, command, source, target):
    (folder / target).write_bytes(b"old")
    arguments = [command, str(folder / source), "-o", str(folder / target)]
    assert main(arguments) == 1 and (folder / target).read_bytes() == b"old"
    assert main([*arguments, "--force"]) == 0 and (folder / target).read_bytes() != b"old"
    captured = capsys.readouterr()
    assert "exists already" in captured.err and str(folder / target) in captured.out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["naïve 名前.txt", "\udcff.txt"], ids=ascii)
def test_a_name_that_the_terminal_cannot_show_is_no_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"small")
    packed = lockstep(tmp_path, "compress", name, "-o", name + ".lks", PYTHONIOENCODING="ascii")
    assert (packed.returncode, packed.stderr) == (0, "")
    info = lockstep(tmp_path, "info", name + ".lks", PYTHONIOENCODING="ascii")
    assert (info.returncode, info.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("moment", ["the output is begun", "symbols are coded"])
def test_an_interrupt_leaves_nothing_behind(tmp_path, moment):
    (tmp_path / "noise").write_bytes(NOISE * 5_000)     # ten megabytes: no test waits for their end
    run = subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, "compress", "noise", *SETTINGS,
                            "--set", "batch_size=512"], cwd=tmp_path, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    least = 0 if moment == "the output is begun" else 1     # bytes of the output on disk
    try:
        for _ in range(6_000):
            temporary = list(tmp_path.glob(".lockstep-*"))
            if temporary and max(path.stat().st_size for path in temporary) >= least or run.poll() is not None:
                break
            time.sleep(0.02)
        assert run.poll() is None and temporary
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 130
    assert (stdout, stderr) == ("", "lockstep: interrupted; nothing unfinished was left behind\n")
    assert names(tmp_path) == ["noise"]


@pytest.mark.parametrize("fault, code, message", [
    (MemoryError, 1, "the memory of this machine is used up"), (KeyboardInterrupt, 130, "interrupted; nothing unfinished")])
def test_what_no_check_can_foresee_is_one_line_too(folder, capsys, monkeypatch, fault, code, message):
    def fail(*arguments, **options):
        raise fault

    monkeypatch.setattr("lib.__main__.compress", fail)
    assert main(["compress", str(folder / "book.txt")]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(f"lockstep: {message}") and captured.err.count("\n") == 1


@pytest.mark.parametrize("terminal, options, shown", [(True, [], True), (False, [], False), (True, ["--quiet"], False)])
def test_progress_is_shown_on_a_terminal_that_wants_it(tmp_path, capsys, monkeypatch, terminal, options, shown):
    (tmp_path / "in").write_bytes(b"a" * 1_000)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main(["compress", str(tmp_path / "in"), *options]) == 0
    assert ("bits per byte" in capsys.readouterr().err) == shown


def at_streams(folder, redirections, *arguments):
    """Run the command line with its standard streams as a shell's redirections make them."""
    command = ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-m", "lib", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}         # what waits to be written is the point
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment | {"PYTHONPATH": str(ROOT)})


@pytest.mark.skipif(os.name == "nt", reason="Windows has other streams")
@pytest.mark.parametrize("redirections", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_closed_stream_stops_nothing(folder, redirections):
    for arguments, target in ((("compress", "book.txt", "small", "--preset", "fast"), "book.txt.lks"), (("decompress", "coded.lks"), "sample.txt"),
                              (("split", "book.txt", "-n", "2"), "book.txt.parts.json"), (("join", "book.txt.parts.json", "-f"), "book.txt"),
                              (("learn", "book.txt", "-o", "x.prior"), "x.prior")):
        ran = at_streams(folder, redirections, *arguments)
        assert (ran.returncode, ran.stderr) == (0, ""), arguments
        assert (folder / target).exists()
    assert (folder / "sample.txt").read_bytes() == (folder / "book.txt").read_bytes() == TEXT
    assert lockstep(folder, "decompress", "book.txt.lks", "-o", "out").returncode == 0 and (folder / "out").read_bytes() == TEXT
    assert at_streams(folder, redirections, "compress", "missing").returncode == 1      # where it can be said or not
    assert at_streams(folder, redirections, "compress", "--nonsense").returncode == 2
    (folder / "book.txt.lks").unlink()
    network = [part for value in ("contexts=none", "rnn_units=8", "backend=tensorflow") for part in ("--set", value)]
    ran = at_streams(folder, redirections, "compress", "missing", "book.txt", *network)
    assert ran.returncode == 1 and (folder / "book.txt.lks").exists()                   # TensorFlow's loading flushes standard error


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
def test_what_cannot_be_shown_is_told_from_what_cannot_be_done(folder):
    ran = at_streams(folder, ">/dev/full", "compress", "book.txt", "small", "--preset", "fast")
    assert ran.returncode == 0 and (folder / "book.txt.lks").exists() and (folder / "small.lks").exists()
    told, = ran.stderr.splitlines()              # and from then on nobody reads it
    assert told.startswith("lockstep: book.txt.lks: 553 -> ")
    assert told.endswith(" (complete; cannot write to standard output: No space left on device)")
    ran = at_streams(folder, ">/dev/full", "info", "stored.lks")
    assert (ran.returncode, ran.stderr) == (1, "lockstep: cannot write to standard output: No space left on device\n")
    ran = at_streams(folder, ">&-", "info", "stored.lks")
    assert (ran.returncode, ran.stderr) == (1, "lockstep: standard output is closed, and info writes nothing else\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other pipes")
@pytest.mark.parametrize("arguments, targets", [
    (["info", "stored.lks"], []), (["compress", "--help"], []),
    (["compress", "small", "book.txt", "--preset", "fast"], ["small.lks", "book.txt.lks"])], ids=lambda value: value[0] if value else "")
def test_a_reader_that_has_gone_is_no_fault(folder, arguments, targets):
    """As in `python -m lib info FILE | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = subprocess.run([sys.executable, "-m", "lib", *arguments], cwd=folder, stdout=writer,
                             stderr=subprocess.PIPE, text=True, timeout=60, env=os.environ | {"PYTHONPATH": str(ROOT)})
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert all((folder / target).exists() for target in targets)


def test_outputs_of_one_command_never_replace_each_other(folder):
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "x").write_text(name)
        assert lockstep(folder, "compress", f"{name}/x", "-q").returncode == 0
    (folder / "out").mkdir()
    before = names(folder / "out")
    ran = lockstep(folder, "compress", "a/x", "b/x", "-o", "out", "-f")
    assert (ran.returncode, ran.stdout) == (1, "") and names(folder / "out") == before
    assert ran.stderr == (f"lockstep: a/x and b/x would both become {os.path.join('out', 'x.lks')}; give them one after the other, with "
                          "other outputs\n")
    ran = lockstep(folder, "decompress", "a/x.lks", "b/x.lks", "-o", "out", "-f")
    assert (ran.returncode, ran.stdout) == (1, "") and names(folder / "out") == before
    assert ran.stderr.startswith("lockstep: a/x.lks and b/x.lks would both become ")
    (folder / "a" / "x.lks").unlink()
    ran = lockstep(folder, "compress", "a/x", "a/./x", "-f")
    assert ran.returncode == 1 and not (folder / "a" / "x.lks").exists()


def test_an_output_never_replaces_another_input_of_its_command(folder):
    (folder / "small.lks").write_bytes(b"another")
    ran = lockstep(folder, "compress", "small", "small.lks", "-f")
    assert ran.returncode == 1 and (folder / "small.lks").read_bytes() == b"another"
    assert ran.stderr.startswith("lockstep: the output of small would replace small.lks; ")


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
def test_what_was_written_is_known_by_any_name(folder):
    """A disk that tells no case takes A and a for one name, as a folder that is two by its name."""
    (folder / "one").mkdir()
    (folder / "one" / "small.lks").write_bytes((folder / "stored.lks").read_bytes())
    first = command_line._identity(folder / "one" / "small.lks")
    os.link(folder / "one" / "small.lks", folder / "SMALL.LKS")
    with pytest.raises(InputError, match="SMALL.LKS was written just before, for another input"):
        command_line._check_kept(folder / "SMALL.LKS", first)
    command_line._check_kept(folder / "small", first)
    command_line._check_kept(folder / "missing", first)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_names_that_are_not_text_go_through_every_command(folder):
    name = os.fsdecode(b"caf\xe9 \n.txt")
    (folder / name).write_bytes(TEXT * 40)
    shown = "caf\\xe9 \\n.txt"

    def run(*arguments):
        ran = lockstep(folder, *arguments)
        assert (ran.returncode, ran.stderr) == (0, ""), arguments
        return ran.stdout

    assert run("compress", name, "-c", name + ".kept", "--preset", "fast").startswith(f"{shown}.lks: ")
    assert "original" in run("info", name + ".lks")
    assert run("learn", name, "-o", name + ".prior").startswith(f"{shown}.prior: ")
    assert run("decompress", name + ".lks", "-o", name + ".out", "-c", name + ".kept").startswith(f"{shown}.out: ")
    assert run("split", name, "-n", "2").startswith(f"{shown}.parts.json: 2 parts of {shown}, ")
    assert run("join", name + ".parts.json", "-f").startswith(f"{shown}: ")
    assert (folder / name).read_bytes() == (folder / (name + ".out")).read_bytes() == TEXT * 40
    refused = lockstep(folder, "info", name)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    refused = lockstep(folder, "compress", "no\x1b[31m\u202efile")
    assert refused.stderr == "lockstep: there is no file no\\x1b[31m\\u202efile; check the name\n"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_a_run_of_names_that_are_not_text_goes_on(folder, monkeypatch, stop_after, capsys):
    monkeypatch.chdir(folder)
    name = os.fsdecode(b"caf\xe9")
    (folder / name).write_bytes(TEXT * 40)
    arguments = ["compress", name, "-c", name + ".kept", "--preset", "fast"]
    assert main([*arguments, "-o", "unbroken", "-q"]) == 0
    stop_after(1)
    assert main(arguments) == 130
    stop_after(0)
    assert main(["resume", name + ".kept"]) == 0
    assert (folder / f"{name}.lks").read_bytes() == (folder / "unbroken").read_bytes()


def test_the_command_line_can_be_called_where_output_is_no_terminal_or_file(folder):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert main(["info", str(folder / "stored.lks")]) == 0
    assert "small, 5 bytes" in output.getvalue()


@pytest.mark.parametrize("fault, said", [(OSError(5, "Input/output error"), "stopped by OSError: [Errno 5] Input/output error. "),
                                         (BrokenPipeError(32, "Broken pipe"), "stopped by BrokenPipeError: "),
                                         (RuntimeError("ran out"), "stopped by RuntimeError: ran out. "), (MemoryError(), "the memory of ")])
def test_a_fault_stops_no_other_file_and_is_not_taken_for_one_of_standard_output(folder, monkeypatch, capsys, fault, said):
    monkeypatch.chdir(folder)
    real = command_line.compress

    def fail(path, *arguments, **options):
        if path.name == "book.txt":
            raise fault
        return real(path, *arguments, **options)

    monkeypatch.setattr(command_line, "compress", fail)
    assert main(["compress", "book.txt"]) == 1
    assert capsys.readouterr().err.startswith(f"lockstep: {said}")
    assert main(["compress", "book.txt", "small"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"lockstep: book.txt: {said}") and captured.err.endswith("1 of 2 files failed, the others are done\n")
    assert captured.out.startswith("small.lks: ") and (folder / "small.lks").exists()


def test_a_fault_of_a_library_is_one_line_too(tmp_path, monkeypatch, capsys):
    def fail(*arguments, **keywords):
        raise RuntimeError("ran out of device memory\nand a page of details")
    monkeypatch.setattr(command_line, "compress", fail)
    assert command_line.main(["compress", str(tmp_path / "in")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lockstep: stopped by RuntimeError: ran out of device memory. No unfinished output was left; ")
    assert said.count("\n") == 1
    monkeypatch.setenv(command_line.TRACEBACK, "1")
    with pytest.raises(RuntimeError):
        command_line.main(["compress", str(tmp_path / "in")])


def test_verify_is_not_undone_by_a_setting(folder, monkeypatch):
    monkeypatch.chdir(folder)
    asked = []
    monkeypatch.setattr("lib.coding.verification.verify", lambda path, run, note: asked.append(run.settings.verify))
    assert main(["compress", "book.txt", "--preset", "fast", "--verify", "--set", "verify=no"]) == 0 and asked == ["yes"]


def test_what_is_for_compressing_is_refused_at_decompression(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["compress", "book.txt", "--preset", "fast", "-q"]) == 0
    assert main(["decompress", "book.txt.lks", "-o", "again", "--set", "verify=yes"]) == 1
    assert "verify is for compressing; to decompress, only how to run can be chosen" in capsys.readouterr().err


def test_an_output_is_never_what_a_file_below_a_file_lies_in(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    before = (folder / "book.txt").read_bytes()
    assert main(["compress", "book.txt/x", "-f", "--preset", "fast"]) == 1
    assert (folder / "book.txt").read_bytes() == before and "book.txt/x.lks" in capsys.readouterr().err
