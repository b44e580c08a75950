"""Checkpoints: a run that was stopped anywhere goes on, and ends in the very bytes of an unbroken one."""

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from samples import INTERRUPTIBLE, TEXT, tiny

import lib
from lib import CheckpointError, OutputError, Settings, compress, decompress, resume
from lib.resume import checkpoint, keeper
from lib.resume.checkpoint import Checkpoint
from lib.resume.keeper import Keeper
from tools.build_notebooks import ROOT

SMALL = dict(rnn_units=8, num_layers=1, embedding_size=4, seq_length=5, update_interval=3, primer="none")
DATA = bytes(range(200)) + TEXT * 2
KINDS = {
    "contexts": Settings(preset="fast", contexts="text", batch_size=3),
    "records": Settings(preset="fast", contexts="binary", batch_size=2),
    "network": tiny(),
    "both": Settings(preset="balanced", contexts="text", batch_size=2, **SMALL),
    "primed": Settings(preset="fast", contexts="text", primer="text-1"),
    "float16": tiny(arithmetic="float16"),       # float32 has less to keep
}


@pytest.fixture
def folder(tmp_path):
    """A folder with an input."""
    (tmp_path / "in").write_bytes(DATA)
    return tmp_path


def run_with_stops(stop_after, every, run):
    """Call `run` until it is not interrupted, at its every-th visit each time; returns (its result, how often it was)."""
    stops = 0
    while True:
        stop_after(every)
        try:
            return run(), stops
        except KeyboardInterrupt:
            stops += 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_stopped_often_gives_the_bytes_of_an_unbroken_one(folder, stop_after, kind):
    unbroken = compress(folder / "in", folder / "unbroken.lks", KINDS[kind]).output_path.read_bytes()
    every = {"float16": 300, "network": 23, "both": 150, "primed": 12}.get(kind, 2)
    packed, stops = run_with_stops(stop_after, every, lambda: compress(
        folder / "in", folder / "in.lks", KINDS[kind], checkpoint=folder / "kept"))
    assert packed.output_path.read_bytes() == unbroken and stops >= 1
    restored, stops = run_with_stops(stop_after, every, lambda: decompress(
        folder / "in.lks", folder / "out", checkpoint=folder / "kept"))
    assert restored.output_path.read_bytes() == DATA and stops >= 1
    assert sorted(file.name for file in folder.iterdir()) == ["in", "in.lks", "out", "unbroken.lks"]


def test_segments_before_the_stop_are_kept(folder, stop_after, monkeypatch):
    monkeypatch.setattr(lib.coding.loop, "SEGMENT_SYMBOLS", 300)
    settings = Settings(preset="fast", batch_size=2, contexts="text")
    unbroken = compress(folder / "in", folder / "unbroken.lks", settings).output_path.read_bytes()
    packed, stops = run_with_stops(stop_after, 2, lambda: compress(
        folder / "in", folder / "in.lks", settings, checkpoint=folder / "kept"))
    assert packed.output_path.read_bytes() == unbroken and stops > 3
    _, stops = run_with_stops(stop_after, 2, lambda: decompress(
        folder / "in.lks", folder / "out", checkpoint=folder / "kept"))
    assert (folder / "out").read_bytes() == DATA and stops > 3


def stopped(folder, stop_after, settings, visits=3):
    """Begin to compress, and stop after so many visits."""
    stop_after(visits)
    with pytest.raises(KeyboardInterrupt):
        compress(folder / "in", folder / "in.lks", settings, checkpoint=folder / "kept")
    stop_after(0)


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
def test_a_run_goes_on_under_another_backend(folder, stop_after, backend):
    settings = KINDS["both"]
    unbroken = compress(folder / "in", folder / "unbroken.lks", settings).output_path.read_bytes()
    stopped(folder, stop_after, settings, visits=200)
    packed = resume(folder / "kept", Settings(backend=backend))
    assert packed.backend == backend and packed.output_path.read_bytes() == unbroken


@pytest.mark.parametrize("cores", [1, 3])
def test_a_run_goes_on_with_another_number_of_threads(folder, stop_after, monkeypatch, cores):
    settings = tiny(batch_size=6)
    unbroken = compress(folder / "in", folder / "unbroken.lks", settings).output_path.read_bytes()
    stopped(folder, stop_after, settings, visits=30)
    from lib.models.exact import numba_engine
    monkeypatch.setattr(numba_engine, "available_cores", lambda: cores)
    assert resume(folder / "kept").output_path.read_bytes() == unbroken


