"""Execute compress.ipynb and then decompress.ipynb and print one table.

    python -m tools.demo [FILE]               (or: make demo, make demo FILE=path)

Without a file the notebooks take their built-in sample. The restored file's SHA-256 is computed here,
not taken from the notebooks.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from lib.errors import LockstepError
from lib.notebook.report import as_text
from lib.peers import standard_sizes
from lib.storage.files import check_input
from tools.execute import execute


def main(arguments):
    """Run the demo; returns the exit code."""
    try:
        fields = {}
        if arguments:
            check_input(arguments[0])
            fields["path"] = str(Path(arguments[0]).resolve())
        with tempfile.TemporaryDirectory(prefix="lockstep-demo-") as folder:
            return _run(Path(folder), fields)
    except LockstepError as error:
        print(f"lockstep: {error}", file=sys.stderr)
        return 1


def _run(folder, fields):
    def note(line):
        print(f"    {line}", flush=True)

    print("Executing compress.ipynb, which compiles the first time ...", flush=True)
    _, made = execute("compress.ipynb", folder, {"preset": "balanced"} | fields, _values_of_result(), note=note)
    print("Executing decompress.ipynb ...", flush=True)
    _, back = execute("decompress.ipynb", folder, {"path": made["output"], "output_folder": "restored"}, _values_of_result(), note=note)
    original, restored = ((folder / path).read_bytes() for path in (made["input"], back["output"]))
    identical = hashlib.sha256(original).digest() == hashlib.sha256(restored).digest()
    print("\n" + as_text(_table(original, (folder / made["output"]).stat().st_size, made, back, identical)))
    return 0 if identical else 1


def _values_of_result():
    """What to ask of a notebook's `result`, for execute."""
    return {"input": "str(result.input_path)", "output": "str(result.output_path)",
            "bytes_per_second": "result.bytes_per_second"}


def _table(original, compressed_bytes, made, back, identical):
    """The rows of the demo's one table."""
    def rate(size):
        return f"{8 * size / max(1, len(original)):.3f} bits per byte"
    rows = [("input", f"{len(original):,} bytes", Path(made["input"]).name),
            ("output", f"{compressed_bytes:,} bytes", rate(compressed_bytes)),
            ("speed", f"{made['bytes_per_second']:,.0f} bytes/s", "compressing, start included"),
            ("", f"{back['bytes_per_second']:,.0f} bytes/s", "decompressing, start included"),
            ("SHA-256", "equal" if identical else "DIFFERENT", hashlib.sha256(original).hexdigest()[:16])]
    return rows + [(name, f"{size:,} bytes", rate(size)) for name, size in standard_sizes(original).items()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
