"""JPEG files taken apart into coefficients and made again."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from lib.coders.arithmetic import ArithmeticCoder
from lib.coding.streams import Streams
from lib.errors import FormatError
from lib.mixing import state
from lib.mixing.kinds import jpeg as kind
from lib.mixing.kinds.jpeg_blocks import HEAD, STEPS
from lib.sources import coefficients
from lib.sources.jpeg import JpegSource
from lib.transforms import jpeg


def _picture(width=75, height=53, mode="RGB"):
    """Waves, edges and noise."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(1).integers(0, 40, (height, width))
    planes = [128 + 80 * np.sin(columns / (5 + plane) + rows / 9) + noise + 40 * (rows > columns) - 60 for plane in range(3)]
    return Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8)).convert(mode)


def _jpeg(mode="RGB", size=(75, 53), **options):
    file = io.BytesIO()
    _picture(*size, mode).save(file, "JPEG", **options)
    return file.getvalue()


def _scans(data):
    """[(where its segment begins, where its coded bytes begin)] of a file's scans."""
    places, at = [], data.find(b"\xff\xda")
    while at >= 0:
        places.append((at, at + 2 + int.from_bytes(data[at + 2:at + 4], "big")))
        at = data.find(b"\xff\xda", at + 2)
    return places


_FILES = {
    "4:2:0": _jpeg(), "4:4:4": _jpeg(subsampling=0, quality=95), "4:2:2": _jpeg(subsampling=1), "4:1:1": _jpeg(subsampling="4:1:1"),
    "grey": _jpeg("L"), "CMYK": _jpeg("CMYK"), "one pixel": _jpeg(size=(1, 1)), "optimized": _jpeg(optimize=True),
    "best": _jpeg(quality=100, subsampling=0), "worst": _jpeg(quality=1),
    "progressive": _jpeg(progressive=True), "progressive 4:4:4": _jpeg(progressive=True, subsampling=0, quality=98),
    "progressive grey": _jpeg("L", progressive=True), "progressive CMYK": _jpeg("CMYK", progressive=True),
    "restarts": _jpeg(restart_marker_blocks=1), "restarts by row": _jpeg(restart_marker_rows=1, subsampling=0),
    "progressive with restarts": _jpeg(progressive=True, restart_marker_blocks=3),
    "long runs": _jpeg(progressive=True, quality=2, size=(300, 200)),
    "comment": _jpeg(comment=b"\xff\xd8 no picture \xff\xda", exif=b"Exif\0\0" + _jpeg(size=(16, 16))),
}


def coded(found: jpeg.Jpeg, table_bits: int) -> bytes:
    """The coefficients of a JPEG."""
    coder = ArithmeticCoder()
    code(coefficients.fields_of(found.layout), coder, coefficients.symbols_of(found.layout, found.coefficients), table_bits)
    return coder.finish()


def decoded_symbols(layout: jpeg.Layout, payload: bytes, table_bits: int) -> np.ndarray:
    """uint16: the coefficients as symbols."""
    symbols = np.zeros(layout.frame.blocks * kind.SYMBOLS, np.uint16)
    code(coefficients.fields_of(layout), ArithmeticCoder(payload), symbols, table_bits)
    return symbols


def code(fields: np.ndarray, coder: ArithmeticCoder, symbols: np.ndarray, table_bits: int, at_once: int = 4096) -> None:
    """Code symbols (uint16, read or filled in) of the JPEGs that `fields` describes, `at_once` in a step of the compiled loop."""
    streams, values = Streams(len(symbols), 1), np.arange(2 * kind.MIDDLE, dtype=np.uint16)
    memory = state.allocated(kind.CONTEXTS, values, kind.BITS, fields, 0, streams, table_bits, False)
    no_frequencies = np.zeros((1, 0), np.int32)
    for start in range(0, len(symbols), at_once):
        some = symbols[start:start + at_once, None]
        with coder.open(len(some) * kind.CONTEXTS.decisions) as (numbers, buffer, decoding):
            kind.CONTEXTS.code_steps(memory, numbers, buffer, some, np.ones(len(some), np.int64), start, no_frequencies, decoding)


@pytest.mark.parametrize("name", _FILES)
def test_a_jpeg_comes_back_to_the_byte(name):
    data = _FILES[name]
    found = jpeg.taken_apart(b"before" + data + b"after", len(b"before"))
    assert found and found.used == len(data)
    assert found.write() == data
    layout = jpeg.Layout.from_list(found.layout.to_list())
    description = JpegSource.of_files([found]).description()
    assert layout.size == len(data) and len(description) < max(1600, len(data) / 4)
    assert layout.shapes == tuple(array.shape for array in found.coefficients)
    assert layout.write(found.coefficients) == data


def test_coefficients_are_those_of_the_picture():
    data = _FILES["progressive grey"]
    found = jpeg.taken_apart(data)
    means = np.array(Image.open(io.BytesIO(data)))[:48, :72].reshape(6, 8, 9, 8).mean((1, 3))
    steps = found.layout.quantisation[0].astype(int)
    np.testing.assert_allclose(found.coefficients[0][:6, :9, 0] * steps[0] / 8 + 128, means, atol=1)
    baseline = jpeg.taken_apart(_FILES["grey"])
    np.testing.assert_array_equal(found.coefficients[0], baseline.coefficients[0])


