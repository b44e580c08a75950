"""What inputs are made of: trees that come back to the byte, and what is found in data."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TEXT

from lib.blocks import segments, tree
from lib.blocks.tree import Leaf, Made
from lib.errors import FormatError
from lib.transforms import BASE64, base64_lines

NOISE = random.Random(1).randbytes(20_000)
LEAVES = st.builds(Leaf, st.sampled_from(tree.KINDS), st.binary(max_size=30))


def nodes_of(leaves):
    return st.lists(st.recursive(leaves, lambda inner: st.builds(
        lambda width, parts: Made(BASE64, base64_lines._RECIPE.pack(width, 1), tuple(parts)), st.integers(0, 80), st.lists(inner, max_size=3)),
        max_leaves=8), max_size=6)


def bytes_of(node):
    if isinstance(node, Leaf):
        return node.data
    return base64_lines.make(b"".join(map(bytes_of, node.parts)), node.recipe)


def taken_apart(nodes):
    """(the map, {kind: the bytes of all its leaves})."""
    tree_map, leaves = tree.taken_apart(nodes)
    return tree_map, {kind: b"".join(leaf.data for leaf in some) for kind, some in leaves.items()}


@given(nodes_of(LEAVES))
def test_a_tree_comes_back_to_the_byte(nodes):
    whole = b"".join(map(bytes_of, nodes))
    tree_map, groups = taken_apart(nodes)
    assert tree.put_together(tree_map, groups, len(whole)) == whole
    assert sum(map(len, groups.values())) <= sum(len(leaf.data) for leaf in leaves_of(nodes))


def leaves_of(nodes):
    for node in nodes:
        yield from [node] if isinstance(node, Leaf) else leaves_of(node.parts)


def test_leaves_of_a_kind_lie_together():
    tree_map, groups = taken_apart([Leaf("text", b"one"), Leaf("binary", b"\0"), Leaf("text", b"two")])
    assert groups == {"text": b"onetwo", "binary": b"\0"} and list(groups) == ["text", "binary"] and len(tree_map) == 6


@given(st.binary(max_size=60), st.binary(max_size=20), st.integers(0, 60))
def test_a_map_that_nobody_made_is_refused_or_harmless(tree_map, text, size):
    try:
        assert len(tree.put_together(tree_map, {"text": text}, size)) == size
    except FormatError:
        pass


@pytest.mark.parametrize("tree_map", [b"\0\3", b"\0\5", b"\2\1", b"\5\0\1", b"\5\xff\xff\x7f", b"\xff" * 12, b"\7\0\0", b"\5\3\0\0\2\0", b"\5\0\0" * 99])
def test_a_damaged_map_is_refused(tree_map):
    with pytest.raises(FormatError):
        tree.put_together(tree_map, {"text": b"four"}, 4)


def test_a_map_cannot_be_too_deep():
    deep = Leaf("text", b"x")
    for _ in range(9):
        deep = Made(BASE64, base64_lines._RECIPE.pack(0, 0), (deep,))
    tree_map, groups = taken_apart([deep])
    with pytest.raises(FormatError, match="too deep"):
        tree.put_together(tree_map, groups, len(bytes_of(deep)))


@pytest.mark.parametrize("width, end", [(76, b"\n"), (64, b"\r\n"), (0, b"")])
@pytest.mark.parametrize("size", [90, 91, 92, 1000, 57 * 40])
def test_base64_is_found_and_comes_back(width, end, size):
    letters = base64.b64encode(NOISE[:size])
    text = end.join(letters[at:at + width] for at in range(0, len(letters), width)) if width else letters
    data = b"before: \n" + text + b"\nafter"
    found = base64_lines.find(data, 9)
    assert found and data[found.start:found.end] == text[:found.end - 9] and len(text) - (found.end - 9) < 4
    assert NOISE.startswith(found.inner) and base64_lines.make(found.inner, found.recipe) == data[9:found.end]


@pytest.mark.parametrize("text", [b"word " * 50, b"A" * 100, b"A" * 121 + b"!", base64.b64encode(NOISE[:100])[:-2] + b"B="])
def test_what_is_no_base64_is_left(text):
    found = base64_lines.find(text, 0)
    assert found is None or base64_lines.make(found.inner, found.recipe) == text[:found.end]


@pytest.mark.parametrize("recipe", [b"", b"\0", b"\0\0\2", b"\0\0\0\0"])
def test_a_damaged_recipe_of_base64_is_refused(recipe):
    with pytest.raises(FormatError, match="recipe of base64"):
        base64_lines.make(b"abc", recipe)


def test_text_and_other_data_are_told_apart():
    text = TEXT * (30_000 // len(TEXT) + 1)
    data = text + NOISE + text + bytes(9_000) + NOISE[:300] + text
    found = segments.stretches(data)
    assert [kind for _, _, kind in found] == ["text", "binary", "text"]
    assert abs(found[1][0] - len(text)) < 1_024 and abs(found[1][1] - len(text) - len(NOISE)) < 1_024
    assert [start for start, _, _ in found[1:]] == [end for _, end, _ in found[:-1]] and found[-1][1] == len(data)


@pytest.mark.parametrize("data, kind", [(TEXT, "text"), (NOISE, "binary"), (b"x", "text"), (b"\1", "binary"), ("Größe übers ".encode() * 900, "text"),
                                        ("русский текст ".encode() * 900, "text"), (bytes(range(256)) * 40, "binary")])
def test_what_is_of_one_kind_is_one_stretch(data, kind):
    assert segments.stretches(data) == [(0, len(data), kind)]
