"""Deflate undone, and done again to the bit; docs/deflate.md has the method and figures."""

from lib.transforms.deflate.streams import Undone, done_again, undone

__all__ = ["Undone", "done_again", "undone"]
