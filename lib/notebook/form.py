"""The form: widgets made from Choices and Settings in Jupyter; in Colab the cell's own fields are the form."""

import contextlib
import dataclasses
import html
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib.errors import LockstepError, SettingsError
from lib.notebook import host, runs
from lib.notebook.boxes import show_error
from lib.notebook.choices import Choices, SplitChoices
from lib.notebook.estimate import Estimate, Outlook, line_on_coded
from lib.notebook.fields import field_named, grouped, help_line, widget_of
from lib.notebook.inputs import what_is_given
from lib.notebook.live import Panel
from lib.notebook.parts import line_on_manifest
from lib.notebook.place import Below
from lib.notebook.runs import Run
from lib.resume.manifest import MANIFEST_SUFFIX
from lib.settings import Settings

_WRONG = "color:#b3261e;font-weight:bold"
_QUIET = "color:#555"

_OPEN = ("action", "parts")                     # what is asked of everybody
_ELSEWHERE = ("output_to", "preset")            # what Colab alone can do; and what has a widget of its own
_FOR_VIDEOS, _FOR_IMAGES = ("grid_width", "context_size", "context_frames"), ("pixels", "image_neighbours")

_Begin = Callable[["Form"], Run]
_Report = Callable[[Run, "Form"], Any]


