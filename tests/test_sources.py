"""lib.sources: a file as symbols, and back."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import FAST

from lib.coding.choice import plan_for
from lib.errors import FormatError
from lib.sample import sample_bytes
from lib.sources import ByteSource, ImageSource, VideoSource, base, describe_source, png
from lib.sources.blocks import BlockSource
from lib.sources.recognition import source_of

EVERY_BYTE = bytes(range(256))


@given(st.binary(min_size=1, max_size=300))
@example(EVERY_BYTE)
@example(EVERY_BYTE[1:])
@example(b"\xff")
def test_bytes_come_back_from_symbols_and_description(data):
    source = ByteSource.from_bytes(data)
    symbols = source.symbols()
    assert symbols.dtype == np.uint16 and symbols.shape == (source.symbol_count,) == (len(data),)
    assert sorted(set(symbols.tolist())) == list(range(source.vocabulary_size))
    reader = describe_source(ByteSource.kind, len(data), source.description())
    assert (reader.vocabulary_size, reader.symbol_count) == (source.vocabulary_size, len(data))
    assert reader.restore(symbols) == data


@given(st.sets(st.integers(0, 255), min_size=1))
@example(set(range(256)))
@example(set(range(0, 256, 2)))
@example({0, 255})
def test_every_set_of_byte_values_is_described_in_at_most_32_bytes(values):
    description = ByteSource.from_bytes(bytes(values)).description()
    assert len(description) <= 32
    assert describe_source(ByteSource.kind, 1, description).values.tolist() == sorted(values)


def test_text_is_described_in_fewer_bytes_than_a_whole_bitmap():
    assert len(ByteSource.from_bytes(b"\n the quick brown fox").description()) == 16


@pytest.mark.parametrize("description", [
    bytes(32),                        # no byte value at all
    b"\x05",                          # an offset and no bitmap
    b"\x05\x00",
    b"\x05\x00\x01",                  # not as short as it could be
    b"\x05\x01\x00",
    b"\x00" * 30 + b"\x01\x01",       # a whole bitmap where a short one would do
    b"\xff" * 32,                     # all 256 values, which need no description
    b"\x1f\x01\x01",                  # values above 255
    b"\x20\x01",
    b"\xfa" + bytes(9),
    b"\xff\x01",
    b"\x01" * 33,
], ids=repr)
def test_a_description_that_nothing_could_have_made_is_refused(description):
    with pytest.raises(FormatError, match="set of byte values is damaged"):
        describe_source(ByteSource.kind, 1_000, description)


@given(st.binary(max_size=40))
def test_any_other_description_is_the_one_of_its_own_set(description):
    try:
        source = describe_source(ByteSource.kind, 1_000, description)
    except FormatError:
        return
    assert source.description() == description


def test_an_unknown_kind_of_data_is_refused():
    with pytest.raises(FormatError, match="data of kind 77, which this version of Lockstep does not know"):
        describe_source(77, 1_000, b"")


@pytest.mark.parametrize("data, kind", [
    (b"plain text\n" * 20, "text"),
    ("naïve Größe 名前\r\n\t".encode() * 20, "text"),
    (b"caf\xe9 cr\xe8me " * 20, "text"),                       # Latin-1
    (b"\x1b[31mred\x1b[0m\n" * 20, "text"),                    # a log with colours
    (b"one file\n" * 30 + bytes(700) + b"another\n" * 30 + bytes(700), "text"),      # an archive of texts
    (b"x", "text"),
    (bytes(range(256)) * 4, "binary"),
    (np.arange(300, dtype="<u4").tobytes(), "binary"),
    ("wide letters".encode("utf-16-le") * 10, "binary"),
    (b"\x01", "binary"),
], ids=repr)
def test_what_contexts_suit_the_data(data, kind):
    assert ByteSource.from_bytes(data).suitable_contexts() == kind


@pytest.mark.parametrize("name, kind", [("alice29.txt", "text"), ("enwik6", "text"), ("HDFS_2k.log", "text"), ("cp.html", "text"),
                                        ("geo", "binary"), ("obj2", "binary"), ("kennedy.xls", "binary"), ("ptt5", "binary"),
                                        ("sum", "binary")])
def test_what_contexts_suit_real_files(real_data, name, kind):
    (path,) = real_data.rglob(name)
    assert ByteSource.from_bytes(path.read_bytes()).suitable_contexts() == kind


def test_the_sample_is_text():
    assert ByteSource.from_bytes(sample_bytes()).suitable_contexts() == "text"


def test_codes_are_the_bytes_themselves():
    source = ByteSource.from_bytes(b"banana")
    assert source.codes.dtype == np.uint16 and source.codes.tolist() == sorted(b"ban") and source.code_bits == 8


def a_png(width, height, depth=8, rows=None, between=b""):
    """A PNG file in grey; rows: the bytes of all, each with its filter; `between`: bytes of a text chunk."""
    rows = bytes(height * (1 + -(-width * depth // 8))) if rows is None else rows
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    text = png.chunk(b"tEXt", between) if between else b""
    return b"".join([png.SIGNATURE, png.chunk(b"IHDR", header), text, png.chunk(b"IDAT", zlib.compress(rows)), png.chunk(b"IEND", b"")])


def an_npy(array, text=None):
    """An array as numpy.save writes it, or after a header of this text."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue() if text is None else b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + array.tobytes()


