"""Reversible transforms: what bytes are made of, and the very bytes made of that again.

A transform is a module with `make(inner, recipe)`, which gives the bytes that it once took apart, and raises FormatError for a recipe that it cannot
have given, before anything of a size that the recipe claims is allocated. Its number stands in files and never changes.
"""

from types import MappingProxyType

from lib.errors import FormatError
from lib.transforms import ascii85, base64_lines, deflate, lepton, type1, utf16

DEFLATE, BASE64, LEPTON, UTF16, ASCII85, TYPE1 = range(1, 7)
_MAKERS = MappingProxyType({DEFLATE: deflate.done_again, BASE64: base64_lines.make, LEPTON: lepton.make, UTF16: utf16.make,
                           ASCII85: ascii85.make, TYPE1: type1.make})

_PACKAGES = MappingProxyType({LEPTON: lepton.PACKAGE})       # that must be installed, where a transform is not our own


def package_of(number: int) -> str | None:
    """The package that a transform needs, or None. Raises FormatError for a transform that this version does not know."""
    _check(number)
    return _PACKAGES.get(number)


def check_installed(number: int) -> None:
    """Raises InstallationError where what a transform needs is missing."""
    if number == LEPTON:
        lepton.check_installed()


def make(number: int, inner: bytes, recipe: bytes) -> bytes:
    """The bytes that transform `number` took apart into `inner` and a recipe. Raises FormatError."""
    _check(number)
    return _MAKERS[number](inner, recipe)


def _check(number):
    if number not in _MAKERS:
        raise FormatError(f"the file holds what transform {number} made, which this version of Lockstep does not know", "a newer version may")