class Form:
    """What was chosen. The widgets, where they are shown, have the last word.

    choices, settings, splitting: dicts of initial values, by the names of Choices, Settings and SplitChoices; for
    decompression settings holds only how to run, as the file knows the rest.
    """

    def __init__(self, choices: Mapping[str, Any], settings: Mapping[str, Any] = {}, splitting: Mapping[str, Any] = {}) -> None:
        self._initial = {**choices, **settings, **splitting}
        self._widgets: dict[str, Any] = {}                     # by the field's name, as the next two
        self._help: dict[str, Any] = {}
        self._rows: dict[str, Any] = {}
        self._upload: Any = None                               # these: widgets, once they are shown
        self._button: Any = None
        self._again: Any = None
        self._status: Any = None
        self._chooser: Any = None
        self._panel: Any = None
        self._below: Below | None = None
        self._report: _Report | None = None
        self._done: Any = None                                 # the values of the run that has just ended
        self._preset: Any = None                               # a PresetRadio, likewise
        self._taken: tuple[Any, Path | None] = None, None      # what the upload field held last, and where that is
        self._estimate = Estimate()
        self.choices(), self.settings(), self.splitting()      # a wrong value is refused at once

    @property
    def task(self) -> str:
        """What the notebook does: "compress", "decompress" or "split or join"."""
        return "compress" if "preset" in self._initial else "split or join" if "action" in self._initial else "decompress"

    def choices(self) -> Choices:
        """The Choices as they stand now."""
        return Choices(**self._current(Choices))

    def settings(self) -> Settings:
        """The Settings as they stand now."""
        return Settings().with_values(self._current(Settings))

    def splitting(self) -> SplitChoices:
        """The SplitChoices as they stand now."""
        return SplitChoices(**self._current(SplitChoices))

    def uploaded(self) -> Path | None:
        """The path of the file in the upload field, or None."""
        if self._upload is None:
            return None
        if self._upload.value is not self._taken[0]:
            self._taken = self._upload.value, host.widget_upload(self._upload, self._initial.get("output_folder") or ".")
        return self._taken[1]

    @property
    def waits(self) -> bool:
        """Whether somebody is there to choose a file, and has not yet, or a run goes on that the form has begun."""
        if self._button is None or not host.a_person_is_there():
            return False
        newest = runs.newest()
        return bool(newest and not newest.has_ended) or not self._has_file

    @property
    def _has_file(self):
        given = what_is_given(self.choices(), self.uploaded())
        return given == "upload" and self.uploaded() is not None or given not in ("", "upload")

    def show(self, begin: _Begin | None = None, report: _Report | None = None) -> None:
        """Display the widgets, and what came of the newest run of this kernel. Colab shows the cell's own fields instead.

        begin: makes the Run that the button starts; without it there is no button. report: shows what came of one.
        """
        if host.in_colab():
            return
        import ipywidgets
        from IPython.display import display
        self._upload = ipywidgets.FileUpload(description="Choose a file", multiple=False, layout={"width": "200px"})
        self._status = ipywidgets.HTML(layout={"margin": "4px 0"})
        first = [self._upload, *(self._row(name) for name in _OPEN if name in self._initial)]
        if self.task == "compress":
            from lib.notebook.preset_radio import PresetRadio
            self._preset = PresetRadio(self._initial["preset"])
            self._widgets["preset"] = self._preset.widget
            first.append(self._preset.widget)
        options = ipywidgets.Accordion(children=[ipywidgets.VBox(self._groups())], selected_index=None)
        options.set_title(0, "Options")
        options.observe(lambda change: self._open(change.new is not None), names="selected_index")
        self._chooser, self._panel = ipywidgets.VBox([*first, self._status]), ipywidgets.VBox()
        if begin:
            self._button = ipywidgets.Button(description=self.task.capitalize(), button_style="primary", icon="play")
            self._button.on_click(lambda _: self._press(begin))
            self._again = ipywidgets.Button(description="Another file", layout={"display": "none"})
            self._again.on_click(lambda _: self._unfold())
            self._chooser.children += (self._button,)
        self._chooser.children += (options,)
        for widget in (self._upload, *self._widgets.values()):
            widget.observe(lambda _: self._check(), names="value")
        self._check()
        display(ipywidgets.VBox([self._chooser, self._panel, *([self._again] if begin else [])], layout={"max_width": "1000px"}))
        if begin:
            self._below, self._report = Below(), report
            newest = runs.newest()
            if newest:
                self._attach(newest)

    def _press(self, begin):
        """Start a run, or say why there cannot be one."""
        below = self._below
        assert below is not None
        try:
            self._start(begin)
        except Exception as error:                 # nobody else would show it
            self._panel.children = ()
            below.clear()
            with below.active():
                show_error(error, traceback.format_exc())

    def _start(self, begin):
        """Start a run. What has just been done is done again when the button is pressed twice."""
        assert self._below is not None
        if not self._has_file:
            self._status.value = _line("Choose a file first, or give its path or address under Options.", _WRONG)
            return
        values = self._values()
        if values == self._done:
            self._done = None
            self._button.description = f"{self.task.capitalize()} anew"
            self._status.value = _line("This was done just now, and the result is below. Press again to repeat it.", _QUIET)
            return
        run = runs.begin(begin(self))
        run.values = values
        self._below.clear()
        self._attach(run)

    def _attach(self, run):
        """Show a run in place of the form, and what comes of it below."""
        self._chooser.layout.display = "none"
        self._panel.children = (Panel(run).widget,)
        once = threading.Lock()                    # a run may end while this thread looks at it, too

        def look():
            if run.has_ended and once.acquire(blocking=False):
                self._end(run)

        run.watch(look)

    def _end(self, run):
        """Show what came of a run."""
        assert self._below is not None and self._report is not None
        with self._below.active():
            if run.error:
                self._unfold()
                show_error(run.error, run.details)
            else:
                self._done = run.values
                self._again.layout.display = None
                try:
                    self._report(run, self)
                except Exception as error:
                    show_error(error, traceback.format_exc())

    def _unfold(self):
        """Show the form again, for another file."""
        self._chooser.layout.display, self._again.layout.display = None, "none"
        self._check()

    def _values(self):
        path = self.uploaded() if what_is_given(self.choices(), self.uploaded()) == "upload" else Path(self.choices().path.strip()).expanduser()
        with contextlib.suppress(OSError):
            found = path.stat() if path else None
            return self._fields() | {"upload": path, "content": (found.st_mtime_ns, found.st_size) if found else None}
        return self._fields()

    def _fields(self):
        return {name: self._widgets[name].value for name in self._widgets}

    def _check(self):
        """Say beside each field what it is for, or what is wrong with it; and below, what a run would take."""
        if self._preset and self._preset.is_reworded:
            return
        wrong = self._fault()
        for name, shown in self._help.items():
            said = str(wrong) if wrong and wrong.parameter == name else None
            style = _WRONG if said else _QUIET
            shown.value = _line(said or help_line(field_named(name)), style)
        self._status.value = _line(str(wrong), _WRONG) if wrong else self._outlook()
        if self._button:
            self._button.disabled, self._button.description = wrong is not None, self.task.capitalize()

    def _fault(self):
        """The first SettingsError among the values as they stand, or None."""
        for group in (self.choices, self.settings, self.splitting):
            try:
                group()
            except SettingsError as error:
                return error
        return None

    def _outlook(self):
        """A line on the chosen file: what a run would take, or why there cannot be one."""
        try:
            return _line(self._on_chosen(), _QUIET)
        except (LockstepError, OSError) as error:
            self._say_outlook(None)
            return _line(str(error), _WRONG)

    def _on_chosen(self):
        choices, uploaded = self.choices(), self.uploaded()
        given = what_is_given(choices, uploaded)
        path = {"path": choices.path.strip(), "upload": uploaded}.get(given)
        if path and self._preset:
            outlook = self._estimate.outlook(path, self.settings())
            self._say_outlook(outlook)
            return self._estimate.line(path, outlook, self.settings().preset)
        if path:
            if self.task == "decompress":
                return line_on_coded(path)
            return line_on_manifest(path) if str(path).endswith(MANIFEST_SUFFIX) else f"{path} is chosen."
        self._say_outlook(None)
        if given in ("", "upload"):
            limit = "" if host.is_app() else (
                " Most servers take at most 10 MB here (with make lab, more): upload a larger file with Jupyter's file browser, "
                "and enter its name as path, under Options.")
            return f"Choose a file.{limit}"
        return ""

    def _current(self, group):
        """{name: value} of the fields of a dataclass: from the widget, else from the cell."""
        names = [field.name for field in dataclasses.fields(group) if field.name in self._initial]
        return {name: self._widgets[name].value if name in self._widgets else self._initial[name] for name in names}

    def _open(self, is_open):
        """The options were unfolded, or folded."""
        if self._preset:
            self._preset.offers_all = is_open
            self._check()

    def _groups(self):
        """The groups of rows that are not empty."""
        import ipywidgets
        groups = []
        for title, names in grouped([name for name in self._initial if name not in (*_OPEN, *_ELSEWHERE)]):
            groups += [ipywidgets.HTML(f"<b>{title}</b>"), *(self._row(name) for name in names)]
        return groups

    def _say_outlook(self, outlook: Outlook | None):
        """Say of each preset what it takes, and hide what is for other kinds of data than the chosen file's."""
        if self._preset:
            self._preset.say(outlook)
        kinds = outlook.source.context_kinds if outlook else ()
        for names, kind in ((_FOR_VIDEOS, "video"), (_FOR_IMAGES, "image")):
            for name in names:
                if name in self._rows:
                    applies = kind in kinds or kind == "image" and outlook is not None and outlook.is_png
                    self._rows[name].layout.display = None if applies else "none"

    def _row(self, name):
        """The widget of a field and its line of help."""
        import ipywidgets
        self._widgets[name] = widget_of(field_named(name), self._initial[name])
        self._help[name] = ipywidgets.HTML(layout={"flex": "1 1 0%"})          # wraps
        self._rows[name] = ipywidgets.HBox([self._widgets[name], self._help[name]])
        return self._rows[name]


def _line(text, style):
    return f"<div style='{style};line-height:1.3;padding-top:5px'>{html.escape(text)}</div>"
