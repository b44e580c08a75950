"""Images beside the formats for them: python -m benchmarks.images FILE...

Each file is opened with Pillow and its pixels saved as PPM, PGM, PBM, PAM or, with 16 bits, as TIFF; that file is compressed, decompressed by a fresh process
and compared. Beside it the same pixels as PNG (optimised), lossless WebP (method 6) and lossless JPEG XL (effort 9; where Pillow knows it,
as with the package pillow-jxl-plugin). Sizes are bytes of whole files.
"""

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from lib import Settings, compress

_ROOT = Path(__file__).resolve().parents[1]
_FORMATS = {"PNG": ("PNG", dict(optimize=True)), "WebP": ("WEBP", dict(lossless=True, quality=100, method=6, exact=True)),
            "JPEG XL": ("JXL", dict(lossless=True, effort=9))}


def main(arguments=None):
    options = _parser().parse_args(arguments)
    with contextlib.suppress(ImportError):
        import pillow_jxl  # noqa: F401, it registers itself with Pillow
    header = ("image", "size", "mode", f"Lockstep {options.preset}", *_FORMATS, "under JPEG XL", "compress s", "decompress s")
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
    sizes = [_size_as(image, *how) for how in _FORMATS.values()]
    less = f"{100 * (1 - packed.compressed_bytes / sizes[-1]):.1f} %" if sizes[-1] else ""
    return (Path(file).name, f"{image.width} x {image.height}", image.mode, f"{packed.compressed_bytes:,}",
            *(f"{size:,}" if size else "" for size in sizes), less, f"{packed.seconds:.1f}", f"{seconds:.1f}")


def _save_plain(image, folder):
    """An uncompressed file of the image's pixels."""
    form = {"L": "pgm", "RGB": "ppm", "1": "pbm", "P": "bmp"}.get(image.mode, "tiff")
    path = folder / f"plain.{form}"
    image.save(path)
    return path


def _size_as(image, form, how):
    """Bytes of a file in a format, or None where that or the mode is not known."""
    file = io.BytesIO()
    if form == "JXL" and image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    try:
        image.save(file, form, **how)
    except (KeyError, OSError, ValueError):
        return None
    return file.tell()


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--preset", default="fast", help="(default: fast)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
