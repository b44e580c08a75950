"""Files with right checksums and wrong contents: whatever they say, what comes is right, or an error of ours."""

import dataclasses
import hashlib
import random
import struct
import zlib
from pathlib import Path

import msgpack
import pytest
from samples import TEXT, coded_file, frame, take_apart, tiny

from lib import DivergedError, LockstepError, Settings, compress, decompress, inspect, resume, split
from lib.coding.container import Reader
from lib.resume import checkpoint
from lib.resume.checkpoint import Checkpoint
from lib.sources.base import FAULTS, unpacked_description

GOLDEN = Path(__file__).parent / "golden"
DATA = bytes(range(200)) + TEXT * 2
ODD = [None, True, False, -1, 0, 1, 2, 3, 255, 256, 65_535, 65_536, 1 << 31, 1 << 32, 1 << 48, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1.5, -0.0,
       float("nan"), float("inf"), "", "x", "\udcff", "a/b", "\0", "yes", "none", b"", b"x", bytes(32), bytes(300), [], [[]], [1], {}, {1: 1}, {"a": []}]
DEEP = [b"\x91" * 60_000, b"\x81\xa1a" * 20_000, b"\xdd\xff\xff\xff\xff", b"\xc1", b"", b"\xa1\xff"]


def mutated(value, odd):
    """A value with one thing in it replaced, removed, doubled or moved."""
    if isinstance(value, dict) and value and odd.random() < 0.9:
        key = odd.choice(list(value))
        if odd.random() < 0.15:
            return {name: item for name, item in value.items() if name != key}
        return value | {key: mutated(value[key], odd)}
    if isinstance(value, list) and value and odd.random() < 0.9:
        place = odd.randrange(len(value))
        kept = [] if odd.random() < 0.15 else [mutated(value[place], odd)] * odd.choice((1, 1, 1, 2))
        return value[:place] + kept + value[place + 1:]
    if isinstance(value, bytes) and value and odd.random() < 0.6:
        place = odd.randrange(len(value))
        return value[:place] + odd.randbytes(odd.choice((0, 1, 4))) + value[place + 1:]
    if type(value) is int and odd.random() < 0.6:
        return value + odd.choice((-1, 1, 7, -(1 << 33), 1 << 20))
    return odd.choice(ODD)


def packed(value):
    return msgpack.packb(value, unicode_errors="surrogateescape")


def deflated(data):
    """As sources describe themselves."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.lks")))
def test_whatever_a_header_says_info_answers_or_refuses(tmp_path, name):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    data = (GOLDEN / name).read_bytes()
    header = Reader(data).header
    fields = [header.original_bytes, header.sha256, header.name, header.preset, header.description, list(header.environment),
              header.overrides, header.source_kind, header.is_folder]
    body = data[len(header.to_bytes()):]
    try:
        described = unpacked_description(header.description)
    except FAULTS:
        described = None
    for _ in range(80):
        changed = list(fields)
        if odd.random() < 0.5 and header.description:
            changed[4] = mutated(header.description, odd) if described is None else deflated(packed(mutated(described, odd)))
        else:
            changed = mutated(fields, odd)
        block = frame(packed(changed) if odd.random() < 0.95 else odd.choice(DEEP[3:]))
        (tmp_path / "x.lks").write_bytes(block + body)
        try:
            assert inspect(tmp_path / "x.lks").facts()
        except LockstepError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
    assert outcomes[False] > 20


@pytest.mark.parametrize("deep", [b"\x91" * 16_000, b"\x81\xa1a" * 5_000])
def test_a_header_or_description_nested_without_end_is_refused(tmp_path, deep):
    (tmp_path / "x.lks").write_bytes(frame(deep))
    with pytest.raises(LockstepError):
        inspect(tmp_path / "x.lks")


def taken_apart(path):
    """(about, the pieces of all sections) of a checkpoint file."""
    found, data = Checkpoint(path), path.read_bytes()
    return found.about, data[found._start:-32]


def sealed(about, pieces):
    """A checkpoint file with a right checksum, whatever it holds; about: packed."""
    data = checkpoint.MAGIC + bytes([checkpoint.VERSION]) + struct.pack("<I", len(about)) + about + pieces
    return data + hashlib.sha256(data).digest()


@pytest.fixture(params=["contexts", "network"])
def stopped(request, tmp_path, stop_after, monkeypatch):
    """(checkpoint of a compression, of a decompression) that were stopped half way, in the current folder."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(preset="fast", contexts="text", batch_size=2) if request.param == "contexts" else tiny()
    (tmp_path / "in").write_bytes(DATA)
    compress(tmp_path / "in", tmp_path / "coded.lks", settings)
    for run in (lambda: compress(tmp_path / "in", tmp_path / "in.lks", settings, checkpoint=tmp_path / "compress"),
                lambda: decompress(tmp_path / "coded.lks", tmp_path / "out", checkpoint=tmp_path / "decompress")):
        stop_after(4)
        with pytest.raises(KeyboardInterrupt):
            run()
    stop_after(0)
    return tmp_path / "compress", tmp_path / "decompress"


