"""Write the notebooks, the README's badges and the table in docs/settings.md, from their parts.

    python -m tools.build_notebooks           (or: make notebooks)

The forms come from Settings and Choices, the project's address from pyproject.toml and the tag from
lib.__version__, so that each of them is said in one place. The cells of docs/network.ipynb are tools/network_notebook.py.
"""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import lib
from lib.notebook.choices import Choices, SplitChoices
from lib.notebook.fields import GROUPS, grouped, help_line
from lib.settings import Settings, bounds_of, decoding_parameters, default_of
from lib.storage.files import write_file

ROOT = Path(__file__).parents[1]
_SUGGESTIONS = {"table_bits": (18, 20, 22, 24, 26), "batch_size": (1, 2, 4, 8, 16), "seq_length": (6, 12, 24, 32),
                "update_interval": (4, 8, 16), "update_delay": (0, 4, 8, 16), "rnn_units": (128, 200, 256, 512, 1024), "num_layers": (1, 2, 3),
                "embedding_size": (32, 64, 128)}

# In the app, where there are no cells to run and no Colab, the second text of each notebook is left out: see voila.json.
_NOT_IN_APP = "not-in-app"

_COMPRESS_TITLE = """\
# Lockstep: compress a file

Context statistics and a neural network learn your file while they code it. Nothing is stored but the coded bytes: the
decoder learns the same in step. Choose a file and press **Compress**; you get a smaller `.lks` file, and `decompress.ipynb` gives
the very bytes back."""

_COMPRESS_WAY_IN = """\
Choose **Run All** first. Jupyter then shows a form below; Colab asks for a file. A tool that runs the notebook without a file
gets a built-in sample."""

_COMPRESS_NOTE = """\
**Where it can be decoded.** Everywhere: the network computes in whole numbers, which are the same on every device.
(With `arithmetic` set to float32 or float16 only where the file was made, and the file says so.)"""

_SPLITTER_TITLE = """\
# Lockstep: split a long file, join its parts

For files that take longer than a session. This notebook splits a file into parts, which `compress.ipynb` takes one after the
other; each goes on from the state that the one before left beside its `.lks` file. `decompress.ipynb` gives the parts back in the
same order, and this notebook joins them: choose the `.parts.json` file, with the parts in its folder."""

_SPLITTER_WAY_IN = """\
Choose **Run All** first. Jupyter then shows a form below; Colab asks for a file, and with `output_to` = drive keeps all parts
and states on Drive for the next session. A tool that runs the notebook without a file gets a built-in sample."""

_DECOMPRESS_TITLE = """\
# Lockstep: decompress a .lks file

Choose a `.lks` file and press **Decompress**; its original comes back, bit for bit, checked by SHA-256."""

_DECOMPRESS_WAY_IN = """\
Choose **Run All** first. Jupyter then shows a form below; Colab asks for a file. A tool that runs the notebook without a file
gets the newest `.lks` file in the folder for results, or else a built-in sample."""


def build(root=ROOT):
    """{file name: its text} of everything that this tool writes."""
    return {
        "compress.ipynb": _notebook(
            _COMPRESS_TITLE, _COMPRESS_WAY_IN, *_form_cells(choices=fields(Choices), settings=_without(fields(Settings), "prior")),   # prior_file says it
            "#@title 3. Compress\nresult = notebook.compress(form)",
            "#@title 4. Result\nnotebook.report_compression(result)",
            "#@title 5. Take the file\nnotebook.deliver(result, form)", _COMPRESS_NOTE),
        "decompress.ipynb": _notebook(
            _DECOMPRESS_TITLE, _DECOMPRESS_WAY_IN, *_form_cells(choices=fields(Choices), settings=decoding_parameters()),
            "#@title 3. Decompress\nresult = notebook.decompress(form)",
            "#@title 4. Result\nnotebook.report_decompression(result)",
            "#@title 5. Take the file\nnotebook.deliver(result, form)"),
        "splitter.ipynb": _notebook(
            _SPLITTER_TITLE, _SPLITTER_WAY_IN, *_form_cells(choices=_without(fields(Choices), "prior_file"), splitting=fields(SplitChoices)),
            "#@title 3. Split or join\nresult = notebook.split_or_join(form)",
            "#@title 4. Result\nnotebook.report_splitting(result)",
            "#@title 5. Take the files\nnotebook.deliver_parts(result, form)"),
        "docs/network.ipynb": _as_text(_cells_of(ROOT / "tools" / "network_notebook.py")),
        "README.md": _with_part(root / "README.md", "badges", _badges()),
        "docs/settings.md": _with_part(root / "docs" / "settings.md", "settings", _settings_table()),
    }


def _without(parameters, name):
    return [parameter for parameter in parameters if parameter.name != name]


def main():
    for name, text in build().items():
        write_file(ROOT / name, text.encode(), overwrite=True)


