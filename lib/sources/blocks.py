"""An input as what it is made of: groups of bytes, each of one kind and a source of its own, and a map that puts them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.blocks import tree
from lib.coding.streams import StackedStreams, Streams
from lib.errors import FormatError
from lib.limits import MOST_TAKEN_APART
from lib.parameters import Parameters
from lib.sources import base
from lib.sources.bytes import ByteSource
from lib.sources.source import Source

_MAP = "map"
_GROUPS = (_MAP, *tree.KINDS)                # by number, in headers: these never change


@dataclass(frozen=True)
class Group:
    """All leaves of a kind, or the map."""

    name: str                                # of _GROUPS
    size: int                                # bytes
    source: Source
    parameters: Parameters | None = None     # what it is coded with, once that is known

    def to_list(self) -> list:
        """What a header holds of it."""
        assert self.parameters is not None
        return [_GROUPS.index(self.name), self.size, self.source.kind, self.source.description(), *self.parameters.to_header()]


class BlockSource(base.WholeSource):
    """An input in groups. Each is coded by itself, one after the other, the map first."""

    kind = 6
    unit = "symbols"
    model_inputs = "last"
    context_kinds = ()                       # each group has its own
    code_bits = 0
    layout = np.zeros(0, np.int64)

    def __init__(self, groups: Sequence[Group], original_bytes: int) -> None:
        self.groups, self._original_bytes = tuple(groups), original_bytes

    @classmethod
    def from_nodes(cls, nodes: Sequence[tree.Node], original_bytes: int) -> "BlockSource":
        """The source of an input that `nodes` put together make."""
        tree_map, groups = tree.taken_apart(nodes)
        return cls([Group(name, len(data), ByteSource.from_bytes(data)) for name, data in {_MAP: tree_map, **groups}.items() if data],
                   original_bytes)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "BlockSource":
        """Raises FormatError where `description` is none that `description()` could have made."""
        from lib.sources import describe_source
        try:
            groups = []
            for number, size, kind, described, preset, overrides in base.unpacked_description(description):
                if not (0 < size <= original_bytes + MOST_TAKEN_APART and 0 <= number < len(_GROUPS) and kind != cls.kind):
                    raise ValueError("no group is like this")
                groups.append(Group(_GROUPS[number], size, describe_source(kind, size, described), Parameters.from_header(preset, overrides)))
            if not groups or sorted({_GROUPS.index(group.name) for group in groups}) != [_GROUPS.index(group.name) for group in groups]:
                raise ValueError("groups are in order, and each is there once")
            return cls(groups, original_bytes)
        except base.FAULTS as error:
            raise base.damaged("what the file is made of") from error

    def with_parameters(self, parameters: Sequence[Parameters]) -> "BlockSource":
        """The same, once it is known what each group is coded with."""
        return BlockSource([replace(group, parameters=own) for group, own in zip(self.groups, parameters, strict=True)], self._original_bytes)

    @property
    def symbol_count(self) -> int:
        return sum(group.source.symbol_count for group in self.groups)

    @property
    def vocabulary_size(self) -> int:
        return max(group.source.vocabulary_size for group in self.groups)

    @property
    def codes(self) -> np.ndarray:
        return np.zeros(0, np.uint16)

    def streams_for(self, batch_size: int) -> StackedStreams:
        return StackedStreams(tuple(Streams(group.source.symbol_count, batch_size) for group in self.groups))

    def suitable_contexts(self) -> str:
        """The kind that most of it is of."""
        return self.largest.source.suitable_contexts()

    @property
    def largest(self) -> Group:
        """The group of the most symbols."""
        return max(self.groups, key=lambda group: group.source.symbol_count)

    def codes_of(self, text: bytes) -> np.ndarray | None:
        return self.largest.source.codes_of(text)

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,): those of all groups, one after the other."""
        return np.concatenate([group.source.symbols() for group in self.groups])

    def description(self) -> bytes:
        """What each group is, and how it is coded."""
        return base.packed_description([group.to_list() for group in self.groups])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The input's bytes."""
        groups, start = {}, 0
        for group in self.groups:
            end = start + group.source.symbol_count
            groups[group.name], start = group.source.restore(symbols[start:end]), end
        if any(len(groups[group.name]) != group.size for group in self.groups):
            raise FormatError("a group is not of the size that the header says", "the file is damaged")
        return tree.put_together(groups.pop(_MAP, b""), groups, self._original_bytes)