def test_resume_needs_the_checkpoint_alone(folder, stop_after, monkeypatch):
    unbroken = compress(folder / "in", folder / "unbroken.lks", KINDS["contexts"]).output_path.read_bytes()
    monkeypatch.chdir(folder)
    stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        compress("in", settings=KINDS["contexts"], checkpoint="kept")
    stop_after(0)
    monkeypatch.chdir(ROOT)
    assert resume(folder / "kept").output_path.read_bytes() == unbroken


def test_checkpoints_are_written_as_time_goes_by(folder, stop_after, monkeypatch):
    times = iter(range(10 ** 6))
    monkeypatch.setattr(keeper.time, "monotonic", lambda: 60 * next(times))
    monkeypatch.setattr(keeper, "_MOST_SHARE", 1e9)
    written = []
    monkeypatch.setattr(keeper, "write", lambda path, about, sections, mode: written.append(about["step"]))
    compress(folder / "in", settings=Settings(preset="fast", contexts="text", checkpoint_minutes=3), checkpoint=folder / "kept")
    assert written == [192, 384, 576, 768, 960, 1152]      # a clock that says a minute more at each look


def test_no_more_than_a_share_of_the_time_goes_into_checkpoints(monkeypatch, tmp_path):
    now = [0.0]
    monkeypatch.setattr(keeper.time, "monotonic", lambda: now[0])

    def write(*_, mode):
        now[0] += 30

    monkeypatch.setattr(keeper, "write", write)
    kept = Keeper(tmp_path / "kept", 1, {}, None)
    spent = 0
    while now[0] < 10_000:
        before = now[0]
        kept.visit(lambda: ({}, {}))
        spent += now[0] - before
        now[0] += 1
    assert 0.02 < spent / now[0] < 0.05


# --- what does not belong together ---

@pytest.mark.parametrize("change, message", [
    (lambda folder: (folder / "in").write_bytes(DATA + b"."), "in has changed since .*kept was begun; choose another checkpoint"),
    (lambda folder: dict(preset="balanced"), "kept was begun with preset=fast, and not with balanced"),
    (lambda folder: dict(preset="fast", batch_size=4), "kept was begun with batch_size=3, and not with 4"),
    (lambda folder: lib.__setattr__("__version__", "9.9.9"), "kept was made by Lockstep 0.1.0, and this is 9.9.9"),
], ids=["input", "preset", "setting", "version"])
def test_a_checkpoint_of_another_run_is_refused(folder, stop_after, monkeypatch, change, message):
    monkeypatch.setattr(lib, "__version__", "0.1.0")
    settings = KINDS["contexts"]
    stopped(folder, stop_after, settings)
    changed = change(folder)
    if isinstance(changed, dict):
        settings = Settings(**changed)
    with pytest.raises(CheckpointError, match=message):
        compress(folder / "in", folder / "in.lks", settings, checkpoint=folder / "kept")
    assert not (folder / "in.lks").exists() and (folder / "kept").exists()


def test_a_checkpoint_of_the_other_direction_is_refused(folder, stop_after):
    stopped(folder, stop_after, KINDS["contexts"])
    packed = compress(folder / "in", folder / "in.lks", KINDS["contexts"])
    with pytest.raises(CheckpointError, match="kept is of a run to compress .*in; choose another checkpoint, or remove"):
        decompress(packed.output_path, folder / "out", checkpoint=folder / "kept")


def test_a_float_network_only_goes_on_where_it_began(folder, stop_after, monkeypatch):
    stopped(folder, stop_after, KINDS["float16"], visits=10)
    from lib.models.environment import Environment
    real = Environment.enter
    monkeypatch.setattr(Environment, "enter", lambda made_in=None: dataclasses.replace(real(made_in), device="another"))
    with pytest.raises(CheckpointError, match="this is .* on another with .*; a float network can only go on where it began"):
        resume(folder / "kept")


@pytest.mark.parametrize("name", ["in", "in.lks"])
def test_a_checkpoint_never_takes_the_place_of_the_input_or_output(folder, name):
    with pytest.raises(CheckpointError, match="is the run's own input or output; choose another path for the checkpoint"):
        compress(folder / "in", folder / "in.lks", KINDS["contexts"], checkpoint=folder / name)
    assert (folder / "in").read_bytes() == DATA and not (folder / "in.lks").exists()


@pytest.mark.parametrize("about", [{}, {"lockstep": 3}, {"lockstep": lib.__version__, "direction": "compress", "preset": 10,
                                                       "overrides": {}, "environment": [], "step": 1}])
