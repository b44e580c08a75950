"""What the notebooks' cells call. Only this package knows IPython, ipywidgets or google.colab.

    choices.py   what a person chooses: where the input comes from, where the output goes
    form.py      the form for it: widgets in Jupyter, the values of Colab's own form there
    host.py      every difference between Colab and Jupyter
    inputs.py    a path to the chosen input: sample, upload, path, URL, Drive
    live.py      progress bar and plot while a run goes on
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
