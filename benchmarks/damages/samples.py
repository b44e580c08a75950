"""Undamaged files of every sort, made here, for benchmarks.damage: the same bytes every time."""

import contextlib
import dataclasses
import hashlib
import io
import itertools
import random
import struct
import types
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from benchmarks.damages.sealed import sealed_again
from lib import Settings, compress, decompress, learn, split
from lib.coding import loop
from lib.resume import checkpoint, keeper
from lib.transforms import lepton

_GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
FAST = Settings(preset="fast")
_NETWORK = Settings(preset="network", batch_size=3, seq_length=3, update_interval=2, rnn_units=8, num_layers=1, embedding_size=4)
_BOTH = dataclasses.replace(_NETWORK, preset="balanced", primer="none")
_TEXT = b"It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness. " * 12
_SEGMENT = 150                        # symbols, of files with many segments
_LONG_SEGMENT = 700                   # of a run with checkpoints, which are written inside segments alone


@dataclass(frozen=True)
class Sample:
    """Files that lie in a folder, and what is done there."""

    sort: str                         # of what is damaged, for people
    files: dict[str, bytes]           # by name
    targets: tuple[str, ...]          # names of those to damage
    action: str                       # see benchmarks.damage
    rights: frozenset[str]            # digests of what may come out, see `digest`; empty: the target itself, as it was damaged


def samples(folder: Path) -> list[Sample]:
    """One of every sort, made in an empty folder."""
    with mock.patch.object(lepton, "is_there", lambda: False):     # its threads do not outlive a fork: processes that come after use it first
        made = [*_packed(folder), *_parts(folder), *_with_prior(folder), *_checkpoints(folder)]
    if lepton.is_there():
        made.append(Sample(".lks of Lepton", {"x.lks": _golden("parts-lepton.zip.lks")}, ("x.lks",), "decompress",
                           frozenset((hashlib.sha256(_golden("parts.zip")).hexdigest(),))))
    made += [Sample(f"input: {name}", {name: data}, (name,), "compress", frozenset()) for name, data in _inputs().items()]
    return made


