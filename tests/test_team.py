"""lib.models.exact.team: threads that share work."""

import threading

import pytest

from lib.models.exact.team import Team


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_every_task_runs_once_and_is_done_at_the_end(size, count):
    team, done = Team(size), []
    for _ in range(20):
        done.clear()
        team.run([(done.append, number) for number in range(count)])
        assert sorted(done) == list(range(count))


def test_tasks_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=20)
    Team(3).run([(meeting.wait,)] * 3)          # each waits for the others


@pytest.mark.parametrize("size", [1, 3])
def test_the_error_of_a_task_comes_through_and_the_team_works_on(size):
    team, done = Team(size), []
    with pytest.raises(ZeroDivisionError):
        team.run([(done.append, 1), (divmod, 1, 0), (done.append, 2)])
    team.run([(done.append, 3)] * 4)
    assert done.count(3) == 4


@pytest.mark.parametrize("size, count, fewest, shares", [
    (1, 7, 1, [(0, 7)]), (2, 7, 1, [(0, 3), (3, 7)]), (4, 7, 2, [(0, 2), (2, 4), (4, 7)]), (8, 1, 2, [(0, 1)]),
    (3, 3, 1, [(0, 1), (1, 2), (2, 3)])])
def test_shares_cover_everything_and_are_not_too_small(size, count, fewest, shares):
    assert Team(size).shares(count, fewest) == shares


def test_its_threads_end_with_it():
    before = set(threading.enumerate())
    team = Team(4)
    started = set(threading.enumerate()) - before
    assert len(started) == 3
    del team
    for thread in started:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in started)
