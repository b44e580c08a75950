"""The fields that people choose with: in which groups they stand, what is said of each, and its widget in Jupyter."""

import dataclasses
from typing import Any

from lib.notebook.choices import Choices, SplitChoices
from lib.settings import Settings, default_of

_PRESET = "preset"        # the text that leaves a setting to the preset
# The groups of what can be chosen, in Colab's cells and here under Options.
GROUPS = (
    ("What to do", ("preset", "time_limit", "action", "parts", "streams", "kind")),
    ("Input", ("input_from", "path", "url", "largest_download_mb")),
    ("Result", ("output_to", "output_folder")),
    ("How to run", ("prior_file", "verify", "checkpoint_minutes", "backend")),
    ("What the data is", ("contexts", "table_bits", "primer", "grid_width", "pixels")),
    ("The network's parameters", None),          # all others
)


def grouped(names: list[str]) -> list[tuple[str, list[str]]]:
    """[(title, names)] of GROUPS that are not empty."""
    left, groups = list(names), []
    for title, wanted in GROUPS:
        group = [name for name in wanted or left if name in left]
        left = [name for name in left if name not in group]
        groups += [(title, group)] if group else []
    return groups


def field_named(name: str) -> dataclasses.Field:
    """The field of Choices, Settings or SplitChoices by its name."""
    return next(field for group in (Choices, Settings, SplitChoices) for field in dataclasses.fields(group) if field.name == name)


def widget_of(field: dataclasses.Field, initial: Any) -> Any:
    """The widget of a field, that holds `initial`."""
    import ipywidgets
    facts = field.metadata
    shape = dict(description=field.name, style={"description_width": "150px"}, layout={"width": "330px"})
    if facts["choices"] and field.default is not None:
        offered = [choice for choice in facts["choices"] if choice != "drive" or initial == "drive"]         # which is Colab's
        return ipywidgets.Dropdown(options=offered, value=initial, **shape)
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
