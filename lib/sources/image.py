"""Images as symbols: the samples of one picture or of all in an archive; uncompressed ones, and PNG files that can be made again.

Samples go pixel by pixel, of a pixel green, red, blue, alpha; of 16 bits the higher byte first. All other bytes are kept as they
are, so the very bytes of the file come back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.limits import MOST_INFLATED
from lib.sources import base
from lib.sources import png as png_files
from lib.sources.pictures import Pixels, pixels_in
from lib.sources.stretches import StretchSource

_CAN_BE_PACKED = (rb"GIF8", "a GIF"), (rb"RIFF....WEBP", "WebP")


@dataclass(frozen=True)
class _Picture:
    """Pixels between bytes that are none, as they are or in a Png, or in rows with its filters."""

    pixels: Pixels
    png: png_files.Png | png_files.FilteredRows | None = None

    @property
    def size(self) -> int:
        """Bytes of the stretch."""
        return self.png.size if self.png else self.pixels.bytes

    @property
    def count(self) -> int:
        """Codes of the picture."""
        return self.pixels.count

    @property
    def fields(self) -> list[int]:
        pixels = self.pixels
        return [pixels.width, pixels.channels, pixels.codes_each, pixels.are_names or pixels.depth < 8]

    def write(self, codes: np.ndarray) -> bytes:
        """The bytes of the stretch, from its codes."""
        rows = self.pixels.give(codes)
        return self.png.write(rows) if self.png else rows

    def to_list(self) -> list:
        return [self.pixels.to_list(), *(self.png.to_list() if self.png else [])]

    @classmethod
    def from_list(cls, values: list) -> "_Picture":
        """Raises one of base.FAULTS for what `to_list` cannot have made."""
        pixels = Pixels.from_list(values[0])
        if len(values) == 1:
            return cls(pixels)
        filters = values[1]
        if type(filters) is not bytes or len(filters) != pixels.height or max(filters) >= 5:
            raise ValueError("no PNG has such filters")
        if len(values) == 2:
            return cls(pixels, png_files.FilteredRows(pixels, filters))
        deflate, chunks = values[2:]
        if type(deflate) is not bytes:
            level, window, memory, strategy = deflate = tuple(deflate)
            if not (all(type(number) is int for number in deflate) and 0 <= level <= 9 and 9 <= window <= 15 and 1 <= memory <= 9
                    and 0 <= strategy <= 4):
                raise ValueError("zlib has no such settings")
        if not all(type(number) is int for number in chunks) or min(chunks) < 0 or pixels.bytes > MOST_INFLATED * sum(chunks):
            raise ValueError("no PNG is like this")
        return cls(pixels, png_files.Png(pixels, filters, deflate, tuple(chunks)))


class ImageSource(StretchSource):
    """Samples of pictures. Of each its contexts are told the width, channels, codes of a sample, and whether codes are names."""

    kind = 3
    unit = "samples"
    model_inputs = "samples"
    context_kinds = ("image",)
    stretch = _Picture
    noun = "image"

    @classmethod
    def from_bytes(cls, data: bytes, note: Callable[[str], Any] | None = None) -> "ImageSource | None":
        """The source of a file's bytes, or None where they hold no image that can be taken apart and made again.

        note: called with a line of text where that is so of something that looks like an image.
        """
        note = note or (lambda line: None)
        files = base.files_with(data, lambda file: picture_in(file, note))
        return cls.of_files(files) if files and base.is_mostly(data, files) else None

    def first_picture(self) -> tuple[np.ndarray, tuple[int, int, int]]:
        """(its samples, uint8 of shape (height, width) or (height, width, 3), for people to look at; the shape of its codes).

        Of 16 bits the higher byte; names as they are. The codes' shape is (height, width, codes of a pixel).
        """
        pixels = self._stretches[0].pixels
        shape = (pixels.height, pixels.width, pixels.channels * pixels.codes_each)
        samples = self._samples[:pixels.count].reshape(*shape)[..., ::pixels.codes_each]
        return (samples[..., (1, 0, 2)] if pixels.channels >= 3 else samples[..., 0]), shape


def picture_in(data: bytes, note: Callable[[str], Any] = lambda line: None) -> base.Found | None:
    """The picture that a file's bytes are, or None. note: called with a line of text on what looks like one and cannot be taken apart."""
    stream = png_files.stream_in(data)
    if stream:
        apart = stream.taken_apart()
        if apart is None:
            note("the stream of this PNG cannot be made again, so it is coded as bytes, which hardly "
                 "shrinks it; with pixels=yes the same pixels come back in a new PNG")
            return None
        made, rows = apart
        codes = stream.pixels.take(rows)
        return None if codes is None else base.Found(_Picture(stream.pixels, made), codes, stream.start, stream.end)
    if data[:len(png_files.SIGNATURE)] == png_files.SIGNATURE:
        note("this PNG is interlaced, damaged, or has very many pixels for its bytes, so it is coded as bytes")
    for begin, name in _CAN_BE_PACKED:
        if re.match(begin, data, re.DOTALL):
            note(f"this is {name}, which is packed already: there is little to gain")
    found = pixels_in(data)
    if found is None:
        return None
    start, pixels = found
    codes = pixels.take(data[start:start + pixels.bytes])
    return None if codes is None else base.Found(_Picture(pixels), codes, start, start + pixels.bytes)


def rows_in(data: bytes, pixels: Pixels, have_filters: bool) -> base.Found | None:
    """The picture that bytes are which hold nothing but its pixels, in rows with or without the filters of PNG; or None."""
    picture, rows = _Picture(pixels), data
    if have_filters:
        apart = png_files.rows_in(data, pixels)
        if apart is None:
            return None
        filtered, rows = apart
        picture = _Picture(pixels, filtered)
    codes = pixels.take(rows)
    return None if codes is None else base.Found(picture, codes, 0, len(data))
