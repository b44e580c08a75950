"""Damaged files of every sort are refused or give the original back: the benchmark of damages, at a small count."""

import json
import random
import subprocess
import sys

import pytest
from conftest import ROOT

from benchmarks.damage import FAULTS, Outcome
from benchmarks.damages.ways import damaged

COUNT = 60


@pytest.fixture(scope="module")
def outcomes():
    """In a process of its own: attempts are forks of it, and must not hold what other tests have loaded."""
    program = ("import json; from benchmarks.damage import measure; "
               f"print(json.dumps([vars(outcome) for outcome in measure(range({COUNT}), seed=1)]))")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [Outcome(**fields) for fields in json.loads(done.stdout)]


def test_no_damage_is_taken_for_the_original_or_ends_in_another_error(outcomes):
    assert {outcome.number for outcome in outcomes} == set(range(COUNT))
    faults = [f"#{outcome.number} {outcome.sort}, {outcome.damage}: {outcome.faults}" for outcome in outcomes
              if outcome.faults.keys() & (set(FAULTS) - {"slow"})]             # no timing in tests
    assert not faults


def test_damages_are_of_every_direction_and_mostly_noticed(outcomes):
    assert len({outcome.sort for outcome in outcomes}) > 15 and len({outcome.damage for outcome in outcomes}) > 15
    refused = [outcome for outcome in outcomes if outcome.ended == "refused"]
    assert len(refused) > COUNT / 3


def test_a_damage_is_the_same_for_the_same_seed():
    files = {"a": bytes(range(256)), "b": b"other"}
    first, second = (damaged(random.Random("1/2"), files, "a", b"more") for _ in range(2))
    assert first == second and first[0]["a"] != files["a"] and first[0]["b"] == files["b"]
