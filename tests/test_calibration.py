"""lib.coding.calibration: how long a run takes here, which is shown and decides nothing."""

import pytest
from samples import TEXT

from lib import compiling
from lib.coding import calibration, speed
from lib.coding.choice import plan_for
from lib.settings import Settings
from lib.sources import ByteSource


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where speeds are kept, in place of what is compiled; nothing was measured yet."""
    monkeypatch.setattr(compiling, "_FOLDER", str(tmp_path))
    monkeypatch.setattr(calibration, "_speeds", {})
    return tmp_path


def plan_of(preset):
    return plan_for(Settings(preset=preset), ByteSource.from_bytes(TEXT * 100))[0]


def anew(monkeypatch):
    monkeypatch.setattr(calibration, "_speeds", {})


def test_a_measurement_is_made_once_and_kept(folder, monkeypatch):
    plan = plan_of("fast")
    first = calibration.seconds(plan)
    assert first > 0 and (folder / "speed.json").exists()
    anew(monkeypatch)
    monkeypatch.setattr(calibration, "_measured", lambda: pytest.fail("it was measured again"))
    assert calibration.seconds(plan) == first


def test_a_measurement_under_a_heavy_load_is_kept_too(monkeypatch):
    monkeypatch.setattr(calibration, "_per_second", lambda work, count: 1.0)
    assert set(calibration._known().values()) == {calibration._LEAST} and calibration._kept() == calibration._known()


def test_runs_correct_it(folder, monkeypatch):
    plan, other = plan_of("fast"), plan_of("balanced")
    monkeypatch.setattr(calibration, "_measured", lambda: {"contexts": 1.0, "network": 1.0})
    before, others = calibration.seconds(plan), calibration.seconds(other)
    for _ in range(20):
        calibration.note(plan, 2 * speed.symbols_per_second(plan))
    anew(monkeypatch)                                   # another process
    coding = speed.coding_seconds(plan)
    assert calibration.seconds(plan) == pytest.approx(before - coding / 2, rel=0.01)
    assert calibration.seconds(other) == others         # which says nothing of networks


@pytest.mark.parametrize("kept", ["", "{", "[]", "null", '{"contexts": 1}', '{"contexts": 1, "network": "a"}', '{"contexts": 1, "network": 1e9}'])
def test_what_was_kept_and_makes_no_sense_is_measured_again(folder, monkeypatch, kept):
    (folder / "speed.json").write_text(kept)
    monkeypatch.setattr(calibration, "_measured", lambda: {"contexts": 2.0, "network": 2.0})
    assert calibration._known() == {"contexts": 2.0, "network": 2.0}


def test_without_a_folder_it_is_measured_in_each_process(monkeypatch):
    monkeypatch.setattr(compiling, "_FOLDER", "")
    assert calibration.seconds(plan_of("fast")) > 0
    calibration.note(plan_of("fast"), 1.0)


def test_what_has_to_be_compiled_first_takes_longer(folder, monkeypatch):
    monkeypatch.setattr(calibration, "_measured", lambda: {"contexts": 1.0, "network": 1.0})
    plan = plan_of("fast")
    before = calibration.seconds(plan)
    (folder / "kinds_1").mkdir()
    (folder / "kinds_1" / "text.code-1.py311.nbi").touch()
    assert calibration.seconds(plan) < before
