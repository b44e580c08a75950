"""Videos of tokens: recognised, coded, and given back to the last byte; what the network sees of them."""

import io
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from samples import FAST, coded_file, take_apart, there_and_back

from lib import FormatError, InputError, Settings, SettingsError, compress, decompress, inspect, learn
from lib.coding.streams import Streams
from lib.models.inputs import Grid, InputShape, input_shape_of
from lib.sources import ByteSource, VideoSource, describe_source, npy
from lib.sources.recognition import source_of

SMALL = dict(preset="balanced", rnn_units=8, embedding_size=4, seq_length=4, update_interval=2)


def video(frames=12, height=4, width=6, tokens=40, seed=1):
    """A scene whose cells change now and then, and then so do those beside them."""
    random = np.random.default_rng(seed)
    scene = random.integers(0, tokens, (height, width))
    made = []
    for _ in range(frames):
        row, column = random.integers(0, height), random.integers(0, width)
        scene[max(0, row - 1):row + 2, max(0, column - 1):column + 2] = random.integers(0, tokens, (1, 1))
        made.append(scene.copy())
    return np.array(made)


def npy_bytes(*arrays):
    """Arrays as numpy.save writes them, one after the other."""
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array)
    return file.getvalue()


def npz_bytes(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


VIDEO = video()
FORMS = {
    "grid": npy_bytes(VIDEO),
    "cells": npy_bytes(VIDEO.reshape(12, 24)),
    "one byte": npy_bytes(VIDEO.astype(np.uint8)),
    "signed": npy_bytes(VIDEO.astype(np.int16)),
    "big-endian": npy_bytes(VIDEO.astype(">i4")),
    "uint64": npy_bytes(VIDEO.astype("<u8")),
    "columns first": npy_bytes(np.asfortranarray(VIDEO)),
    "large tokens": npy_bytes((VIDEO * 1600).astype(np.uint16)),
    "one token": npy_bytes(np.full((5, 4, 6), 7)),
    "one frame": npy_bytes(VIDEO[:1]),
    "one row": npy_bytes(VIDEO[:, :1]),
    "bytes after it": npy_bytes(VIDEO) + b"and more",
    "several": npy_bytes(VIDEO, VIDEO[::-1].astype(np.uint16)),
    "npz": npz_bytes(a=VIDEO, b=VIDEO[:3].reshape(3, 24).astype(np.uint8)),
    "header of version 2": npy_bytes(VIDEO)[:6] + b"\x02\x00" + npy_bytes(VIDEO)[8:10] + b"\0\0" + npy_bytes(VIDEO)[10:],
}
NO_VIDEOS = {
    "floats": npy_bytes(VIDEO.astype(np.float32)),
    "negative": npy_bytes(VIDEO - 1 - VIDEO.max()),
    "too large": npy_bytes(VIDEO * 100_000),
    "a picture": npy_bytes(VIDEO[..., :3]),
    "a line": npy_bytes(VIDEO.reshape(-1)),
    "four axes": npy_bytes(VIDEO.reshape(3, 4, 4, 6)),
    "nothing": npy_bytes(VIDEO[:0]),
    "booleans": npy_bytes(VIDEO > 3),
    "structured": npy_bytes(np.zeros((4, 9), [("a", "i4")])),
    "objects": npy_bytes(np.array([[1] * 9, [None] * 9], object)),
    "cut short": npy_bytes(VIDEO)[:-1],
    "no header": npy_bytes(VIDEO)[:40],
    "other grids": npy_bytes(VIDEO, video(width=5)),
    "deflated": npz_bytes(np.savez_compressed, a=VIDEO),
    "mostly text": npy_bytes(VIDEO) + b"and more " * 500,
    "a zip of text": npz_bytes(a=np.array(["words", "more"])),
    "no zip": b"PK\3\4" + bytes(300),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_video_in_any_form_comes_back(tmp_path, form):
    packed = there_and_back(tmp_path, FORMS[form])
    assert packed.parameters.contexts == "video" or form == "one token"
    assert isinstance(source_of(FORMS[form], FAST), VideoSource)


@pytest.mark.parametrize("form", NO_VIDEOS)
def test_what_is_no_video_is_coded_as_what_else_it_is(tmp_path, form):
    assert not isinstance(source_of(NO_VIDEOS[form], FAST), VideoSource)
    there_and_back(tmp_path, NO_VIDEOS[form])


@pytest.mark.parametrize("batch_size", [1, 3, 50])
@pytest.mark.parametrize("preset", ["fast", "balanced", "network"])
def test_any_number_of_streams_and_presets(tmp_path, preset, batch_size):
    network = {} if preset == "fast" else SMALL | dict(preset=preset)
    there_and_back(tmp_path, FORMS["grid"], Settings(**dict(preset=preset, batch_size=batch_size) | network))


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "jax"])
def test_a_network_that_sees_neighbours_is_the_same_everywhere(tmp_path, backend):
    sees = SMALL | dict(context_size=3, context_frames=2, num_layers=2, batch_size=2)
    made = there_and_back(tmp_path, FORMS["grid"], Settings(backend="numba", **sees)).output_path.read_bytes()
    assert there_and_back(tmp_path, FORMS["grid"], Settings(backend=backend, **sees)).output_path.read_bytes() == made


