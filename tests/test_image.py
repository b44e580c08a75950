"""Images: recognised, coded sample by sample, and given back to the last byte; PNG files made again or left alone."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, TiffImagePlugin
from samples import FAST, coded_file, deflated_by_chance, flipped, take_apart, there_and_back

from lib import FormatError, InputError, Settings, SettingsError, compress, decompress, inspect, learn, resume
from lib.coding.streams import Streams
from lib.models.inputs import Samples
from lib.sources import ImageSource, describe_source, png
from lib.sources.base import packed_description
from lib.sources.pictures import Pixels
from lib.sources.recognition import source_of

SMALL = dict(preset="balanced", rnn_units=8, embedding_size=4, seq_length=4, update_interval=2)


def picture(mode="RGB", width=37, height=23, seed=3):
    """Slopes, an edge and some noise, as a Pillow image."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    planes = [across * 3 + down * (plane + 1) + 60 * (across > down) + random.integers(0, 4, across.shape) for plane in range(4)]
    image = Image.fromarray((np.stack(planes[:3], -1) % 256).astype(np.uint8))
    if mode == "RGBA":
        image.putalpha(Image.fromarray((planes[3] % 256).astype(np.uint8)))
        return image
    if mode == "LA":
        return Image.merge("LA", [image.convert("L"), Image.fromarray((planes[3] % 256).astype(np.uint8))])
    if mode == "I;16":
        return Image.fromarray((planes[0] * 200 + random.integers(0, 99, across.shape)).astype(np.uint16))
    return image.convert(mode)


def file_of(form, mode="RGB", image=None, **how):
    file = io.BytesIO()
    (image or picture(mode)).save(file, form, **how)
    return file.getvalue()


def npy_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def rgb16():
    return np.array(picture()).astype(np.uint16) * 257


def pam(channels, most, samples):
    head = f"P7\nWIDTH 37\nHEIGHT 23\nDEPTH {channels}\nMAXVAL {most}\nTUPLTYPE X\nENDHDR\n".encode()
    return head + samples.tobytes()


# Each: the file, and [channels, codes of a sample, whether they are names] as they are understood.
IMAGES = {
    "ppm": (file_of("PPM"), [3, 1, 0]),
    "pgm": (file_of("PPM", "L"), [1, 1, 0]),
    "pbm": (file_of("PPM", "1"), [1, 1, 1]),
    "ppm with comments": (b"P6 # by hand\n37\n#more\n23 255\n" + picture().tobytes(), [3, 1, 0]),
    "ppm, 16 bits": (b"P6 37 23 65535\n" + rgb16().astype(">u2").tobytes(), [3, 2, 0]),
    "pam, alpha": (pam(4, 255, np.array(picture("RGBA"))), [4, 1, 0]),
    "pam, grey and alpha": (pam(2, 255, np.array(picture("LA"))), [2, 1, 0]),
    "bmp": (file_of("BMP"), [3, 1, 0]),
    "bmp, alpha": (file_of("BMP", "RGBA"), [4, 1, 0]),
    "bmp, grey": (file_of("BMP", "L"), [1, 1, 0]),
    "bmp, palette": (file_of("BMP", "P"), [1, 1, 1]),
    "bmp, bits": (file_of("BMP", "1"), [1, 1, 1]),
    "tiff": (file_of("TIFF"), [3, 1, 0]),
    "tiff, 16 bits": (file_of("TIFF", "I;16"), [1, 2, 0]),
    "tiff, alpha": (file_of("TIFF", "RGBA"), [4, 1, 0]),
    "tiff, bits": (file_of("TIFF", "1"), [1, 1, 1]),
    "npy, grey": (npy_of(np.array(picture("L"))), [1, 1, 0]),
    "npy, colour": (npy_of(np.array(picture())), [3, 1, 0]),
    "npy, 16 bits": (npy_of(np.array(picture("I;16"))), [1, 2, 0]),
    "npy, 16 bits, big-endian": (npy_of(rgb16().astype(">u2")), [3, 2, 0]),
    "npy, a film": (npy_of(np.stack([np.array(picture("L", seed=seed)) for seed in range(4)])), [1, 1, 0]),
    "png": (file_of("PNG"), [3, 1, 0]),
    "png, grey": (file_of("PNG", "L"), [1, 1, 0]),
    "png, alpha": (file_of("PNG", "RGBA"), [4, 1, 0]),
    "png, grey and alpha": (file_of("PNG", "LA"), [2, 1, 0]),
    "png, palette": (file_of("PNG", "P"), [1, 1, 1]),
    "png, 2 bits": (file_of("PNG", image=picture().quantize(4), bits=2), [1, 1, 1]),
    "png, bits": (file_of("PNG", "1"), [1, 1, 1]),
    "png, 16 bits": (file_of("PNG", "I;16"), [1, 2, 0]),
    "png, level 1": (file_of("PNG", compress_level=1), [3, 1, 0]),
    "png, level 9": (file_of("PNG", compress_level=9), [3, 1, 0]),
    "png, optimised": (file_of("PNG", optimize=True), [3, 1, 0]),
    "one pixel": (file_of("PPM", image=picture().crop((0, 0, 1, 1))) + b"\n" * 2, [3, 1, 0]),
    "one row": (file_of("BMP", image=picture().crop((0, 0, 37, 1))), [3, 1, 0]),
    "one column": (file_of("PNG", image=picture("L").crop((5, 0, 6, 23))), [1, 1, 0]),
    "bytes after it": (file_of("PPM") + b"and more", [3, 1, 0]),
}


