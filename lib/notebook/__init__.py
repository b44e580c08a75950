"""What the notebooks' cells call. Only this package knows IPython, ipywidgets or google.colab.

    choices.py   what a person chooses: where the input comes from, where the output goes
    fields.py    its fields: their groups, what is said of each, their widgets
    preset_radio.py  the preset, in words that people know
    form.py      the form for it: widgets in Jupyter, the values of Colab's own form there
    host.py      every difference between Colab and Jupyter
    inputs.py    a path to the chosen input: sample, upload, path, URL, Drive
    runs.py      runs in threads of their own, which a reloaded page finds again
    live.py      how far a run is, a button to stop it, and a plot; curve.py: the plot
    place.py     where results are shown: in the cell that runs, or below a form
    report.py    tables and charts after it
    steps.py     the cells' own functions
"""

from lib.notebook.steps import (
    compress,
    decompress,
    deliver,
    deliver_parts,
    form,
    report_compression,
    report_decompression,
    report_splitting,
    split_or_join,
)

__all__ = ["compress", "decompress", "deliver", "deliver_parts", "form", "report_compression", "report_decompression",
           "report_splitting", "split_or_join"]
