"""What an input is made of: leaves, each of a kind of data, and what a reversible transform makes of others.

All leaves of a kind are coded together, in the order in which they come, so that the tenth text knows the nine before it. What is left of
the tree is a map, a few bytes for each node, which is coded like other bytes:

    varint    2 * the number of a leaf's kind, or 2 * the number of a transform + 1
  of a leaf:
    varint    its length in bytes
  of a leaf that an earlier one is equal to, the number 1:
    varint    the number of its kind
    varint    how many leaves of the kind, those that are equal to earlier ones aside, come before that one
  of what a transform makes:
    varint    length of the recipe
    ...       the recipe: what the transform needs besides its parts
    varint    how many nodes the parts are
    ...       these

and so on for all nodes of the input, one after the other. A varint holds seven bits a byte, the lowest first (as LEB128).
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib import varint
from lib.errors import FormatError
from lib.limits import DEEPEST_TREE, MOST_NODES, MOST_TAKEN_APART
from lib.transforms import make

KINDS = ("text", "binary", "image", "jpeg", "sound", "video", "packed")      # of leaves, by number: these never change
_AGAIN = 1                           # the number of a leaf that came before, which no transform has
_WITHOUT_MATCHES = ("jpeg", "packed")        # kinds whose contexts do not see that something came before


@dataclass(frozen=True)
class Leaf:
    """Bytes of one kind. found: what they were recognised by, for the source of the kind."""

    kind: str
    data: bytes
    found: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Made:
    """What a transform (its number in lib.transforms) makes of the bytes of `parts`, one after the other."""

    transform: int
    recipe: bytes
    parts: "tuple[Node, ...]"


Node = Leaf | Made


class Sliced(Protocol):
    """Bytes of which stretches are asked for, in any order."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice, /) -> bytes: ...


def taken_apart(nodes: Sequence[Node]) -> tuple[bytes, dict[str, list[Leaf]]]:
    """(the map, {kind: all its leaves})."""
    writer = _Writer()
    writer.put(nodes)
    return bytes(writer.map), {kind: writer.groups[kind] for kind in KINDS if kind in writer.groups}


def transforms_in(nodes: Sequence[Node]) -> set[int]:
    """The numbers of all transforms in a tree."""
    made = [node for node in nodes if isinstance(node, Made)]
    return {node.transform for node in made}.union(*(transforms_in(node.parts) for node in made))


def put_together(tree_map: bytes, groups: Mapping[str, bytes], size: int) -> bytes:
    """The input of `size` bytes that `taken_apart` gave these of. Raises FormatError for what it cannot have given."""
    reader = _Reader(tree_map, groups, size + MOST_TAKEN_APART)
    parts = []
    while reader.has_more:
        parts.append(reader.node(0))
    whole = b"".join(parts)
    if len(whole) != size or reader.has_rest:
        raise _damaged("its sizes do not add up")
    return whole


def beginning(tree_map: bytes, groups: Mapping[str, bytes], size: int) -> bytes:
    """The first bytes of the input that `put_together` gives, as many as the first bytes of its groups say."""
    reader, parts = _Reader(tree_map, groups, size + MOST_TAKEN_APART), []
    with contextlib.suppress(FormatError):
        while reader.has_more:
            parts.append(reader.node(0))
    return b"".join(parts)


def stretch(tree_map: bytes, groups: Mapping[str, Sliced], size: int, start: int, stop: int) -> bytes:
    """Bytes `start` up to `stop` of the input that `put_together` gives. Of groups nothing is asked for that lies after what these need,
    and no leaf that is a part of no other data and lies before."""
    reader, parts, at = _Reader(tree_map, groups, size + MOST_TAKEN_APART), [], 0
    while reader.has_more and at < stop:
        length = reader.pass_leaf(start - at)
        if length is None:
            part = reader.node(0)
            parts.append(part[max(start - at, 0):stop - at])
            length = len(part)
        at += length
    return b"".join(parts)


