"""What a search may cost: counted in bytes, so that it is the same on every machine."""


class Effort:
    """So many bytes that may be looked at."""

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def is_left(self) -> bool:
        return self._left > 0

    def spend(self, count: int) -> None:
        self._left -= count
