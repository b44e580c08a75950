"""Runs of the notebooks: in threads of their own, watched, stopped, found again; and where what came of them is shown."""

import threading

import pytest
from samples import FAST, TEXT

from lib import OutputError, compress
from lib.coding.loop import Progress
from lib.errors import InputError
from lib.notebook import place, runs
from lib.notebook.form import Form
from lib.notebook.live import Panel
from lib.notebook.place import Below, show, show_picture
from lib.notebook.runs import Run


@pytest.fixture(autouse=True)
def no_run_before(monkeypatch):
    monkeypatch.setattr(runs, "_newest", None)


def ended(run):
    runs.begin(run)._thread.join(120)
    assert run.has_ended
    return run


def progress(done, total=100, seconds=1.0):
    return Progress(done, total, 3 * done, seconds, "bytes")


# --- a run ---

def test_a_run_gives_its_result_and_tells_how_it_goes():
    seen = []

    def work(run):
        for done in (10, 60, 100):
            run.take(progress(done, seconds=done / 10))
        run.say("a line")
        run.warn("another")
        return "result"

    run = Run("Coding", work)
    run.watch(lambda: seen.append((run.share, len(run.lines), run.has_ended)))
    assert ended(run).wait() == "result" and runs.newest() is run
    assert run.lines == ["a line", "Warning: another"] and run.symbols_per_second == 10.0
    assert seen[0] == (0.0, 0, False) and seen[-1] == (1.0, 2, True) and (0.6, 0, False) in seen


def test_what_cannot_be_shown_stops_no_run():
    run = Run("Coding", lambda run: run.take(progress(50)) or "result")
    run._watchers.append(lambda: 1 / 0)
    assert ended(run).wait() == "result"


def test_what_ends_a_run_is_raised_where_it_is_awaited():
    run = ended(Run("Coding", lambda run: int("no number")))
    assert "invalid literal" in run.details
    with pytest.raises(ValueError, match="no number"):
        run.wait()


def test_one_run_at_a_time_goes_on_in_a_kernel():
    free = threading.Event()
    first = runs.begin(Run("Coding tale.txt", lambda run: free.wait(60)))
    with pytest.raises(OutputError, match="a run goes on already: Coding tale.txt; wait until it has ended, or stop it"):
        runs.begin(Run("another", lambda run: None))
    assert runs.newest() is first
    free.set()
    first.wait()
    assert ended(Run("another", lambda run: 5)).wait() == 5


def test_a_run_that_is_stopped_keeps_its_checkpoint_and_goes_on(tmp_path):
    (tmp_path / "in").write_bytes(TEXT * 40)

    def work(run):
        return compress(tmp_path / "in", settings=FAST, checkpoint=tmp_path / "kept", progress=run.take, overwrite=True)

    stopped = Run("Coding", work)
    stopped.stop()
    with pytest.raises(KeyboardInterrupt):
        ended(stopped).wait()
    assert (tmp_path / "kept").exists() and not (tmp_path / "in.lks").exists()
    assert ended(Run("Coding", work)).wait().output_path.exists() and not (tmp_path / "kept").exists()


def test_ctrl_c_in_a_cell_that_waits_stops_the_run(monkeypatch):
    asked = threading.Event()

    def work(run):
        asked.wait(60)
        raise KeyboardInterrupt("stopped")

    run = runs.begin(Run("Coding", work))
    real, presses = run._thread.join, []

    def join(timeout=None):
        if not presses:
            presses.append(True)
            raise KeyboardInterrupt
        asked.set()
        real(timeout)

    monkeypatch.setattr(run._thread, "join", join)
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        run.wait()
    assert run._stop.is_set()


# --- its panel ---

def test_the_panel_says_how_far_a_run_is():
    steps = []

    def work(run):
        for take in (lambda: run.take_bytes(1, 4), lambda: run.take(progress(20, seconds=9.0)),
                     lambda: run.take(progress(25, seconds=10.0)), lambda: run.say("<a line>")):
            panel._next = 0.0
            take()
            steps.append(panel._text.value)
        steps.append(panel._lines.value)

    run = Run("Coding", work)
    panel = Panel(run)
    assert panel._text.value == "starting"
    ended(run)
    assert steps[:3] == ["25%", "20%", "25%, 15 s left, 3.000 bits per byte, 5 bytes/s"]          # of what this run coded itself
    assert steps[-1] == "&lt;a line&gt;"
    assert (panel._text.value, panel._bar.value, panel._lines.value, panel._stop.layout.display) == ("done", 1.0, "", "none")