def chunks_of(data):
    position = 8
    while position < len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        yield name, data[position + 8:position + 8 + length]
        position += 12 + length


def with_idat(data, deflated, pieces=1):
    """A PNG file with another stream, in that many chunks."""
    made, done = data[:8], False
    for name, body in chunks_of(data):
        if name != b"IDAT":
            made += png.chunk(name, body)
        elif not done:
            size, done = -(-len(deflated) // pieces), True
            made += b"".join(png.chunk(b"IDAT", deflated[start:start + size]) for start in range(0, len(deflated), max(1, size)))
    return made


def stored(data):
    """A deflated stream that zlib never makes of these settings: three blocks, flushed."""
    deflate = zlib.compressobj(6)
    third = len(data) // 3
    return b"".join([deflate.compress(data[:third]) + deflate.flush(zlib.Z_FULL_FLUSH),
                     deflate.compress(data[third:2 * third]) + deflate.flush(zlib.Z_FULL_FLUSH),
                     deflate.compress(data[2 * third:]) + deflate.flush()])


PLAIN = file_of("PNG")
FILTERED = png.stream_in(PLAIN).filtered
FLAT = file_of("PNG", image=Image.new("RGB", (90, 60), (7, 7, 7)))
FOREIGN = with_idat(FLAT, deflated_by_chance(png.stream_in(FLAT).filtered))
NO_IMAGES = {
    "another encoder's": FOREIGN,
    "interlaced": PLAIN[:28] + b"\x01" + PLAIN[29:],
    "png, cut short": PLAIN[:-40],
    "png, wrong CRC": PLAIN[:60] + b"!" + PLAIN[61:],
    "png, rows missing": with_idat(PLAIN, zlib.compress(FILTERED[:-112])),
    "png, rows too many": with_idat(PLAIN, zlib.compress(FILTERED + bytes(112))),
    "png, filter 7": with_idat(PLAIN, zlib.compress(b"\x07" + FILTERED[1:])),
    "png, more after the stream": with_idat(PLAIN, zlib.compress(FILTERED) + b"more"),
    "png, no stream": with_idat(PLAIN, b""),
    "png, huge": PLAIN[:16] + struct.pack(">II", 1 << 30, 1 << 30) + PLAIN[24:],
    "ppm, cut short": file_of("PPM")[:-1],
    "ppm, text": b"P3 2 2 255 " + b"1 2 3 " * 40,
    "ppm, huge": b"P6 99999999 99999999 255\n" + bytes(300),
    "pam, no fields": b"P7\nWIDTH 3\nENDHDR\n" + bytes(99),
    "pbm, bits beyond the edge": b"P4 37 23\n" + b"\xff" * 115,
    "bmp, packed": b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 9, 9, 1, 8, 1) + bytes(300),
    "bmp, beyond the end": file_of("BMP")[:-1],
    "bmp, nonsense": b"BM" + b"\xff" * 300,
    "tiff, packed": file_of("TIFF", compression="tiff_lzw"),
    "tiff, nonsense": b"II*\0" + b"\x08\0\0\0" + b"\xff" * 300,
    "jpeg": file_of("JPEG"),
    "npy, noise": npy_of(np.random.default_rng(1).integers(0, 256, (50, 40, 3)).astype(np.uint8).reshape(-1)),
    "npy, empty": npy_of(np.zeros((0, 5, 3), np.uint8)),
    "a text beside a small picture": file_of("PPM") + b"and more " * 2_000,
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_any_form_comes_back(tmp_path, name):
    data, understood = IMAGES[name]
    source = source_of(data, FAST)
    assert isinstance(source, ImageSource) and source.layout[3:6].tolist() == understood
    packed = there_and_back(tmp_path, data)
    assert packed.parameters is None or packed.parameters.contexts == "image"


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_image_is_coded_as_what_else_it_is(tmp_path, name):
    assert not isinstance(source_of(NO_IMAGES[name], FAST), ImageSource)
    there_and_back(tmp_path, NO_IMAGES[name])


def test_an_array_that_looks_like_a_picture_can_be_taken_for_a_video(tmp_path):
    data = IMAGES["npy, a film"][0]
    assert there_and_back(tmp_path, data, Settings(preset="fast", contexts="video")).parameters.contexts == "video"
    assert there_and_back(tmp_path, data, Settings(preset="fast", contexts="binary")).parameters.contexts == "binary"


@pytest.mark.parametrize("batch_size", [1, 3, 40])
@pytest.mark.parametrize("name", ["ppm", "npy, 16 bits", "png, palette"])
@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_any_number_of_streams_with_and_without_a_network(tmp_path, name, preset, batch_size):
    network = {} if preset == "fast" else SMALL
    there_and_back(tmp_path, IMAGES[name][0], Settings(**dict(preset=preset, batch_size=batch_size) | network))


@pytest.mark.parametrize("level", [0, 1, 4, 6, 9])
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED])
@pytest.mark.parametrize("memory, window", [(8, 15), (9, 12)])
def test_a_png_of_any_settings_of_zlib_is_made_again(level, strategy, memory, window):
    deflate = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    data = with_idat(PLAIN, deflate.compress(FILTERED) + deflate.flush(), pieces=3)
    source = source_of(data, FAST)
    assert isinstance(source, ImageSource)
    assert describe_source(ImageSource.kind, len(data), source.description()).restore(source.symbols()) == data


