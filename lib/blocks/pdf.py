"""Pictures in PDF: pixels as they are, or rows with PNG's filters, whose dictionary stands before the stream."""

import re

from lib.sources.pictures import Pixels

_LONGEST_DICTIONARY = 2048       # bytes
_CHANNELS = {b"DeviceGray": 1, b"DeviceRGB": 3, b"CalGray": 1, b"CalRGB": 3, b"DeviceCMYK": 4}
_INDEXED = b"Indexed"
_PNG_PREDICTORS = range(10, 16)


def pixels_before(data: bytes, start: int, size: int) -> tuple[Pixels, bool] | None:
    """(Pixels, whether each row has a PNG filter before it) of the stream of `size` bytes whose deflated ones begin at `start`; or None."""
    before = data[max(start - _LONGEST_DICTIONARY, 0):start]
    dictionary = before[before.rfind(b" obj") + 1:]
    if b"/Image" not in dictionary:
        return None
    width, height, depth, colours = (_number(dictionary, name) for name in (b"Width", b"Height", b"BitsPerComponent", b"Colors"))
    if not width or not height:
        return None
    space = re.search(rb"/ColorSpace\s*\[?\s*/(\w+)", dictionary)
    name = space[1] if space else b""
    channels = 1 if name == _INDEXED else colours or _CHANNELS.get(name) or size // (width * height)       # colours may be described elsewhere
    depth = depth or 8
    pixels = Pixels(width, height, channels, depth, -(-width * channels * depth // 8), are_names=name == _INDEXED)
    has_filters = _number(dictionary, b"Predictor") in _PNG_PREDICTORS
    fits = pixels.are_possible and size == pixels.bytes + (height if has_filters else 0)
    return (pixels, has_filters) if fits else None


def _number(dictionary, name):
    """The number behind a name; 0 where there is none."""
    found = re.findall(rb"/%s\s+(\d{1,9})\b" % name, dictionary)
    return int(found[-1]) if found else 0
