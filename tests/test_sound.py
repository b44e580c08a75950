"""Sounds: recognised, coded sample by sample, and given back to the last byte."""

import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from samples import FAST, NOISE, a_wav, coded_file, flipped, take_apart, there_and_back, wave_of

from lib import FormatError, InputError, Settings, SettingsError, compress, decompress, inspect, learn, resume
from lib.mixing import regression
from lib.mixing.kinds import waveform
from lib.sources import describe_source
from lib.sources.base import packed_description
from lib.sources.recognition import source_of
from lib.sources.sound import SoundSource
from lib.sources.waves import Waves

SMALL = dict(preset="balanced", rnn_units=8, embedding_size=4, seq_length=4, update_interval=2)
_EXTENSIBLE = struct.pack("<HHII", 22, 16, 3, 1) + b"\0\0\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"


def chunk(name, body, order="<", size=None):
    return name + struct.pack(order + "I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def wav(body, channels=1, each=2, tag=1, form=b"RIFF", more=b"", before=b"", after=b"", size=None, order="<"):
    """A WAV file of the bytes of samples."""
    header = chunk(b"fmt ", struct.pack(order + "HHIIHH", tag, channels, 8000, 8000 * each * channels, each * channels, 8 * each) + more, order)
    inside = b"WAVE" + before + header + chunk(b"data", body, order, size) + after
    return form + struct.pack(order + "I", len(inside)) + inside


def aiff(body, channels=1, bits=16, how=b"", after=b"", offset=0):
    """An AIFF file; of a compression `how` an AIFF-C file."""
    each = -(-bits // 8)
    common = struct.pack(">hIh", channels, len(body) // (each * channels), bits) + bytes.fromhex("400BFA00000000000000") + how
    version = chunk(b"FVER", bytes.fromhex("A2805140"), ">") if how else b""
    inside = version + chunk(b"COMM", common, ">") + chunk(b"SSND", struct.pack(">II", offset, 0) + bytes(offset) + body, ">") + after
    return chunk(b"FORM", (b"AIFC" if how else b"AIFF") + inside, ">")


def low(samples, each):
    """Samples as bytes, the lowest first."""
    return b"".join(int(sample).to_bytes(each, "little", signed=True) for sample in samples)


def high(samples, each):
    return b"".join(int(sample).to_bytes(each, "big", signed=True) for sample in samples)


def unsigned(samples):
    return bytes(int(sample) + 128 for sample in samples)


SAMPLES = {1: wave_of(900, 7), 2: wave_of(900, 15), 3: wave_of(600, 23)}
LIST = chunk(b"LIST", b"INFOICMT\5\0\0\0loud\0\0")
DS64 = chunk(b"ds64", struct.pack("<QQQI", 0, 1800, 900, 0))

# Each: the file, and [bytes of a sample, channels] as they are understood.
SOUNDS = {
    "8 bits": (wav(unsigned(SAMPLES[1]), each=1), [1, 1]),
    "8 bits, two channels": (wav(unsigned(SAMPLES[1]), 2, 1), [1, 2]),
    "16 bits": (wav(low(SAMPLES[2], 2)), [2, 1]),
    "16 bits, two channels": (wav(low(SAMPLES[2], 2), 2), [2, 2]),
    "24 bits": (wav(low(SAMPLES[3], 3), 1, 3), [3, 1]),
    "24 bits, two channels": (wav(low(SAMPLES[3], 3), 2, 3), [3, 2]),
    "six channels": (wav(low(SAMPLES[2], 2), 6), [2, 6]),
    "eight channels of 24 bits": (wav(low(SAMPLES[3], 3), 8, 3), [3, 8]),
    "extensible": (wav(low(SAMPLES[2], 2), 2, tag=0xFFFE, more=_EXTENSIBLE), [2, 2]),
    "chunks around": (wav(low(SAMPLES[2], 2), before=LIST + chunk(b"junk", b"odd"), after=LIST), [2, 1]),
    "bytes behind": (wav(low(SAMPLES[2], 2)) + b"and more", [2, 1]),
    "half a frame behind": (wav(low(SAMPLES[2], 2) + b"abc", 2), [2, 2]),
    "cut short": (wav(low(SAMPLES[2], 2), 2)[:-5], [2, 2]),
    "no size": (wav(low(SAMPLES[2], 2), size=0), [2, 1]),
    "largest size": (wav(low(SAMPLES[2], 2), size=(1 << 32) - 1), [2, 1]),
    "a size that is too large": (wav(low(SAMPLES[2], 2), size=1 << 30), [2, 1]),
    "a size that is too small": (wav(low(SAMPLES[2], 2), size=1700), [2, 1]),
    "RF64": (wav(low(SAMPLES[2], 2), form=b"RF64", before=DS64, size=(1 << 32) - 1, after=LIST), [2, 1]),
    "RIFX": (wav(high(SAMPLES[2], 2), form=b"RIFX", order=">"), [2, 1]),
    "aiff": (aiff(high(SAMPLES[2], 2), 2), [2, 2]),
    "aiff, 8 bits": (aiff(high(SAMPLES[1], 1), bits=8), [1, 1]),
    "aiff, 24 bits, an offset": (aiff(high(SAMPLES[3], 3), 2, 24, offset=6, after=chunk(b"NAME", b"odd", ">")), [3, 2]),
    "aifc": (aiff(high(SAMPLES[2], 2), how=b"NONE\0\0"), [2, 1]),
    "aifc, sowt": (aiff(low(SAMPLES[2], 2), 2, how=b"sowt\0\0"), [2, 2]),
    "one sample": (wav(b"\1\2"), [2, 1]),
    "silence": (wav(bytes(3000)), [2, 1]),
    "noise": (wav(NOISE, 2), [2, 2]),
    "extremes": (wav(low([-32768, 32767] * 300, 2)), [2, 1]),
    "extremes of 24 bits": (wav(low([-(1 << 23), (1 << 23) - 1, 0] * 200, 3), 2, 3), [3, 2]),
    "samples that are multiples": (wav(low(SAMPLES[2] // 256 * 256, 2)), [2, 1]),
}
NO_SOUNDS = {
    "no samples": wav(b""),
    "less than a frame": wav(b"abc", 2),
    "floating point": wav(NOISE, 1, 4, tag=3),
    "32 bits": wav(NOISE, 1, 4),
    "a law": wav(NOISE, 1, 1, tag=6),
    "no channels": wav(NOISE, 0),
    "many channels": wav(NOISE, 9),
    "no format": b"RIFF" + struct.pack("<I", 2008) + b"WAVE" + chunk(b"data", NOISE),
    "a short format": b"RIFF" + struct.pack("<I", 2020) + b"WAVE" + chunk(b"fmt ", b"\1\0\1\0") + chunk(b"data", NOISE),
    "no data": wav(NOISE)[:36],
    "another form": b"RIFF" + struct.pack("<I", 2008) + b"AVI " + NOISE,
    "extensible, floating point": wav(NOISE, 1, 2, tag=0xFFFE, more=_EXTENSIBLE[:8] + b"\3" + _EXTENSIBLE[9:]),
    "text behind": wav(low(SAMPLES[2], 2)) + b"and more " * 2_000,
    "aifc, packed": aiff(NOISE, how=b"ima4\0\0"),
    "aiff, no samples": aiff(b""),
    "aiff, an offset beyond": aiff(NOISE[:200]).replace(b"SSND" + struct.pack(">II", 208, 0), b"SSND" + struct.pack(">II", 208, 1 << 31)),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_of_any_form_comes_back(tmp_path, name):
    data, understood = SOUNDS[name]
    source = source_of(data, FAST)
    assert isinstance(source, SoundSource) and source.layout[2:4].tolist() == understood
    packed = there_and_back(tmp_path, data)
    assert packed.parameters is None or packed.parameters.contexts == "sound"


@pytest.mark.parametrize("name", NO_SOUNDS)
def test_what_is_no_sound_is_coded_as_what_else_it_is(tmp_path, name):
    assert not isinstance(source_of(NO_SOUNDS[name], FAST), SoundSource)
    there_and_back(tmp_path, NO_SOUNDS[name])


def test_a_sound_can_be_taken_for_bytes(tmp_path):
    assert there_and_back(tmp_path, SOUNDS["16 bits"][0], Settings(preset="fast", contexts="binary")).parameters.contexts == "binary"
    with pytest.raises(SettingsError, match="contexts=sound cannot code this input"):
        there_and_back(tmp_path, b"no sound " * 9, Settings(preset="fast", contexts="sound"))


@pytest.mark.parametrize("batch_size", [1, 3, 40])
@pytest.mark.parametrize("name", ["8 bits", "16 bits, two channels", "24 bits, two channels"])
@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_any_number_of_streams_with_and_without_a_network(tmp_path, name, preset, batch_size):
    network = {} if preset == "fast" else SMALL
    there_and_back(tmp_path, SOUNDS[name][0], Settings(**dict(preset=preset, batch_size=batch_size) | network))


def test_a_tone_is_told_from_noise(tmp_path):
    """What predictions are worth: a tone in noise of four bits takes less than five bits a sample."""
    time = np.arange(20_000)
    samples = np.round(9_000 * np.sin(time * 0.1) + 4_000 * np.sin(time * 0.37)) + np.random.default_rng(1).integers(0, 16, len(time))
    packed = there_and_back(tmp_path, wav(low(samples, 2)))
    assert packed.compressed_bytes * 8 / len(time) < 4.8


def test_sounds_of_a_folder_share_what_is_learned(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for number, name in enumerate(["16 bits", "16 bits, two channels", "8 bits", "24 bits", "aiff"]):
        (folder / f"{number}.wav").write_bytes(SOUNDS[name][0])
    packed = compress(folder, settings=FAST)
    assert packed.parameters.contexts == "sound" and len(packed.source.layout) == 5 * 4
    back = decompress(packed.output_path, tmp_path / "back").output_path
    assert {file.name: file.read_bytes() for file in back.iterdir()} == {file.name: file.read_bytes() for file in folder.iterdir()}
    alone = sum(compress(file, tmp_path / "one.lks", FAST, overwrite=True).compressed_bytes for file in folder.iterdir())
    assert packed.compressed_bytes < alone


@pytest.mark.parametrize("name", ["16 bits, two channels", "24 bits"])
def test_a_run_that_goes_on_makes_the_same_file(tmp_path, stop_after, name):
    (tmp_path / "in").write_bytes(SOUNDS[name][0])
    whole = compress(tmp_path / "in", settings=FAST).output_path.read_bytes()
    stop_after(1)
    with pytest.raises(KeyboardInterrupt):
        compress(tmp_path / "in", tmp_path / "2.lks", FAST, checkpoint=tmp_path / "kept")
    stop_after(10_000)
    assert resume(tmp_path / "kept").output_path.read_bytes() == whole


@hypothesis_settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 3), st.booleans(), st.booleans(), st.integers(0, 99))
def test_samples_of_any_size_are_taken_and_given_back(frames, channels, each, from_low, is_signed, seed):
    waves = Waves(frames, channels, each, from_low, is_signed)
    assert waves.are_possible and Waves.from_list(waves.to_list()) == waves
    data = np.random.default_rng(seed).bytes(waves.count)
    codes = waves.take(data)
    assert codes.shape == (waves.count,) and waves.write(codes) == data
    values = [int.from_bytes(data[at:at + each], "little" if from_low else "big", signed=is_signed) for at in range(0, len(data), each)]
    amplitudes = [int.from_bytes(codes[at:at + each].tobytes(), "big") for at in range(0, len(data), each)]
    assert amplitudes == [value + (1 << 8 * each - 1) * is_signed for value in values]


@pytest.mark.parametrize("name", ["16 bits, two channels", "aiff, 24 bits, an offset"])
def test_no_damaged_description_is_believed(name):
    data = SOUNDS[name][0]
    description = source_of(data, FAST).description()
    for place in range(len(description)):
        for mask in (1, 0x80):
            damaged = bytearray(description)
            damaged[place] ^= mask
            try:
                source = describe_source(SoundSource.kind, len(data), bytes(damaged))
            except FormatError:
                continue
            if source.symbol_count < 100_000:
                source.restore(np.zeros(source.symbol_count, np.uint16))


@pytest.mark.parametrize("parts", [
    [255, [b"", b""], [[2, 1, 4, 1, 1]]], [255, [b"", b""], [[2, 9, 2, 1, 1]]], [255, [b"", b""], [[0, 1, 2, 1, 1]]],
    [255, [b"", b""], [[2, 1, 2, 2, 1]]], [255, [b"", b""], [[2.0, 1, 2, 1, 1]]], [255, [b"", b""], [[1 << 40, 1, 2, 1, 1]]],
    [255, [b"", b""], [[2, 1, 2, 1]]], [255, [b"", b""], [[]]], [255, [b"", b""], []], [255, [b""], [[2, 1, 2, 1, 1]]],
    [255, [b"", 7], [[2, 1, 2, 1, 1]]], [256, [b"", b""], [[2, 1, 2, 1, 1]]], [-1, [b"", b""], [[2, 1, 2, 1, 1]]], [255], {}, 5, None])
def test_a_description_made_to_do_harm_is_refused(parts):
    with pytest.raises(FormatError, match="the description of the sound is damaged"):
        describe_source(SoundSource.kind, 4, packed_description(parts))


def test_a_description_of_another_size_is_refused():
    with pytest.raises(FormatError, match="not that of the sound"):
        describe_source(SoundSource.kind, 5, packed_description([255, [b"", b""], [[2, 1, 2, 1, 1]]]))


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_sound_is_still_some_file(seed):
    random = np.random.default_rng(seed)
    for name in ("extensible", "RF64", "chunks around", "aifc, sowt", "aiff, 24 bits, an offset"):
        damaged = bytearray(SOUNDS[name][0])
        for place in random.integers(0, 120, 4):
            damaged[place] = random.integers(0, 256)
        source = source_of(bytes(damaged), FAST)
        assert source.restore(source.symbols()) == bytes(damaged)


def test_a_flipped_or_cut_file_of_a_sound_is_an_error_and_never_other_bytes(tmp_path):
    packed = there_and_back(tmp_path, SOUNDS["16 bits, two channels"][0])
    data = packed.output_path.read_bytes()
    (tmp_path / "out").unlink()
    cut = (data[:size] for size in (0, 1, 40, len(data) // 2, len(data) - 1))
    for damaged in (*(flipped(data, place, 1) for place in range(0, len(data), 41)), *cut):
        packed.output_path.write_bytes(damaged)
        with pytest.raises(FormatError):
            decompress(packed.output_path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_texts_are_no_use_to_sounds(tmp_path):
    (tmp_path / "in").write_bytes(SOUNDS["16 bits"][0])
    (tmp_path / "text").write_bytes(b"text " * 50)
    with pytest.raises(SettingsError, match="contexts=sound cannot use the text primer=text-1"):
        compress(tmp_path / "in", settings=Settings(preset="fast", primer="text-1"))
    prior = learn([tmp_path / "text"], tmp_path / "x.prior")
    with pytest.raises(InputError, match="sounds cannot use a prior"):
        compress(tmp_path / "in", settings=FAST, prior=prior.path)
    packed = there_and_back(tmp_path, SOUNDS["16 bits"][0])
    header, segments = take_apart(packed.output_path.read_bytes(), packed.source.symbol_count)
    header.overrides[15] = "text-1"
    (tmp_path / "crafted").write_bytes(coded_file(header, segments))
    with pytest.raises(FormatError, match="contexts=sound cannot use the text"):
        inspect(tmp_path / "crafted")


def test_what_a_file_of_a_sound_says_of_itself(tmp_path):
    contents = inspect(there_and_back(tmp_path, a_wav(400)).output_path)
    assert contents.fault is None and ("kind", "sound-1") in contents.facts()


def test_factors_are_those_that_fit_the_values_so_far_best():
    random, count, kept, ridge = np.random.default_rng(1), 6, 0.97, 0.5
    features = random.normal(0, 10, (40, count))
    values, weights = features @ np.arange(count) + random.normal(0, 1, 40), random.uniform(0.1, 1, 40)
    products, factors, work = np.zeros(regression.sums(count)), np.zeros(count), np.zeros(regression.sums(count))
    for row, value, weight in zip(features, values, weights):
        regression.learn(products, row, count, value, weight, kept)
    regression.solve(products, count, ridge, factors, work)
    counts = weights * kept ** np.arange(39, -1, -1)
    assert factors == pytest.approx(np.linalg.solve((features.T * counts) @ features + ridge * np.eye(count), (features.T * counts) @ values), rel=1e-6)


def test_numbers_of_a_fit_never_fade_away():
    products = np.zeros(regression.sums(4))
    for _ in range(20_000):
        regression.learn(products, np.zeros(4), 4, 0.0, 1.0, 0.9)
    assert np.abs(products[:-1]).min() > 1e-20


def test_all_that_is_compiled_rounds_one_by_one_in_the_order_that_is_written():
    fits, taken, work = np.zeros(waveform.floats(2)), np.zeros(2, np.int64), np.zeros(waveform.WORK)
    for time in range(40):
        for channel in range(2):
            predictions = waveform.predict(fits, taken, channel, 2)
            waveform.learn(fits, taken, channel, 2, float(time % 7 * 100 + channel), work)
    assert abs(predictions[0] - (39 % 7 * 100 + 1)) < 1          # of the second channel, which is that of the first and one more
    for function in (waveform.predict, waveform.learn):
        for code in function.inspect_llvm().values():
            assert "fmul" in code and not re.search(r"f(mul|add|sub|div) (fast|contract|reassoc|arcp|afn)", code)
            assert "llvm.fma" not in code and "fmuladd" not in code
        for code in function.inspect_asm().values():
            assert not re.search(r"\b(vfn?m(add|sub)|fn?madd|fn?msub|fmla|fmls)", code)
