"""What sources of samples have in common: stretches of samples, each of its own form, between bytes that are kept as they are."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from lib.errors import FormatError
from lib.sources import base

_MOST_CODE = 255


class Stretch(Protocol):
    """How the samples of a stretch lie in its bytes."""

    @property
    def size(self) -> int:
        """Bytes of the stretch."""

    @property
    def count(self) -> int:
        """Codes of the stretch."""

    @property
    def fields(self) -> list[int]:
        """What contexts are told of it."""

    def write(self, codes: np.ndarray) -> bytes:
        """The bytes of the stretch, from its codes, uint8 of shape (count,)."""

    def to_list(self) -> list:
        """What the description says of it; `from_list` is the inverse."""

    @classmethod
    def from_list(cls, values: list) -> "Stretch":
        """Raises one of base.FAULTS for what `to_list` cannot have made."""


class StretchSource(base.WholeSource):
    """Samples as symbols 0 to V - 1: the codes that occur, in ascending order. A subclass says of which stretches."""

    kind: ClassVar[int]
    stretch: ClassVar[type[Stretch]]
    noun: ClassVar[str]              # for messages
    context_kinds: ClassVar[tuple[str, ...]]
    code_bits = 8

    def __init__(self, codes: np.ndarray, pieces: Sequence[bytes], stretches: Sequence[Any], samples: np.ndarray | None = None) -> None:
        """codes: uint16, ascending, shape (V,); pieces: bytes before each stretch and after the last; samples: uint8, the codes of
        all stretches, where there are any yet.
        """
        self.codes, self._pieces, self._stretches = codes, pieces, stretches
        self._samples: Any = samples
        self.symbol_count = sum(stretch.count for stretch in stretches)

    @classmethod
    def of_files(cls, files: Sequence[tuple[bytes, base.Found]]) -> Self:
        """The source of files that follow each other, each with what was found in it."""
        samples = np.concatenate([found.codes for _, found in files])
        return cls(base.occurring(samples), base.pieces_around(files), [found.what for _, found in files], samples)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> Self:
        """Raises FormatError where `description` is none that `description()` could have made."""
        try:
            values, pieces, stretches = base.unpacked_description(description)
            codes = base.unpacked_values(values, _MOST_CODE)
            stretches = [cls.stretch.from_list(stretch) for stretch in stretches]
            fits = type(pieces) is list and len(pieces) == len(stretches) + 1 > 1 and all(isinstance(piece, bytes) for piece in pieces)
        except base.FAULTS as error:
            raise base.damaged(f"the {cls.noun}") from error
        if not fits:
            raise base.damaged(f"the {cls.noun}")
        if original_bytes != sum(map(len, pieces)) + sum(stretch.size for stretch in stretches):
            raise FormatError(f"the header's size is not that of the {cls.noun} it describes", "the file is damaged")
        return cls(codes, pieces, stretches)

    @property
    def layout(self) -> np.ndarray:
        """int64, flat: of each stretch where its codes begin and end, and its `fields`."""
        layout, start = [], 0
        for stretch in self._stretches:
            layout += [start, start + stretch.count, *stretch.fields]
            start += stretch.count
        return np.array(layout, np.int64)

    @property
    def around(self) -> int:
        """Bytes that are no samples, as they are in the description."""
        return sum(map(len, self._pieces))

    def suitable_contexts(self) -> str:
        return self.context_kinds[0]

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: no prior is of use here yet."""
        return None

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,)."""
        index = np.zeros(_MOST_CODE + 1, np.uint16)
        index[self.codes] = np.arange(len(self.codes))
        return index[self._samples]

    def description(self) -> bytes:
        """All but the samples; deflated."""
        return base.packed_description([base.packed_values(self.codes), self._pieces, [stretch.to_list() for stretch in self._stretches]])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The bytes that symbols of shape (n,) stand for."""
        codes, parts, start = self.codes[symbols].astype(np.uint8), [], 0
        for piece, stretch in zip(self._pieces, self._stretches):
            parts += [piece, stretch.write(codes[start:start + stretch.count])]
            start += stretch.count
        return b"".join([*parts, self._pieces[-1]])
