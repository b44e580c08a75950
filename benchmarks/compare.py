"""Lockstep's presets beside the standard compressors: python -m benchmarks.compare FILE...

Sizes are of whole files on disk. Seconds are wall time: of a whole process on the command line
for Lockstep, which includes starting TensorFlow, and of one call for the others. Every file is
given back and compared with its original. Exits 1 where a compressor fails or does not give the
very file back, 2 where nothing can be measured.
"""

import argparse
import csv
import dataclasses
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError, LockstepError, SettingsError
from lib.peers import installed_peers
from lib.settings import Settings
from lib.storage.files import check_input, check_target

_ROOT = Path(__file__).resolve().parents[1]
_PRESETS = Settings.__dataclass_fields__["preset"].metadata["choices"]
_INTERRUPTED = 130        # the shell's exit code for Ctrl-C


class RunError(LockstepError):
    """A run of Lockstep on the command line failed."""


@dataclass(frozen=True)
class Row:
    """What one compressor did with one file. Where it failed there is an error and no measurement."""

    file: str
    compressor: str
    original_bytes: int
    compressed_bytes: int | None = None           # the most of all repeats
    bits_per_byte: float | None = None            # 0 for an empty file
    compress_seconds: float | None = None         # median of all repeats, as the next two
    decompress_seconds: float | None = None
    bytes_per_second: float | None = None       # of the original, compressing; only of Lockstep
    identical: bool | None = None                 # whether every repeat gave the original back
    error: str = ""

    @property
    def is_lockstep(self):
        return self.bytes_per_second is not None


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))


@dataclass(frozen=True)
class Preset:
    """A preset of Lockstep, run as a user does. Has the methods of lib.peers.Peer."""

    preset: str
    assignments: tuple[str, ...] = ()      # name=value, as for --set

    @property
    def name(self):
        return f"Lockstep {self.preset}"

    def compress(self, source, target):
        """Compress in a process of its own. Raises RunError."""
        settings = [word for assignment in self.assignments for word in ("--set", assignment)]
        _run_lockstep("compress", source, target, "--preset", self.preset, *settings)

    def decompress(self, source, target):
        """Decompress in a process of its own. Raises RunError."""
        _run_lockstep("decompress", source, target)


