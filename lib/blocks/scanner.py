"""What an input is made of, found by what its bytes say: the tree of lib.blocks.tree.

Signatures are looked for at every place. What begins with one is kept only where it comes back to the byte; all else is plain bytes,
which lib.blocks.segments cuts into text and other data. How much is tried depends on the bytes alone, never on time.
"""

import re
from collections.abc import Callable, Iterator

from lib.blocks import segments
from lib.blocks.containers import deflated_at
from lib.blocks.tree import Leaf, Made, Node
from lib.limits import DEEPEST_TREE, MOST_TAKEN_APART
from lib.transforms import BASE64, DEFLATE, base64_lines, deflate

_FEWEST_DEFLATED = 32                # bytes: less is not worth a node
_MOST_TRIED = 64                     # times the bytes of an input: how much may be inflated in vain
# What may begin something, each in a group of its own name.
_SIGNATURES = re.compile(rb"(?P<zip>PK\x03\x04)|(?P<gzip>\x1f\x8b\x08)|(?P<zlib>[\x48\x58\x68\x78][\x01\x5e\x9c\xda\x09\x43\x81\x89\xc3\xc7])"
                         rb"|(?P<base64>(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60})", re.DOTALL)


def is_worth_it(nodes: list[Node]) -> bool:
    """Whether the description of nodes and a model for each kind cost less than they may bring."""
    if any(isinstance(node, Made) for node in nodes):
        return True
    return len({node.kind for node in nodes if isinstance(node, Leaf)}) > 1


class Scanner:
    """Takes one input apart. `say` is called with a line of text on how far it is."""

    def __init__(self, say: Callable[[str], object] = lambda line: None) -> None:
        self._say, self._left = say, MOST_TAKEN_APART
        self._like = b""                   # the recipe of the last stream: the next one is likely of the same encoder

    def scan(self, data: bytes) -> list[Node]:
        """The nodes that `data` is made of."""
        return list(self._nodes(data, 0))

    def _nodes(self, data, depth) -> Iterator[Node]:
        """Nodes of `data`: what was found, and the plain bytes between."""
        plain = 0
        for start, end, node in self._found_in(data, depth):
            yield from self._plain(data[plain:start])
            yield node
            plain = end
        yield from self._plain(data[plain:])

    def _plain(self, data):
        for start, end, kind in segments.stretches(data):
            yield Leaf(kind, data[start:end])

    def _found_in(self, data, depth) -> Iterator[tuple[int, int, Node]]:
        """(start, end, what it is) of everything that transforms take apart, in order."""
        if depth >= DEEPEST_TREE:
            return
        at = 0
        while signature := _SIGNATURES.search(data, at):
            found = self._base64(data, signature, depth) if signature.lastgroup == "base64" else self._deflated(data, signature, depth)
            if found:
                yield found
                at = found[1]
            else:
                at = signature.start() + 1 if signature.lastgroup != "base64" else signature.end()

    def _base64(self, data, signature, depth):
        found = base64_lines.find(data, signature.start())
        if not found or len(found.inner) > self._left:
            return None
        self._left -= len(found.inner)
        return found.start, found.end, Made(BASE64, found.recipe, tuple(self._nodes(found.inner, depth + 1)))

    def _deflated(self, data, signature, depth):
        start = deflated_at(data, signature.lastgroup, signature.start())
        if start is None:
            return None
        undone = deflate.undone(data, start, most=self._left, like=self._like)
        if not undone or undone.size < _FEWEST_DEFLATED:
            return None
        self._left, self._like = self._left - len(undone.inflated), undone.recipe
        return start, start + undone.size, Made(DEFLATE, undone.recipe, tuple(self._nodes(undone.inflated, depth + 1)))