def test_sequential_scans_of_one_component_each():
    data = _several_scans()
    found = jpeg.taken_apart(data)
    assert found and len(found.layout.headers.scans) == 2 and found.write() == data


def _several_scans():
    """A file of two components whose scans are those of two grey files."""
    data = _FILES["grey"]
    frame, (scan, coded) = data.find(b"\xff\xc0"), _scans(data)[0]
    two = data[frame + 2:frame + 13]
    two = b"\xff\xc0" + b"\0\x0e" + two[2:7] + b"\2" + b"\1\x11\0" + b"\2\x11\0"
    first, entropy = data[scan:coded], data[coded:-2]
    second = first[:5] + b"\2" + first[6:]
    return data[:frame] + two + data[frame + 13:scan] + first + entropy + second + entropy + b"\xff\xd9"


def test_padding_of_zeros_and_of_both():
    data = _FILES["restarts"]
    coded = _scans(data)[0][1]
    ends = [at for at in range(coded, len(data)) if data[at] == 0xFF and data[at + 1] != 0]
    zeros, changed = bytearray(data), 0
    for end in ends:
        if data[end - 1] & 3 == 3 and data[end - 2] != 0xFF and data[end - 1] != 0xFF:
            for count in range(7, 0, -1):       # as much padding as still decodes to the same coefficients
                trial = bytearray(zeros)
                trial[end - 1] &= 0xFF << count & 0xFF
                found = jpeg.taken_apart(bytes(trial))
                if found and all(map(np.array_equal, found.coefficients, jpeg.taken_apart(data).coefficients)):
                    zeros, changed = trial, changed + 1
                    break
    assert changed > 3
    found = jpeg.taken_apart(bytes(zeros))
    assert found.write() == zeros and not any(scan.left for scan in found.layout._written)


def test_restart_markers_that_stop_before_the_end():
    data = _FILES["restarts"]
    coded = _scans(data)[0][1]
    markers = [at for at in range(coded, len(data) - 2) if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7]
    shorter = bytearray(data)
    for at in reversed(markers[-4:]):
        del shorter[at:at + 2]
    found = jpeg.taken_apart(bytes(shorter))
    assert found.write() == shorter and not any(scan.left for scan in found.layout._written)
    np.testing.assert_array_equal(found.coefficients[0], jpeg.taken_apart(data).coefficients[0])


@pytest.mark.parametrize("name", ["4:2:0", "restarts", "progressive", "grey"])
def test_a_jpeg_that_is_cut_short(name):
    data = _FILES[name]
    taken = 0
    for size in range(0, len(data), 37):
        found = jpeg.taken_apart(data[:size])
        if found:
            taken += 1
            assert found.write() == data[:size] and found.used == size
    assert taken > (len(data) - _scans(data)[-1][1]) / 37 / 2


def test_bytes_after_the_coded_ones_are_kept():
    data = _FILES["4:2:0"]
    odd = data[:-2] + bytes(40) + b"\xff\xff\xff" + data[-2:]
    assert jpeg.taken_apart(odd).write() == odd


def test_another_picture_after_the_end_is_left():
    data = _FILES["grey"]
    found = jpeg.taken_apart(data + _FILES["4:2:0"])
    assert found.used == len(data)
    assert jpeg.taken_apart(data + _FILES["4:2:0"], found.used).write() == _FILES["4:2:0"]


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCC, 0xDC])
def test_other_sorts_of_jpeg_are_none(marker):
    data = bytearray(_FILES["4:2:0"])
    data[data.find(b"\xff\xc0") + 1] = marker
    assert jpeg.taken_apart(bytes(data)) is None


def test_twelve_bits_and_no_jpeg_are_none():
    data = bytearray(_FILES["4:2:0"])
    data[data.find(b"\xff\xc0") + 4] = 12
    assert jpeg.taken_apart(bytes(data)) is None
    for other in (b"", b"\xff", b"\xff\xd8\xff", b"\xff\xd8\xff\xd9", bytes(100), data[:200]):
        assert jpeg.taken_apart(bytes(other)) is None


def test_a_frame_too_large_for_its_file_is_none():
    data = bytearray(_FILES["4:2:0"])
    frame = data.find(b"\xff\xc0")
    data[frame + 5:frame + 9] = b"\xff\xff\xff\xff"
    assert jpeg.taken_apart(bytes(data)) is None