@pytest.mark.parametrize("error, said", [(KeyboardInterrupt(), "stopped"), (InputError("no"), "failed")])
def test_the_panel_says_how_a_run_ended(error, said):
    def work(run):
        raise error

    run = Run("Coding", work)
    panel = Panel(run)
    panel._stop.click()
    assert panel._text.value == "stopping, after the next checkpoint"
    ended(run)
    assert panel._text.value == said and Panel(run)._text.value == said          # another page finds the same


# --- where results are shown ---

@pytest.fixture
def shown(monkeypatch):
    """What was displayed: {display_id: bundle}, in order."""
    outputs = {}

    def display(bundle, metadata=None, raw=False, display_id=None, update=False):
        assert raw and (display_id in outputs) == update
        outputs[display_id] = bundle

    monkeypatch.setattr(place, "display", display)
    return outputs


def html_of(outputs):
    return [bundle.get("text/html", "picture") for bundle in outputs.values() if bundle != place._EMPTY]


def test_what_is_shown_below_is_ordinary_output_in_order(shown):
    below = Below()
    assert len(shown) == place._SLOTS + 1 and html_of(shown) == []
    with below.active():
        show("<b>1</b>", "1")
        show("<b>2</b>", "2")
        show_picture(b"png", 100)
        show("<b>3</b>", "3")
    assert html_of(shown) == ["<b>1</b>\n<b>2</b>", "picture", "<b>3</b>"]
    below.clear()
    assert html_of(shown) == []
    with below.active():
        show("<b>4</b>", "4")
    assert html_of(shown) == ["<b>4</b>"]


def test_there_are_no_more_outputs_than_places(shown):
    with Below().active():
        for _ in range(2 * place._SLOTS):
            show_picture(b"png", 100)
    assert len(html_of(shown)) == place._SLOTS


# --- the form ---

@pytest.fixture
def form(capsys, tmp_path):
    """A Form whose button makes a Run of `form.work`, and whose reports are counted in `form.reports`."""
    def show():
        made = Form(dict(path=str(tmp_path / "in")), dict(preset="fast"))
        made.work, made.reports = lambda run: "result", []
        made.show(lambda form: Run("Coding", lambda run: form.work(run)), lambda run, form: form.reports.append(run.result))
        return made
    (tmp_path / "in").write_bytes(TEXT)
    return show


def test_the_form_folds_while_a_run_goes_on_and_reports_what_came_of_it(form):
    free, one = threading.Event(), form()
    one.work = lambda run: free.wait(60) and "result"
    one._button.click()
    assert one._chooser.layout.display == "none" and len(one._panel.children) == 1 and one.waits is False
    other = form()                                         # the page was reloaded, and all cells run again
    assert other._chooser.layout.display == "none" and other.reports == []
    free.set()
    runs.newest()._thread.join(60)
    assert one.reports == other.reports == ["result"]
    assert form().reports == ["result"]                    # and once more


def test_what_was_done_just_now_is_done_again_only_when_that_is_wanted(form):
    one = form()
    one._button.click()
    runs.newest()._thread.join(60)
    first = runs.newest()
    one._again.click()
    assert one._chooser.layout.display is None
    one._button.click()
    assert runs.newest() is first and "Press again to repeat it" in one._status.value and one._button.description == "Compress anew"
    one._button.click()
    runs.newest()._thread.join(60)
    assert runs.newest() is not first and one.reports == ["result", "result"]


def test_a_run_that_fails_leaves_the_form_open_and_says_why(form, capsys):
    def work(run):
        raise InputError("there is no file", "check the name")

    one = form()
    one.work = work
    one._button.click()
    runs.newest()._thread.join(60)
    assert one._chooser.layout.display is None and "check the name" in capsys.readouterr().out and one.reports == []


def test_without_a_file_there_is_nothing_to_do(form):
    one = form()
    one._widgets["path"].value = ""
    one._button.click()
    assert runs.newest() is None and "Choose a file first" in one._status.value
