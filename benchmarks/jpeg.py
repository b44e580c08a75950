"""What JPEG files take with the contexts for their coefficients, beside Lepton, which `fast` takes where it is installed.

    python -m benchmarks.jpeg FILE...            # one row a file, each decoded again and compared

Times are those of whole runs in one process, the loops compiled before.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from lib import compress, decompress
from lib.settings import Settings
from lib.transforms import lepton

_PRESETS = ("fast", "balanced")


def measured(file: Path, folder: Path, preset: str) -> tuple[int, float]:
    """(bytes of the .lks file, KB/s of JPEG)."""
    started = time.perf_counter()
    result = compress(file, folder / preset, Settings(preset=preset), overwrite=True)
    seconds = time.perf_counter() - started
    decompress(result.output_path, folder / "back", overwrite=True)
    if (folder / "back").read_bytes() != file.read_bytes():
        raise SystemExit(f"{file} does not come back")
    return result.compressed_bytes, file.stat().st_size / seconds / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    if not lepton.is_there():
        raise SystemExit("pip install lepton-jpeg-python")
    print("| file | bytes | Lepton | fast | KB/s | balanced | KB/s | less than Lepton |\n|---|---|---|---|---|---|---|---|")
    shares = []
    with tempfile.TemporaryDirectory() as name:
        for preset in _PRESETS:
            measured(options.files[0], Path(name), preset)           # compiles
        for file in options.files:
            (fast, fast_speed), (own, own_speed) = (measured(file, Path(name), preset) for preset in _PRESETS)
            packed = lepton.packed(file.read_bytes())
            beside, less = "", ""
            if packed:
                shares.append(1 - own / len(packed[0]))
                beside, less = f"{len(packed[0]):,}", f"{shares[-1]:.1%}"
            print(f"| {file.name} | {file.stat().st_size:,} | {beside} | {fast:,} | {fast_speed:,.0f} | {own:,} | {own_speed:,.0f} | {less} |", flush=True)
    if shares:
        print(f"\n{np.mean(shares):.2%} less than Lepton on average")


if __name__ == "__main__":
    main()
