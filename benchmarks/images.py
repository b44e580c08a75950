"""Images beside the formats for them: python -m benchmarks.images FILE...

Each file is opened with Pillow and its pixels saved uncompressed; that file is compressed, decompressed by a fresh process and compared.
Beside it the same pixels in the formats for images that Pillow knows here (JPEG XL with the package pillow-jxl-plugin). Sizes are bytes
of whole files.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from lib import Settings, compress
from lib.peers import IMAGE_FORMATS, image_sizes

_ROOT = Path(__file__).resolve().parents[1]


def main(arguments=None):
    options = _parser().parse_args(arguments)
    header = ("image", "size", "mode", f"Lockstep {options.preset}", *IMAGE_FORMATS, "under JPEG XL", "compress s", "decompress s")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for file in options.files:
            print("| " + " | ".join(_row(file, options.preset, Path(folder))) + " |", flush=True)
    return 0


def _row(file, preset, folder):
    image = Image.open(file)
    if image.mode not in ("L", "RGB", "RGBA", "LA", "1", "P", "I;16"):
        image = image.convert("RGB")
    plain = _save_plain(image, folder)
    packed = compress(plain, folder / "packed.lks", Settings(preset=preset), overwrite=True)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lib", "decompress", "-q", "-f", packed.output_path, "-o", folder / "restored"],
                   cwd=_ROOT, check=True)
    seconds = time.perf_counter() - started
    if (folder / "restored").read_bytes() != plain.read_bytes():
        raise SystemExit(f"images: {file} did not come back")
    made = image_sizes(image)
    sizes = [made.get(name) for name in IMAGE_FORMATS]
    less = f"{100 * (1 - packed.compressed_bytes / sizes[-1]):.1f} %" if sizes[-1] else ""
    return (Path(file).name, f"{image.width} x {image.height}", image.mode, f"{packed.compressed_bytes:,}",
            *(f"{size:,}" if size else "" for size in sizes), less, f"{packed.seconds:.1f}", f"{seconds:.1f}")


def _save_plain(image, folder):
    """An uncompressed file of the image's pixels."""
    form = {"L": "pgm", "RGB": "ppm", "1": "pbm", "P": "bmp"}.get(image.mode, "tiff")
    path = folder / f"plain.{form}"
    image.save(path)
    return path


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--preset", default="fast", help="(default: fast)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
