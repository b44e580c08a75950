"""The standard compressors that Lockstep is compared with: one list for notebooks and benchmarks.

Each runs at the strongest setting that its name states. gzip, bzip2 and xz come with Python;
zstd and brotli are run by their Python packages or else by their commands, 7-Zip and zpaq by
their commands. A compressor that is not installed is left out.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib.errors import LockstepError

if TYPE_CHECKING:
    from PIL.Image import Image

_ZSTD_22, _ZSTD = "--ultra -22 --single-thread -q", "-d -q"     # one thread, as the package has


class PeerError(LockstepError):
    """A standard compressor failed or cannot read its file."""


@dataclass(frozen=True)
class Peer:
    """A standard compressor at one setting. `name` is program and setting, as one would type them."""

    name: str
    _compress: Callable[[Path, Path, Path], None]      # called with source, target, an empty folder to work in
    _decompress: Callable[[Path, Path, Path], None]

    def compress(self, source: Path | str, target: Path | str) -> None:
        """Compress the file at `source` into `target`, replacing it. Raises PeerError; then `target` is as it was."""
        self._run(self._compress, "compress", source, target)

    def decompress(self, source: Path | str, target: Path | str) -> None:
        """Give the original of `source` back as `target`, replacing it. Raises PeerError as `compress` does."""
        self._run(self._decompress, "decompress", source, target)

    def _run(self, work, doing, source, target):
        target = Path(target).absolute()
        try:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lockstep-") as folder:
                result = Path(folder, "result")
                work(Path(source), result, Path(folder))
                os.replace(result, target)
        except Exception as error:      # each library has a family of errors of its own
            reason = " ".join(str(error).split()) or type(error).__name__
            raise PeerError(f"{self.name} cannot {doing} {source}: {reason}") from error


def installed_peers() -> list[Peer]:
    """The peers that can run here, the standard ones first."""
    return standard_peers() + [peer for peer in (_brotli(), _seven_zip(), _zpaq()) if peer]


def standard_peers() -> list[Peer]:
    """The peers that most people have: gzip, bzip2, xz and, where it is installed, zstd."""
    return [peer for peer in (_gzip(), _bzip2(), _xz(), _zstd()) if peer]


def standard_sizes(data: bytes) -> dict[str, int]:
    """{name: size in bytes of the compressed file} that each standard peer makes of `data` (bytes)."""
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder:
        original, packed = Path(folder, "original"), Path(folder, "packed")
        original.write_bytes(data)
        for peer in standard_peers():
            peer.compress(original, packed)
            sizes[peer.name] = packed.stat().st_size
    return sizes


# Formats for images at their strongest lossless setting: name, Pillow's name, options. Pillow knows JPEG XL with the
# package pillow-jxl-plugin.
_IMAGE_FORMATS = (("PNG", "PNG", dict(optimize=True)), ("WebP -m 6", "WEBP", dict(lossless=True, quality=100, method=6, exact=True)),
                  ("JPEG XL -e 9", "JXL", dict(lossless=True, effort=9)))
IMAGE_FORMATS = tuple(name for name, _, _ in _IMAGE_FORMATS)


def image_sizes(image: "Image") -> dict[str, int]:
    """{name: size in bytes of the file} that each format for images makes of a Pillow image.

    Formats that do not know its mode are left out.
    """
    with contextlib.suppress(ImportError):
        import pillow_jxl  # noqa: F401, it makes itself known to Pillow
    sizes = {}
    for name, form, how in _IMAGE_FORMATS:
        known = {"1": "L", "P": "RGB"}.get(image.mode, image.mode) if form == "JXL" else image.mode
        if form == "WEBP" and image.mode.startswith("I"):
            continue                     # Pillow would save other pixels, of 8 bits
        file = io.BytesIO()
        with contextlib.suppress(KeyError, OSError, ValueError):
            image.convert(known).save(file, form, **how)
            sizes[name] = file.tell()
    return sizes


def _gzip():
    # mtime=0 and no name: the same bytes at every run, as of gzip -9n
    return _of_library("gzip -9", lambda data: gzip.compress(data, 9, mtime=0), gzip.decompress)


def _bzip2():
    return _of_library("bzip2 -9", lambda data: bz2.compress(data, 9), bz2.decompress)


def _xz():
    return _of_library("xz -9e", lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME), lzma.decompress)


def _zstd():
    name = "zstd --ultra -22"
    try:
        import zstandard
    except ImportError:
        return _of_command(name, ("zstd",), "packed.zst", f"{_ZSTD_22} data -o packed.zst",
                           f"{_ZSTD} packed.zst -o data")
    # with a checksum, as the command writes and the other three have
    return _of_library(name, lambda data: zstandard.ZstdCompressor(level=22, write_checksum=True).compress(data),
                       lambda data: zstandard.ZstdDecompressor().decompress(data))


def _brotli():
    name = "brotli -q 11 -w 24"
    try:
        import brotli
    except ImportError:
        return _of_command(name, ("brotli",), "packed.br", "-q 11 -w 24 data -o packed.br", "-d packed.br -o data")
    return _of_library(name, lambda data: brotli.compress(data, quality=11, lgwin=24), brotli.decompress)


def _seven_zip():
    return _of_command("7-Zip PPMd o=16", ("7z", "7zz", "7za"), "packed.7z",
                       "a -t7z -m0=PPMd:o=16:mem=256m -bd packed.7z data", "x -bd packed.7z")


def _zpaq():
    return _of_command("zpaq -m5", ("zpaq",), "packed.zpaq", "add packed.zpaq data -m5", "extract packed.zpaq")


def _of_library(name, compress, decompress):
    """A peer of two functions from bytes to bytes."""
    def on_files(function):
        return lambda source, target, folder: target.write_bytes(function(source.read_bytes()))
    return Peer(name, on_files(compress), on_files(decompress))


def _of_command(name, programs, packed, compress, decompress):
    """A peer of the first of `programs` that is on the PATH, or None.

    `compress` and `decompress` are its arguments, to make the file `packed` of the file `data` and
    the reverse. Under these names copies of the real files lie in a folder of their own: archivers
    store names, read some of them as wildcards and may look for others beside them.
    """
    program = next(filter(None, map(shutil.which, programs)), None)
    if program is None:
        return None

    def on_files(arguments, source_name, target_name):
        def work(source, target, folder):
            shutil.copyfile(source, folder / source_name)
            _run_program([program, *arguments.split()], folder)
            os.replace(folder / target_name, target)
        return work
    return Peer(name, on_files(compress, "data", packed), on_files(decompress, packed, "data"))


def _run_program(words, folder):
    """Run a command in `folder`; PeerError with what it said where it fails."""
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = "; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise PeerError(f"it ended with exit code {done.returncode}: {said[:200] or 'no message'}")
