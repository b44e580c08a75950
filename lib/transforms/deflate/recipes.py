"""Recipes as bytes: the number of the nearest preset, what the settings differ in, the stream's size, the corrections."""

from dataclasses import dataclass

from lib import varint
from lib.errors import FormatError
from lib.limits import MOST_RECIPE
from lib.transforms.deflate.presets import PRESETS, are_possible

LONGEST_BEGINNING = 64           # bytes before the corrections
_PADDED = 128                    # in the first byte


@dataclass(frozen=True)
class Recipe:
    """What makes a stream again, beside the bytes that it inflates to."""

    size: int                # bytes of the stream
    settings: tuple          # as in lib.transforms.deflate.matching
    corrections: bytes
    padding: int = 0         # what fills the last byte, where that is not zeros

    def packed(self) -> bytes:
        """The recipe; `read` is the inverse."""
        differing = [[(place, value) for place, value in enumerate(self.settings) if value != preset[place]] for preset in PRESETS]
        nearest = min(range(len(PRESETS)), key=lambda number: len(differing[number]))
        numbers = [self.size, len(differing[nearest]), *(number for pair in differing[nearest] for number in pair)]
        beginning = bytes([nearest | _PADDED, self.padding] if self.padding else [nearest])
        return beginning + varint.packed(*numbers) + self.corrections

    @classmethod
    def read(cls, recipe: bytes) -> "Recipe":
        """Raises FormatError for what `packed` cannot have made."""
        if len(recipe) > MOST_RECIPE:
            raise impossible()
        numbers: list[int] = []
        try:
            place, padding = (2, recipe[1]) if recipe[0] & _PADDED else (1, 0)
            while len(numbers) < 2 or len(numbers) < 2 + 2 * numbers[1]:
                if place > LONGEST_BEGINNING:
                    raise impossible()
                value, place = varint.read(recipe, place)
                numbers.append(value)
            settings = list(PRESETS[recipe[0] & ~_PADDED])
            for parameter, value in zip(numbers[2::2], numbers[3::2]):
                settings[parameter] = value
        except (IndexError, ValueError):
            raise impossible() from None
        if not numbers[0] or not are_possible(tuple(settings)):
            raise impossible()
        return cls(numbers[0], tuple(settings), recipe[place:], padding)


def impossible() -> FormatError:
    """The FormatError for a recipe that is none."""
    return FormatError("what is to make a deflated stream again is damaged", "get another copy of the file")