def test_a_network_in_floating_point_sees_neighbours_too(tmp_path):
    there_and_back(tmp_path, FORMS["grid"], Settings(arithmetic="float32", context_size=1, **SMALL))


def test_a_run_that_is_stopped_goes_on_to_the_same_bytes(tmp_path, stop_after):
    (tmp_path / "in").write_bytes(FORMS["grid"])
    settings = Settings(**SMALL, context_size=3, context_frames=2)
    whole = compress(tmp_path / "in", tmp_path / "whole", settings).output_path.read_bytes()
    for run, output in ((lambda: compress(tmp_path / "in", tmp_path / "in.lks", settings, checkpoint=tmp_path / "kept"), whole),
                        (lambda: decompress(tmp_path / "in.lks", tmp_path / "out", checkpoint=tmp_path / "kept"), FORMS["grid"])):
        for visits in (100, 70):
            stop_after(visits)
            with pytest.raises(KeyboardInterrupt):
                run()
        stop_after(10_000)
        assert run().output_path.read_bytes() == output


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(5, 9), st.integers(1, 65_536), st.integers(0, 99),
       st.sampled_from(["<i8", ">u4", "<u2"]), st.booleans())
def test_arrays_of_any_size_are_described_and_restored(frames, height, width, tokens, seed, dtype, by_columns):
    array = video(frames, height, width, tokens, seed).astype(dtype)
    data = npy_bytes(np.asfortranarray(array) if by_columns else array)
    source = source_of(data, Settings(contexts="video"))          # a few cells of noise can look smooth, as a picture does
    again = describe_source(VideoSource.kind, len(data), source.description())
    assert again.restore(source.symbols()) == data
    assert (again.grid, again.symbol_count, again.code_bits) == ((height, width), array.size, source.code_bits)


@pytest.mark.parametrize("height, width", [(4, 6), (6, 4), (8, 16), (3, 5)])
def test_the_grid_of_cells_in_a_row_is_recognised(height, width):
    cells = video(300, height, width).reshape(300, -1)
    assert source_of(npy_bytes(cells), FAST).grid == (height, width)


def test_a_grid_can_be_given(tmp_path):
    assert source_of(FORMS["cells"], Settings(grid_width=8)).grid == (3, 8)
    there_and_back(tmp_path, FORMS["cells"], Settings(preset="fast", grid_width=8))
    with pytest.raises(SettingsError, match="grid_width must divide the 24 cells of a frame, got 7"):
        source_of(FORMS["cells"], Settings(grid_width=7))


def test_contexts_that_cannot_look_at_an_input_are_refused(tmp_path):
    (tmp_path / "in").write_bytes(b"text " * 50)
    with pytest.raises(SettingsError, match="contexts=video cannot code this input, only text and binary can"):
        compress(tmp_path / "in", settings=Settings(contexts="video"))
    packed = there_and_back(tmp_path, FORMS["grid"], Settings(preset="fast", contexts="binary"))     # as bytes, if one likes
    assert packed.parameters.contexts == "binary"


def test_a_header_with_contexts_of_other_data_is_refused(tmp_path):
    packed = there_and_back(tmp_path, FORMS["grid"])
    header, segments = take_apart(packed.output_path.read_bytes(), VIDEO.size)
    header.overrides[13] = "text"             # contexts
    (tmp_path / "crafted").write_bytes(coded_file(header, segments))
    with pytest.raises(FormatError, match="contexts=text cannot code this input, only video can; the file is damaged"):
        inspect(tmp_path / "crafted")


@pytest.mark.parametrize("form", ["grid", "npz", "several"])
def test_no_damaged_description_is_believed(form):
    data = FORMS[form]
    description = bytearray(source_of(data, FAST).description())
    for place in range(len(description)):
        for mask in (1, 0x80):
            damaged = bytearray(description)
            damaged[place] ^= mask
            try:
                source = describe_source(VideoSource.kind, len(data), bytes(damaged))
            except FormatError:
                continue
            assert len(source.restore(np.zeros(source.symbol_count, np.uint16))) == len(data)


@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_a_header_by_mistake(data):
    npy.arrays_in(npy.MAGIC + data)
    npy.arrays_in(b"PK" + data)
    assert npy.trailing_header(data) is None


def test_a_harmless_looking_header_is_not_executed(tmp_path):
    text = "{'descr': '<i8', 'fortran_order': False, 'shape': (__import__('os').mkdir('%s'), 9), }" % (tmp_path / "made")
    header = npy.MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
    assert npy.arrays_in(header + bytes(900)) == [] and not (tmp_path / "made").exists()