def test_whatever_a_checkpoint_says_a_run_ends_right_or_is_refused(tmp_path, stopped):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    for path in stopped:
        about, pieces = taken_apart(path)
        assert sealed(packed(about), pieces) == path.read_bytes()
        for _ in range(80):
            said = packed(mutated(about, odd)) if odd.random() < 0.9 else odd.choice(DEEP)
            kept = pieces if odd.random() < 0.8 else odd.choice((
                pieces[:odd.randrange(len(pieces))], b"\xff\xff\xff\xff" + pieces[4:], b"\0\0\0\0" + pieces, pieces[:4] + b"x" + pieces[5:], b""))
            path.write_bytes(sealed(said, kept))
            for left in (tmp_path / "in.lks", tmp_path / "out"):
                left.unlink(missing_ok=True)
            try:
                result = resume(path)
            except LockstepError:
                outcomes[False] += 1
            else:
                outcomes[True] += 1
                assert path.name == "compress" or result.output_path.read_bytes() == DATA
    assert min(outcomes.values()) > 2


@pytest.mark.parametrize("change", [
    lambda about: about | {"coder": [0, (1 << 32) - 1, 0, 1 << 40]}, lambda about: about | {"coder": [0, (1 << 32) - 1, 0, -1]},
    lambda about: about | {"coder": [1, 0, 0, 0]}, lambda about: about | {"coder": [1 << 63] * 4}, lambda about: about | {"coder": [0, 1, 0]},
    lambda about: about | {"coder": [0.0, 1.0, 0, 0]}, lambda about: about | {"step": -1}, lambda about: about | {"step": 1 << 62},
    lambda about: about | {"crc": -1}, lambda about: about | {"crc": 1 << 32}, lambda about: about | {"crc": None},
    lambda about: about | {"input": ""}, lambda about: about | {"output": "a\0b"}, lambda about: about | {"sha256": b""},
    lambda about: about | {"overwrite": 1}, lambda about: about | {"asked": {1: 2}}, lambda about: about | {"preset": True},
    lambda about: about | {"sections": about["sections"][1:]}, lambda about: about | {"sections": [["coder", -1]]},
    lambda about: about | {"sections": about["sections"] * 2}, lambda about: about | {"sections": [["coder", 1 << 40]]},
    lambda about: about | {"sections": [[["coder"], 1]]}, lambda about: about | {"sections": {"coder": 1}}, lambda about: [about]])
def test_values_out_of_bounds_are_refused(tmp_path, stopped, change):
    about, pieces = taken_apart(stopped[0])
    stopped[0].write_bytes(sealed(packed(change(about)), pieces))
    with pytest.raises(LockstepError):
        resume(stopped[0])
    assert not (tmp_path / "in.lks").exists()


def test_whatever_the_state_of_a_part_says_the_next_is_right_or_refused(tmp_path):
    odd, outcomes = random.Random(16), {True: 0, False: 0}
    (tmp_path / "in").write_bytes(DATA)
    _, manifest = split(tmp_path / "in", 2, batch_size=2)
    first, second = (tmp_path / name for name, _, _ in manifest.parts)
    compress(first, settings=Settings(preset="fast", contexts="text"))
    state, = tmp_path.glob("*.state")
    about, pieces = taken_apart(state)
    for _ in range(60):
        state.write_bytes(sealed(packed(mutated(about, odd)), pieces))
        try:
            compress(second, overwrite=True)
        except LockstepError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
    assert outcomes[False] > 10


def test_contexts_that_end_in_another_state_are_not_called_none(tmp_path):
    (tmp_path / "in").write_bytes(DATA)
    packed = compress(tmp_path / "in", settings=Settings(preset="fast", contexts="text"))
    header, segments = take_apart(packed.output_path.read_bytes(), len(DATA))
    last = dataclasses.replace(segments[-1], fingerprint=bytes(8))
    packed.output_path.write_bytes(coded_file(header, [*segments[:-1], last]))
    with pytest.raises(DivergedError, match="contexts give the same everywhere, so the file, the compiled code, or ") as diverged:
        decompress(packed.output_path, tmp_path / "out")
    assert "None" not in str(diverged.value)
