"""Deflate undone and made again: by every setting of zlib, by other encoders, damaged, hostile."""

import hashlib
import random
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib import FormatError
from lib.transforms.deflate import done_again, search, undone
from lib.transforms.deflate.matching import HIGHEST, LOWEST
from lib.transforms.deflate.presets import PRESETS, are_possible
from lib.transforms.deflate.recipes import Recipe

SAMPLES = sorted((Path(__file__).parent / "deflated").iterdir())
SAMPLE = "aa00c9"        # what they all inflate to, by its SHA-256
_RANDOM = random.Random(4)
WORDS = b" ".join(_RANDOM.choice((b"lookahead", b"match", b"chain", b"literal", b"length", b"of", b"distance")) for _ in range(1500))
NUMBERS = (np.cumsum(np.arange(2500) % 11) * 5).astype("<u2").tobytes()
NOISE = _RANDOM.randbytes(9_000)
DATA = WORDS + NUMBERS + bytes(3_000) + NOISE + WORDS[:3_000]
ALL = 2.0                # of a stream's bytes


def deflated(data, level=6, window=15, memory=8, strategy=zlib.Z_DEFAULT_STRATEGY):
    deflate = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return deflate.compress(data) + deflate.flush()


def flushed(data, *kinds, level=6):
    """A stream with a flush of each kind."""
    deflate, size = zlib.compressobj(level, zlib.DEFLATED, -15), len(data) // (len(kinds) + 1)
    parts = [deflate.compress(data[place * size:(place + 1) * size]) + deflate.flush(kind) for place, kind in enumerate(kinds)]
    return b"".join([*parts, deflate.compress(data[len(kinds) * size:]), deflate.flush()])


def bits_of(stream):
    """A stream's bits, first to last."""
    return [byte >> bit & 1 for byte in stream for bit in range(8)]


def stream_of(bits):
    return bytes(sum(bit << place for place, bit in enumerate(bits[start:start + 8])) for start in range(0, len(bits), 8))


def check(stream, share=ALL, **how):
    """A stream comes back, whatever lies around it; returns its recipe."""
    found = undone(b"before" + stream + b"behind", 6, share, **how)
    assert found is not None and found.size == len(stream) and found.inflated == zlib.decompress(stream, -15)
    assert done_again(found.inflated, found.recipe) == stream
    return found.recipe


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("memory", [8, 9, 3])
def test_what_zlib_makes_takes_next_to_nothing(level, memory):
    assert len(check(deflated(DATA, level, memory=memory))) < 60


@pytest.mark.parametrize("level", range(1, 10))
def test_streams_of_text_are_made_again_by_the_level_alone(level):
    recipe = Recipe.read(check(deflated(WORDS, level)))
    assert recipe.settings[5:9] in {preset[5:9] for preset in PRESETS} and len(recipe.corrections) < 9


@pytest.mark.parametrize("strategy", [zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED])
@pytest.mark.parametrize("level", [1, 4, 6, 9])
def test_every_strategy_comes_back(level, strategy):
    assert len(check(deflated(DATA, level, strategy=strategy))) < 60


@pytest.mark.parametrize("window", range(9, 15))
def test_every_window_comes_back(window):
    assert len(check(deflated(DATA, 6, window))) < 60


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"aaaa", bytes(100_000), NOISE, bytes(range(256)) * 3], ids=len)
@pytest.mark.parametrize("level", [0, 1, 6])
def test_small_and_uniform_data_comes_back(data, level):
    check(deflated(data, level))


@pytest.mark.parametrize("kinds", [(zlib.Z_SYNC_FLUSH,), (zlib.Z_FULL_FLUSH,) * 3, (zlib.Z_PARTIAL_FLUSH,) * 2, (zlib.Z_BLOCK,),
                                   (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK, zlib.Z_PARTIAL_FLUSH)])
@pytest.mark.parametrize("level", [1, 6])
def test_flushes_are_kept(kinds, level):
    assert len(check(flushed(WORDS, *kinds, level=level))) < 70
    check(flushed(b"", *kinds, level=level))


def test_many_full_flushes_take_little_as_the_search_forgets_what_was_before():
    stream = flushed(WORDS, *[zlib.Z_FULL_FLUSH] * 20)
    assert len(check(stream)) < 80


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_streams_of_other_encoders_come_back(sample):
    stream = sample.read_bytes()
    assert hashlib.sha256(zlib.decompress(stream, -15)).hexdigest().startswith(SAMPLE)
    check(stream, share=0.2)


