"""What the bar and the plot of a notebook take of a run: python -m benchmarks.notebook FILE...

Executes compress.ipynb on each file, with the time counted that the run waits for its bar and its plot.
"""

import argparse
import tempfile
from pathlib import Path

from tools.execute import execute

_COUNTING = """
import functools, time
from lib.notebook.live import Panel

waited = 0.0

def counted(method):
    @functools.wraps(method)
    def timed(*arguments):
        global waited
        started = time.perf_counter()
        result = method(*arguments)
        waited += time.perf_counter() - started
        return result
    return timed

for name in ("_update",):
    setattr(Panel, name, counted(getattr(Panel, name)))
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    print("| file | preset | run s | bar and plot s | share |\n|---|---|---|---|---|", flush=True)
    for file in options.files:
        with tempfile.TemporaryDirectory() as folder:
            fields = dict(path=str(Path(file).resolve()), preset=options.preset)
            _, values = execute("compress.ipynb", folder, fields, dict(waited="waited", seconds="result.seconds"), prelude=_COUNTING)
        share = values["waited"] / values["seconds"]
        print(f"| {Path(file).name} | {options.preset} | {values['seconds']:.1f} | {values['waited']:.2f} | {share:.2%} |", flush=True)
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebook", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--preset", default="fast")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