def test_a_checkpoint_that_says_too_little_is_refused(folder, about):
    checkpoint.write(folder / "kept", about, {})
    with pytest.raises(CheckpointError, match="lacks what a checkpoint must have|is not the checkpoint of a run"):
        resume(folder / "kept")


def test_a_file_of_the_users_is_no_checkpoint_and_stays(folder):
    (folder / "mine").write_bytes(b"of the user")
    with pytest.raises(CheckpointError, match="mine is no checkpoint of Lockstep.*; choose another path for the checkpoint"):
        compress(folder / "in", settings=KINDS["contexts"], checkpoint=folder / "mine")
    assert (folder / "mine").read_bytes() == b"of the user"


def test_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint .*kept; check the name"):
        resume(tmp_path / "kept")


def test_a_run_that_was_stopped_after_its_last_act_is_done(folder, stop_after):
    def encode():
        return compress(folder / "in", folder / "in.lks", KINDS["contexts"], checkpoint=folder / "kept")

    def decode():
        return decompress(folder / "in.lks", folder / "out", checkpoint=folder / "kept")

    for run, output in ((encode, "in.lks"), (decode, "out")):
        stop_after(3)
        with pytest.raises(KeyboardInterrupt):
            run()
        stop_after(0)
        shutil.copy(folder / "kept", folder / "copy")
        made = run().output_path.read_bytes()
        shutil.copy(folder / "copy", folder / "kept")          # as if it had not been removed any more
        again = resume(folder / "kept")
        assert again.output_path.name == output and again.output_path.read_bytes() == made
        assert not (folder / "kept").exists()


def test_what_stands_under_the_outputs_name_is_not_taken_for_the_result(folder, stop_after):
    stopped(folder, stop_after, KINDS["contexts"])
    (folder / "in.lks").write_bytes(b"of the user")
    with pytest.raises(OutputError, match="in.lks exists already"):
        resume(folder / "kept")
    assert (folder / "in.lks").read_bytes() == b"of the user"


def test_the_reference_coder_keeps_no_checkpoints(folder):
    with pytest.raises(lib.SettingsError, match="coder=arithmetic-compressor has no checkpoints"):
        compress(folder / "in", settings=tiny(coder="arithmetic-compressor"), checkpoint=folder / "kept")


# --- damage ---

@pytest.fixture
def two(folder, stop_after):
    """A folder with two checkpoints of a run, and the file that it should end in."""
    compress(folder / "in", folder / "unbroken.lks", KINDS["contexts"])
    for visits in (3, 2):
        stopped(folder, stop_after, KINDS["contexts"], visits)
    assert checkpoint.previous(folder / "kept").exists()
    return folder


