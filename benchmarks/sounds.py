"""Sounds beside FLAC: python -m benchmarks.sounds FILE...

Each file, WAV or AIFF, is compressed, decompressed by a fresh process and compared. Beside it what the command flac makes of it at its
strongest (-8), without the room that it leaves for tags. Sizes are bytes of whole files; speeds are of the original's bytes in a second
of one processor's time, starting left out.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib import Settings, compress

_ROOT = Path(__file__).resolve().parents[1]
_FLAC = ("flac", "-8", "--no-padding", "--no-seektable", "-s", "-f", "-o")


def main(arguments=None):
    options = _parser().parse_args(arguments)
    header = ("sound", "bytes", "flac -8", f"Lockstep {options.preset}", "under FLAC", "KB/s")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for file in options.files:
            print("| " + " | ".join(_row(Path(file), options.preset, Path(folder))) + " |", flush=True)
    return 0


def _row(file, preset, folder):
    settings = Settings(preset=preset)
    original = file.read_bytes()
    warm = folder / "warm.wav"
    warm.write_bytes(original[:2_000])                       # so that loops are compiled
    compress(warm, folder / "packed.lks", settings, overwrite=True)
    started = time.process_time()
    packed = compress(file, folder / "packed.lks", settings, overwrite=True)
    seconds = time.process_time() - started
    subprocess.run([sys.executable, "-m", "lib", "decompress", "-q", "-f", packed.output_path, "-o", folder / "restored"], cwd=_ROOT, check=True)
    if (folder / "restored").read_bytes() != original:
        raise SystemExit(f"sounds: {file} did not come back")
    subprocess.run([*_FLAC, folder / "packed.flac", file], check=True, capture_output=True)
    flac = (folder / "packed.flac").stat().st_size
    return (file.name, f"{len(original):,}", f"{flac:,}", f"{packed.compressed_bytes:,}", f"{100 * (1 - packed.compressed_bytes / flac):.1f} %",
            f"{len(original) / seconds / 1000:.0f}")


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sounds", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--preset", default="fast", help="(default: fast)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
