"""lib.models.environment: where a float network ran, or which model of one's own it was, as files say it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lib.models.environment import Environment, OwnModel, made_in_from_header


def test_an_environment_comes_back_from_a_header():
    environment = Environment("skylake", 4, "2.21.0", "3.15.1")
    assert environment.to_header() == ("skylake", 4, 22100, 31501)
    assert Environment.from_header(list(environment.to_header())) == environment
    assert str(environment) == "TensorFlow 2.21.0 and Keras 3.15.1 on skylake with 4 threads"


@pytest.mark.parametrize("version, number", [
    ("2.21", 22100), ("2.21.0-rc1", 22100), ("2.21.3.dev20260101", 22103), ("10.0.12", 100012)])
def test_versions_are_told_apart_by_three_numbers(version, number):
    assert Environment("cpu", 1, version, "3.15.1").to_header()[2] == number


@pytest.mark.parametrize("fields", [
    [], ["cpu"], ["cpu", 4, 1], ["cpu", 4, "2.21.0", 31501], [1, 2, 3, 4], ["cpu", 1, 2, 3, 4], ["cpu", 4, True, 2],
    [["cpu"], 4, 1, 2], [b"cpu", 4, 1, 2], ["cpu", 0, 1, 2], ["cpu", -1, 1, 2], ["cpu", 2 ** 40, 1, 2]], ids=str)
def test_fields_that_are_no_environment_give_none(fields):
    assert Environment.from_header(fields) is None


@pytest.mark.parametrize("device", ["\x1b[31mcpu", "cpu\nOK", "\u202ecpu"], ids=ascii)
def test_a_device_from_a_header_cannot_write_to_the_terminal_as_it_likes(device):
    assert str(Environment.from_header([device, 4, 22100, 31501])).isprintable()


def test_an_environment_comes_back_where_tensorflow_was_used_before():
    """Threads are settled by the first computation of a process, and TensorFlow then says 0 for all cores."""
    program = ("import tensorflow as tf; tf.zeros(1) + 1; from lib.models.environment import Environment; here = Environment.enter(); "
               "print(Environment.from_header(here.to_header()) == here)")
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_a_model_of_ones_own_comes_back_from_a_header():
    assert made_in_from_header(OwnModel("Counts").to_header()) == OwnModel("Counts")
    assert made_in_from_header(Environment("cpu", 1, "2.21.0", "3.15.1").to_header()) == Environment("cpu", 1, "2.21.0", "3.15.1")
    assert made_in_from_header(["a\x1b"]) == OwnModel("a?")


@pytest.mark.parametrize("fields", [[], [""], ["x" * 101], [1], [None], ["a", "b"]])
def test_what_names_no_model_is_none(fields):
    assert made_in_from_header(fields) is None