def test_what_encoders_never_do_is_kept_or_left():
    spare = bits_of(deflated(b"abc"))                    # bits of the last byte that say nothing
    spare[-1] ^= 1
    recipe = check(stream_of(spare), 9)
    assert Recipe.read(recipe).padding
    padded = bits_of(deflated(b"abc", 0))
    padded[5] ^= 1                                       # before a stored block's bytes
    check(stream_of(padded))
    literal, code_284, all_extra = [0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 0, 0, 1, 0, 0], [1] * 5
    odd = stream_of([1, 1, 0, *literal, *code_284, *all_extra, *[0] * 5, *[0] * 7])      # 258 bytes, said as 227 and 31
    assert zlib.decompress(odd, -15) == zlib.decompress(odd, -15)[:1] * 259
    assert undone(odd, 0, 9) is None


def test_what_does_not_pay_is_left():
    stream = SAMPLES[0].read_bytes()
    recipe = check(stream, 0.5)
    assert undone(stream, 0, (len(recipe) - 1) / len(stream)) is None and undone(stream, 0, (len(recipe) + 1) / len(stream))


@pytest.mark.parametrize("stream", [b"", b"\x07", b"no deflated stream", deflated(DATA)[:-1], deflated(DATA)[:500], bytes(99)])
def test_what_is_none_or_ends_early_is_none(stream):
    assert undone(stream) is None


def test_damaged_streams_come_back_or_are_left():
    stream, chance = bytearray(deflated(WORDS, 9)), random.Random(7)
    for _ in range(60):
        changed = bytearray(stream)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        found = undone(bytes(changed), share=ALL)
        assert found is None or done_again(found.inflated, found.recipe) == changed[:found.size]


def test_what_inflates_to_more_than_is_allowed_is_left():
    bomb = deflated(bytes(1 << 22))
    assert undone(bomb, most=(1 << 22) - 1) is None
    assert undone(bomb, most=1 << 22)


def test_a_stream_of_empty_blocks_is_left():
    empty = b"\x00\x00\x00\xff\xff" * 10_000 + deflated(b"abc")
    assert undone(empty, share=9) is None


def test_the_recipe_of_another_stream_saves_the_search(monkeypatch):
    first = check(deflated(WORDS, 9))
    monkeypatch.setattr(search, "PRESETS", ())
    assert len(check(deflated(WORDS[2_000:], 9), like=first)) < 20


def test_recipes_are_those_that_they_always_were():
    recipes = [check(sample.read_bytes()) for sample in SAMPLES]
    assert [Recipe.read(recipe).packed() for recipe in recipes] == recipes
    assert hashlib.sha256(b"".join(recipes)).hexdigest().startswith(PINNED)


PINNED = "a64b0418a671"  # what was written with a recipe has to be read with it


@pytest.mark.parametrize("recipe", [b"", b"\x00", b"\x80", b"\x00\x05", bytes([99, 1, 0]), b"\x00" + b"\xff" * 50, bytes([0, 5, 1, 99, 1]),
                                    bytes([0, 5, 1, 0, 9]), bytes([0, 0, 0, 1]), b"\x00" + b"\xff" * 8 + b"\x01\x00"])
def test_impossible_recipes_are_refused(recipe):
    with pytest.raises(FormatError):
        done_again(b"what it inflates to", recipe)


def test_bounds_of_settings_hold():
    assert all(map(are_possible, [LOWEST, HIGHEST, *PRESETS]))
    assert not are_possible(LOWEST[:-1]) and not are_possible((HIGHEST[0] + 1, *HIGHEST[1:]))


RECIPES = [check(stream) for stream in (deflated(WORDS), deflated(DATA, 1), SAMPLES[0].read_bytes(), flushed(WORDS, zlib.Z_FULL_FLUSH))]


@hypothesis_settings(max_examples=150)
@given(st.sampled_from(RECIPES), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), max_size=6), st.binary(max_size=20),
       st.sampled_from([WORDS, DATA, b"", b"abc", bytes(2_000)]))
def test_changed_recipes_are_refused_or_make_other_bytes(recipe, changes, more, inflated):
    changed = bytearray(recipe)
    for place, value in changes:
        changed[place % len(changed)] = value
    for attempt in (bytes(changed) + more, more):
        try:
            made = done_again(inflated, attempt)
        except FormatError:
            continue
        assert len(made) == Recipe.read(attempt).size


@hypothesis_settings(max_examples=60)
@given(st.lists(st.sampled_from([b"abc", b"lock", b"\0" * 40, b"step by step", bytes(range(50))]), max_size=60), st.integers(0, 9),
       st.integers(9, 15), st.integers(1, 9), st.integers(0, 4))
def test_what_zlib_makes_of_anything_comes_back(parts, level, window, memory, strategy):
    check(deflated(b"".join(parts), level, window, memory, strategy), 9)
