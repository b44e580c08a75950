"""lib.coding.choice: what preset=auto takes, and what it says of it."""

import re
import time

import pytest
from samples import TEXT

from lib import machine as machine_memory
from lib.coding import choice, speed
from lib.settings import Settings
from lib.sources import ByteSource

SPEEDS = {"best": 1_000, "balanced": 5_000, "fast": 50_000}       # symbols a second of a machine made up for these tests


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """The usual machine has SPEEDS."""
    def symbols_per_second(plan):
        return SPEEDS["fast" if not plan.parameters.has_network else "best" if plan.parameters.rnn_units > 200 else "balanced"]

    monkeypatch.setattr(speed, "symbols_per_second", symbols_per_second)


def source_of(size, data=TEXT):
    source = ByteSource.from_bytes(data)
    source.symbol_count = size
    source.suitable_contexts = lambda: "text"
    return source


def choose(settings, source):
    """(the Parameters, the reason) of a choice."""
    plan, reason = choice.plan_for(settings, source)
    return plan.parameters, reason


def complete(preset, size):
    return Settings(preset=preset, primer="none").resolve(size, "text")


@pytest.mark.parametrize("size, limit, taken", [
    (1_000, 100, "best"), (100_000, 100, "best"), (100_001, 100, "balanced"), (500_000, 100, "balanced"), (500_001, 100, "fast"),
    (500_001, 1_000, "best"), (10 ** 9, 1, "fast")])
def test_auto_takes_the_preset_that_makes_the_smallest_file_in_time(size, limit, taken):
    settings, reason = choose(Settings(time_limit=limit, primer="none"), source_of(size))
    assert settings.to_header() == complete(taken, size).to_header()
    assert reason.startswith(f"auto took {taken} for data that looks like text: ")


@pytest.mark.parametrize("preset, units", [("auto", 384), ("best", 384), ("gpu", 1_600)])
def test_what_is_taken_does_not_depend_on_the_machine(monkeypatch, preset, units):
    """Not on free memory or the clock: the same input becomes the same file everywhere."""
    taken = set()
    for memory, seconds in ((1e6, 0.0), (1e12, 1e6)):
        monkeypatch.setattr(machine_memory, "available_memory", lambda *places, value=memory: value)
        monkeypatch.setattr(time, "perf_counter", lambda value=seconds: value)
        settings, reason = choose(Settings(preset=preset), source_of(1_000))
        taken.add((str(settings.to_header()), reason))
        assert settings.rnn_units == units
    assert len(taken) == 1


def test_the_reason_says_what_was_against_the_others():
    _, reason = choose(Settings(), source_of(2_000_000))
    assert reason == ("auto took fast for data that looks like text: about 40 s on two usual cores; best would take about 33 min, "
                      "balanced would take about 7 min, and time_limit is 100 s")


def test_the_time_that_a_primer_takes_counts():
    without, _ = choose(Settings(time_limit=100), source_of(98_000))
    primed, _ = choose(Settings(time_limit=100, primer="text-1"), source_of(98_000))
    assert (without.rnn_units, primed.rnn_units) == (384, 160)


def test_what_takes_much_memory_is_not_taken():
    settings, reason = choose(Settings(rnn_units=6_000, time_limit=10_000_000), source_of(1_000))
    assert reason.startswith("auto took balanced") and re.search(r"best would take 1\d\.\d GB of memory", reason)


@pytest.mark.parametrize("preset", ["fast", "balanced", "best", "network"])
def test_a_preset_that_was_chosen_is_taken_without_a_word(preset):
    settings, reason = choose(Settings(preset=preset, primer="none"), source_of(10 ** 9))
    assert (settings.to_header(), reason) == (complete(preset, 10 ** 9).to_header(), "")


def test_a_parameter_of_the_network_asks_for_a_network():
    settings, _ = choose(Settings(rnn_units=64), source_of(10 ** 9))
    assert settings.has_network and settings.rnn_units == 64


def test_contexts_that_were_chosen_are_taken():
    settings, reason = choose(Settings(contexts="binary"), source_of(1_000))
    assert settings.contexts == "binary" and "for contexts=binary" in reason


def test_no_contexts_leave_the_presets_with_a_network():
    settings, _ = choose(Settings(contexts="none"), source_of(10 ** 9))
    assert settings.has_network and not settings.has_contexts


@pytest.mark.parametrize("seconds, said", [(0.2, "0 s"), (120, "120 s"), (121, "2 min"), (5_999, "100 min"), (36_000, "10 h")])
def test_durations_are_said_as_people_do(seconds, said):
    assert choice.duration(seconds) == said
