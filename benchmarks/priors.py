"""What a prior is worth: python -m benchmarks.priors --learn FILE... --code FILE...

Compresses each of the second files without and with a prior of the first ones, and with zstd, alone and with a dictionary
trained on the same files, where zstd is installed. Each result is decompressed and compared. Sizes are sums over all
files; that of the prior or dictionary is stated beside them.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import Settings, compress, decompress, learn

_MOST_DICTIONARY = 112_640      # zstd's own default


def main(arguments=None):
    options = _parser().parse_args(arguments)
    settings = Settings(preset=options.preset)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prior = learn(options.learn, folder / "learned.prior")
        rows = [(f"Lockstep {options.preset}", _coded(options.code, folder, settings, None), 0),
                (f"Lockstep {options.preset}, prior", _coded(options.code, folder, settings, prior.path), prior.size)]
        if shutil.which("zstd"):
            rows.append(("zstd -19", sum(_zstd(file, folder) for file in options.code), 0))
            if dictionary := _trained(options.learn, folder):
                rows.append(("zstd -19, dictionary", sum(_zstd(file, folder, "-D", dictionary) for file in options.code),
                             dictionary.stat().st_size))
    original = sum(file.stat().st_size for file in options.code)
    print(f"{len(options.code)} files, {original:,} bytes; learned from {len(options.learn)}, {len(prior.text):,} bytes")
    print(f"{'':28} {'bytes':>11} {'prior or dictionary':>20}")
    for label, size, learned in rows:
        print(f"{label:28} {size:11,} {learned:20,}")
    return 0


def _coded(files, folder, settings, prior):
    total = 0
    for file in files:
        packed = compress(file, folder / "packed.lks", settings, overwrite=True, prior=prior)
        restored = decompress(packed.output_path, folder / "restored", overwrite=True, prior=prior)
        _check(file, restored.output_path)
        total += packed.compressed_bytes
    return total


def _trained(files, folder):
    """A dictionary that zstd trained on pieces of 4 KiB, as it wants many samples; None where these are too few."""
    dictionary = folder / "dictionary"
    ran = subprocess.run(["zstd", "-q", "--train-fastcover", *files, "-B4096", f"--maxdict={_MOST_DICTIONARY}", "-o", dictionary],
                         capture_output=True)
    return dictionary if ran.returncode == 0 else None


def _zstd(file, folder, *how):
    packed, restored = folder / "packed.zst", folder / "restored"
    subprocess.run(["zstd", "-q", "-f", "-19", *how, file, "-o", packed], check=True)
    subprocess.run(["zstd", "-q", "-f", "-d", *how, packed, "-o", restored], check=True)
    _check(file, restored)
    return packed.stat().st_size


def _check(file, restored):
    if file.read_bytes() != restored.read_bytes():
        raise SystemExit(f"priors: {file} did not come back")


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.priors", description=__doc__.partition("\n")[0])
    parser.add_argument("--learn", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--code", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--preset", default="fast", help="(default: fast)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