def _run_lockstep(command, source, target, *more):
    words = [sys.executable, "-m", "lib", command, "--quiet", "--force", "--output", str(Path(target).absolute()),
             *more, str(Path(source).absolute())]
    done = subprocess.run(words, cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise RunError(f"{command} ended with exit code {done.returncode}: {said[-1]}")


def measure(compressor, path, label, repeats=1):
    """The Row of one compressor (a Preset or a Peer) and the file at `path`, which is listed as `label`."""
    size = Path(path).stat().st_size
    try:
        runs = [_round_trip(compressor, path) for _ in range(repeats)]
    except (LockstepError, OSError) as error:
        return Row(label, compressor.name, size, error=str(error))
    packed, compress_seconds, decompress_seconds, identical = zip(*runs)
    seconds = statistics.median(compress_seconds)
    return Row(label, compressor.name, size, max(packed), 8 * max(packed) / size if size else 0.0, seconds,
               statistics.median(decompress_seconds), size / seconds if isinstance(compressor, Preset) else None,
               all(identical))


def _round_trip(compressor, path):
    """(compressed bytes, seconds to compress, seconds to decompress, whether the original came back)."""
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder:
        packed, restored = Path(folder, "packed"), Path(folder, "restored")
        compress_seconds = _seconds(compressor.compress, path, packed)
        decompress_seconds = _seconds(compressor.decompress, packed, restored)
        return packed.stat().st_size, compress_seconds, decompress_seconds, _sha256(path) == _sha256(restored)


def _seconds(work, *arguments):
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class Table:
    """Rows in aligned columns on standard output, each printed at once: a comparison can take hours."""

    _HEADER = ("file", "compressor", "bytes", "bits/byte", "compress s", "decompress s", "bytes/s", "identical")

    def __init__(self, files, compressors):
        widest_file = max(len(name) for name in (*files, self._HEADER[0]))
        widest_name = max(len(compressor.name) for compressor in compressors)
        self._form = f"{{:<{widest_file}}}  {{:<{widest_name}}}  {{:>15}}  {{:>9}}  {{:>10}}  {{:>12}}  {{:>11}}  {{}}"
        self._failed = f"{{:<{widest_file}}}  {{:<{widest_name}}}  failed: {{}}"
        print(self._form.format(*self._HEADER), flush=True)

    def add(self, row):
        """Print a Row."""
        if row.error:
            line = self._failed.format(row.file, row.compressor, row.error)
        else:
            speed = f"{row.bytes_per_second:,.0f}" if row.is_lockstep else ""
            line = self._form.format(
                row.file, row.compressor, f"{row.compressed_bytes:,}", f"{row.bits_per_byte:.3f}",
                f"{row.compress_seconds:,.2f}", f"{row.decompress_seconds:,.2f}", speed,
                "yes" if row.identical else "NO")
        print(line, flush=True)


def plot(rows, path):
    """Draw bits per byte into a PNG: a panel per file, a bar per compressor. Rows with an error are left out."""
    from matplotlib.figure import Figure  # without pyplot it draws by Agg, which needs no display
    panels_of = {}
    for row in rows:
        if not row.error:
            panels_of.setdefault(row.file, []).append(row)
    if not panels_of:
        return
    heights = [len(group) + 2 for group in panels_of.values()]      # bars, title and axis
    figure = Figure(figsize=(8, 1 + 0.35 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(panels_of), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (file, group) in zip(panels, panels_of.items()):
        _draw_panel(panel, file, group)
    panels[-1].set_xlabel("bits per byte (less is better)")
    figure.savefig(path, format="png", dpi=120)


def _draw_panel(panel, file, rows):
    """One bar for each row, first row on top; Lockstep's in another colour."""
    colours = ["tab:orange" if row.is_lockstep else "tab:blue" for row in rows]
    bars = panel.barh([row.compressor for row in rows], [row.bits_per_byte for row in rows], color=colours)
    panel.bar_label(bars, fmt="%.3f", padding=3)
    panel.margins(x=0.12)      # room for the numbers
    panel.invert_yaxis()
    panel.set_title(file, loc="left", parse_math=False)


def main(arguments=None):
    """Measure what the command line asks for; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _compare(options)
    except LockstepError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("compare: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _compare(options):
    """Check everything first, then measure file by file; returns the exit code."""
    compressors = _compressors(options)
    for path in options.files:
        check_input(path)
    for path in filter(None, (options.csv, options.plot)):
        check_target(path, overwrite=True)
    rows = []
    with ExitStack() as stack:
        write = _csv_writer(stack, options.csv)
        table = Table(options.files, compressors)
        for label in options.files:
            path = _start_of_file(stack, Path(label), options.limit)
            for compressor in compressors:
                rows.append(measure(compressor, path, label, options.repeat))
                table.add(rows[-1])
                write(rows[-1])
    if options.plot:
        plot(rows, options.plot)
    return 0 if all(row.identical for row in rows) else 1


def _compressors(options):
    """Presets, then peers, as the options ask. Raises SettingsError or InputError."""
    ours = [] if options.no_ours else [Preset(name, tuple(options.set)) for name in options.preset or _PRESETS]
    for preset in ours:
        chosen = Settings().with_values({"preset": preset.preset}).with_text(preset.assignments)
        if chosen.preset != preset.preset:
            raise SettingsError("--set cannot choose the preset; use --preset")
    compressors = ours + ([] if options.no_peers else installed_peers())
    if not compressors:
        raise InputError("--no-ours and --no-peers leave nothing to compare; drop one of them")
    return compressors


def _csv_writer(stack, path):
    """A function that writes one Row, at once, to the CSV file at `path`; one that does nothing without a path."""
    if path is None:
        return lambda row: None
    file = stack.enter_context(open(path, "w", newline="", encoding="utf-8"))
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()

    def write(row):
        writer.writerow(dataclasses.asdict(row))
        file.flush()
    return write


def _start_of_file(stack, path, limit):
    """`path`, or where a limit is given a copy of the first `limit` bytes that lives as long as `stack`."""
    if limit is None:
        return path
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-"))
    with open(path, "rb") as file:
        start = file.read(limit)
    copy = Path(folder, path.name)
    copy.write_bytes(start)
    return copy


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare",
                                     description="Compare Lockstep's presets with the standard compressors.")
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--preset", action="append", choices=_PRESETS, help="only this preset; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting for all runs of Lockstep; may be repeated")
    parser.add_argument("--no-peers", action="store_true", help="only Lockstep")
    parser.add_argument("--no-ours", action="store_true", help="only the other compressors")
    parser.add_argument("--limit", type=positive_number, metavar="N", help="use only the first N bytes of each file")
    parser.add_argument("--repeat", type=positive_number, default=1, metavar="N",
                        help="measure N times; seconds are the median (default: 1)")
    parser.add_argument("--csv", type=Path, metavar="PATH", help="write the rows to this CSV file too")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw bits per byte into this PNG file")
    return parser


def positive_number(text):
    """A whole number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
