"""Images as symbols: the samples of one picture or of all in an archive; uncompressed ones, and PNG files that can be made again.

Samples go pixel by pixel, of a pixel green, red, blue, alpha; of 16 bits the higher byte first. All other bytes are kept as they
are, so the very bytes of the file come back.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.errors import FormatError
from lib.limits import MOST_INFLATED
from lib.sources import base
from lib.sources import png as png_files
from lib.sources.pictures import Pixels, pixels_in

_MOST_CODE = 255
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


class ImageSource(base.WholeSource):
    """Samples as symbols 0 to V - 1: the codes that occur, in ascending order."""

    kind = 3
    unit = "samples"
    model_inputs = "samples"
    context_kinds = ("image",)
    code_bits = 8

    def __init__(self, codes: np.ndarray, pieces: Sequence[bytes], pictures: Sequence[_Picture],
                 samples: np.ndarray | None = None) -> None:
        """codes: uint16, ascending, shape (V,); pieces: bytes before each picture and after the last; pictures: of _Picture; samples:
        uint8, the codes of all pictures, where there are any yet.
        """
        self.codes, self._pieces, self._pictures = codes, pieces, pictures
        self._samples: Any = samples
        self.symbol_count = sum(picture.pixels.count for picture in pictures)

    @classmethod
    def from_bytes(cls, data: bytes, note: Callable[[str], Any] | None = None) -> "ImageSource | None":
        """The source of a file's bytes, or None where they hold no image that can be taken apart and made again.

        note: called with a line of text where that is so of something that looks like an image.
        """
        note = note or (lambda line: None)
        files = base.files_with(data, lambda file: picture_in(file, note))
        if not files or not base.is_mostly(data, files):
            return None
        return cls.of_files(files)

    @classmethod
    def of_files(cls, files: Sequence[tuple[bytes, base.Found]]) -> "ImageSource":
        """The source of files that follow each other, each with what `picture_in` found in it."""
        samples = np.concatenate([found.codes for _, found in files])
        return cls(base.occurring(samples), base.pieces_around(files), [found.what for _, found in files], samples)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "ImageSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        try:
            values, pieces, pictures = base.unpacked_description(description)
            codes = base.unpacked_values(values, _MOST_CODE)
            pictures = [_Picture.from_list(picture) for picture in pictures]
            fits = type(pieces) is list and len(pieces) == len(pictures) + 1 > 1 and all(isinstance(piece, bytes) for piece in pieces)
        except base.FAULTS as error:
            raise base.damaged("an image") from error
        if not fits:
            raise base.damaged("an image")
        if original_bytes != sum(map(len, pieces)) + sum(picture.size for picture in pictures):
            raise FormatError("the header's size is not that of the image it describes", "the file is damaged")
        return cls(codes, pieces, pictures)

    @property
    def layout(self) -> np.ndarray:
        """int64 (6 * pictures,): of each where its codes begin and end, width, channels, codes of a sample, whether they are names."""
        layout, start = [], 0
        for picture in self._pictures:
            pixels = picture.pixels
            are_names = pixels.are_names or pixels.depth < 8
            layout += [start, start + pixels.count, pixels.width, pixels.channels, pixels.codes_each, are_names]
            start += pixels.count
        return np.array(layout, np.int64)

    @property
    def around(self) -> int:
        """Bytes that are no samples, as they are in the description."""
        return sum(map(len, self._pieces))

    def suitable_contexts(self) -> str:
        return "image"

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: no prior is of use here yet."""
        return None

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        index = np.zeros(256, np.uint16)
        index[self.codes] = np.arange(len(self.codes))
        return index[self._samples]

    def first_picture(self) -> tuple[np.ndarray, tuple[int, int, int]]:
        """(its samples, uint8 of shape (height, width) or (height, width, 3), for people to look at; the shape of its codes).

        Of 16 bits the higher byte; names as they are. The codes' shape is (height, width, codes of a pixel).
        """
        pixels = self._pictures[0].pixels
        shape = (pixels.height, pixels.width, pixels.channels * pixels.codes_each)
        samples = self._samples[:pixels.count].reshape(*shape)[..., ::pixels.codes_each]
        return (samples[..., (1, 0, 2)] if pixels.channels >= 3 else samples[..., 0]), shape

    def description(self) -> bytes:
        """All but the samples; deflated."""
        return base.packed_description([base.packed_values(self.codes), self._pieces, [picture.to_list() for picture in self._pictures]])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        codes, parts, start = self.codes[symbols].astype(np.uint8), [], 0
        for piece, picture in zip(self._pieces, self._pictures):
            parts += [piece, picture.write(codes[start:start + picture.pixels.count])]
            start += picture.pixels.count
        return b"".join([*parts, self._pieces[-1]])


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
