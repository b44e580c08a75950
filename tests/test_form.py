"""The form of both notebooks: what the cell says, until the widgets say something else."""

import html
import json
import os
import re

import nbformat
import pytest

from lib.errors import InputError, SettingsError
from lib.notebook import host
from lib.notebook.choices import Choices
from lib.notebook.fields import field_named, help_line
from lib.notebook.form import Form
from lib.settings import Settings
from lib.sources.part import MAGIC
from tools.build_notebooks import ROOT

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


@pytest.mark.parametrize("name", ["compress.ipynb", "decompress.ipynb", "splitter.ipynb"])
def test_colabs_form_and_the_widgets_offer_the_same(capsys, name):
    """But what is for Colab alone, and the preset, which people choose by other words in Jupyter."""
    source = "\n".join(cell.source for cell in nbformat.read(ROOT / name, as_version=4).cells if cell.source.startswith("#@title 2"))
    fields = dict(re.findall(r"^(\w+) = .* #@param (\S.*)$", source, re.M))
    fields.pop("change_the_network", None)
    scope = {}
    exec(source, scope)                        # shows the widgets
    widgets = scope["form"]._widgets
    assert set(widgets) == set(fields) - {"output_to"}
    for field, offered in fields.items():
        assert f"#@markdown {help_line(field_named(field))}" in source
        if field in ("output_to", "preset"):
            continue
        shown = getattr(widgets[field], "options", None)
        if shown is not None:
            assert list(shown) == [choice for choice in json.loads(offered) if choice != "drive"]
        assert html.escape(help_line(field_named(field))) in scope["form"]._help[field].value


def test_presets_are_called_what_people_call_them_and_researchers_find_all(capsys):
    form = Form({}, dict(preset="auto"))
    form.show()
    radio = form._widgets["preset"]
    assert radio.options == (("automatic", "auto"), ("quick", "fast"), ("small", "balanced"), ("smallest", "best"))
    form._open(True)
    assert {value for _, value in radio.options} == set(Settings.__dataclass_fields__["preset"].metadata["choices"]) and radio.value == "auto"
    radio.value = "network"
    form._open(False)
    assert form.settings().preset == radio.value == "network"


def test_each_preset_says_how_long_it_takes_and_how_small_the_file_may_become(capsys, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"some text of words and more words " * 1_000)
    form = Form(dict(path=""), dict(preset="auto"))
    form.show()
    form._widgets["path"].value = str(tmp_path / "a.txt")
    for preset in ("auto", "fast", "balanced", "best"):
        form._widgets["preset"].value = preset
        form._widgets["path"].value = str(tmp_path / "none") if form._widgets["path"].value.endswith("a.txt") else str(tmp_path / "a.txt")
        assert form.settings().preset == preset                       # other words, and the same choice
    form._widgets["path"].value, form._widgets["preset"].value = str(tmp_path / "a.txt"), "auto"
    words = [word for word, _ in form._widgets["preset"].options]
    assert words[0] == "automatic: smallest, for this file" and re.fullmatch(r"quick: about 7 s, about 0\.\d KB", words[1])
    for other in (str(tmp_path / "missing"), ""):
        form._widgets["path"].value = other                           # nothing is left of what was said of another file
        assert form._widgets["preset"].options[1] == ("quick", "fast")
        form._widgets["path"].value = str(tmp_path / "a.txt")


@pytest.mark.parametrize("name, rows", [("clip.npy", {"grid_width", "context_size", "context_frames"}), ("slope.ppm", {"pixels", "image_neighbours"}),
                                        ("palette.png", {"pixels", "image_neighbours"}), ("exact.txt", set())])
def test_what_is_for_other_data_is_not_there(capsys, name, rows):
    names = ("grid_width", "context_size", "context_frames", "pixels", "image_neighbours", "rnn_units")
    form = Form(dict(path=""), dict(preset="fast") | {name: "no" if name == "pixels" else 0 if name == "grid_width" else "preset" for name in names})
    form.show()

    def there():
        return {name for name in names if form._rows[name].layout.display != "none"}

    assert there() == {"rnn_units"}
    form._widgets["path"].value = str(ROOT / "tests" / "golden" / name)
    assert there() == {"rnn_units", *rows}


@pytest.fixture(autouse=True)
def takes_seven_seconds(monkeypatch):
    """How long a run takes here is another figure on each machine."""
    monkeypatch.setattr("lib.coding.calibration.seconds", lambda plan: 7.0)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_can_be_started(capsys):
    shown = Form(dict(path="", largest_download_mb=9), TO_COMPRESS)
    shown.show(lambda form: None)
    shown._widgets["rnn_units"].value = "7"
    assert "rnn_units must be 8 to 8192, got 7" in shown._help["rnn_units"].value and shown._button.disabled
    shown._widgets["rnn_units"].value = "64"
    assert "width of each LSTM layer" in shown._help["rnn_units"].value and not shown._button.disabled
    shown._widgets["largest_download_mb"].value = -5
    assert shown.choices().largest_download_mb == 1         # the widget's own bound


@pytest.mark.parametrize("preset, said", [("fast", "about 7 s here"), ("auto", "auto takes best for data that looks like text")])
def test_the_form_says_what_a_run_would_take(capsys, tmp_path, preset, said):
    (tmp_path / "a.txt").write_bytes(b"some text " * 500)
    shown = Form(dict(path=""), TO_COMPRESS | dict(preset=preset, rnn_units="preset"))
    shown.show()
    shown._widgets["path"].value = str(tmp_path / "a.txt")
    line = shown._status.value
    assert "a.txt, 5,000 bytes: " in line and said in line and "MB of memory" in line


def test_the_form_says_what_no_run_can_take_and_does_not_wait_for_it(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "part").write_bytes(MAGIC + b"junk" * 20)
    shown = Form(dict(path=""), TO_COMPRESS)
    shown.show()
    for name, said in ((tmp_path / "missing", "there is no file"), (tmp_path / "pipe", "is a device or a pipe"), ("/", "the run shows"),
                       ("x" * 300, "too long"), (tmp_path / "part", "newer version of Lockstep, or is damaged"),
                       ("/dev/zero", "is a device or a pipe")):
        shown._widgets["path"].value = str(name)
        assert said in shown._status.value and "MB of memory" not in shown._status.value


def test_the_form_says_what_a_coded_file_says_of_itself(capsys, tmp_path):
    shown = Form(dict(path=""), dict(backend="auto"))
    shown.show()
    golden = ROOT / "tests" / "golden"
    (tmp_path / "cut.lks").write_bytes((golden / "fast.txt.lks").read_bytes()[:-20])
    for path, said in ((golden / "fast.txt.lks", "holds exact.txt, 3,494 bytes: about 7 s here"), (golden / "exact.txt", "is not a .lks file"),
                       (golden / "stored.bin.lks", "stored.bin, 300 bytes, stored as they are"), (tmp_path / "cut.lks", "damaged"),
                       (golden / "float32.txt.lks", "It decodes only with"), (tmp_path, "is a folder"), (tmp_path / "x", "there is no")):
        shown._widgets["path"].value = str(path)
        assert said in html.unescape(shown._status.value)


def test_what_keeps_a_run_from_beginning_is_a_box(capsys):
    begun = []
    shown = Form(dict(path="x"), TO_DECOMPRESS)

    def begin(form):
        begun.append(form)
        raise InputError("there is no such file", "choose another")

    shown.show(begin)
    shown._button.click()
    assert begun == [shown] and shown._button.description == "Decompress" and not shown._button.disabled
    said = capsys.readouterr().out
    assert all(line in said for line in ("The input cannot be used", "there is no such file", "choose another"))