def test_a_png_of_another_encoder_is_made_again_by_a_recipe():
    data = with_idat(PLAIN, stored(FILTERED), pieces=3)
    source = source_of(data, FAST)
    assert isinstance(source, ImageSource)
    assert describe_source(ImageSource.kind, len(data), source.description()).restore(source.symbols()) == data


def test_a_png_that_cannot_be_made_again_comes_back_and_the_user_is_told(tmp_path):
    (tmp_path / "in.png").write_bytes(FOREIGN)
    lines = []
    compress(tmp_path / "in.png", settings=FAST, note=lines.append)
    assert "cannot be made again" in lines[0] and "pixels=yes" in lines[0]
    assert decompress(tmp_path / "in.png.lks", tmp_path / "out").output_path.read_bytes() == FOREIGN


def test_with_pixels_the_same_picture_comes_back_in_another_png(tmp_path, stop_after):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "A slope")
    flat = Image.new("P", (80, 70), 5)
    flat.putpixel((9, 9), 200)
    flat.putpalette(picture("P").getpalette())
    foreign = file_of("PNG", image=flat, pnginfo=info, icc_profile=b"profile" * 9, transparency=3)
    foreign = with_idat(foreign, deflated_by_chance(png.stream_in(foreign).filtered))
    (tmp_path / "in.png").write_bytes(foreign)
    lines, settings = [], Settings(preset="fast", pixels="yes")
    packed = compress(tmp_path / "in.png", settings=settings, note=lines.append)
    assert "PNG written anew" in lines[0] and packed.parameters.contexts == "image"
    assert packed.is_written_anew and packed.original_bytes == len(foreign)         # and not what is written anew has
    decompress(packed.output_path, tmp_path / "out.png")
    before, after = Image.open(tmp_path / "in.png"), Image.open(tmp_path / "out.png")
    assert (before.mode, before.size, before.info, before.getpalette()) == (after.mode, after.size, after.info, after.getpalette())
    assert before.tobytes() == after.tobytes() and (tmp_path / "out.png").read_bytes() != foreign
    stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        compress(tmp_path / "in.png", tmp_path / "2.lks", settings, checkpoint=tmp_path / "kept")
    stop_after(10_000)
    assert resume(tmp_path / "kept").output_path.read_bytes() == packed.output_path.read_bytes()
    (tmp_path / "plain.png").write_bytes(PLAIN)            # one that can be made again is left as it is
    plain = compress(tmp_path / "plain.png", settings=settings)
    assert not plain.is_written_anew and plain.original_bytes == len(PLAIN)
    decompress(plain.output_path, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == PLAIN


def test_of_lossy_files_that_nothing_is_known_of_the_user_is_told(tmp_path):
    (tmp_path / "in").write_bytes(file_of("GIF", "P"))
    lines = []
    compress(tmp_path / "in", settings=FAST, note=lines.append)
    assert lines[0] == "this is a GIF, which is packed already: there is little to gain"


def test_the_colours_under_zero_alpha_are_kept(tmp_path):
    image = np.array(picture("RGBA"))
    image[..., 3] = 0
    there_and_back(tmp_path, file_of("PNG", image=Image.fromarray(image)))


def test_a_row_wider_than_what_is_kept_of_it_comes_back(tmp_path):
    there_and_back(tmp_path, file_of("PPM", image=picture(width=9000, height=2)))


def test_pictures_of_a_folder_share_what_is_learned(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for number, (form, mode) in enumerate([("PNG", "RGB"), ("BMP", "RGB"), ("PPM", "L"), ("PNG", "P"), ("TIFF", "RGB")]):
        (folder / f"{number}.{form.lower()}").write_bytes(file_of(form, mode))
    packed = compress(folder, settings=FAST)
    assert packed.parameters.contexts == "image" and len(packed.source.layout) == 5 * 6
    back = decompress(packed.output_path, tmp_path / "back").output_path
    assert {file.name: file.read_bytes() for file in back.iterdir()} == {file.name: file.read_bytes() for file in folder.iterdir()}
    alone = sum(compress(file, tmp_path / "one.lks", FAST, overwrite=True).compressed_bytes for file in folder.iterdir())
    assert packed.compressed_bytes < 0.8 * alone


@hypothesis_settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4), st.sampled_from([1, 2, 4, 8, 16]), st.booleans(), st.booleans(),
       st.integers(0, 7), st.integers(0, 99))
