"""JPEG files as Lepton codes them: quickly, by the package lepton-jpeg-python of Microsoft, which is optional.

What it makes is packed well; a model of ours makes 8 % less of it, at a fiftieth of the speed (docs/jpeg.md).
"""

from typing import Any

from lib.errors import FormatError, InstallationError

_SIGNATURE = b"\xff\xd8"
PACKAGE = "lepton-jpeg-python"
_ONE_PARTITION = {"max_partitions": 1}       # so that what comes out does not depend on how many cores there are
_INTERRUPTIONS = KeyboardInterrupt, SystemExit, MemoryError


def is_there() -> bool:
    """Whether the package is installed."""
    return _package() is not None


def check_installed() -> None:
    """Raises InstallationError where the package is missing."""
    if not is_there():
        raise InstallationError(f"the file holds JPEGs that Lepton coded, and the package {PACKAGE} is not installed", f"pip install {PACKAGE}")


def packed(jpeg: bytes) -> tuple[bytes, bytes] | None:
    """(what Lepton makes of a JPEG file, the recipe); None where it cannot, or where the file would not come back. For where it `is_there`.

    The file may begin with its tables, without the signature.
    """
    package, missing = _package(), b"" if jpeg.startswith(_SIGNATURE) else _SIGNATURE
    jpeg = missing + jpeg
    try:
        made = package.compress_bytes(jpeg, _ONE_PARTITION)
        return (made, bytes([len(missing)])) if package.decompress_bytes(made) == jpeg else None
    except _INTERRUPTIONS:
        raise
    except BaseException:        # its errors, and what its Rust code panics with, are of no class of its own
        return None


def make(inner: bytes, recipe: bytes) -> bytes:
    """The JPEG file. Raises InstallationError where the package is missing, FormatError for what Lepton cannot have made."""
    package = _package()
    if len(recipe) != 1 or recipe[0] > len(_SIGNATURE):
        raise _damaged()
    check_installed()
    try:
        return package.decompress_bytes(inner)[recipe[0]:]
    except _INTERRUPTIONS:
        raise
    except BaseException as error:
        raise _damaged() from error


def _damaged():
    return FormatError("a JPEG in the file is damaged", "get another copy of the file")


def _package() -> Any:
    try:
        import lepton_jpeg_python
    except ImportError:
        return None
    return lepton_jpeg_python
