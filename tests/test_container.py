"""lib.coding.container: .lks files that are intact, damaged, or made to do harm."""

import dataclasses
import zlib

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import a_header, coded_file, flipped, frame, header_block

from lib.coding.container import MAGIC, Header, Reader, Segment
from lib.errors import FormatError
from lib.storage.names import is_file_name

SEGMENTS = [Segment(300, bytes(range(40)), b"12345678"), Segment(300, bytes(range(40, 80)), b"abcdefgh"),
            Segment(5, b"", bytes(8))]
STEPS = 605
CODED = coded_file(a_header(), SEGMENTS)
STORED = Header(5, bytes(32), "five.bin").to_bytes() + b"\x00five"


def read(data, total_steps=STEPS):
    """Everything in a file, or the FormatError that ends it."""
    reader = Reader(data)
    if reader.header.is_stored:
        return reader.header, reader.read_stored()
    segments, fault = reader.read_segments(total_steps)
    if fault:
        raise fault
    return reader.header, segments


def refused(data, message, total_steps=STEPS):
    with pytest.raises(FormatError, match=message) as error:
        read(data, total_steps)
    assert "\n" not in str(error.value)


def test_a_coded_file_holds_its_header_and_segments():
    header, segments = read(CODED)
    assert segments == SEGMENTS and header.to_bytes() == a_header().to_bytes()


def test_a_stored_file_holds_its_header_and_the_data():
    header, data = read(STORED)
    assert data == b"\x00five" and header.to_bytes() + data == STORED


@pytest.mark.parametrize("header", [
    Header(0, bytes(32), "a"),
    a_header(source_kind=3),
    a_header(environment=(), overrides={}, description=b"", name="n" * 255, original_bytes=2 ** 48),
    a_header(overrides={7: 0.1, 11: "float16"}, name="naïve 名前.txt"),
], ids=lambda header: header.name[:20])
def test_a_header_comes_back_as_it_was_written(header):
    again = Reader(header.to_bytes()).header
    assert list(again.environment) == list(header.environment)
    assert dataclasses.replace(again, environment=header.environment) == header


@pytest.mark.parametrize("steps", [1, 127, 128, 16_383, 16_384, 2 ** 48])
@pytest.mark.parametrize("payload", [b"", bytes(127), bytes(128), bytes(20_000)], ids=len)
def test_segments_of_any_length_come_back(steps, payload):
    segment = Segment(steps, payload, b"12345678")
    assert read(coded_file(a_header(), [segment]), steps)[1] == [segment]


@pytest.mark.parametrize("damage", [
    lambda data: data.replace(b"\r\n", b"\n"),
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n\n"),
    lambda data: data.replace(b"\r", b"\n"),
    lambda data: bytes(byte & 127 for byte in data),
    lambda data: data.replace(b"\x1a", b""),
], ids=["CRLF to LF", "LF to CRLF", "to CRLFLF", "CR to LF", "seven bits", "without its end-of-file byte"])
def test_a_transfer_in_text_mode_is_detected_by_the_first_bytes(damage):
    refused(damage(CODED), "changed on its way, as by a text-mode transfer")


@pytest.mark.parametrize("data, message", [
    (b"", "the file is empty"),
    (MAGIC[:3], "cut short inside its first bytes"),
    (MAGIC, "cut short inside its header"),
    (b"PK\x03\x04" + bytes(100), "this is not a .lks file"),
    (b"\x00" + CODED, "this is not a .lks file"),
    (frame(b"", version=2), "format version 2; this version of Lockstep reads version 1. A newer version may"),
    (frame(b"", version=0), "format version 0"),
    (CODED + b"\x00", "1 bytes follow the end"),
    (STORED + b"\x00", "holds 6 of 5 bytes"),
    (STORED[:-1], "cut short: it holds 4 of 5 bytes"),
])
def test_what_is_no_complete_file_is_named(data, message):
    refused(data, message)


@pytest.mark.parametrize("data", [CODED, STORED], ids=["coded", "stored"])
def test_a_file_that_is_cut_anywhere_is_refused(data):
    for length in range(len(data)):
        refused(data[:length], "empty|cut short")