def test_samples_of_any_size_are_taken_and_given_back(width, height, channels, depth, from_blue, from_low, pad, seed):
    row = -(-width * channels * depth // 8)
    pixels = Pixels(width, height, channels, depth, row + pad, from_blue, from_low)
    assert pixels.are_possible
    random = np.random.default_rng(seed)
    codes = random.integers(0, 1 << min(depth, 8), pixels.count).astype(np.uint8)
    data = pixels.give(codes)
    assert len(data) == pixels.bytes and pixels.take(data).tolist() == codes.tolist()


@pytest.mark.parametrize("name", ["png, palette", "bmp", "pbm"])
def test_no_damaged_description_is_believed(name):
    data = IMAGES[name][0]
    description = source_of(data, FAST).description()
    for place in range(len(description)):
        for mask in (1, 0x80):
            damaged = bytearray(description)
            damaged[place] ^= mask
            try:
                source = describe_source(ImageSource.kind, len(data), bytes(damaged))
            except FormatError:
                continue
            if source.symbol_count < 100_000:
                with contextlib.suppress(FormatError):                # of a recipe that is not one for these rows
                    source.restore(np.zeros(source.symbol_count, np.uint16))


@pytest.mark.parametrize("parts", [
    [255, [b"", b""], [[[2, 2, 3, 8, 6, 0, 0, 0], b"\0\0", [6.0, 15, 8, 0], [30]]]],       # a level that is no whole number
    [255, [b"", b""], [[[2, 2, 3, 8, 6, 0, 0, 0], b"\0\0", [6, 15, 8, 0], []]]],            # no chunks
    [255, [b"", b""], [[[2, 2, 3, 8, 6, 0, 0, 0], b"\0\0", [6, 15, 8], [30]]]],
    [255, [b"", b""], [[]]], [255, [b"", b""], [[[]]]], [255, [b"", b""], [[[2, 2]]]], [255, b"", []], [255, [], []], [256, [b"", b""], []],
    [-1, [b"", b""], [[[2, 2, 3, 8, 6, 0, 0, 0]]]], [b"\0" * 99, [b"", b""], [[[2, 2, 3, 8, 6, 0, 0, 0]]]],
    [255, [b"", 7], [[[2, 2, 3, 8, 6, 0, 0, 0]]]], [255, [b"", b""], [[[1 << 40, 2, 3, 8, 6, 0, 0, 0]]]], [255], {}, 5, None])
def test_a_description_made_to_do_harm_is_refused(parts):
    with pytest.raises(FormatError, match="the description of the image is damaged"):
        describe_source(ImageSource.kind, 12, packed_description(parts))


@pytest.mark.parametrize("tag, value", [(256, (37, 1)), (257, 2.5), (258, (8, 8, 8.0)), (273, "somewhere"), (277, (3,)), (279, (0.5,))])
def test_odd_tags_are_no_images(tag, value):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    try:
        tags[tag] = value
        data = file_of("TIFF", tiffinfo=tags)
    except (TypeError, ValueError, struct.error, UserWarning):
        pytest.skip("Pillow does not write such a tag either")
    source = source_of(data, FAST)
    assert source.restore(source.symbols()) == data


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_image_is_still_some_file(tmp_path, seed):
    random = np.random.default_rng(seed)
    for name in ("png", "bmp", "tiff", "ppm", "npy, colour"):
        damaged = bytearray(IMAGES[name][0])
        for place in random.integers(0, min(len(damaged), 300), 4):
            damaged[place] = random.integers(0, 256)
        source = source_of(bytes(damaged), FAST)
        assert source.restore(source.symbols()) == bytes(damaged)


def test_a_flipped_or_cut_file_of_an_image_is_an_error_and_never_other_bytes(tmp_path):
    packed = there_and_back(tmp_path, IMAGES["ppm"][0])
    data = packed.output_path.read_bytes()
    (tmp_path / "out").unlink()
    cut = (data[:size] for size in (0, 1, 40, len(data) // 2, len(data) - 1))
    for damaged in (*(flipped(data, place, 1) for place in range(0, len(data), 41)), *cut):
        packed.output_path.write_bytes(damaged)
        with pytest.raises(FormatError):
            decompress(packed.output_path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_texts_are_no_use_to_images(tmp_path):
    (tmp_path / "in").write_bytes(IMAGES["ppm"][0])
    (tmp_path / "text").write_bytes(b"text " * 50)
    with pytest.raises(SettingsError, match="contexts=image cannot use the text primer=text-1"):
        compress(tmp_path / "in", settings=Settings(preset="fast", primer="text-1"))
    prior = learn([tmp_path / "text"], tmp_path / "x.prior")
    with pytest.raises(InputError, match="images cannot use a prior"):
        compress(tmp_path / "in", settings=FAST, prior=prior.path)
    packed = there_and_back(tmp_path, IMAGES["ppm"][0])
    header, segments = take_apart(packed.output_path.read_bytes(), packed.source.symbol_count)
    header.overrides[15] = "text-1"
    (tmp_path / "crafted").write_bytes(coded_file(header, segments))
    with pytest.raises(FormatError, match="contexts=image cannot use the text"):
        inspect(tmp_path / "crafted")


def test_another_zlib_is_named_where_an_image_of_an_earlier_version_comes_out_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(png, "deflated_with", lambda filtered, *settings: zlib.compress(filtered, 1))
    with pytest.raises(FormatError, match="SHA-256 differs.*this Python's zlib .* makes other streams"):
        decompress(Path(__file__).parent / "golden" / "palette.png.lks", tmp_path / "out")


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
def test_a_network_that_sees_samples_is_the_same_everywhere(tmp_path, backend):
    (tmp_path / "in").write_bytes(IMAGES["ppm"][0])
    made = compress(tmp_path / "in", tmp_path / "1", Settings(backend="numba", **SMALL)).output_path.read_bytes()
    assert compress(tmp_path / "in", tmp_path / "2", Settings(backend=backend, **SMALL)).output_path.read_bytes() == made


def test_a_step_sees_the_samples_around_it(tmp_path):
    """Of two pictures in two streams: 4 x 3 of three channels, 5 x 2 of 16 bits."""
    layout = np.array([0, 36, 4, 3, 1, 0, 36, 56, 5, 1, 2, 0])
    streams, none = Streams(56, 2), 256
    symbols = np.arange(56, dtype=np.uint16)
    laid_out, samples = streams.lay_out(symbols), Samples(none, layout, streams)
    for step in range(27):
        seen = samples.after(step, laid_out[step])
        for stream in range(2):
            index = 28 * stream + step + 1
            begin, width, pixel = (0, 4, 3) if index < 36 else (36, 5, 2)
            row, column, plane = (index - begin) // (width * pixel), (index - begin) // pixel % width, (index - begin) % pixel
            expected = []
            for across, down in ((-1, 0), (0, -1), (-1, -1), (1, -1)):
                place = begin + ((row + down) * width + column + across) * pixel + plane
                is_there = 0 <= column + across < width and row + down >= 0 and place >= max(begin, 28 * stream)
                expected.append(place if is_there else none)
            expected += [index - age if age <= plane and index - age >= 28 * stream else none for age in (1, 2)]
            assert seen[stream].tolist() == [*expected, none + 1 + plane]


@pytest.mark.parametrize("name", ["kodim05.png", "kodim23.png"])
def test_a_real_photograph_is_taken_apart(real_data, name):
    """kodim23's stream is zlib's; kodim05's is not, and takes a recipe."""
    (path,) = real_data.rglob(name)
    data = path.read_bytes()
    source = source_of(data, Settings())
    assert isinstance(source, ImageSource) and source.restore(source.symbols()) == data
