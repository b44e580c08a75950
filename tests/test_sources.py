"""lib.sources: a file as symbols, and back."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.errors import FormatError
from lib.sample import sample_bytes
from lib.sources import ByteSource, describe_source

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
