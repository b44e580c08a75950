"""What is found in data at any place, and given back: files of samples, transforms, pictures of PDFs; damaged and hostile data too."""

import base64
import gzip
import io
import random
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import FAST, TEXT, a_ppm, a_wav

from lib import Settings, compress, decompress, inspect
from lib.blocks.scanner import Scanner
from lib.blocks.tree import Leaf, Made, put_together, taken_apart
from lib.coding.choice import plan_for
from lib.errors import FormatError, InstallationError
from lib.sources import base, describe_source
from lib.sources.blocks import BlockSource
from lib.sources.jpeg import JpegSource
from lib.sources.recognition import source_of
from lib.transforms import ASCII85, BASE64, DEFLATE, LEPTON, TYPE1, UTF16, ascii85, base64_lines, lepton, type1, utf16

JPEG = (Path(__file__).parent / "golden" / "slope.jpg").read_bytes()
NOISE = random.Random(3).randbytes(3_000)
LONG = " ".join(random.Random(4).choices(TEXT.decode().split(), k=3_000)).encode()
PICTURE = Image.open(io.BytesIO(JPEG)).convert("RGB")


def file_of(form, image=PICTURE, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def npy_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def pdf_picture(deflated, dictionary):
    return b"7 0 obj\n<< /Type /XObject /Subtype /Image /Width 80 /Height 64 " + dictionary + b" >>\nstream\n" + deflated + b"\nendstream\n"


_ROWS = PICTURE.tobytes()
_FILTERED = b"".join(b"\2" + bytes((_ROWS[240 * row + column] - (_ROWS[240 * (row - 1) + column] if row else 0)) & 255 for column in range(240))
                     for row in range(64))
FILES = {
    "png": (file_of("PNG"), "image"), "bmp": (file_of("BMP"), "image"), "ppm": (a_ppm(40, 30), "image"), "tiff": (file_of("TIFF"), "image"),
    "npy picture": (npy_of(np.array(PICTURE)), "image"), "npy tokens": (npy_of(np.random.default_rng(1).integers(0, 900, (40, 8, 6))), "video"),
    "wav": (a_wav(900), "sound"), "jpeg": (JPEG, "jpeg"),
    "pixels in a pdf": (pdf_picture(zlib.compress(_ROWS), b"/ColorSpace /DeviceRGB /BitsPerComponent 8"), "image"),
    "rows in a pdf": (pdf_picture(zlib.compress(_FILTERED), b"/DecodeParms << /Predictor 15 /Colors 3 /Columns 80 >>"), "image"),
}
TRANSFORMED = {
    "utf-16": (TEXT.decode().encode("utf-16-le"), UTF16), "utf-16 from high": (TEXT.decode().encode("utf-16-be"), UTF16),
    "base64": (base64.encodebytes(NOISE), BASE64), "gzip": (gzip.compress(TEXT), DEFLATE),
    "ascii85": (b"stream\n" + base64.a85encode(zlib.compress(TEXT)) + b"~>endstream", ASCII85),
    "ascii85 in lines": (b"stream\n" + base64.a85encode(NOISE, wrapcol=72) + b"\n~>", ASCII85),
}


def all_nodes(nodes):
    for node in nodes:
        yield node
        if isinstance(node, Made):
            yield from all_nodes(node.parts)


def given_back(nodes, size):
    tree_map, leaves = taken_apart(nodes)
    return put_together(tree_map, {kind: b"".join(leaf.data for leaf in some) for kind, some in leaves.items()}, size)


def restored(data):
    """What a decoder makes of the description and the symbols of data."""
    source = plan_for(FAST, source_of(data, FAST))[0].source
    return describe_source(source.kind, len(data), source.description()).restore(source.symbols())


@pytest.mark.parametrize("around", [(b"", b""), (NOISE[:7], TEXT), (TEXT, NOISE[:999])], ids=["alone", "odd", "between"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_found_in_any_place(name, around):
    file, kind = FILES[name]
    data = around[0] + file + around[1]
    nodes = Scanner().scan(data)
    assert kind in {node.kind for node in all_nodes(nodes) if isinstance(node, Leaf)}
    assert given_back(nodes, len(data)) == data and restored(data) == data


@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_transform_is_found_in_any_place(name):
    packed, transform = TRANSFORMED[name]
    data = NOISE[:99] + b" " + packed + NOISE
    nodes = Scanner().scan(data)
    assert transform in {node.transform for node in all_nodes(nodes) if isinstance(node, Made)}
    assert given_back(nodes, len(data)) == data


def test_files_are_found_in_files_in_files():
    inner = b"".join(file for file, _ in FILES.values())
    for _ in range(3):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("x"), inner, zipfile.ZIP_DEFLATED)
        inner = packed.getvalue()
    kinds = [node.kind for node in all_nodes(Scanner().scan(inner)) if isinstance(node, Leaf)]
    assert kinds.count("image") == 7 and {"sound", "video", "jpeg"} <= set(kinds) and restored(inner) == inner


def test_nesting_ends():
    data = TEXT * 3
    for _ in range(12):
        data = base64.b64encode(data)
    nodes = Scanner().scan(data)
    assert sum(isinstance(node, Made) for node in all_nodes(nodes)) == 8 and restored(data) == data


def test_a_bomb_is_left_as_it_is():
    bomb = zlib.compress(bytes(1 << 22))
    data = b"".join(bomb for _ in range(99))
    scanner = Scanner()
    scanner._left = 1 << 23                            # of what may be taken apart
    nodes = scanner.scan(data)
    assert sum(isinstance(node, Made) for node in nodes) == 2 and given_back(nodes, len(data)) == data


def test_what_may_be_tried_in_vain_ends(monkeypatch):
    tried = []
    monkeypatch.setattr("lib.blocks.files.jpeg.taken_apart", lambda data, start: tried.append(start))
    monkeypatch.setattr("lib.blocks.scanner._ANY_EFFORT", 0)
    Scanner().scan(b"\xff\xd8\xff\xe0" * 50_000)
    assert 0 < len(tried) < 100


def test_utf_16_ends_where_other_data_begins():
    data = TEXT.decode().encode("utf-16-le") + b"PK\3\4" + NOISE
    assert utf16.find(data, 0).end == 2 * len(TEXT)


@pytest.mark.parametrize("make, recipe", [(utf16.make, b""), (utf16.make, b"\2"), (ascii85.make, b"")])
def test_a_recipe_that_nobody_made_is_refused(make, recipe):
    with pytest.raises(FormatError, match="recipe"):
        make(b"some", recipe)
    with pytest.raises(FormatError, match="recipe"):
        utf16.make(b"\xff", b"\0")


def test_headers_for_applications_are_looked_at_as_bytes():
    small = file_of("JPEG", PICTURE.resize((64, 48)), quality=98)
    exif = Image.Exif()
    exif[0x010E] = "some words " * 20
    data = file_of("JPEG", quality=90, exif=b"Exif\0\0" + exif.tobytes()[6:] + small)
    leaves = [node for node in Scanner().scan(data) if isinstance(node, Leaf)]
    assert [leaf.kind for leaf in leaves].count("jpeg") == 2 and restored(data) == data


def test_a_leaf_that_comes_again_is_coded_once():
    data = JPEG + TEXT + JPEG
    source = source_of(data, FAST.with_values({"preset": "balanced"}))
    assert isinstance(source, BlockSource) and [group.size for group in source.groups if group.name == "jpeg"] == [len(JPEG)]
    assert restored(data) == data


def test_a_jpeg_alone_has_its_own_source():
    assert isinstance(source_of(JPEG, FAST.with_values({"preset": "balanced"})), JpegSource)


@pytest.mark.skipif(not lepton.is_there(), reason="needs lepton-jpeg-python")
def test_fast_leaves_jpegs_to_lepton_where_it_is_there(tmp_path, monkeypatch):
    (tmp_path / "in.jpg").write_bytes(TEXT + JPEG)
    made = compress(tmp_path / "in.jpg", settings=FAST)
    assert LEPTON in made.source.transforms and made.compressed_bytes < len(JPEG)
    assert ("decodes", "where lepton-jpeg-python can be installed") in inspect(made.output_path).facts()
    assert decompress(made.output_path, tmp_path / "out").output_path.read_bytes() == TEXT + JPEG
    monkeypatch.setattr(lepton, "_package", lambda: None)
    with pytest.raises(InstallationError, match="pip install lepton-jpeg-python"):
        decompress(made.output_path, tmp_path / "again")
    own = compress(tmp_path / "in.jpg", settings=FAST, overwrite=True)
    assert own.compressed_bytes < made.compressed_bytes
    assert LEPTON not in own.source.transforms and ("decodes", "everywhere") in inspect(own.output_path).facts()


@pytest.mark.skipif(not lepton.is_there(), reason="needs lepton-jpeg-python")
@pytest.mark.parametrize("time_limit, is_leptons", [(1, True), (1_000, False)])
def test_auto_leaves_them_to_it_only_where_it_takes_fast(time_limit, is_leptons):
    data = TEXT * 60 + JPEG
    settings = Settings(time_limit=time_limit)
    plan, _ = plan_for(settings, source_of(data, settings), of_fast=lambda: source_of(data, FAST))
    assert (LEPTON in plan.source.transforms) == is_leptons


@pytest.mark.skipif(not lepton.is_there(), reason="needs lepton-jpeg-python")
def test_what_lepton_never_made_is_refused():
    for inner, recipe in ((b"", b"\0"), (NOISE, b"\0"), (lepton.packed(JPEG)[0][:-9], b"\0"), (NOISE, b"\3"), (NOISE, b"")):
        with pytest.raises(FormatError):
            lepton.make(inner, recipe)


EVERYTHING = b"".join([TEXT, *(file for file, _ in FILES.values()), NOISE[:500], *(packed for packed, _ in TRANSFORMED.values())])


def test_damaged_data_always_comes_back():
    chance = random.Random(5)
    for _ in range(60):
        data = bytearray(EVERYTHING)
        for _ in range(chance.choice([1, 5, 30])):
            at, kind = chance.randrange(len(data)), chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at:at + chance.randrange(1, 400)]
            elif kind == 2:
                data[at:at] = data[at // 2:at // 2 + chance.randrange(400)]
            else:
                data[at:at + 4] = chance.choice([b"\xff" * 4, bytes(4), b"PK\3\4", b"\xff\xd8\xff\xe0", b"\x78\x9c\xed\xd1"])
        assert restored(bytes(data)) == bytes(data)


def type_1_font():
    """A font that is encrypted as TeX's are: outlines by themselves, then all."""
    outlines = b"".join(b"/%c %d RD " % (65 + number, 40 + number) + type1._crypted(bytes(range(40 + number)), 4330, True) + b" ND\n" for number in range(9))
    clear = b"dup /Private 8 dict dup begin\n" + outlines + b"mark currentfile closefile"
    return b"%!PS-AdobeFont-1.0\ncurrentfile eexec\n" + type1._crypted(clear, 55665, True) + b"0" * 64, clear


def test_a_type_1_font_is_decrypted():
    font, clear = type_1_font()
    data = TEXT + font + NOISE
    found = type1.find(data, data.index(b"currentfile eexec"))
    assert bytes(range(48)) in found.inner and len(found.inner) == len(clear) and type1.make(found.inner, b"") == data[found.start:found.end]
    assert TYPE1 in {node.transform for node in Scanner().scan(data) if isinstance(node, Made)} and restored(data) == data
    assert type1.find(data[:-len(NOISE) - 90], data.index(b"currentfile eexec")) is None          # cut short
    with pytest.raises(FormatError, match="recipe"):
        type1.make(b"", b"x")


def test_a_little_of_a_kind_has_no_model_of_its_own():
    data = NOISE * 9 + TEXT * 12 + NOISE * 9
    assert [(leaf.kind, len(leaf.data)) for leaf in Scanner().scan(data)] == [("binary", len(data))]
    data = NOISE * 9 + TEXT * 60 + NOISE * 9
    assert [leaf.kind for leaf in Scanner().scan(data)] == ["binary", "text", "binary"]


def test_videos_of_many_sizes_are_no_more_groups_than_a_reader_takes():
    data = b"".join(npy_of(np.random.default_rng(width).integers(0, 900, (60, 3, width % 20 + 5))) for width in range(40))
    source = source_of(data, FAST)
    assert len(source.groups) <= 16 and restored(data) == data


def test_a_damaged_jpeg_alone_is_said_to_be_one():
    said = []
    source_of(b"\xff\xd8\xff\xe0" + NOISE, FAST, said.append)
    assert any("damaged JPEG" in line for line in said)


@pytest.mark.parametrize("altered", [lambda groups: groups * 9, lambda groups: [[*groups[0][:2], 1, *groups[0][3:]], *groups[1:]], lambda groups: groups[::-1],
                                     lambda groups: [[0, *groups[0][1:]], *groups[1:]], lambda groups: []])
def test_groups_that_nobody_made_are_refused(altered):
    data = TEXT * 60 + JPEG + a_wav(900)
    source = plan_for(FAST, source_of(data, FAST))[0].source
    transforms, small_map, *groups = base.unpacked_description(source.description())
    with pytest.raises(FormatError):
        BlockSource.from_description(len(data), base.packed_description([transforms, small_map, *altered(groups)]))


def test_headers_inside_headers_end():
    """Each zip entry lies in the header of the next one."""
    data = b""
    for _ in range(150):
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(TEXT[:300]) + deflate.flush()
        data = b"PK\3\4" + b"\x14\0\0\0\x08\0" + bytes(16) + len(data).to_bytes(2, "little") + bytes(2) + data + body
    assert restored(data) == data


def test_short_texts_in_utf_16_are_looked_at_once(monkeypatch):
    looked = []

    class Letters:
        def __getitem__(self, units):
            looked.append(len(units))
            return is_letter[units]

    is_letter = utf16._IS_LETTER
    monkeypatch.setattr(utf16, "_IS_LETTER", Letters())
    data = ("x" * 66 + "\u4e00").encode("utf-16-le") * 3_000
    assert restored(data) == data and 66 * 3_000 < sum(looked) < 8 * 66 * 3_000


@pytest.mark.parametrize("widths", [(61, 63), (76, 76), (61, 61), (62, 64, 64)])
def test_lines_of_letters_are_looked_at_once(monkeypatch, widths):
    looked, exact = [], base64_lines._exact

    def counted(data, start, stop, *rest):
        looked.append(stop - start)
        return exact(data, start, stop, *rest)

    monkeypatch.setattr(base64_lines, "_exact", counted)
    letters = base64.b64encode(random.Random(2).randbytes(90_000)).decode()
    lines, at = [], 0
    for number in range(1_500):
        width = widths[number % len(widths)]
        lines.append(letters[at:at + width])
        at += width
    data = "\n".join(lines).encode()
    assert restored(data) == data and sum(looked) < 10 * len(data)


def test_what_only_begins_like_a_picture_takes_nothing_from_what_comes_after():
    data = b"".join(b"%d ticket prio P4 %d done\n" % (number, number % 9) for number in range(4_000)) + gzip.compress(LONG)
    assert DEFLATE in {node.transform for node in Scanner().scan(data) if isinstance(node, Made)} and restored(data) == data


def swell(frames, channels=1, order="<i2"):
    """Samples of a few tones with a little noise, the channels unlike each other."""
    at = np.arange(frames * channels) // channels + 40 * (np.arange(frames * channels) % channels)
    noise = np.random.default_rng(5).integers(-60, 60, frames * channels)
    return (9_000 * np.sin(at / 31) * np.sin(at / 2_900) + 3_000 * np.sin(at / 7.3) + noise).astype(order).tobytes()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("order", ["<i2", ">i2"])
@pytest.mark.parametrize("before, after", [(b"", b""), (b"\xff", b"\0\1\2")])
def test_samples_without_a_header_are_sound(channels, order, before, after):
    data = before + swell(24_000, channels, order) + after
    leaf = max(Scanner().scan(data), key=lambda leaf: len(leaf.data))
    waves = leaf.found.what
    assert leaf.kind == "sound" and (waves.channels, waves.from_low) == (channels, order == "<i2") and len(data) - len(leaf.data) < 8
    assert restored(data) == data


def test_quiet_samples_are_no_letters_of_16_bits():
    quiet = np.random.default_rng(4).integers(0x21, 0x7F, 300).astype("<i2").tobytes()
    data = swell(20_000) + quiet + swell(20_000)
    assert [leaf.kind for leaf in Scanner().scan(data)] == ["sound"] and restored(data) == data


@pytest.mark.parametrize("data", [
    random.Random(6).randbytes(60_000), bytes(60_000), np.arange(20_000).astype("<u4").tobytes(),
    np.random.default_rng(1).normal(0, 1, 20_000).cumsum().astype("<f4").tobytes(),
    (np.add.outer(np.arange(300) // 3, np.arange(300) // 2) + np.random.default_rng(2).integers(0, 4, (300, 300))).astype(np.uint8).tobytes(),
    swell(8_000)], ids=["noise", "zeros", "numbers", "floats", "a picture of bytes", "a short sound"])
def test_other_data_is_no_sound_without_a_header(data):
    assert all(leaf.kind != "sound" for leaf in Scanner().scan(data))
