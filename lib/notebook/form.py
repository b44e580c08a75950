"""The form: widgets made from Choices and Settings in Jupyter; in Colab the cell's own fields are the form."""

import dataclasses
import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib.errors import LockstepError, SettingsError
from lib.notebook import host
from lib.notebook.boxes import Stopped
from lib.notebook.choices import Choices, SplitChoices
from lib.notebook.estimate import Estimate, line_on_coded
from lib.notebook.inputs import what_is_given
from lib.settings import Settings, default_of

_PRESET = "preset"        # the text that leaves a setting to the preset
_WRONG = "color:#b3261e;font-weight:bold"
_QUIET = "color:#555"

# What the groups of the form are called, what is in them, and whether they are folded away.
_GROUPS = (
    ("Input", ("input_from", "path", "url"), False),
    ("What to do", ("action", "parts", "streams", "kind", "preset", "time_limit"), False),
    ("Where the result goes", ("output_to", "output_folder"), False),
    ("How to run", ("prior_file", "verify", "checkpoint_minutes", "backend", "largest_download_mb"), True),
    ("What the data is", ("contexts", "table_bits", "primer", "grid_width", "pixels"), True),
    ("The network's parameters", None, True),          # all others
)


class Form:
    """What was chosen. The widgets, where they are shown, have the last word.

    choices, settings, splitting: dicts of initial values, by the names of Choices, Settings and SplitChoices; for
    decompression settings holds only how to run, as the file knows the rest.
    """

    def __init__(self, choices: Mapping[str, Any], settings: Mapping[str, Any] = {}, splitting: Mapping[str, Any] = {}) -> None:
        self._initial = {**choices, **settings, **splitting}
        self._widgets: dict[str, Any] = {}                     # by the field's name, as the next
        self._help: dict[str, Any] = {}
        self._upload: Any = None                               # these three: widgets, once they are shown
        self._button: Any = None
        self._status: Any = None
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
            self._taken = self._upload.value, host.widget_upload(self._upload, ".")
        return self._taken[1]

    @property
    def waits(self) -> bool:
        """Whether somebody is there to choose a file, and has not yet."""
        given = what_is_given(self.choices(), self.uploaded())
        return (self._button is not None and host.a_person_is_there()
                and (not given or given == "upload" and not self.uploaded()))

    def show(self, run: Callable[["Form"], Any] | None = None) -> None:
        """Display the widgets. Colab shows the cell's own fields instead.

        run: what the button does, called in a place of its own for what it shows; without it there is no button.
        """
        if host.in_colab():
            return
        import ipywidgets
        from IPython.display import display
        self._upload = ipywidgets.FileUpload(description="Choose a file", multiple=False, layout={"width": "200px"})
        self._status = ipywidgets.HTML(layout={"margin": "4px 0"})
        parts = [self._upload, *self._groups(), self._status]
        if run:
            self._button = ipywidgets.Button(description=self.task.capitalize(), button_style="primary", icon="play")
            place = ipywidgets.Output()
            self._button.on_click(lambda _: self._run(run, place))
            parts += [self._button, place]
        for widget in (self._upload, *self._widgets.values()):
            widget.observe(lambda _: self._check(), names="value")
        self._check()
        display(ipywidgets.VBox(parts, layout={"max_width": "1000px"}))

    def _run(self, run, place):
        self._button.disabled, wanted = True, self._button.description
        self._button.description = "Running"
        place.clear_output()
        try:
            with place:
                run(self)
        except Stopped:
            pass                   # its box says all
        finally:
            self._button.disabled, self._button.description = False, wanted

    def _check(self):
        """Say beside each field what it is for, or what is wrong with it; and below, what a run would take."""
        wrong = self._fault()
        for name, shown in self._help.items():
            said = str(wrong) if wrong and wrong.parameter == name else None
            style = _WRONG if said else _QUIET
            shown.value = _line(said or help_line(field_named(name)), style)
        self._status.value = _line(str(wrong), _WRONG) if wrong else self._outlook()
        if self._button:
            self._button.disabled = wrong is not None

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
            return _line(str(error), _WRONG)

    def _on_chosen(self):
        choices, uploaded = self.choices(), self.uploaded()
        given = what_is_given(choices, uploaded)
        path = {"path": choices.path.strip(), "upload": uploaded}.get(given)
        if path and self.task == "compress":
            return self._estimate.line(path, self.settings())
        if path:
            return line_on_coded(path) if self.task == "decompress" else f"{path} is chosen."
        if given in ("", "upload"):
            limit = "" if host.is_app() else (
                " Most servers take up to 10 MB here (with make lab, more): put a larger file beside this notebook, by Jupyter's own "
                "list of files, and give its name as path.")
            return f"Choose a file, or give its path or address.{limit}"
        return ""

    def _current(self, group):
        """{name: value} of the fields of a dataclass: from the widget, else from the cell."""
        names = [field.name for field in dataclasses.fields(group) if field.name in self._initial]
        return {name: self._widgets[name].value if name in self._widgets else self._initial[name] for name in names}

    def _groups(self):
        """The groups of rows that are not empty; some folded away."""
        import ipywidgets
        left, groups = list(self._initial), []
        for title, wanted, is_folded in _GROUPS:
            names = [name for name in wanted or left if name in left]
            left = [name for name in left if name not in names]
            if not names:
                continue
            rows = ipywidgets.VBox([self._row(name) for name in names])
            if is_folded:
                groups.append(ipywidgets.Accordion(children=[rows], selected_index=None))
                groups[-1].set_title(0, title)
            else:
                groups += [ipywidgets.HTML(f"<b>{title}</b>"), rows]
        return groups

    def _row(self, name):
        """The widget of a field and its line of help."""
        import ipywidgets
        self._widgets[name] = _widget(field_named(name), self._initial[name])
        self._help[name] = ipywidgets.HTML(layout={"flex": "1 1 0%"})          # wraps
        return ipywidgets.HBox([self._widgets[name], self._help[name]])


