"""Execute a notebook as it is, with some fields of its form filled in."""

import json
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[1]
_MARK = "values-of-the-notebook: "
_SECONDS_PER_CELL = 24 * 3600


def execute(name, folder, fields=None, values=None, prelude="", note=lambda line: None):
    """Run the project's notebook at the path `name` in the working folder `folder`; returns (notebook, values).

    fields: {name: value} of the form, set as a person would set them in the form's cell.
    values: {key: Python expression} to evaluate after the last cell; what comes back through JSON.
    prelude: code to run before the first cell (the tests' stand-ins). note: called with the title of each cell that begins.
    Raises nbclient's CellExecutionError where a cell fails.
    """
    book = nbformat.read(ROOT / name, as_version=4)
    for field, value in (fields or {}).items():
        form = next(cell for cell in book.cells if f"\n{field} = " in cell.source)
        form.source = _filled_in(form.source, field, value)
        if "change_the_network" in form.source:
            form.source = _filled_in(form.source, "change_the_network", True)
    if prelude:
        book.cells.insert(0, new_code_cell(prelude))
    pairs = ", ".join(f"{key!r}: {expression}" for key, expression in (values or {}).items())
    book.cells.append(new_code_cell(f"import json\nprint({_MARK!r} + json.dumps({{{pairs}}}))"))
    search_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(book, timeout=_SECONDS_PER_CELL, resources={"metadata": {"path": str(folder)}},
                            extra_arguments=["--log-level=ERROR"], on_cell_start=lambda cell, cell_index: _note(cell, note))
    kept = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}       # nobody is there, even below a notebook
    client.execute(env={**kept, "PYTHONPATH": search_path})
    return book, json.loads(text_of(book.cells[-1]).partition(_MARK)[2])


def _note(cell, note):
    if cell.source.startswith("#@title "):
        note(cell.source.partition("\n")[0].removeprefix("#@title "))


def text_of(cell):
    """All plain text that a cell has shown."""
    shown = []
    for output in cell.get("outputs", []):
        shown.append(output.get("text", "") + output.get("data", {}).get("text/plain", ""))
    return "\n".join(shown)


def _filled_in(source, field, value):
    """The form's source with the value before a field's #@param replaced."""
    lines = source.splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{field} = "))
    lines[number] = f"{field} = {value!r} #@param" + lines[number].partition("#@param")[2]
    return "\n".join(lines)
