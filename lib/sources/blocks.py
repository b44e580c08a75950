"""An input as what it is made of: groups of bytes, each of one kind and a source of its own, and a map that puts them together."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from lib.blocks import tree
from lib.coding.streams import StackedStreams, Streams
from lib.errors import FormatError, SettingsError
from lib.limits import MOST_GROUPS, MOST_TAKEN_APART
from lib.parameters import Parameters
from lib.sources import base
from lib.sources.bytes import ByteSource
from lib.sources.image import ImageSource
from lib.sources.jpeg import JpegSource
from lib.sources.runs import RunSource
from lib.sources.sound import SoundSource
from lib.sources.source import Source
from lib.sources.video import VideoSource
from lib.transforms import check_installed, package_of

_Part = TypeVar("_Part")
MAP = "map"
WITH_PRIORS = ("text", "binary")             # groups that a prior of bytes suits
_LARGE_MAP = 256                             # bytes: a smaller one is in the description, and not worth a predictor
_GROUPS = (MAP, *tree.KINDS)                # by number, in headers: these never change
_OF_BYTES = (ByteSource.kind, RunSource.kind)
_SOURCES = {MAP: _OF_BYTES, "text": _OF_BYTES, "binary": _OF_BYTES, "packed": _OF_BYTES, "image": (ImageSource.kind,), "jpeg": (JpegSource.kind,),
            "sound": (SoundSource.kind,), "video": (VideoSource.kind,)}


@dataclass(frozen=True)
class Group:
    """All leaves of a kind, or the map."""

    name: str                                # of _GROUPS
    size: int                                # bytes
    source: Source
    parameters: Parameters | None = None     # what it is coded with, once that is known

    @property
    def contexts(self) -> str:
        """The kind of contexts that suits it."""
        return "binary" if self.name == MAP else self.name

    def restore(self, symbols: np.ndarray) -> bytes:
        """Its bytes. Raises FormatError where they are not as many as the header says."""
        restored = self.source.restore(symbols)
        if len(restored) != self.size:
            raise FormatError("a group is not of the size that the header says", "the file is damaged")
        return restored

    def to_list(self) -> list:
        """What a header holds of it."""
        assert self.parameters is not None
        return [_GROUPS.index(self.name), self.size, self.source.kind, self.source.description(), *self.parameters.to_header()]


class BlockSource(base.WholeSource):
    """An input in groups. Each is coded by itself, one after the other, a large map first."""

    kind = 6
    unit = "symbols"
    model_inputs = "last"
    context_kinds = ()                       # each group has its own
    code_bits = 0
    layout = np.zeros(0, np.int64)

    def __init__(self, groups: Sequence[Group], transforms: bytes, small_map: bytes, original_bytes: int) -> None:
        """transforms: the numbers of those in the map, ascending. small_map: the map, where no group is; else nothing."""
        self.groups, self.transforms, self.small_map, self._original_bytes = tuple(groups), transforms, small_map, original_bytes

    @classmethod
    def from_nodes(cls, nodes: Sequence[tree.Node], original_bytes: int) -> Source:
        """The source of an input that `nodes` put together make: of one leaf, that of its kind."""
        tree_map, leaves = tree.taken_apart(nodes)
        if len(nodes) == 1 and isinstance(nodes[0], tree.Leaf):
            return _source_of(leaves[nodes[0].kind])
        groups = [Group(MAP, len(tree_map), ByteSource.from_bytes(tree_map))] if len(tree_map) >= _LARGE_MAP else []
        for name in tree.KINDS:
            groups += [Group(name, sum(len(leaf.data) for leaf in some), _source_of(some)) for some in _parted(leaves.get(name, []))]
        return cls(groups, bytes(sorted(tree.transforms_in(nodes))), b"" if groups[0].name == MAP else tree_map, original_bytes)

    @classmethod
    def from_description(cls, original_bytes: int, description: bytes) -> "BlockSource":
        """Raises FormatError where `description` is none that `description()` could have made, SettingsError where its parameters are unknown."""
        from lib.sources import describe_source
        try:
            groups = []
            transforms, small_map, *described_groups = base.unpacked_description(description)
            if len(described_groups) > MOST_GROUPS:
                raise ValueError("no input has so many groups")
            for number, size, kind, described, preset, overrides in described_groups:
                if not (0 < size <= original_bytes + MOST_TAKEN_APART and kind in _SOURCES[_GROUPS[number]]):
                    raise ValueError("no group is like this")
                groups.append(Group(_GROUPS[number], size, describe_source(kind, size, described), Parameters.from_header(preset, overrides)))
            if not groups or sorted(groups, key=lambda group: _GROUPS.index(group.name)) != groups:
                raise ValueError("groups are in order")
            if type(small_map) is not bytes or bool(small_map) == (groups[0].name == MAP):
                raise ValueError("there is one map")
            for number in transforms:
                package_of(number)               # of which there is none in a version that does not know it
            return cls(groups, bytes(transforms), small_map, original_bytes)
        except SettingsError:                    # which says of what a newer version may know
            raise
        except base.FAULTS as error:
            raise base.damaged("what the file is made of") from error

    def with_parameters(self, parameters: Sequence[Parameters]) -> "BlockSource":
        """The same, once it is known what each group is coded with."""
        return BlockSource([replace(group, parameters=own) for group, own in zip(self.groups, parameters, strict=True)],
                           self.transforms, self.small_map, self._original_bytes)

    @property
    def packages(self) -> list[str]:
        """What has to be installed to give the input back."""
        return [package for number in self.transforms if (package := package_of(number))]

    def check_installed(self) -> None:
        """Raises InstallationError where it is not."""
        for number in self.transforms:
            check_installed(number)

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
        """Those of each group, by its own parameters once they are known."""
        sizes = [group.parameters.batch_size if group.parameters else batch_size for group in self.groups]
        own = [group.source.streams_for(size) for group, size in zip(self.groups, sizes)]
        return StackedStreams(tuple(streams for streams in own if isinstance(streams, Streams)))        # a group is in no groups

    @property
    def left_out(self) -> int:                   # type: ignore[override]  # which is a number for all others
        return sum(group.source.left_out for group in self.groups)

    def suitable_contexts(self) -> str:
        """The kind that most of it is of."""
        return self.largest.contexts

    @property
    def largest(self) -> Group:
        """The group of the most symbols."""
        return max(self.groups, key=lambda group: group.source.symbol_count)

    def codes_of(self, text: bytes) -> np.ndarray | None:
        """uint16: the codes of a prior's text, for the groups of bytes; None where there are none."""
        return next((group.source.codes_of(text) for group in self.groups if group.name in WITH_PRIORS), None)

    def symbols(self) -> np.ndarray:
        """uint16, shape (symbol_count,): those of all groups, one after the other."""
        return np.concatenate([group.source.symbols() for group in self.groups])

    def description(self) -> bytes:
        """What each group is, and how it is coded."""
        return base.packed_description([self.transforms, self.small_map, *(group.to_list() for group in self.groups)])

    def restore(self, symbols: np.ndarray) -> bytes:
        """The input's bytes."""
        parts: list[bytes] = []
        start = 0
        for group in self.groups:
            end = start + group.source.symbol_count
            parts.append(group.restore(symbols[start:end]))
            start = end
        groups = {name: b"".join(some) for name, some in self.by_name(parts).items()}
        return tree.put_together(groups.pop(MAP, self.small_map), groups, self._original_bytes)

    def beginning(self, symbols: np.ndarray) -> bytes:
        """The input's first bytes, as far as the first symbols say them: uint16, shape (n,), where all groups have one stream each."""
        known: list[bytes] = []
        start = 0
        for group in self.groups:
            end = start + group.source.symbol_count
            if end <= len(symbols):
                known.append(group.restore(symbols[start:end]))
            else:
                known.append(group.source.restore(symbols[start:]) if type(group.source) is ByteSource else b"")
            start = end
        groups = {name: b"".join(some) for name, some in self.by_name(known).items()}
        if MAP in groups and len(groups[MAP]) < self.groups[0].size:
            return b""
        return tree.beginning(groups.pop(MAP, self.small_map), groups, self._original_bytes)

    def by_name(self, parts: Sequence[_Part]) -> dict[str, list[_Part]]:
        """{name of groups: what `parts` has of each of them}."""
        named: dict[str, list[_Part]] = {}
        for group, part in zip(self.groups, parts, strict=True):
            named.setdefault(group.name, []).append(part)
        return named


def _parted(leaves: Sequence[tree.Leaf]) -> Iterator[list[tree.Leaf]]:
    """Leaves of a kind, in as many groups as they need: videos of other grids have sources of their own."""
    for _, same in itertools.groupby(leaves, key=lambda leaf: leaf.found.grid if leaf.kind == "video" else None):
        yield list(same)


def _source_of(leaves: Sequence[tree.Leaf]) -> Source:
    """The source of a group."""
    kind, files = leaves[0].kind, [(leaf.data, leaf.found) for leaf in leaves]
    if kind == "image":
        return ImageSource.of_files(files)
    if kind == "sound":
        return SoundSource.of_files(files)
    if kind == "jpeg":
        return JpegSource.of_files([found for _, found in files])
    if kind == "video":
        return VideoSource.of_files([found for _, found in files])
    data = b"".join(leaf.data for leaf in leaves)
    return RunSource.from_bytes(data) or ByteSource.from_bytes(data)
