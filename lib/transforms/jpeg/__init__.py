"""JPEG files taken apart into coefficients and made again to the byte; docs/jpeg.md has the method and figures."""

from lib.transforms.jpeg.files import Jpeg, Layout, end_of, tables_of, taken_apart

__all__ = ["Jpeg", "Layout", "end_of", "tables_of", "taken_apart"]
