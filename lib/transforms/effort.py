"""What a search may cost: counted in bytes, so that it is the same on every machine."""

_MOST_IN_VAIN = 1 << 24


class Effort:
    """So many bytes that may be looked at."""

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def is_left(self) -> bool:
        return self._left > 0

    def spend(self, count: int) -> None:
        self._left -= count

    def spend_in_vain(self, count: int) -> None:
        """Spend what a look took that found nothing: it ends early, so a long one is not reckoned whole."""
        self.spend(min(count, _MOST_IN_VAIN))
