"""lib.coding.choice: what preset=auto takes, and what it says of it."""

import pytest
from samples import TEXT

from lib.coding import choice
from lib.coding.plan import Plan
from lib.settings import Settings
from lib.sources import ByteSource

SPEEDS = {"best": 1_000, "balanced": 5_000, "fast": 50_000}       # symbols a second of a machine made up for these tests


@pytest.fixture
def machine(monkeypatch):
    """A machine with SPEEDS; returns a list of the presets it tried out."""
    tried = []

    def speed(plan):
        name = "fast" if not plan.parameters.has_network else "best" if plan.parameters.rnn_units > 200 else "balanced"
        tried.append(name)
        return SPEEDS[name]

    monkeypatch.setattr(choice, "_symbols_per_second", speed)
    monkeypatch.setattr(choice, "available_memory", lambda: 64e9)
    return tried


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


@pytest.mark.parametrize("size, limit, taken, tried", [
    (1_000, 100, "best", []),                          # too small to ask
    (30_000, 100, "best", []),
    (30_001, 100, "best", ["best"]),
    (100_001, 100, "balanced", ["best", "balanced"]),
    (500_000, 100, "balanced", ["best", "balanced"]),
    (500_001, 100, "fast", ["best", "balanced"]),      # the fastest needs no trial to be taken
    (500_001, 1_000, "best", ["best"]),
    (10 ** 9, 1, "fast", ["best", "balanced"]),
])
def test_auto_takes_the_preset_that_makes_the_smallest_file_in_time(machine, size, limit, taken, tried):
    settings, reason = choose(Settings(time_limit=limit, primer="none"), source_of(size))
    assert settings.to_header() == complete(taken, size).to_header()
    assert reason.startswith(f"auto took {taken} for what is text by its looks: ")
    assert [name for name in machine if name != "fast"] == tried


@pytest.mark.parametrize("device, backend, units", [
    (None, "auto", 400), ("tensorflow", "auto", 1600), ("tensorflow", "tensorflow", 1600), ("tensorflow", "numba", 400)])
@pytest.mark.parametrize("preset", ["auto", "best"])
def test_a_gpu_gets_a_larger_network_unless_another_backend_was_chosen(machine, monkeypatch, preset, device, backend, units):
    monkeypatch.setattr(choice, "gpu_backend", lambda: device)
    settings, _ = choose(Settings(preset=preset, backend=backend), source_of(1_000))
    assert settings.rnn_units == units


def test_the_reason_says_what_was_against_the_others(machine):
    _, reason = choose(Settings(), source_of(2_000_000))
    assert reason == ("auto took fast for what is text by its looks: up to 40 s; best would take about 33 min, "
                      "balanced would take about 7 min, and time_limit is 100 s")


def test_the_time_that_a_primer_takes_counts(machine):
    without, _ = choose(Settings(time_limit=100, primer="none"), source_of(98_000))
    primed, _ = choose(Settings(time_limit=100), source_of(98_000))
    assert (without.rnn_units, primed.rnn_units) == (400, 200)


def test_what_does_not_fit_in_memory_is_not_taken(machine, monkeypatch):
    monkeypatch.setattr(choice, "available_memory", lambda: 1e6)
    settings, reason = choose(Settings(), source_of(1_000))
    assert not settings.has_network and "best would take more memory than there is" in reason


@pytest.mark.parametrize("preset", ["fast", "balanced", "best", "network"])
def test_a_preset_that_was_chosen_is_taken_without_a_word(machine, preset):
    settings, reason = choose(Settings(preset=preset, primer="none"), source_of(10 ** 9))
    assert (settings.to_header(), reason, machine) == (complete(preset, 10 ** 9).to_header(), "", [])


def test_a_parameter_of_the_network_asks_for_a_network(machine):
    settings, _ = choose(Settings(rnn_units=64), source_of(10 ** 9))
    assert settings.has_network and settings.rnn_units == 64


def test_contexts_that_were_chosen_are_taken(machine):
    settings, reason = choose(Settings(contexts="binary"), source_of(1_000))
    assert settings.contexts == "binary" and "for what is taken for binary" in reason


def test_no_contexts_leave_the_presets_with_a_network(machine):
    settings, _ = choose(Settings(contexts="none"), source_of(10 ** 9))
    assert settings.has_network and not settings.has_contexts


@pytest.mark.parametrize("preset", ["fast", "network"])
def test_speed_is_measured_on_the_input_itself(preset):
    source = ByteSource.from_bytes(TEXT)
    parameters = Settings(preset=preset, table_bits=14, rnn_units=8, batch_size=3).resolve(len(TEXT))
    assert 10 < choice._symbols_per_second(Plan.of(parameters, source)) < 1e8


@pytest.mark.parametrize("seconds, said", [(0.2, "0 s"), (120, "120 s"), (121, "2 min"), (5_999, "100 min"), (36_000, "10 h")])
def test_durations_are_said_as_people_do(seconds, said):
    assert choice.duration(seconds) == said