def _notebook(title, way_in, *cells):
    """A notebook as text: title, the way in, set-up, then code cells (those with a #@title) and notes."""
    parts = [_setup_cell(), *cells]
    return _as_text([new_markdown_cell(title), new_markdown_cell(way_in, metadata={"tags": [_NOT_IN_APP]}),
                     *(_code_cell(part) if part.startswith("#@title") else new_markdown_cell(part) for part in parts)])


def _cells_of(path):
    """The cells of a script in the percent format: "# %%" begins a code cell, "# %% [markdown]" one whose text is in comments."""
    _, *parts = re.split(r"^# %%", path.read_text(), flags=re.MULTILINE)
    for part in parts:
        kind, _, source = part.partition("\n")
        if kind.strip() == "[markdown]":
            yield new_markdown_cell(re.sub(r"^# ?", "", source.strip(), flags=re.MULTILINE))
        else:
            yield new_code_cell(source.strip())


def _as_text(cells):
    """A notebook of these cells as text."""
    cells = list(cells)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"          # nbformat's own are random
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    return nbformat.writes(book) + "\n"


def _code_cell(source):
    """A code cell; a long one (set-up and form) is folded away, in Colab and in JupyterLab."""
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}
    return new_code_cell(source, metadata=folded if source.count("\n") > 5 else {})


def _setup_cell():
    text = (ROOT / "tools" / "setup_cell.py").read_text().rstrip()
    return text.replace("<address>", _address()).replace("<tag>", _tag())


def _form_cells(**parts):
    """The form as Colab's fields, one a parameter, by groups, and the call that shows it in Jupyter; the network in a cell of its own."""
    by_name = {field.name: field for part in parts.values() for field in part}
    groups = grouped(list(by_name))
    network = groups.pop()[1] if groups[-1][0] == GROUPS[-1][0] else []
    lines = ["#@title 2. Choose", "from lib import notebook"]
    for title, names in groups:
        lines += [f"#@markdown ### {title}", *(line for name in names for line in _field_lines(by_name[name]))]
    chosen = [f"{part}={_dict([field.name for field in group if field.name not in network])}" for part, group in parts.items()]
    if not network:
        return ["\n".join([*lines, f"form = notebook.form({', '.join(chosen)})"])]
    lines.append(f"chosen = dict({', '.join(chosen)})")
    more = ["#@title 2b. The network, for experiments", "#@markdown Left to the preset unless this is ticked.",
            'change_the_network = False #@param {type: "boolean"}', *(line for name in network for line in _field_lines(by_name[name])),
            f"form = notebook.form(**chosen, network={_dict(network)}, change_the_network=change_the_network)"]
    return ["\n".join(lines), "\n".join(more)]


def _field_lines(field):
    return [f"{field.name} = {_initial(field)!r} {_colab_field(field)}", f"#@markdown {help_line(field)}"]


def _dict(names):
    return f"dict({', '.join(f'{name}={name}' for name in names)})"


def _initial(field):
    """What a field of the form holds at first; a setting is left to the preset."""
    return "preset" if field.metadata.get("header_id") else field.metadata.get("in_notebooks", field.default)


def _colab_field(field):
    """The #@param comment of one field: a list, a list that takes other input, or text."""
    facts = field.metadata
    if not facts.get("header_id"):
        if isinstance(field.default, (int, float)):
            return f'#@param {{type: "{"integer" if isinstance(field.default, int) else "number"}"}}'
        return f"#@param {_options(facts['choices'])}" if facts["choices"] else '#@param {type: "string"}'
    if facts["choices"]:
        return f"#@param {_options(('preset', *facts['choices']))}"
    values = _SUGGESTIONS.get(field.name, (default_of(field.name),))
    return f"#@param {_options(('preset', *values))} {{allow-input: true}}"


def _options(values):
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _with_part(path, name, part):
    """The text of a file with what stands between the two marker comments of `name` replaced."""
    return re.sub(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", lambda found: found[1] + part + "\n" + found[2],
                  path.read_text(), flags=re.DOTALL)


def _badges():
    """A table line for each notebook: its badge, which opens it in Colab, and what it is for."""
    slug = _address().removeprefix("https://github.com/")
    purposes = {"compress.ipynb": "a file in, a `.lks` file out", "decompress.ipynb": "the very bytes back",
                "splitter.ipynb": "a long file in parts, for several sessions"}
    lines = [f"| [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
             f"(https://colab.research.google.com/github/{slug}/blob/{_tag()}/{name}) | `{name}` | {purpose} |"
             for name, purpose in purposes.items()]
    return "\n".join(["| | notebook | |", "|---|---|---|", *lines])


def _settings_table():
    """Every parameter with its default, bounds and line of help."""
    lines = ["| setting | default | bounds | |", "|---|---|---|---|"]
    for field in fields(Settings):
        facts = field.metadata
        bounds = bounds_of(field)
        lines.append(f"| `{field.name}` | {default_of(field.name)} | {bounds} | {facts['help']} |")
    return "\n".join(lines)


def _address():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]


def _tag():
    return f"v{lib.__version__}"


if __name__ == "__main__":
    main()
