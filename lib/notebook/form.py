"""The form: widgets made from Choices and Settings in Jupyter; in Colab the cell's own fields are the form."""

import dataclasses
import html

from lib.notebook import host
from lib.notebook.choices import Choices, SplitChoices
from lib.settings import Settings, default_of

_PRESET = "preset"        # the text that leaves a setting to the preset


class Form:
    """What was chosen. The widgets, where they are shown, have the last word.

    choices, settings, splitting: dicts of initial values, by the names of Choices, Settings and SplitChoices; for
    decompression settings holds only how to run, as the file knows the rest.
    """

    def __init__(self, choices, settings={}, splitting={}):
        self._initial = {**choices, **settings, **splitting}
        self._widgets = {}
        self._upload = None
        self.choices(), self.settings(), self.splitting()      # a wrong value is refused at once

    def choices(self):
        """The Choices as they stand now."""
        return Choices(**self._current(Choices))

    def settings(self):
        """The Settings as they stand now."""
        return Settings().with_values(self._current(Settings))

    def splitting(self):
        """The SplitChoices as they stand now."""
        return SplitChoices(**self._current(SplitChoices))

    def uploaded(self):
        """The path of the file in the upload field, or None."""
        return host.widget_upload(self._upload, self.choices().output_folder or ".") if self._upload else None

    def show(self):
        """Display the widgets. Colab shows the cell's own fields instead."""
        if host.in_colab():
            return
        import ipywidgets
        from IPython.display import display
        self._upload = ipywidgets.FileUpload(description="Choose a file", multiple=False)
        settings = self._rows(Settings)
        first = settings[:1] if "preset" in self._initial else self._rows(SplitChoices)
        rows = [self._upload, *self._rows(Choices), *first]
        if settings:
            folded = ipywidgets.Accordion(children=[ipywidgets.VBox(settings[1:] if "preset" in self._initial else settings)],
                                          selected_index=None)
            folded.set_title(0, "The network's parameters" if "preset" in self._initial else "How to run")
            rows.append(folded)
        display(ipywidgets.VBox(rows))

    def _current(self, group):
        """{name: value} of the fields of a dataclass: from the widget, else from the cell."""
        names = [field.name for field in dataclasses.fields(group) if field.name in self._initial]
        return {name: self._widgets[name].value if name in self._widgets else self._initial[name] for name in names}

    def _rows(self, group):
        """A row for each field of a dataclass: the widget and its line of help."""
        import ipywidgets
        rows = []
        for field in dataclasses.fields(group):
            if field.name in self._initial:
                self._widgets[field.name] = widget = self._widget(field)
                explained = ipywidgets.HTML(html.escape(help_line(field)), layout={"flex": "1 1 0%"})    # wraps
                rows.append(ipywidgets.HBox([widget, explained]))
        return rows

    def _widget(self, field):
        import ipywidgets
        facts, initial = field.metadata, self._initial[field.name]
        shape = dict(description=field.name, style={"description_width": "150px"},
                     layout={"width": "330px"})
        if facts["choices"] and field.default is not None:
            return ipywidgets.Dropdown(options=facts["choices"], value=initial, **shape)
        if facts["choices"]:
            return ipywidgets.Dropdown(options=(_PRESET, *facts["choices"]), value=initial or _PRESET, **shape)
        return ipywidgets.Text(value="" if initial in (None, _PRESET) else str(initial),
                               placeholder=placeholder(field), **shape)


def help_line(field):
    """A field's help with its unit and bounds."""
    facts = field.metadata
    bounds = "" if facts.get("minimum") is None else f" ({facts['minimum']} to {facts['maximum']} {facts['unit']})"
    return facts["help"] + bounds.replace(" )", ")")


def placeholder(field):
    """What an empty text field of a setting stands for."""
    return f"preset: {default_of(field.name)}" if field.metadata.get("header_id") else ""