def digest(path: Path) -> str:
    """What names the contents of a file, or the files of a folder and below; "" where nothing is there."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return " ".join(f"{file.relative_to(path)!s} {digest(file)}" for file in sorted(path.rglob("*")) if file.is_file())


def _inputs() -> dict[str, bytes]:
    noise = random.Random(7)
    frames = np.random.default_rng(1).integers(0, 30, (6, 5, 7)).astype(np.int32)
    arrays, packed, folded = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(arrays, frames)
    np.savez(packed, a=frames, b=frames[::-1])
    with zipfile.ZipFile(folded, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), _TEXT)
    return {"text.txt": _TEXT, "binary.bin": struct.pack("<300h", *(noise.randrange(-90, 90) for _ in range(300))), "video.npy": arrays.getvalue(),
            "video.npz": packed.getvalue(), "picture.ppm": b"P6\n24 18\n255\n" + _pixels(24, 18).tobytes(), "picture.png": _png(24, 18),
            "archive.zip": folded.getvalue(), "picture.jpg": _golden("slope.jpg"), "sound.wav": _golden("swell.wav"), "parts.zip": _golden("parts.zip"),
            "value.bin": b"a" * 700, "zeros.img": bytes(2_000) + _TEXT[:300] + bytes(5_000),
            "noise.bin": noise.randbytes(600)}


def _golden(name: str) -> bytes:
    return (_GOLDEN / name).read_bytes()


def _packed(folder: Path) -> Iterator[Sample]:
    """.lks files of one segment and of many."""
    for name, data in _inputs().items():
        yield _decoded(folder, name, data, FAST)
        if not name.endswith((".npz", "archive.zip", "value.bin", "noise.bin")):
            yield _decoded(folder, name, data, FAST, _SEGMENT)
    yield _decoded(folder, "network.txt", _TEXT[:400], _NETWORK, 130)
    yield _decoded(folder, "both.txt", _TEXT[:400], _BOTH, 130)
    for name, data in (("folder", _TEXT), ("noisy", random.Random(8).randbytes(300))):
        inside = folder / name
        (inside / "below").mkdir(parents=True)
        (inside / "a.txt").write_bytes(data)
        (inside / "below" / "b.txt").write_bytes(data[:200])
        yield _decoded(folder, name, None, FAST)


def _decoded(folder: Path, name: str, data: bytes | None, settings: Settings, segment: int = loop.SEGMENT_SYMBOLS) -> Sample:
    """A Sample of a .lks file; data: None for a folder that is there."""
    if data is not None:
        (folder / name).write_bytes(data)
    with mock.patch.object(loop, "SEGMENT_SYMBOLS", segment):
        packed = compress(folder / name, settings=settings, overwrite=True)
    several = " in segments" if segment < loop.SEGMENT_SYMBOLS else ""
    rights = {digest(folder / name), packed.sha256}      # a folder comes out as an archive where a crafted header says that it is none
    if data is not None and zipfile.is_zipfile(folder / name):
        inside = folder / f"inside {name}"
        zipfile.ZipFile(folder / name).extractall(inside)
        rights.add(digest(inside))                       # and an archive as a folder
    return Sample(f".lks of {name}{several}", {"x.lks": packed.output_path.read_bytes()}, ("x.lks",), "decompress", frozenset(rights))


def _parts(folder: Path) -> Iterator[Sample]:
    """Parts with a manifest, and .lks files of parts."""
    work = folder / "cut"
    work.mkdir()
    (work / "whole").write_bytes(_TEXT)
    for independent in (False, True):
        manifest_path, manifest = split(work / "whole", 3, independent=independent, batch_size=2, overwrite=True)
        files = {name: (work / name).read_bytes() for name in (manifest_path.name, *(name for name, _, _ in manifest.parts))}
        targets = (*files, *[manifest_path.name] * len(manifest.parts))       # the manifest as often as parts
        yield Sample(f"parts {'by themselves' if independent else 'that go on'}", files, targets, "join", frozenset((digest(work / "whole"),)))
        if not independent:
            packed = [compress(work / name, settings=FAST).output_path for name, _, _ in manifest.parts]
            state, = work.glob("*.part1of3.state")
            for name in (packed[0].name, packed[1].name):
                files = {"x.lks": (work / name).read_bytes()} | ({state.name: state.read_bytes()} if name == packed[1].name else {})
                yield Sample(f".lks of part {1 + (len(files) > 1)}", files, tuple(files), "decompress", frozenset((digest(work / name[:-4]),)))


def _with_prior(folder: Path) -> Iterator[Sample]:
    (folder / "known.txt").write_bytes(_TEXT[:700])
    prior = learn([folder / "known.txt"], folder / "my.prior")
    (folder / "like.txt").write_bytes(_TEXT[300:900])
    packed = compress(folder / "like.txt", settings=FAST, prior=prior.path)
    decompress(packed.output_path, folder / "like.again", prior=prior.path)
    right = frozenset((packed.sha256,))
    files = {"x.lks": packed.output_path.read_bytes(), "my.prior": prior.path.read_bytes()}
    yield Sample(".lks with a prior", files, ("x.lks",), "decompress", right)
    yield Sample(".prior, to decompress", files, ("my.prior",), "decompress", right)
    yield Sample(".prior, to compress", {"like.txt": _TEXT[300:900], "my.prior": prior.path.read_bytes()}, ("my.prior",), "compress", right)


def _checkpoints(folder: Path) -> Iterator[Sample]:
    """Checkpoints of both directions, alone and with the one before them, that name their files without a folder."""
    inputs = _inputs()
    for name, settings in (("text.txt", FAST), ("picture.png", FAST), ("network.txt", _NETWORK)):
        data = inputs.get(name, _TEXT[:400])
        (folder / "in").write_bytes(data)
        right = frozenset((hashlib.sha256(data).hexdigest(),))
        with mock.patch.object(loop, "SEGMENT_SYMBOLS", _LONG_SEGMENT):
            packed = compress(folder / "in", folder / "x.lks", settings, overwrite=True)
        for direction, source, files in (("compress", "in", {"in": data}), ("decompress", "x.lks", {"x.lks": packed.output_path.read_bytes()})):
            kept = _stopped(direction, folder / source, settings)
            for action, others in ((direction, ()), ("resume", ()), ("resume", ("kept.previous",))):
                yield Sample(f"checkpoint to {direction} {name}", files | {key: kept[key] for key in ("kept", *others)}, ("kept", *others), action,
                             right)


def _stopped(direction: str, source: Path, settings: Settings) -> dict[str, bytes]:
    """The checkpoint that a run left which was stopped when it had written the second, and the first; they name no folder but out."""
    path, output, written, real = source.with_name("kept"), source.with_name("stopped"), [], checkpoint.write

    def write(*arguments, **more):
        real(*arguments, **more)
        written.append(None)
        if len(written) == 2:
            raise KeyboardInterrupt

    hours = (1000.0 ** count for count in itertools.count())      # each so much longer than all before that a checkpoint is always due
    always_due = types.SimpleNamespace(monotonic=lambda: next(hours))
    with mock.patch.multiple(keeper, write=write, time=always_due), mock.patch.object(
            loop, "SEGMENT_SYMBOLS", _LONG_SEGMENT), contextlib.suppress(KeyboardInterrupt):
        if direction == "compress":
            compress(source, output, settings, checkpoint=path)
        else:
            decompress(source, output, checkpoint=path)
        raise AssertionError("the run ended before it had written two checkpoints")
    names = {"input": source.name, "output": "out/done"}
    kept = {file.name: sealed_again(file.read_bytes(), lambda about: about | names) for file in (path, checkpoint.previous(path))}
    checkpoint.remove(path)
    return kept


def _pixels(width: int, height: int) -> np.ndarray:
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([(across * 5 + down * (plane + 2) + 90 * (across > down)) % 256 for plane in range(3)], -1).astype(np.uint8)


def _png(width: int, height: int) -> bytes:
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
    rows = b"".join(b"\0" + row.tobytes() for row in _pixels(width, height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