def test_a_prior_of_clips_helps_with_others(tmp_path):
    """A token is always followed by the same one, which a clip of its own learns anew."""
    follower = np.random.default_rng(5).permutation(300)
    for seed, name in enumerate("abc"):
        clip = [np.random.default_rng(seed).integers(0, 300, (4, 6))]
        for _ in range(39):
            clip.append(follower[clip[-1]])
        np.save(tmp_path / f"{name}.npy", np.array(clip))
    prior = learn([tmp_path / "a.npy", tmp_path / "b.npy"], tmp_path / "clips.prior")
    alone = compress(tmp_path / "c.npy", tmp_path / "alone", FAST)
    packed = compress(tmp_path / "c.npy", settings=FAST, prior=prior.path)
    assert packed.compressed_bytes < alone.compressed_bytes
    assert decompress(packed.output_path, tmp_path / "out").sha256 == packed.sha256


def test_clips_of_other_grids_after_one_prior_decode_in_a_fresh_process(tmp_path):
    """What a process keeps of a prior is that of a grid: the next clip of another one learns it anew."""
    (tmp_path / "learned.npy").write_bytes(npy_bytes(video(40, 4, 16).reshape(40, 64)))
    prior = learn([tmp_path / "learned.npy"], tmp_path / "clips.prior").path
    grids = {"tall": (16, 4), "square": (8, 8), "wide": (4, 16)}
    for name, (height, width) in grids.items():
        (tmp_path / name).write_bytes(npy_bytes(video(10, height, width, seed=height)))
        compress(tmp_path / name, settings=FAST, prior=prior)
    for name in list(grids)[1:]:
        command = [sys.executable, "-m", "lib", "decompress", tmp_path / f"{name}.lks", "-o", tmp_path / f"{name}.out", "--prior", prior]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{name}.out").read_bytes() == (tmp_path / name).read_bytes()


def test_a_prior_of_other_data_is_refused(tmp_path):
    (tmp_path / "text").write_bytes(b"text " * 50)
    np.save(tmp_path / "clip.npy", VIDEO)
    np.save(tmp_path / "other.npy", video(width=5))
    for name in ("text", "other.npy"):
        prior = learn([tmp_path / name], tmp_path / "x.prior", overwrite=True)
        with pytest.raises(InputError, match="was learned from data of another kind than this input, or of videos of another grid"):
            compress(tmp_path / "clip.npy", settings=FAST, prior=prior.path)


@pytest.mark.parametrize("size, frames", [(1, 1), (3, 2), (5, 1)])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_step_sees_its_neighbours(size, frames, batch_size):
    source = source_of(FORMS["grid"], FAST)
    symbols, (height, width), streams = source.symbols(), source.grid, Streams(source.symbol_count, batch_size)
    grid = Grid(source.vocabulary_size, source.layout, streams, size, frames)
    laid_out, none = streams.lay_out(symbols), source.vocabulary_size
    here = max(3, size) // 2
    offsets = [(0, row, column) for row in range(-here, 1) for column in range(-here, here + 1) if (row, column) < (0, 0)] + [
        (-frame, row, column) for frame in range(1, frames + 1) for row in range(-(size // 2), size // 2 + 1)
        for column in range(-(size // 2), size // 2 + 1)]
    for step in range(streams.steps - 1):
        seen = grid.after(step, laid_out[step])
        for stream in range(batch_size):
            start = stream * streams.steps
            frame, cell = divmod(start + step + 1, height * width)
            expected = []
            for back, down, right in offsets:
                row, column = cell // width + down, cell % width + right
                place = ((frame + back) * height + row) * width + column
                inside = 0 <= row < height and 0 <= column < width and start <= place <= start + step
                expected.append(int(laid_out[place - start, stream]) if inside else none)
            assert seen[stream].tolist() == [*expected, none + 1 + cell]
    chosen = Settings(preset="balanced", context_size=size, context_frames=frames).resolve(100, "video")
    assert input_shape_of(chosen, source) == InputShape(none, len(offsets) + 1, none + 1 + height * width)


def test_bytes_have_no_neighbours():
    chosen = Settings(preset="balanced", context_size=3).resolve(100, "text")
    assert input_shape_of(chosen, ByteSource.from_bytes(b"abc")) == InputShape(3, 1, 3)


def test_code_lengths_add_up_to_the_size(tmp_path):
    (tmp_path / "in").write_bytes(npy_bytes(video(200)))
    packed = compress(tmp_path / "in", settings=FAST, code_lengths=True)
    assert packed.code_lengths.shape == (packed.source.symbol_count,) and packed.code_lengths.dtype == np.float32
    assert 0.9 * packed.compressed_bytes < packed.code_lengths.sum() / 8 + len(packed.source.description()) < 1.05 * packed.compressed_bytes
    assert compress(tmp_path / "in", tmp_path / "2", FAST).code_lengths is None


def test_a_real_clip_is_smaller_than_by_any_peer(tmp_path, real_data):
    """The bars of docs/video.md: lzma's best makes 9,805 bytes of these 100 frames."""
    (path,) = real_data.rglob("tokens.npy")
    tokens = np.load(path)[:100]
    packed = there_and_back(tmp_path, npy_bytes(tokens))
    assert packed.source.grid == (8, 16) and packed.compressed_bytes <= 8_600
