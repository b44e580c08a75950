"""lib.storage.names: what a stored name may be, near names and names as a person sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.storage.names import is_file_name, near_name, plain_name, shown


@pytest.mark.parametrize("name", [None, 5, b"a", "", ".", "..", "a/b", "/", "a\0", "\ud800", "n" * 256, "é" * 128, "\udcff" * 256],
                         ids=lambda name: ascii(name)[:20])
def test_what_names_no_one_file_in_a_folder_is_no_name(name):
    assert not is_file_name(name)


@given(st.binary(min_size=1, max_size=255).filter(lambda name: name not in (b".", b"..") and not set(name) & {0, 47}))
def test_every_name_that_a_file_can_have_is_one(name):
    assert is_file_name(name.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("name, near", [
    ("plain.txt", "plain.txt"), ("x:y", "x_y"), ('<>:"\\|?*', "________"), ("a\nb\x1f", "a_b_"), ("end. .", "end___"), ("...", "___"),
    ("CON", "_CON"), ("nul.txt", "_nul.txt"), ("Com1.tar.gz", "_Com1.tar.gz"), ("LPT¹", "_LPT¹"), ("aux .c", "_aux .c"),
    ("CONE", "CONE"), ("com.txt", "com.txt"), ("\u202f\u3000", "\u202f\u3000")], ids=ascii)
def test_a_name_that_windows_cannot_have_has_a_near_one(name, near):
    assert near_name(name, is_windows=True) == near and is_file_name(near)
    assert near_name(near, is_windows=True) == near
    assert near_name(name, is_windows=False) == name


@given(st.text(min_size=1).filter(is_file_name))
def test_a_plain_name_is_one_that_every_disk_has(name):
    plain = plain_name(name)
    assert plain.isascii() and is_file_name(plain) and len(plain) <= 101 and near_name(plain, is_windows=True) == plain


@pytest.mark.parametrize("text, seen", [("naïve 名前 \u202f", "naïve 名前 \u202f"), ("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"),
                                        ("\udcff", "\\xff"), ("a\u202eb", "a\\u202eb"), ("\u2028", "\\u2028")], ids=ascii)
def test_what_could_act_on_a_terminal_is_shown_as_an_escape(text, seen):
    assert shown(text) == seen
