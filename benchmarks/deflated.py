"""Which share of the deflated bytes in files comes back, at what cost: python -m benchmarks.deflated FILE...

Looks into zip files (.zip, .jar, .whl, .docx, .odt), gzip, PNG and PDF files. Prints a row for each file.
"""

import argparse
import re
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from lib.sources.png import SIGNATURE, chunk
from lib.transforms.deflate import done_again, undone
from lib.transforms.deflate.recipes import Recipe

_ZIP_ENTRY, _ZIP_DIRECTORY, _ZIP_DEFLATED = b"PK\x03\x04", b"PK\x01\x02", 8
_GZIP = b"\x1f\x8b\x08"
_PDF_STREAM = re.compile(rb"stream\r?\n(?=[\x08-\x78])")
_FEW = 64                        # bytes of corrections up to which a stream counts as zlib's own


def streams_in(data: bytes) -> Iterator[bytes]:
    """What begins with each deflated stream in a file's bytes."""
    if data[:4] == _ZIP_ENTRY:
        yield from _zipped(data)
    elif data[:3] == _GZIP:
        yield data[_after_gzip_header(data):]
    elif data[:8] == SIGNATURE:
        yield _png_stream(data)[2:]
    elif data[:5] == b"%PDF-":
        for found in _PDF_STREAM.finditer(data):
            if int.from_bytes(data[found.end():found.end() + 2], "big") % 31 == 0:
                yield data[found.end() + 2:]


def _zipped(data):
    place = data.find(_ZIP_DIRECTORY)
    while data[place:place + 4] == _ZIP_DIRECTORY:
        method, = struct.unpack_from("<H", data, place + 10)
        packed, = struct.unpack_from("<I", data, place + 20)
        lengths = struct.unpack_from("<HHH", data, place + 28)
        start, = struct.unpack_from("<I", data, place + 42)
        if method == _ZIP_DEFLATED:
            begins = start + 30 + sum(struct.unpack_from("<HH", data, start + 26))
            yield data[begins:begins + packed]
        place += 46 + sum(lengths)


def _after_gzip_header(data):
    flags, place = data[3], 10
    if flags & 4:
        place += 2 + int.from_bytes(data[place:place + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            place = data.index(0, place) + 1
    return place + (2 if flags & 2 else 0)


def _png_stream(data):
    place, parts = len(SIGNATURE), []
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        body = data[place + 8:place + 8 + length]
        parts.append(body if name == b"IDAT" and data[place:place + 12 + length] == chunk(name, body) else b"")
        place += 12 + length
    return b"".join(parts)


def measured(data: bytes, share: float) -> dict[str, float]:
    """Sums over the streams in a file: streams, deflated, exact (of which zlib's own), back, inflated, recipes, seconds each way."""
    sums = dict.fromkeys(("streams", "deflated", "exact", "back", "inflated", "recipes", "undoing", "redoing"), 0.0)
    like = b""
    for stream in streams_in(data):
        inflate = zlib.decompressobj(-15)
        inflate.decompress(stream)
        size = len(stream) - len(inflate.unused_data)
        began = time.perf_counter()
        found = undone(stream, share=share, like=like)
        sums["undoing"] += time.perf_counter() - began
        sums["streams"] += 1
        sums["deflated"] += size
        if not found:
            continue
        like = found.recipe
        began = time.perf_counter()
        assert done_again(found.inflated, found.recipe) == stream[:size]
        sums["redoing"] += time.perf_counter() - began
        sums["back"] += size
        sums["exact"] += size if len(Recipe.read(found.recipe).corrections) <= _FEW else 0
        sums["inflated"] += len(found.inflated)
        sums["recipes"] += len(found.recipe)
    return sums


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--share", type=float, default=0.25, help="the most that a recipe may take of a stream")
    arguments = parser.parse_args()
    undone(zlib.compress(bytes(1000))[2:])       # compiles
    print("| file | streams | deflated bytes | inflated | as zlib | come back | recipes | of what comes back | undoing | making again |")
    print("|---" * 10 + "|")
    for path in arguments.files:
        sums = measured(path.read_bytes(), arguments.share)
        if not sums["deflated"]:
            continue
        shares = [f"{sums[name] / sums['deflated']:.1%}" for name in ("exact", "back")]
        speeds = [f"{sums['inflated'] / max(sums[name], 1e-9) / 1e6:.2f} MB/s" for name in ("undoing", "redoing")]
        print(f"| {path.name} | {sums['streams']:.0f} | {sums['deflated']:,.0f} | {sums['inflated']:,.0f} | {' | '.join(shares)} | "
              f"{sums['recipes']:,.0f} | {sums['recipes'] / max(sums['back'], 1):.2%} | {' | '.join(speeds)} |", flush=True)


if __name__ == "__main__":
    main()