class _Writer:
    def __init__(self):
        self.map = bytearray()
        self.groups: dict[str, list[Leaf]] = {}
        self._places: dict[tuple[str, bytes], int] = {}      # of leaves, among those of their kind

    def put(self, nodes):
        for node in nodes:
            if isinstance(node, Made):
                self.map += varint.packed(2 * node.transform + 1, len(node.recipe)) + node.recipe + varint.packed(len(node.parts))
                self.put(node.parts)
            elif (place := self._places.get((node.kind, node.data))) is not None:
                self.map += varint.packed(_AGAIN, KINDS.index(node.kind), place)
            else:
                self._put_new(node)

    def _put_new(self, leaf):
        group = self.groups.setdefault(leaf.kind, [])
        if leaf.kind in _WITHOUT_MATCHES:
            self._places[leaf.kind, leaf.data] = len(group)
        group.append(leaf)
        self.map += varint.packed(2 * KINDS.index(leaf.kind), len(leaf.data))


class _Reader:
    def __init__(self, tree_map, groups, most):
        self._map, self._groups = tree_map, groups
        self._at, self._nodes, self._left = 0, 0, most       # most: bytes of leaves and of what is made of them
        self._taken = dict.fromkeys(groups, 0)
        self._leaves: dict[str, list[tuple[int, int]]] = {kind: [] for kind in groups}       # where those that may come again are

    @property
    def has_more(self):
        return self._at < len(self._map)

    @property
    def has_rest(self):
        return any(self._taken[kind] != len(data) for kind, data in self._groups.items())

    def node(self, depth):
        """The bytes of the next node."""
        self._nodes += 1
        if depth > DEEPEST_TREE or self._nodes > MOST_NODES:
            raise _damaged("it is too large or too deep")
        number, is_made = divmod(first := self._varint(), 2)
        if first == _AGAIN:
            made = self._leaf_again(self._kind(self._varint()), self._varint())
        elif is_made:
            recipe = self._bytes(self._varint())
            made = make(number, b"".join([self.node(depth + 1) for _ in range(self._count())]), recipe)
        else:
            made = self._leaf(self._kind(number), self._varint())
        self._left -= len(made)
        if self._left < 0:
            raise _damaged("it makes too much")
        return made

    def pass_leaf(self, most):
        """Leave out the next node, if it is a new leaf of up to `most` bytes; returns how many it has, else None."""
        at = self._at
        number, is_made = divmod(self._varint(), 2)
        length = None if is_made else self._varint()
        if length is None or length > most:
            self._at = at
            return None
        self._take(self._kind(number), length)
        return length

    def _kind(self, number):
        if number >= len(KINDS) or KINDS[number] not in self._groups:
            raise _damaged("it names a kind that there is nothing of")
        return KINDS[number]

    def _leaf_again(self, kind, place):
        if place >= len(self._leaves[kind]):
            raise _damaged("it names a leaf that there is not")
        start, end = self._leaves[kind][place]
        return self._groups[kind][start:end]

    def _leaf(self, kind, length):
        start, end = self._take(kind, length)
        return self._groups[kind][start:end]

    def _take(self, kind, length):
        """Where the next leaf of a kind begins and ends."""
        start = self._taken[kind]
        end = self._taken[kind] = start + length
        if end > len(self._groups[kind]):
            raise _damaged("it takes more than there is")
        if kind in _WITHOUT_MATCHES:
            self._leaves[kind].append((start, end))
        return start, end

    def _count(self):
        count = self._varint()
        if count > len(self._map) - self._at:
            raise _damaged("it is cut short")
        return count

    def _bytes(self, length):
        if length > len(self._map) - self._at:
            raise _damaged("it is cut short")
        self._at += length
        return self._map[self._at - length:self._at]

    def _varint(self):
        try:
            value, self._at = varint.read(self._map, self._at)
        except IndexError:
            raise _damaged("it is cut short") from None
        except ValueError:
            raise _damaged("a number is out of bounds") from None
        return value


def _damaged(how):
    return FormatError(f"the map of what the file is made of is damaged: {how}", "get another copy of the file")
