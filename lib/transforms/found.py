"""What a transform finds in data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """Bytes from `start` to `end` of some data, of which `inner` says the same."""

    start: int
    end: int
    inner: bytes
    recipe: bytes        # what makes the bytes of `inner` again, besides it