def comes_back(data, *kinds):
    """What was said of data that is taken for a source of one of these classes, from whose description it comes back."""
    notes = []
    source = plan_for(FAST, source_of(data, FAST, notes.append))[0].source
    assert type(source) in kinds
    assert describe_source(source.kind, len(data), source.description()).restore(source.symbols()) == data
    return notes


TOKENS = np.random.default_rng(1).integers(0, 1000, (60, 8, 16)).astype(np.uint16)


@pytest.mark.parametrize("data", [
    a_png((1 << 24) + 8, 1, 1), a_png(1, (1 << 24) + 8, 1, bytes(9)), a_png(0, 8), a_png(8, 0), a_png(0, 0), a_png((1 << 32) - 1, (1 << 32) - 1, 8, bytes(9)),
    an_npy(TOKENS, b"{'descr': '<u2', 'fortran_order': False, 'shape': (True, 60, 128), }\n"),
    an_npy(TOKENS, b"{'descr': '<u2', 'fortran_order': False, 'shape': (0, 1 << 90), }\n"),
    an_npy(TOKENS, b"{'descr': '<u2', 'fortran_order': False, 'shape': (0, %d), }\n" % 10 ** 30),
    an_npy(TOKENS, b"{'descr': 'O', 'fortran_order': False, 'shape': (60, 8, 16), }\n"),
    an_npy(TOKENS, b"{'descr': '<U2', 'fortran_order': False, 'shape': (60, 8, 4), }\n"),
    an_npy(TOKENS, b"{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (60, 8, 16), }\n"),
    an_npy(TOKENS, b"{'descr': '<u2', 'fortran_order': False, 'shape': (60.0, 8, 16), }\n"),
    an_npy(TOKENS, b"{'descr': '<u2', 'fortran_order': False, 'shape': (60, 8, 16), } \"\"\" \x93NUMPY\n"),
    b"P7\nWIDTH -4\nHEIGHT 12\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(48),
    b"P5 99999999 99999999 255\n" + bytes(48), b"P5 0 9 255\n" + bytes(48),
    struct.pack("<2sI4xIIiiHHI", b"BM", 90, 0xFFFFFFFF, 40, 4, -2 ** 31, 1, 8, 0) + bytes(99),
    struct.pack("<2sI4xIIiiHHI", b"BM", 90, 54, 40, 2 ** 31 - 1, 1, 1, 24, 0) + bytes(99),
], ids=lambda data: repr(data[:40]))
def test_what_no_reader_would_take_for_an_image_or_a_video_is_bytes(data):
    comes_back(data, ByteSource, BlockSource)            # of what is deflated in it


def test_a_header_that_a_decoder_would_not_find_again_is_of_no_video():
    comment = b"{'descr': '<u2', 'fortran_order': False, 'shape': (60, 8, 16), } # \x93NUMPY\n"
    comes_back(an_npy(TOKENS), VideoSource)
    comes_back(an_npy(TOKENS, comment), ByteSource)


def test_a_png_of_very_many_pixels_for_its_bytes_is_coded_as_bytes():
    (note,) = comes_back(a_png(4_000, 4_000, 1), BlockSource)
    assert "very many pixels for its bytes" in note
    comes_back(a_png(100, 100, 1), ImageSource)


@pytest.mark.parametrize("data, kind", [(a_png(90, 90, between=b"x" * 1_500), ImageSource),
                                        (an_npy(TOKENS) + b"x" * 1_500, VideoSource)], ids=["image", "video"])
def test_more_than_a_description_may_hold_is_coded_as_bytes(monkeypatch, data, kind):
    assert comes_back(data, kind) == []
    monkeypatch.setattr(base, "LARGEST_DESCRIPTION", 1_500)
    (note,) = comes_back(data, ByteSource)
    assert "would be kept beside the symbols, and a file holds 1,500" in note


@pytest.mark.parametrize("data, kind", [(a_png(90, 90), ImageSource), (an_npy(TOKENS), VideoSource)], ids=["image", "video"])
@pytest.mark.parametrize("fault", [lambda self, symbols: b"other bytes", lambda self, symbols: [][1]], ids=["wrong", "error"])
def test_what_would_not_come_back_is_coded_as_bytes_and_that_is_said(monkeypatch, data, kind, fault):
    monkeypatch.setattr(kind, "restore", fault)
    (note,) = comes_back(data, ByteSource)
    assert f"this looks like {kind.unit}, and is coded as bytes" in note


@pytest.mark.parametrize("data, said", [(b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), []), (b"RIFF", []), (b"RIFF\x24\0\0\nWEBPVP8 " + bytes(40), ["WebP"]),
                                        (b"GIF89a" + bytes(40), ["a GIF"]), (b"\xff\xd8\xff\xe0" + bytes(40), ["a damaged JPEG"])], ids=repr)
def test_only_what_is_packed_is_called_so(data, said):
    assert [note.split(",")[0].removeprefix("this is ") for note in comes_back(data, ByteSource)] == said
