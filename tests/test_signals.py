"""Signals that stop a run: a checkpoint is written first, nothing unfinished stays, and the exit code says which it was."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT
from samples import FAST, INTERRUPTIBLE, TEXT

from lib import compress, decompress
from lib.interruptions import STOPPING, Terminated, as_interrupts, postponed, stoppable
from lib.resume import checkpoint
from lib.resume.keeper import Keeper
from lib.storage import temporary
from lib.storage.files import reserved, write_file
from lib.storage.restoring import restore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
NAMES = ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.fixture(params=NAMES)
def number(request):
    """A signal, handled as Python handles it at its start; SIGINT also where the tests run in the background."""
    number = signal.Signals[request.param]
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield number
    signal.signal(number, before)


def keeper_at(path):
    return Keeper(path, 1_000, {}, pytest.fail)


def state():
    return {"step": 5}, {"table": b"data"}


def test_a_signal_inside_is_an_interruption_that_says_which_it_was(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as stopped, as_interrupts():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before
    assert number == signal.SIGINT or isinstance(stopped.value, Terminated) and stopped.value.number == number


def test_a_signal_that_is_ignored_or_handled_stays_so(number):
    came = []
    for handler in (signal.SIG_IGN, lambda *what: came.append(what[0])):
        signal.signal(number, handler)
        with as_interrupts():
            assert signal.getsignal(number) == handler
            signal.raise_signal(number)
        assert signal.getsignal(number) == handler
    assert came == [number]


def test_what_would_stop_waits_until_it_is_known_what_to_remove(number):
    steps = []
    with pytest.raises(KeyboardInterrupt), as_interrupts():
        with postponed():
            signal.raise_signal(number)
            steps.append("made")
        steps.append("not reached")
    assert steps == ["made"]


@pytest.mark.parametrize("name", ["_reserve", "make_file", "make_folder"])
def test_a_signal_in_the_moment_after_something_is_made_leaves_nothing(number, name, tmp_path, monkeypatch):
    make = getattr(temporary, name)

    def stopped(*arguments):
        made = make(*arguments)
        assert len(list(tmp_path.iterdir())) == 1
        signal.raise_signal(number)
        return made

    monkeypatch.setattr(temporary, name, stopped)
    uses = {"_reserve": lambda: reserved(tmp_path / "out").__enter__(), "make_file": lambda: write_file(tmp_path / "out", b"data"),
            "make_folder": lambda: restore([], [], tmp_path / "out")}
    with pytest.raises(KeyboardInterrupt), as_interrupts():
        uses[name]()
    assert list(tmp_path.iterdir()) == []


def test_other_threads_take_no_signals(number, tmp_path):
    before, seen = signal.getsignal(number), []

    def look():
        with as_interrupts(), keeper_at(tmp_path / "kept"):
            seen.append(signal.getsignal(number))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_signal_waits_for_a_checkpoint_and_then_does_what_it_would_have_done(number, tmp_path):
    with as_interrupts():
        before = signal.getsignal(number)
        with pytest.raises(KeyboardInterrupt) as stopped, keeper_at(tmp_path / "kept") as keeper:
            keeper.visit(pytest.fail)                                  # none is due
            signal.raise_signal(number)
            assert not (tmp_path / "kept").exists()
            keeper.visit(state)
        assert signal.getsignal(number) == before
    assert getattr(stopped.value, "number", signal.SIGINT) == number
    assert checkpoint.Checkpoint(tmp_path / "kept").about["step"] == 5


def test_a_second_signal_does_not_wait(number, tmp_path):
    with as_interrupts(), pytest.raises(KeyboardInterrupt), keeper_at(tmp_path / "kept"):
        signal.raise_signal(number)
        signal.raise_signal(number)
        pytest.fail("it waited")
    assert not (tmp_path / "kept").exists()


def test_a_signal_after_the_last_visit_is_not_lost(number, tmp_path):
    with as_interrupts(), pytest.raises(KeyboardInterrupt), keeper_at(tmp_path / "kept"):
        signal.raise_signal(number)


def test_a_signal_that_stops_nothing_is_passed_on_and_the_run_goes_on(number, tmp_path):
    came = []
    signal.signal(number, lambda *what: came.append(what[0]))
    with keeper_at(tmp_path / "kept") as keeper:
        for count in (1, 2):
            signal.raise_signal(number)
            assert len(came) == count - 1
            keeper.visit(state)
            assert came == [number] * count and (tmp_path / "kept").exists()
            (tmp_path / "kept").unlink()


def test_an_ignored_signal_writes_no_checkpoint(number, tmp_path):
    signal.signal(number, signal.SIG_IGN)
    with keeper_at(tmp_path / "kept") as keeper:
        signal.raise_signal(number)
        keeper.visit(pytest.fail)
    assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [["--checkpoint", "kept"], []], ids=["checkpoint", "none"])
def test_a_run_that_a_signal_stops_leaves_its_checkpoint_and_nothing_else(tmp_path, name, kept):
    data = bytes(random.Random(5).choices(TEXT, k=220_000))
    (tmp_path / "in").write_bytes(data)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, "compress", "in", "--preset", "fast", *kept], cwd=tmp_path,
                               env=environment, stderr=subprocess.PIPE, text=True)
    while not any(path.stat().st_size for path in tmp_path.glob(".lockstep-*.tmp")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.Signals[name])
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.Signals[name] and said.startswith("lockstep: interrupted; "), said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in", *kept[1:]])
    if kept:
        again = subprocess.run([sys.executable, "-m", "lib", "resume", "kept"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        assert decompress(tmp_path / "in.lks", tmp_path / "out").original_bytes == len(data)
        assert (tmp_path / "out").read_bytes() == data


def test_the_signals_are_those_that_end_programs():
    assert [signal.Signals(number).name for number in STOPPING] == NAMES


def test_a_run_that_is_asked_to_stop_leaves_its_checkpoint_and_goes_on_to_the_same_file(tmp_path):
    (tmp_path / "in").write_bytes(TEXT * 40)
    whole = compress(tmp_path / "in", tmp_path / "whole", FAST).output_path.read_bytes()
    stop = threading.Event()
    ended = []

    def run():
        with stoppable(stop):
            try:
                compress(tmp_path / "in", settings=FAST, checkpoint=tmp_path / "kept")
            except KeyboardInterrupt:
                ended.append("stopped")

    stop.set()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    assert ended == ["stopped"] and (tmp_path / "kept").exists() and not (tmp_path / "in.lks").exists()
    assert not list(tmp_path.glob(".lockstep-*"))
    assert compress(tmp_path / "in", settings=FAST, checkpoint=tmp_path / "kept").output_path.read_bytes() == whole
    assert not (tmp_path / "kept").exists()
