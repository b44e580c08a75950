"""What a long-lived process wrote comes back in processes that never saw it being written, in any order, alone."""

import hashlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from samples import NOISE, TEXT, a_png, a_wav, tiny

from lib import Settings, compress, decompress, learn, split
from tools.build_notebooks import ROOT

FAST = Settings(preset="fast")
SMALL = dict(rnn_units=8, num_layers=1, embedding_size=4, primer="none")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a process for each file takes a fork")

# Imports the library once, and decodes each file it is given in a child of its own, which has coded nothing before.
PROGRAM = """
import hashlib, os, sys
from lib import decompress
failed = 0
for path in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            out = decompress(path, path + ".again").output_path
            os._exit(0)
        except BaseException as error:
            print(path, type(error).__name__, error, file=sys.stderr, flush=True)
            os._exit(1)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed)
"""


def each_in_a_fresh_process(paths):
    """Decompress files, each to its name and ".again", in a process that did nothing else."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *map(str, paths)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def clip(frames, height, width, seed):
    """The bytes of a .npy file: a video of tokens that mostly stay."""
    import io
    random_numbers = np.random.default_rng(seed)
    tokens = np.repeat(random_numbers.integers(0, 60, (1, height, width)), frames, 0)
    moved = random_numbers.random(tokens.shape) < 0.1
    tokens[moved] = random_numbers.integers(0, 60, int(moved.sum()))
    file = io.BytesIO()
    np.save(file, tokens.astype(np.int16))
    return file.getvalue()


INPUTS = {
    "text": TEXT * 3,
    "binary": bytes(range(256)) * 4 + NOISE[:300] + bytes(700),
    "one value": b"a" * 5_000,
    "noise": NOISE,
    "empty": b"",
    "video": clip(20, 4, 6, 1),
    "image": a_png(24, 17),
    "sound": a_wav(150),
    "zeros": bytes(200_000) + TEXT + bytes(50_000),
}
HOW = {
    "fast": FAST,
    "three streams": Settings(preset="fast", batch_size=3),
    "both": Settings(preset="balanced", **SMALL),
    "alone": tiny(),
}


@needs_fork
def test_a_process_that_wrote_many_kinds_in_any_order_wrote_nothing_that_needs_it(tmp_path):
    """All kinds and ways, in an order made by chance, each twice in one process."""
    runs = [(name, how, number) for name in INPUTS for how in HOW for number in (1, 2)]
    random.Random(1).shuffle(runs)
    paths, made = [], {}
    for name, how, number in runs:
        path = tmp_path / how / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(INPUTS[name])
        paths.append(compress(path, settings=HOW[how]).output_path)
        made.setdefault((name, how), set()).add(paths[-1].read_bytes())
        if len(paths) % 5 == 0:
            decompress(paths[-1], tmp_path / f"between {len(paths)}")        # decoding leaves nothing behind either
    each_in_a_fresh_process(paths)
    for (name, _, _), path in zip(runs, paths):
        assert path.with_name(path.name + ".again").read_bytes() == INPUTS[name]
    assert all(len(files) == 1 for files in made.values())                   # and the second time was like the first


@needs_fork
def test_priors_of_every_kind_serve_inputs_of_every_shape(tmp_path):
    """Videos of another grid than the one before, texts after videos: what one input learned is no other's."""
    (tmp_path / "a.npy").write_bytes(clip(60, 4, 6, 3))
    (tmp_path / "a.txt").write_bytes(TEXT * 4)
    for kind in ("npy", "txt"):
        learn([tmp_path / f"a.{kind}"], tmp_path / f"{kind}.prior")
    texts = [TEXT, TEXT[100:900], TEXT * 2]
    grids = [(4, 6), (4, 6), (2, 12), (4, 6), (3, 8)]
    paths = []
    for number in range(max(len(texts), len(grids))):
        if number < len(texts):
            path = tmp_path / f"{number}.txt"
            path.write_bytes(texts[number])
            paths.append(compress(path, settings=FAST, prior=tmp_path / "txt.prior").output_path)
        path = tmp_path / f"{number}.npy"
        path.write_bytes(clip(6, *grids[number], number))
        prior = tmp_path / "npy.prior" if grids[number] == (4, 6) else None
        paths.append(compress(path, settings=FAST, prior=prior).output_path)
    # The same prior, looked at in another grid: arrays of cells whose width a person gives.
    flat = [clip(6, 1, 24, number) for number in range(3)]
    (tmp_path / "flat.npy").write_bytes(clip(60, 1, 24, 9).replace(b"(60, 1, 24)", b"(60, 24)   "))
    learn([tmp_path / "flat.npy"], tmp_path / "flat.prior")
    for width, data in zip((6, 8, 6), flat):
        path = tmp_path / f"flat {len(paths)}.npy"
        path.write_bytes(data.replace(b"(6, 1, 24)", b"(6, 24)   "))
        paths.append(compress(path, settings=Settings(preset="fast", grid_width=width), prior=tmp_path / "flat.prior").output_path)
    each_in_a_fresh_process(paths)
    for path in paths:
        assert path.with_name(path.name + ".again").read_bytes() == path.with_suffix("").read_bytes()


@needs_fork
def test_parts_and_folders_come_back_one_after_the_other(tmp_path):
    (tmp_path / "book").write_bytes(TEXT * 6)
    _, manifest = split(tmp_path / "book", 3)
    paths = [compress(tmp_path / name, settings=FAST).output_path for name, _, _ in manifest.parts]
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, data in INPUTS.items():
        (folder / name).write_bytes(data)
    paths.append(compress(folder, settings=FAST).output_path)
    each_in_a_fresh_process(paths)
    for (name, _, digest) in manifest.parts:
        assert hashlib.sha256((tmp_path / f"{name}.lks.again").read_bytes()).hexdigest() == digest
    assert {file.name: file.read_bytes() for file in (tmp_path / "folder.lks.again").iterdir()} == INPUTS


def test_verification_lets_nothing_take_its_name_that_does_not_come_back(tmp_path, monkeypatch):
    """A fault of the encoder alone, as of memory: the process that verifies does not have it."""
    from lib import FormatError
    from lib.mixing import state
    (tmp_path / "in").write_bytes(TEXT * 2)
    notes = []
    packed = compress(tmp_path / "in", settings=Settings(preset="fast", verify="yes"), note=notes.append)
    assert any("in a process of its own" in note for note in notes) and packed.parameters
    before = sorted(tmp_path.iterdir())
    fill = state.apm.fresh
    monkeypatch.setattr(state.apm, "fresh", lambda contexts: fill(contexts) + 640)
    with pytest.raises(FormatError, match="does not decode to its input in a new process .*: nothing was kept; try again, and report it"):
        compress(tmp_path / "in", tmp_path / "other.lks", settings=Settings(preset="fast", verify="yes"))
    assert sorted(tmp_path.iterdir()) == before
    compress(tmp_path / "in", tmp_path / "other.lks", settings=FAST)      # the fault is there


def test_parts_and_priors_are_verified_where_they_are(tmp_path):
    verified = Settings(preset="fast", verify="yes")
    (tmp_path / "book").write_bytes(TEXT * 4)
    _, manifest = split(tmp_path / "book", 2)
    for name, _, _ in manifest.parts:
        assert compress(tmp_path / name, settings=verified).parameters
    learn([tmp_path / "book"], tmp_path / "elsewhere.prior")
    assert compress(tmp_path / "book", settings=verified, prior=tmp_path / "elsewhere.prior").parameters
    assert not [file.name for file in tmp_path.iterdir() if "partial" in file.name or file.name.startswith(".")]
