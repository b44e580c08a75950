"""What an input is made of, found by what its bytes say: the tree of lib.blocks.tree.

Signatures are looked for at every place. What begins with one is kept only where it comes back to the byte; all else is plain bytes,
which lib.blocks.segments cuts into text and other data. How much is tried depends on the bytes alone, never on time.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from lib.blocks import files, pcm, pdf, runs, segments
from lib.blocks.containers import deflated_at
from lib.blocks.tree import KINDS, Leaf, Made, Node
from lib.limits import DEEPEST_TREE, MOST_GROUPS, MOST_TAKEN_APART
from lib.sources.base import Found
from lib.transforms import ASCII85, BASE64, DEFLATE, TYPE1, UTF16, ascii85, base64_lines, deflate, type1, utf16
from lib.transforms.effort import Effort

_FEWEST_DEFLATED = 32                # bytes: less is not worth a node
# How many bytes may be looked at in vain: so many for each of an input, and so many more.
_EFFORT_OF_BYTE, _ANY_EFFORT = 16, 1 << 26
_FEWEST_OF_KIND = 1 << 14            # bytes of text, or of other plain data
_FAR_SEEN = ("ascii85", "type1")     # transforms that look far ahead for an end
_MOST_GRIDS = MOST_GROUPS - len(KINDS)
# What may begin something, each in a group of its own name. All begin with bytes of a small set, which lets `re` pass over others quickly; what does
# not is found by lib.blocks.runs.
_SIGNATURES = re.compile(b"|".join([
    rb"(?P<zip>PK\x03\x04)|(?P<gzip>\x1f\x8b\x08)|(?P<zlib>[\x48\x58\x68\x78][\x01\x5e\x9c\xda\x09\x43\x81\x89\xc3\xc7])", files.SIGNATURES,
    rb"(?P<ascii85>%s)|(?P<type1>%s)" % (ascii85.SIGNATURE, type1.SIGNATURE)]), re.DOTALL)
_OF_FILES = frozenset(re.findall("P<([a-z]+)>", files.SIGNATURES.decode("latin-1")))
_TRANSFORMS = MappingProxyType({"base64": (BASE64, base64_lines.find), "utf16": (UTF16, utf16.find), "ascii85": (ASCII85, ascii85.find), "type1": (TYPE1, type1.find)})


def is_worth_it(nodes: list[Node]) -> bool:
    """Whether the description of nodes and a model for each kind cost less than they may bring."""
    kinds = {node.kind if isinstance(node, Leaf) else "" for node in nodes}
    return len(kinds) > 1 or not kinds <= {*segments.KINDS}


def _of_enough(nodes: list[Node]) -> list[Node]:
    """Nodes in which there is enough plain data of each kind to teach a model: a little of one kind is as good as of the other."""
    sizes = Counter(dict.fromkeys(segments.KINDS, 0))
    for leaf in _plain_leaves(nodes):
        sizes[leaf.kind] += len(leaf.data)
    (most, _), (least, size) = sizes.most_common()
    return _joined(nodes, {least: most} if size < _FEWEST_OF_KIND else {})


def _plain_leaves(nodes: Iterable[Node]) -> Iterator[Leaf]:
    for node in nodes:
        if isinstance(node, Made):
            yield from _plain_leaves(node.parts)
        elif node.kind in segments.KINDS:
            yield node


def _joined(nodes: Iterable[Node], instead: Mapping[str, str]) -> list[Node]:
    """Nodes with other kinds instead of some, and plain neighbours of a kind as one."""
    joined: list[Node] = []
    for node in nodes:
        if isinstance(node, Made):
            node = Made(node.transform, node.recipe, tuple(_joined(node.parts, instead)))
        elif node.kind in segments.KINDS:
            node = Leaf(instead.get(node.kind, node.kind), node.data)
            if joined and isinstance(before := joined[-1], Leaf) and before.kind == node.kind:
                joined.pop()
                node = Leaf(node.kind, before.data + node.data)
        joined.append(node)
    return joined


class Scanner:
    """Takes one input apart.

    say: called with a line of text on what could not be taken apart. with_lepton, grid_width: as in lib.blocks.files.
    """

    def __init__(self, say: Callable[[str], object] = lambda line: None, with_lepton: bool = False, grid_width: int = 0) -> None:
        self._say, self._with_lepton, self._grid_width = say, with_lepton, grid_width
        self._left, self._effort = MOST_TAKEN_APART, Effort(0)
        self._grids, self._grid = 0, None  # of videos
        self._like = b""                   # the recipe of the last stream: the next one is likely of the same encoder

    def scan(self, data: bytes) -> list[Node]:
        """The nodes that `data` is made of."""
        self._effort = Effort(_EFFORT_OF_BYTE * len(data) + _ANY_EFFORT)
        return _of_enough(list(self._nodes(data, 0)))

    def _nodes(self, data, depth) -> Iterator[Node]:
        """Nodes of `data`: what was found, and the plain bytes between."""
        plain, found = 0, list(self._found_in(data, depth))
        if all(isinstance(node, Made) and node.transform == UTF16 for node, _, _ in found) and pcm.found_in(data):
            found = []                                               # quiet samples look like letters of 16 bits
        for node, start, end in found:
            yield from self._plain(data[plain:start])
            yield node
            plain = end
        yield from self._plain(data[plain:])

    def _plain(self, data):
        """Plain bytes, cut by what they look like; samples without a header among them."""
        for start, end, kind in segments.stretches(data):
            sound = pcm.found_in(data[start:end]) if kind == "binary" else None
            if sound:
                begin, waves = start + sound[0], sound[1]
                samples = data[begin:begin + waves.size]
                if begin > start:
                    yield Leaf(kind, data[start:begin])
                yield Leaf("sound", samples, Found(waves, waves.take(samples), 0, len(samples)))
                start = begin + waves.size
            if start < end:
                yield Leaf(kind, data[start:end])

    def _found_in(self, data, depth) -> Iterator[files.Found]:
        """Everything in `data` that is no plain bytes, in order."""
        at, waiting, signature = 0, runs.of_letters(data), _SIGNATURES.search(data)
        while signature or waiting:
            if signature and not (waiting and waiting[-1][0] < signature.start()):
                start, sort = signature.start(), str(signature.lastgroup)
            else:
                start, sort = waiting.pop()
                if start < at:
                    continue
            found = self._found_at(data, sort, start, depth) if self._effort.is_left else None
            if found:
                headers = start + 1                                  # which may hold files too: pictures in those of a JPEG
                if depth < DEEPEST_TREE:
                    for node, first, last in self._found_in(data[headers:found[1]], depth + 1):
                        yield node, headers + first, headers + last
                yield found
                at = found[2]
            if signature and signature.start() < max(at, start + 1):
                signature = _SIGNATURES.search(data, max(at, start + 1))

    def _found_at(self, data, sort, start, depth):
        """What begins at `start` by its signature, as `files.found_at` gives it; or None."""
        if sort in _OF_FILES:
            found = files.found_at(data, sort, start, self._effort, self._with_lepton, self._grid_width)
            if sort == "jpeg" and not found and not start and not depth:
                self._say("this is a damaged JPEG, or one of a sort that few programs know, and is coded as bytes")
            if found and not self._has_room_for(found[0]):
                found = None
            return found
        if depth >= DEEPEST_TREE:
            return None
        if sort in _TRANSFORMS:
            number, find = _TRANSFORMS[sort]
            made = self._made(number, find(data, start), depth)
            if made is None and sort in _FAR_SEEN:
                self._effort.spend_in_vain(len(data) - start)
            return made
        return self._deflated(data, sort, start, depth)

    def _has_room_for(self, node):
        """Whether there may be one more group, where a video of another size of frame than the last one needs it."""
        if isinstance(node, Leaf) and node.kind == "video" and node.found.grid != self._grid:
            if self._grids == _MOST_GRIDS:
                return False
            self._grids, self._grid = self._grids + 1, node.found.grid
        return True

    def _made(self, transform, found, depth):
        """What a transform makes of what it found: (bytes that say the same, the recipe, where they begin and end)."""
        if found is None or len(found.inner) > self._left:
            return None
        self._left -= len(found.inner)
        self._effort.spend(len(found.inner))
        inner = (Leaf("binary", found.inner),) if transform == TYPE1 else tuple(self._nodes(found.inner, depth + 1))
        return Made(transform, found.recipe, inner), found.start, found.end

    def _deflated(self, data, container, start, depth):
        begin = deflated_at(data, container, start)
        if begin is None:
            return None
        undone = deflate.undone(data, begin, fewest=_FEWEST_DEFLATED, most=self._left, like=self._like, effort=self._effort)
        if not undone:
            return None
        self._left, self._like = self._left - len(undone.inflated), undone.recipe
        pixels = pdf.pixels_before(data, start, len(undone.inflated))
        picture = files.rows_of(undone.inflated, *pixels) if pixels else None
        inner = (picture,) if picture else tuple(self._nodes(undone.inflated, depth + 1))
        return Made(DEFLATE, undone.recipe, inner), begin, begin + undone.size