def test_a_file_with_any_bit_or_byte_flipped_is_refused():
    for position in range(len(CODED)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            refused(flipped(CODED, position, mask), ".")


def test_a_stored_file_with_a_bit_flipped_in_its_header_is_refused():
    for position in range(len(STORED) - 5):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            refused(flipped(STORED, position, mask), ".")


@pytest.mark.parametrize("order, message", [
    ([1, 0, 2], "segment 1 is damaged"),
    ([0, 0, 2], "segment 2 is damaged"),
    ([0, 2], "segment 2 is damaged"),
    ([0, 2, 1], "segment 2 is damaged"),
    ([0, 1], "cut short in segment 3"),
    ([0, 1, 2, 2], "14 bytes follow the end"),
], ids=str)
def test_segments_that_are_swapped_repeated_or_missing_are_detected(order, message):
    start = len(a_header().to_bytes())
    blocks = []
    for count in range(len(SEGMENTS)):
        end = len(coded_file(a_header(), SEGMENTS[:count + 1]))
        blocks.append(CODED[start:end])
        start = end
    refused(a_header().to_bytes() + b"".join(blocks[number] for number in order), message)


def test_the_segments_before_a_fault_are_kept():
    segments, fault = Reader(flipped(CODED, len(coded_file(a_header(), SEGMENTS[:2])) - 20)).read_segments(STEPS)
    assert segments == SEGMENTS[:1]
    assert "segment 2 is damaged" in str(fault)


@pytest.mark.parametrize("steps, total_steps", [([300, 306], 605), ([300, 0], 605), ([606], 605), ([2 ** 62], 605)])
def test_segments_that_do_not_fit_the_size_in_the_header_are_refused(steps, total_steps):
    data = coded_file(a_header(), [Segment(count, b"payload", bytes(8)) for count in steps])
    refused(data, f"segment {len(steps)} does not fit the size", total_steps)


@pytest.mark.parametrize("number", [b"\xff" * 9 + b"\x01", b"\x80" * 40 + b"\x01"], ids=repr)
def test_a_number_of_more_than_nine_bytes_is_refused_wherever_it_stands(number):
    start = a_header().to_bytes()
    for before in (start[:8], start, start + b"\x01"):
        refused(before + number, "a number in (its header|segment 1) is out of bounds")


def test_a_number_that_fits_in_nine_bytes_is_checked_against_the_file():
    largest = b"\xff" * 8 + b"\x7f"
    start = a_header().to_bytes()
    refused(start[:8] + largest, "the header claims 9223372036854775807 bytes, more than 67108864")
    refused(start + b"\x01" + largest, "cut short in segment 1")
    refused(start[:8] + b"\x80\x80\x80\x20" + start, "cut short in its header")


@pytest.mark.parametrize("length", [2 ** 26 + 1, 2 ** 40])
def test_a_header_that_claims_to_be_huge_is_refused(length):
    block = bytearray()
    while length > 127:
        block.append(length & 127 | 128)
        length >>= 7
    refused(CODED[:8] + bytes(block) + bytes([length]) + bytes(10_000), "the header claims [0-9]+ bytes")


@pytest.mark.parametrize("fields, message", [
    (dict(original_bytes=-1), "out of bounds"),
    (dict(original_bytes=2 ** 48 + 1), "out of bounds"),
    (dict(original_bytes=2 ** 64 - 1), "out of bounds"),
    (dict(original_bytes=5.0), "wrong type"),
    (dict(original_bytes=True), "wrong type"),
    (dict(original_bytes=None), "wrong type"),
    (dict(original_bytes="5"), "wrong type"),
    (dict(sha256=bytes(31)), "out of bounds"),
    (dict(sha256=b""), "out of bounds"),
    (dict(sha256="0" * 32), "wrong type"),
    (dict(name=b"a"), "wrong type"),
    (dict(name=["a"]), "wrong type"),
    (dict(preset="network"), "wrong type"),
    (dict(preset=False), "wrong type"),
    (dict(description=5), "wrong type"),
    (dict(environment="cpu"), "wrong type"),
    (dict(environment={}), "wrong type"),
    (dict(overrides=[1, 2]), "wrong type"),
    (dict(source_kind=[0]), "wrong type"),
    (dict(source_kind=msgpack.ExtType(1, b"")), "wrong type"),
], ids=str)
def test_a_header_field_of_the_wrong_type_or_size_is_refused(fields, message):
    refused(header_block(**fields), message)


@pytest.mark.parametrize("name", [
    "", ".", "..", "../x", "/etc/passwd", "a/b", "a/", "/", "n" * 256, "é" * 150, "a\x00", "\udcff" * 256], ids=lambda name: ascii(name[:20]))
def test_a_name_that_is_no_plain_file_name_is_refused(name):
    assert not is_file_name(name)
    refused(header_block(name=name), "not a plain file name")


@pytest.mark.parametrize("name", ["a", "...", ".hidden", "a b", "-f", "a..b", "naïve 名前.txt", "n" * 255, "12:30.txt", "..\\x",
                                  "a\\b", "C:x", "a\nb", "\x1b[31mred", "a\u202eb", "Shot 1.02.03\u202fPM.png", "a\u00a0b", "\u3000",
                                  "\U0001f468\u200d\U0001f469", "no \udcff utf-8", "\udcff" * 255], ids=lambda name: ascii(name[:20]))
def test_a_plain_file_name_is_accepted(name):
    assert is_file_name(name)
    assert Reader(header_block(name=name)).header.name == Reader(a_header(name=name).to_bytes()).header.name == name


def test_a_name_that_is_utf_8_makes_the_bytes_it_always_made():
    header = Header(5, bytes(32), "naïve 名前.txt")
    assert header.to_bytes() == frame_of([5, bytes(32), "naïve 名前.txt"])
    assert Header(5, bytes(32), "no \udcff").to_bytes() == frame_of([5, bytes(32), "no \udcff"])


def frame_of(fields):
    packed = msgpack.packb(fields, unicode_errors="surrogateescape")
    block = MAGIC + b"\x01" + bytes([len(packed)]) + packed
    return block + zlib.crc32(block).to_bytes(4, "little")


@pytest.mark.parametrize("written, archive", [(True, 1), (1, 1), (2, 2), (False, 0), (0, 0)])
def test_a_header_says_in_which_form_a_folder_is(written, archive):
    header = Reader(frame(msgpack.packb([5, bytes(32), "a", 0, b"", [], {}, 0, written]))).header
    assert header.archive == archive and type(header.archive) is int and header.is_folder == bool(archive)


@pytest.mark.parametrize("written, message", [(3, "form 3, which this version of Lockstep does not know; a newer version may"),
                                              (-1, "form -1"), (2.0, "wrong type"), ("zip", "wrong type")])
def test_a_folder_in_an_unknown_form_is_refused(written, message):
    refused(frame(msgpack.packb([5, bytes(32), "a", 0, b"", [], {}, 0, written])), message)


def test_only_a_name_may_be_no_utf_8():
    packed = msgpack.packb([5, bytes(32), "a", 0, b"", ["\udcff"]], unicode_errors="surrogateescape")
    refused(frame(packed), "a text that is no UTF-8")


@pytest.mark.parametrize("packed", [
    b"",
    b"\xc1",
    msgpack.packb({"original_bytes": 5}),
    msgpack.packb([0] * 9),
    msgpack.packb([]),
    msgpack.packb([1, bytes(32), "a"]) + b"\x00",
    b"\xdd\xff\xff\xff\xff",                                    # an array of 2^32 - 1
    b"\xdf\xff\xff\xff\xff",                                    # a map of as many
    b"\x92\x00\xc6\xff\xff\xff\xff",                            # 4 GB of bytes
    b"\x91" * 4_000 + b"\x90",                                  # arrays 4,000 deep
    b"\x95\x00\xc4\x00\xa0\x00\x00" + b"\x81\x00" * 1_900 + b"\x80",
    b"\x93\x00\xc4\x00\xa1\xff",                                # a name that is no UTF-8
    b"\x97\x00\xc4\x00\xa1a\x01\xc4\x00\x90\x81\x90\x01",       # an array as a key
    b"\x97\x00\xc4\x00\xa1a\x01\xc4\x00\x90\x81\x80\x01",       # a map as a key
], ids=lambda packed: repr(packed[:24]))
def test_a_header_that_is_no_list_of_fields_is_refused(packed):
    refused(frame(packed), "the header")


@given(st.binary(max_size=200))
@example(b"\x9f")
def test_any_bytes_with_a_valid_checksum_are_a_header_or_refused(packed):
    try:
        header = Reader(frame(packed)).header
    except FormatError as error:
        assert "\n" not in str(error)
        return
    assert is_file_name(header.name) and 0 <= header.original_bytes <= 2 ** 48


@given(st.binary(max_size=200))
def test_any_bytes_after_a_header_are_refused(body):
    refused(a_header().to_bytes() + body, ".")