@pytest.mark.parametrize("damage", [
    lambda data: data[:len(data) // 2], lambda data: data[:-1], lambda data: data[:5], lambda data: b"",
    lambda data: data[:3000] + bytes([data[3000] ^ 1]) + data[3001:], lambda data: data[:-3] + b"abc",
    lambda data: data[:7] + bytes([99]) + data[8:]],
    ids=["half", "one byte short", "five bytes", "empty", "flipped bit", "checksum", "version"])
def test_where_the_newest_is_damaged_the_one_before_it_is_taken(two, damage):
    kept, said = two / "kept", []
    kept.write_bytes(damage(kept.read_bytes()))
    packed = resume(kept, warn=said.append)
    assert packed.output_path.read_bytes() == (two / "unbroken.lks").read_bytes()
    assert "going on from the one before it" in said[0]


def test_where_both_are_damaged_that_is_said(two):
    for kept in (two / "kept", checkpoint.previous(two / "kept")):
        kept.write_bytes(kept.read_bytes()[:-1])
    said = "kept is damaged .*kept.previous is damaged .*; choose another path for the checkpoint to begin anew"
    with pytest.raises(CheckpointError, match=said):
        resume(two / "kept")


def test_sections_come_back_and_sizes_that_are_claimed_are_checked(tmp_path):
    random_numbers = np.random.Generator(np.random.PCG64(1))
    arrays = {"zeros": np.zeros(3 << 20, np.uint8), "numbers": random_numbers.integers(0, 1 << 40, (700, 300)),
              "none": np.zeros(0, np.int32), "bytes": b"abc"}
    checkpoint.write(tmp_path / "kept", {"name": "x"}, arrays)
    found = Checkpoint(tmp_path / "kept")
    assert found.about["name"] == "x" and found.read("bytes") == b"abc" and found.read("none") == b""
    numbers = np.zeros((700, 300), np.int64)
    found.read_into({"numbers": numbers, "zeros": np.zeros(3 << 20, np.uint8)})
    assert (numbers == arrays["numbers"]).all()
    with pytest.raises(CheckpointError, match="numbers has another size"):
        found.read_into({"numbers": numbers[:-1]})
    checkpoint.write(tmp_path / "lies", {}, {"x": b""})
    data = (tmp_path / "lies").read_bytes()
    packed = checkpoint.msgpack.packb({"sections": [["x", 1 << 40]]})
    start = data[:8] + len(packed).to_bytes(4, "little") + packed
    (tmp_path / "lies").write_bytes(start + checkpoint.hashlib.sha256(start).digest())
    with pytest.raises(CheckpointError, match="claims more than it can hold"):
        Checkpoint(tmp_path / "lies")


def test_a_full_disk_leaves_the_run_and_its_checkpoint_as_they_are(two, monkeypatch):
    before, said = (two / "kept").read_bytes(), []
    real = checkpoint.OutputFile.flush

    def flush(self):
        if self.path.name == "kept":
            raise OutputError("cannot write kept: No space left on device")
        real(self)

    monkeypatch.setattr(checkpoint.OutputFile, "flush", flush)
    settings = dataclasses.replace(KINDS["contexts"], checkpoint_minutes=0.001)
    monkeypatch.setattr(checkpoint, "remove", lambda path: None)
    times = iter(range(10 ** 6))
    monkeypatch.setattr(keeper.time, "monotonic", lambda: next(times))
    packed = compress(two / "in", two / "in.lks", settings, checkpoint=two / "kept", warn=said.append)
    assert packed.output_path.read_bytes() == (two / "unbroken.lks").read_bytes()
    assert "no checkpoint was written: cannot write kept: No space left on device" in said[0]
    assert (two / "kept").read_bytes() == before


# --- kills ---

_AT_THE_NTH_CALL = """
import os, signal, sys
sys.path.insert(0, {root!r})
from lib import Settings, compress, decompress
from lib.resume import checkpoint, keeper
from lib.mixing.context_mixer import ContextMixer
ContextMixer.steps_at_once = 64
left = int(sys.argv[1])

def dying(function):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call

for name in ("replace", "fsync", "unlink", "chmod"):
    setattr(os, name, dying(getattr(os, name)))
checkpoint._deflated = dying(checkpoint._deflated)
how = Settings(preset="fast", contexts="text", batch_size=3, checkpoint_minutes=0.001)
checkpoint._MOST_SHARE = 1e9
if sys.argv[2] == "compress":
    compress("in", "out", how, checkpoint="kept")
else:
    decompress("in", "out", Settings(checkpoint_minutes=0.001), checkpoint="kept")
"""


def killed_at(folder, number, direction):
    """Whether a run in a process of its own was killed, at the number-th thing that it does to files."""
    ran = subprocess.run([sys.executable, "-c", _AT_THE_NTH_CALL.format(root=str(ROOT)), str(number), direction],
                         cwd=folder, capture_output=True, text=True)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode != 0


@pytest.mark.parametrize("direction", ["compress", "decompress"])
def test_a_run_survives_a_kill_at_whatever_it_does_to_files(tmp_path, direction):
    (tmp_path / "in").write_bytes(DATA * 20)
    packed = compress(tmp_path / "in", settings=Settings(preset="fast", contexts="text", batch_size=3)).output_path
    source, expected = (tmp_path / "in", packed) if direction == "compress" else (packed, tmp_path / "in")
    kills, points = 0, [1, 2, 3, 5, 8, 12, 13, 14, 15, 17, 20, 25, 31, 38, 46, 10 ** 6]
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(source, folder / "in")
    for number in points:                       # each goes on from what the kill before it left
        if not killed_at(folder, number, direction):
            break
        kills += 1
        assert not (folder / "out").exists() or (folder / "out").read_bytes() == expected.read_bytes()
    print(f"{kills} kills survived")
    assert (folder / "out").read_bytes() == expected.read_bytes() and kills >= 5


@pytest.mark.parametrize("direction", ["compress", "decompress"])
def test_a_run_survives_kills_at_random_moments(tmp_path, direction):
    data = random.Random(3).choices(DATA, k=60_000)
    (tmp_path / "plain").write_bytes(bytes(data))
    packed = compress(tmp_path / "plain", settings=tiny(rnn_units=32)).output_path
    source, expected = (tmp_path / "plain", packed) if direction == "compress" else (packed, tmp_path / "plain")
    moments, kills = random.Random(direction), 0
    how = ["--set", "checkpoint_minutes=0.002"]
    if direction == "compress":
        how += ["--preset", "network"] + [f"--set={name}={value}" for name, value in tiny(rnn_units=32).chosen().items()]
    while True:
        process = subprocess.Popen([sys.executable, "-m", "lib", direction, source, "-o", tmp_path / "out", *how,
                                    "--checkpoint", tmp_path / "kept"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        killer = threading.Timer(moments.uniform(0.5, 3) + kills / 20, process.kill)
        killer.start()
        _, said = process.communicate()
        killer.cancel()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
        kills += 1
        if (tmp_path / "out").exists() and not (tmp_path / "kept").exists():
            break                                  # killed on its way out
    print(f"{kills} kills survived")
    assert (tmp_path / "out").read_bytes() == expected.read_bytes()


def test_ctrl_c_says_how_to_go_on(tmp_path):
    (tmp_path / "in").write_bytes(bytes(random.Random(5).choices(DATA, k=200_000)))
    command = [sys.executable, "-c", INTERRUPTIBLE, "compress", "in", "--preset", "fast", "--checkpoint", "kept",
               "--set", "checkpoint_minutes=0.001"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "kept").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and said == "lockstep: interrupted; python -m lib resume kept goes on\n"
    again = subprocess.run([sys.executable, "-m", "lib", "resume", "kept"], cwd=tmp_path, env=environment,
                           capture_output=True, text=True)
    assert again.returncode == 0 and "in.lks: 200,000 -> " in again.stdout and not (tmp_path / "kept").exists()
    decompress(tmp_path / "in.lks", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


# --- how the input is looked at ---

def cells(folder):
    """A video whose frames are rows of 24 cells, as far as its header tells."""
    tokens = np.repeat(np.random.default_rng(4).integers(0, 50, (1, 24)), 40, 0)
    tokens[np.random.default_rng(5).random(tokens.shape) < 0.1] = 9
    np.save(folder / "in.npy", tokens.astype(np.int16))
    return folder / "in.npy"


@pytest.mark.parametrize("wishes", [dict(grid_width=8), dict(contexts="binary"), dict(grid_width=6, batch_size=2)], ids=str)
def test_a_resumed_run_looks_at_its_input_as_it_did_before(folder, stop_after, wishes):
    path, settings = cells(folder), Settings(preset="fast", **wishes)
    unbroken = compress(path, folder / "unbroken.lks", settings).output_path.read_bytes()
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        compress(path, folder / "out.lks", settings, checkpoint=folder / "kept")
    stop_after(0)
    shutil.copy(folder / "kept", folder / "copy")
    assert resume(folder / "kept").output_path.read_bytes() == unbroken
    (folder / "out.lks").unlink()
    packed = compress(path, folder / "out.lks", checkpoint=folder / "copy")       # who says nothing takes what was said before
    assert packed.output_path.read_bytes() == unbroken
    assert decompress(packed.output_path, folder / "out").output_path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("wishes, message", [
    (dict(grid_width=6), "was begun with grid_width=8, and not with 6"),
    (dict(contexts="binary"), "was begun with contexts=video, and not with binary")])
def test_a_run_goes_on_as_it_was_begun_or_not_at_all(folder, stop_after, wishes, message):
    path = cells(folder)
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        compress(path, folder / "out.lks", Settings(preset="fast", grid_width=8), checkpoint=folder / "kept")
    stop_after(0)
    with pytest.raises(CheckpointError, match=message) as refused:
        compress(path, folder / "out.lks", Settings(preset="fast", **wishes), checkpoint=folder / "kept")
    assert refused.value.parameter == next(iter(wishes)) and (folder / "kept").exists()


def test_a_checkpoint_of_other_symbols_of_the_same_input_is_refused(folder, stop_after, monkeypatch):
    """As where a later version of the same number looked at inputs in another way."""
    path = cells(folder)
    stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        compress(path, folder / "out.lks", Settings(preset="fast", grid_width=8), checkpoint=folder / "kept")
    stop_after(0)
    from lib.coding.plan import Plan
    monkeypatch.setattr(Plan, "identity", lambda self: bytes(32))
    with pytest.raises(CheckpointError, match="kept was begun on the same input, read in another way"):
        resume(folder / "kept")
    assert not (folder / "out.lks").exists()


@pytest.mark.parametrize("name", [".", "..", "/", "folder"])
def test_a_folder_is_no_checkpoint(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "in").write_bytes(DATA)
    packed = compress("in", settings=Settings(preset="fast")).output_path
    for run in (lambda: compress("in", "out", checkpoint=name), lambda: decompress(packed, "out", checkpoint=name), lambda: resume(name)):
        with pytest.raises(CheckpointError, match="is a folder; name a file for the checkpoint"):
            run()