def _line(text, style):
    return f"<div style='{style};line-height:1.3;padding-top:5px'>{html.escape(text)}</div>"


def field_named(name: str) -> dataclasses.Field:
    """The field of Choices, Settings or SplitChoices by its name."""
    return next(field for group in (Choices, Settings, SplitChoices) for field in dataclasses.fields(group) if field.name == name)


def _widget(field, initial):
    import ipywidgets
    facts = field.metadata
    shape = dict(description=field.name, style={"description_width": "150px"}, layout={"width": "330px"})
    if facts["choices"] and field.default is not None:
        return ipywidgets.Dropdown(options=facts["choices"], value=initial, **shape)
    if facts["choices"]:
        return ipywidgets.Dropdown(options=(_PRESET, *facts["choices"]), value=initial or _PRESET, **shape)
    if isinstance(field.default, (int, float)):
        least, most = facts.get("minimum"), facts.get("maximum")
        bounds = dict(min=min(1, field.default) if least is None else least, max=10**9 if most is None else most)
        kind = ipywidgets.BoundedIntText if isinstance(field.default, int) else ipywidgets.BoundedFloatText
        return kind(value=type(field.default)(initial), **bounds, **shape)
    return ipywidgets.Text(value="" if initial in (None, _PRESET) else str(initial), placeholder=placeholder(field),
                           continuous_update=False, **shape)          # not at every letter of a path


def help_line(field: dataclasses.Field) -> str:
    """A field's help with its unit and bounds."""
    facts = field.metadata
    bounds = "" if facts.get("minimum") is None else f" ({facts['minimum']:,} to {facts['maximum']:,} {facts['unit']})"
    return facts["help"] + bounds.replace(" )", ")")


def placeholder(field: dataclasses.Field) -> str:
    """What an empty text field of a setting stands for."""
    return f"preset: {default_of(field.name)}" if field.metadata.get("header_id") else ""
