"""What it costs to be stopped: python -m benchmarks.interruptions FILE

Compresses and decompresses the file unbroken, killed again and again (SIGKILL, and on from the checkpoint), and split into
aligned parts, each command in a process of its own. Says sizes, whether all is identical, and times, those of killed
runs with everything that was lost and started again. Exits 1 where anything differs.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lib.resume.splitting import join, split

_ROOT = Path(__file__).resolve().parents[1]
_CHECKPOINTS = 30             # of an unbroken run's time; a killed one should find one


@dataclass(frozen=True)
class Row:
    """What one way to run took."""

    label: str
    size: int
    is_identical: bool
    compress_seconds: float
    decompress_seconds: float
    kills: int = 0


def main(arguments=None):
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.file, Path(folder), options.kills, options.parts,
                       ["--preset", options.preset, *(f"--set={assignment}" for assignment in options.set)])
    print(f"{'':24} {'bytes':>11} {'of unbroken':>12} {'identical':>10} {'compress s':>11} {'decompress s':>13} {'kills':>6}")
    for row in rows:
        print(f"{row.label:24} {row.size:11,} {row.size / rows[0].size:12.5f} {'yes' if row.is_identical else 'NO':>10} "
              f"{row.compress_seconds:11.1f} {row.decompress_seconds:13.1f} {row.kills:6}")
    return 0 if all(row.is_identical for row in rows) else 1


def measure(file, folder, kills, parts, how):
    """The Rows of a file; how: arguments of the compression."""
    original = file.read_bytes()
    unbroken, again = folder / "unbroken.lks", folder / "unbroken"
    seconds = [_timed("compress", file, unbroken, how), _timed("decompress", unbroken, again)]
    rows = [Row("unbroken", unbroken.stat().st_size, again.read_bytes() == original, *seconds)]
    rows.append(_killed(file, unbroken, folder, kills, how, seconds))
    rows.append(_split(file, folder, parts, how))
    return rows


def _killed(file, unbroken, folder, kills, how, seconds):
    output, back, moments = folder / "killed.lks", folder / "killed", random.Random(1)
    took = [_killed_run(direction, source, target, folder, kills, extra, whole, moments)
            for direction, source, target, extra, whole in (
                ("compress", file, output, how, seconds[0]), ("decompress", unbroken, back, [], seconds[1]))]
    is_identical = output.read_bytes() == unbroken.read_bytes() and back.read_bytes() == file.read_bytes()
    return Row(f"killed {kills} times each", output.stat().st_size, is_identical, *took, 2 * kills)


def _killed_run(direction, source, target, folder, kills, extra, whole, moments):
    """Seconds that a run takes which is killed so often."""
    every = [f"--set=checkpoint_minutes={whole / _CHECKPOINTS / 60:.4f}", "--checkpoint", folder / "checkpoint"]
    started = time.perf_counter()
    for _ in range(kills):
        process = subprocess.Popen(_command(direction, source, target, [*extra, *every]), cwd=_ROOT)
        try:
            process.wait(whole * moments.uniform(0.1, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if target.exists():
            raise SystemExit("interruptions: the run ended before it was killed often enough; take a larger file or fewer --kills")
    _timed(direction, source, target, [*extra, *every])
    return time.perf_counter() - started


def _split(file, folder, parts, how):
    cut, back = folder / "parts", folder / "back"
    cut.mkdir(), back.mkdir()
    manifest_path, manifest = split(file, parts, cut)
    names = [name for name, _, _ in manifest.parts]
    packed = sum(_timed("compress", cut / name, cut / f"{name}.lks", how) for name in names)
    for state in cut.glob("*.state"):
        state.unlink()
    for name in names:
        (cut / name).unlink()
        (cut / f"{name}.lks").rename(back / f"{name}.lks")
    unpacked = sum(_timed("decompress", back / f"{name}.lks", back / name) for name in names)
    manifest_path.rename(back / manifest_path.name)
    joined, _ = join(back / manifest_path.name)
    size = sum((back / f"{name}.lks").stat().st_size for name in names)
    return Row(f"split in {parts}", size, joined.read_bytes() == file.read_bytes(), packed, unpacked)


def _timed(direction, source, target, extra=()):
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(_command(direction, source, target, extra), cwd=_ROOT, check=True)
    return time.perf_counter() - started


def _command(direction, source, target, extra):
    return [sys.executable, "-m", "lib", direction, source, "-o", target, "--quiet", *map(str, extra)]


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interruptions", description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=lambda text: Path(text).absolute())
    parser.add_argument("--kills", type=int, default=10, metavar="N", help="kills in each direction (default: 10)")
    parser.add_argument("--parts", type=int, default=4, metavar="N", help="parts to split into (default: 4)")
    parser.add_argument("--preset", default="fast", help="(default: fast)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
