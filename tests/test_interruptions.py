"""The benchmark of interruptions runs, and its rows say what was done."""

import random

from samples import TEXT

from benchmarks.interruptions import measure


def test_killed_and_split_runs_are_compared_with_an_unbroken_one(tmp_path):
    (tmp_path / "file").write_bytes(bytes(random.Random(1).choices(TEXT, k=150_000)))
    work = tmp_path / "work"
    work.mkdir()
    unbroken, killed, split = measure(tmp_path / "file", work, 1, 2, ["--preset", "fast"])
    assert unbroken.is_identical and killed.is_identical and split.is_identical
    assert killed.size == unbroken.size < split.size < 1.001 * unbroken.size + 2 * 96
    assert (killed.kills, split.label) == (2, "split in 2")
