"""JPEG files taken apart into coefficients and made again to the byte; docs/jpeg.md has the method and figures."""

from lib.transforms.jpeg.files import Jpeg, Layout, from_rest, taken_apart

__all__ = ["Jpeg", "Layout", "from_rest", "taken_apart"]