def test_changed_files_come_back_or_are_none():
    chance, taken = random.Random(1), 0
    names = ["4:2:0", "progressive", "restarts", "progressive with restarts", "CMYK", "long runs"]
    for _ in range(600):
        data = bytearray(_FILES[chance.choice(names)])
        for _ in range(chance.choice([1, 1, 2, 8])):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                data[at] ^= 1 << chance.randrange(8)
            elif kind == 2:
                del data[at:at + chance.randrange(30)]
            else:
                data[at:at] = data[at // 2:at // 2 + chance.randrange(30)]
        found = jpeg.taken_apart(bytes(data))
        if found:
            taken += 1
            assert found.write() == data[:found.used]
            assert jpeg.Layout.from_list(found.layout.to_list()).write(found.coefficients) == data[:found.used]
    assert taken > 100


def test_a_damaged_description_is_a_format_error_or_another_file():
    chance, found = random.Random(2), jpeg.taken_apart(_FILES["progressive with restarts"])
    source, refused = JpegSource.of_files([found]), 0
    for _ in range(400):
        description = bytearray(source.description())
        for _ in range(chance.choice([1, 2, 5])):
            description[chance.randrange(len(description))] = chance.randrange(256)
        try:
            JpegSource.from_description(found.used, bytes(description)).restore(source.symbols())
        except FormatError:
            refused += 1
    assert refused > 100


def test_coefficients_of_other_shapes_and_sizes_are_refused():
    found = jpeg.taken_apart(_FILES["grey"])
    large = np.full_like(found.coefficients[0], -(1 << 15))
    for wrong in ([], [found.coefficients[0][1:]], [found.coefficients[0].astype(np.int32)], [large]):
        with pytest.raises(FormatError):
            found.layout.write(wrong)


@pytest.mark.parametrize("name", ["4:2:0", "4:1:1", "grey", "CMYK", "one pixel", "best", "progressive", "restarts by row"])
def test_coefficients_as_symbols_and_back(name):
    found = jpeg.taken_apart(_FILES[name])
    symbols = coefficients.symbols_of(found.layout, found.coefficients)
    assert len(symbols) == found.layout.frame.blocks * 65
    again = coefficients.coefficients_of(found.layout, symbols)
    for first, second in zip(found.coefficients, again, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["4:2:0", "4:1:1", "grey", "CMYK", "one pixel", "best", "worst", "progressive"])
def test_coefficients_are_coded_and_decoded(name):
    data = _FILES[name]
    found = jpeg.taken_apart(data)
    payload = coded(found, 16)
    assert found.layout.write(coefficients.coefficients_of(found.layout, decoded_symbols(found.layout, payload, 16))) == data
    assert len(payload) < len(data) - 450


def test_coefficients_of_any_size_are_coded_and_decoded():
    found, chance = jpeg.taken_apart(_FILES["4:2:0"]), np.random.default_rng(3)
    wild = [chance.integers(-2047, 2048, shape).astype(np.int16) for shape in found.layout.shapes]
    wild[0][::2, ::3] = chance.choice([-2047, 2047], wild[0][::2, ::3].shape)
    wild[1][..., 20:] = 0
    payload = coded(jpeg.Jpeg(tuple(wild), found.layout, found.used), 14)
    symbols = decoded_symbols(found.layout, payload, 14)
    for first, second in zip(wild, coefficients.coefficients_of(found.layout, symbols), strict=True):
        np.testing.assert_array_equal(first, second)


def test_coefficients_of_any_steps_are_coded_and_decoded():
    found, chance = jpeg.taken_apart(_FILES["4:2:0"]), np.random.default_rng(5)
    fields = coefficients.fields_of(found.layout)
    for place in range(HEAD + STEPS, len(fields), STEPS + 64):
        fields[place:place + 64] = chance.choice([1, 255, 65535], 64)
    symbols = coefficients.symbols_of(found.layout, [
        (chance.integers(-2047, 2048, shape) * chance.integers(0, 2, shape)).astype(np.int16) for shape in found.layout.shapes])
    coder = ArithmeticCoder()
    code(fields, coder, symbols.copy(), 14)
    payload, again = coder.finish(), np.zeros_like(symbols)
    code(fields, ArithmeticCoder(payload), again, 14)
    np.testing.assert_array_equal(symbols, again)


def test_damaged_payloads_decode_to_coefficients():
    found, chance = jpeg.taken_apart(_FILES["4:1:1"]), random.Random(4)
    payload = coded(found, 14)
    for _ in range(20):
        damaged = bytearray(payload)
        for _ in range(chance.choice([1, 5, 100])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        symbols = decoded_symbols(found.layout, bytes(damaged), 14)
        assert max(abs(array).max() for array in coefficients.coefficients_of(found.layout, symbols)) <= 2047


def test_several_jpegs_after_each_other_are_one_row_of_symbols():
    both = [jpeg.taken_apart(_FILES[name]) for name in ("4:2:2", "grey")]
    symbols = np.concatenate([coefficients.symbols_of(one.layout, one.coefficients) for one in both])
    fields = np.concatenate([coefficients.fields_of(both[0].layout), coefficients.fields_of(both[1].layout, both[0].layout.frame.blocks)])
    coder = ArithmeticCoder()
    code(fields, coder, symbols.copy(), 16, at_once=77)
    payload, again = coder.finish(), np.zeros_like(symbols)
    code(fields, ArithmeticCoder(payload), again, 16, at_once=1000)
    np.testing.assert_array_equal(symbols, again)
