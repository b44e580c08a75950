"""Inputs and descriptions that were damaged or made to do harm: each is read, or refused by an error of ours."""

import contextlib
import io
import random
import struct
import warnings
import zlib
from pathlib import Path

import msgpack
import numpy as np
import pytest
from PIL import Image
from samples import FAST, a_wav

from lib.coding.choice import plan_for
from lib.errors import FormatError, LockstepError
from lib.limits import MOST_INFLATED
from lib.sources import ByteSource, base, describe_source, png
from lib.sources.jpeg import JpegSource
from lib.sources.part import PartDescription, PartSource
from lib.sources.recognition import source_of
from lib.transforms import lepton
from lib.transforms.jpeg import tables as jpeg

GOLDEN = Path(__file__).parent / "golden"
SCENE = (np.add.outer(np.arange(12) ** 2, np.arange(20) ** 3) % 251).astype(np.uint8)
CLIP = np.random.default_rng(3).integers(0, 40, (6, 4, 6)).astype(np.uint16)


def saved(array, form, **how):
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **how)
    return file.getvalue()


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz_bytes(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def part_bytes():
    place = PartDescription(bytes(8), 30, 3, 1, 2, "text", np.array([97, 98, 99], np.uint8))
    return PartSource(place).header() + b"abcabcabcabcabc"


FORMS = {
    "png": saved(SCENE, "PNG"),
    "png of colours": saved(np.stack([SCENE, SCENE, SCENE], 2), "PNG"),
    "bmp": saved(SCENE, "BMP"),
    "ppm": saved(np.stack([SCENE, SCENE, SCENE], 2), "PPM"),
    "pam": b"P7\nWIDTH 20\nHEIGHT 12\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n" + SCENE.tobytes(),
    "tiff": saved(SCENE, "TIFF"),
    "npy": npy_bytes(CLIP),
    "npy of pixels": npy_bytes(SCENE),
    "npz": npz_bytes(a=np.tile(CLIP, (30, 1, 1)), b=CLIP[:2], c=np.zeros(3, complex)),
    "wav": a_wav(90),
    "jpeg": (GOLDEN / "slope.jpg").read_bytes(),
    "parts": (GOLDEN / "parts.zip").read_bytes(),
    "part": part_bytes(),
}
NUMBERS = [0, 1, 255, (1 << 16) - 1, (1 << 24) + 8, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


def damaged(data, chance):
    """A copy of bytes with a few of them changed, cut, doubled, or set to an absurd number; most often near the beginning."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = min(int(chance.expovariate(1 / 60)), len(made) - 1) if chance.random() < 0.7 else chance.randrange(len(made))
        way = chance.randrange(5)
        if way == 0:
            made[place] = chance.randrange(256)
        elif way == 1:
            made[place:place + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(NUMBERS))
        elif way == 2:
            del made[place:place + chance.randint(1, 9)]
        elif way == 3:
            made[place:place] = made[place:place + chance.randint(1, 40)]
        else:
            made[place:place + 1] = chance.choice([b"9" * 8, b"-1", b"True", b"1e400", b"()", b"[", b"\n#", b"\x93NUMPY", b"1_0", b"'O'"])
        made = made or bytearray(b"\0")
    return bytes(made)


def checked_again(data):
    """A PNG or a part with right checksums, as somebody makes who means it."""
    if data[:8] == png.SIGNATURE:
        made, place = data[:8], 8
        while place + 12 <= len(data):
            length, name = struct.unpack_from(">I4s", data, place)
            made += png.chunk(name, data[place + 8:place + 8 + length])
            place += 12 + length
        return made
    if data[:8] == b"\x89LKP\r\n\x1a\x01":
        end = 10 + struct.unpack_from("<H", data, 8)[0] if len(data) > 10 else 0
        return data[:end] + struct.pack("<I", zlib.crc32(data[:end])) + data[end + 4:]
    return data


@pytest.mark.parametrize("form", FORMS)
def test_damaged_inputs_are_described_so_that_they_come_back(form):
    chance = random.Random(form)
    for _ in range(150):
        data = checked_again(damaged(FORMS[form], chance))
        try:
            source = source_of(data, FAST)
        except FormatError:
            assert data.startswith(b"\x89LKP")            # what begins like a part, and is none
            continue
        source = plan_for(FAST, source)[0].source
        assert describe_source(source.kind, len(data), source.description()).restore(source.symbols()) == data


ODD = [None, True, False, -1, 0, 1, 2, 255, 1 << 24, 1 << 31, (1 << 48) + 1, (1 << 64) - 1, 0.5, float("inf"), float("nan"), b"", b"\0", b"x" * 40,
       "", "text", "|O", "9" * 5_000, [], [[]], {}, {b"": b""}, [1] * 9, "f,f", "<U4", "M8[s]", 5 * [[b"", "<u2", False, 1 << 47]],
       [b"", "<u2", False, *[1] * 20_000]]


def altered(value, chance):
    """A nested list with one of its values changed for an odd one, or left out, or doubled."""
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        way = chance.randrange(8)
        if way == 0:
            return value[:place] + value[place + 1:]
        if way == 1:
            return value[:place] + [value[place]] + value[place:]
        return [*value[:place], altered(value[place], chance), *value[place + 1:]]
    return chance.choice(ODD)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "part"])
def test_altered_descriptions_are_read_or_refused(form, monkeypatch):
    monkeypatch.setattr(lepton, "is_there", lambda: False)
    chance, source = random.Random(form), plan_for(FAST, source_of(FORMS[form], FAST))[0].source
    usual = jpeg.USUAL if source.kind == JpegSource.kind else b""
    described = base.unpacked_description(source.description(), usual)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(300):
            values = altered(described, chance)
            if chance.random() < 0.3:
                values = altered(values, chance)
            description = base.packed_description(values, usual)
            try:
                reader = describe_source(source.kind, len(FORMS[form]), description)
            except LockstepError:
                continue
            if reader.symbol_count > 8 * MOST_INFLATED * len(FORMS[form]):
                assert form == "parts"                         # of which the payload is the bound, see Plan.check_plausible
                continue
            with contextlib.suppress(FormatError):            # of a map that does not fit what it puts together
                reader.restore(np.zeros(reader.symbol_count, np.uint16))


def test_altered_descriptions_of_parts_are_refused_or_made_anew():
    chance, place = random.Random(5), source_of(FORMS["part"], FAST).place
    for _ in range(1_000):
        packed = msgpack.packb(altered(msgpack.unpackb(place.to_bytes()), chance))
        try:
            again = PartDescription.from_bytes(packed)
        except FormatError:
            continue
        assert again.to_bytes() == packed and again.streams.coded_count >= 0


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_noise_is_no_description(kind):
    chance = random.Random(kind)
    for length in range(60):
        for _ in range(5):
            try:
                describe_source(kind, 1_000, chance.randbytes(length))
            except FormatError:
                continue
            assert kind == ByteSource.kind
