"""Killed commands lose nothing and, begun again, end as if nobody had killed them: the benchmark of kills, at a small count."""

from benchmarks.kills import CASES, measure

COUNT = 4


def test_killed_commands_lose_nothing_and_end_in_the_same_outputs():
    trials = list(measure(COUNT, seed=1, text_bytes=20_000, whole_bytes=2_000_000))
    assert sum(len(trial.kills) for trial in trials) >= COUNT
    assert [trial for trial in trials if trial.faults] == []
    assert {trial.label for trial in trials} <= {case.label for case in CASES}
