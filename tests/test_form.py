"""The form of both notebooks: what the cell says, until the widgets say something else."""

import pytest

from lib.errors import SettingsError
from lib.notebook import host
from lib.notebook.choices import Choices
from lib.notebook.form import Form
from lib.settings import Settings

TO_COMPRESS = dict(preset="network", rnn_units="64", seed="preset", arithmetic="preset", backend="auto")
TO_DECOMPRESS = dict(backend="numpy")


def test_a_form_gives_what_the_cell_says():
    form = Form(dict(path="a", output_to="disk"), TO_COMPRESS)
    assert form.choices() == Choices(path="a", output_to="disk")
    assert form.settings() == Settings(preset="network", rnn_units=64) and form.uploaded() is None


def test_a_form_to_decompress_chooses_nothing_that_the_file_says():
    wanted = Form({}, TO_DECOMPRESS).settings()
    assert wanted == Settings(backend="numpy")
    wanted.check_for_decoding()


@pytest.mark.parametrize("choices, settings, message", [
    ({}, dict(backend="torch"), "backend must be one of auto, numba"),
    ({}, dict(rnn_units="-3"), "rnn_units must be 8"),
    (dict(input_from="disk"), {}, "input_from must be one of")])
def test_a_wrong_value_is_refused_at_once(choices, settings, message):
    with pytest.raises(SettingsError, match=message):
        Form(choices, settings)


@pytest.mark.parametrize("settings, title", [(TO_COMPRESS, "The network's parameters"), (TO_DECOMPRESS, "How to run")])
def test_the_widgets_have_the_last_word(capsys, settings, title):
    form = Form(dict(path="a", output_folder=""), settings)
    before = form.choices(), form.settings()
    form.show()
    assert title in capsys.readouterr().out and (form.choices(), form.settings()) == before
    assert set(form._widgets) == {"path", "output_folder", *settings}
    form._widgets["path"].value = "b"
    form._widgets["backend"].value = "tensorflow"
    assert form.choices().path == "b" and form.settings().backend == "tensorflow"


def test_in_colab_the_fields_of_the_cell_are_the_form(capsys, monkeypatch):
    monkeypatch.setattr(host, "in_colab", lambda: True)
    form = Form({}, TO_DECOMPRESS)
    form.show()
    assert capsys.readouterr().out == "" and form.settings() == Settings(backend="numpy")


@pytest.mark.parametrize("name, value, message", [
    ("parts", "0", "parts must be a whole number of 1 or more, got '0'"),
    ("parts", "many", "parts must be a whole number of 1 or more, got 'many'"),
    ("streams", "-1", "streams must be a whole number of 0 or more, got '-1'"),
    ("action", "glue", "action must be one of auto, split, join, got 'glue'"),
    ("kind", "loose", "kind must be one of aligned, independent, got 'loose'")])
def test_wrong_splitting_choices_are_refused(name, value, message):
    with pytest.raises(SettingsError) as refused:
        Form({}, splitting={name: value})
    assert str(refused.value) == message
