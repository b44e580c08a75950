"""The texts that a network is trained on: what is learned from, what is held out, and the pieces that training sees."""

import lzma
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 100_000                   # bytes of a file that stay together
_HELD_OUT = 32                     # of so many blocks one is never learned from
_PIECES = 4_000, 64_000            # bytes: what is learned from begins anew after so many, as files do
_MEASURED = 16_384                 # bytes of each of the held-out blocks that are measured, one for each stream
_FEWEST_LINE, _LINES = 40, 20      # bytes of a line, and lines of a file, by which it is recognised


def read_corpus(folder: Path) -> dict[str, bytes]:
    """{name: bytes} of the files in a folder, .xz unpacked; of what is called a README nothing."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("README"))
    return {path.name.removesuffix(".xz"): lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes() for path in paths}


def found_in(corpus: dict[str, bytes], folder: Path | None) -> list[str]:
    """The files in a folder of which the corpus holds one of the first long lines."""
    found = []
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.is_file():
            lines = [line.strip() for line in path.read_bytes()[:200_000].splitlines()]
            known = [line for line in lines if len(line) >= _FEWEST_LINE][:_LINES]
            if any(line in text for line in known for text in corpus.values()):
                found.append(path.name)
    return found


def blocks_of(corpus: dict[str, bytes]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """([(name, start)] of the blocks to learn from, those held out)."""
    blocks = [(name, start) for name, text in corpus.items() for start in range(0, len(text), _BLOCK)]
    held_out = blocks[_HELD_OUT // 2::_HELD_OUT]
    return [block for block in blocks if block not in set(held_out)], held_out


def measured_of(corpus: dict[str, bytes], held_out: list[tuple[str, int]], count: int) -> list[bytes]:
    """The beginnings of `count` of the blocks held out, which tell how well a network does."""
    return [corpus[name][start:start + _MEASURED] for name, start in held_out[::max(1, len(held_out) // count)][:count]]


def pieces_of(corpus: dict[str, bytes], blocks: list[tuple[str, int]], seed: int) -> Iterator[bytes]:
    """Pieces to learn from, without end: each block once before any comes again, cut anew and, if it is of a book, set anew."""
    draw = random.Random(seed)
    while True:
        for name, start in draw.sample(blocks, len(blocks)):
            text = corpus[name][start:start + _BLOCK]
            if "books" in name:
                text = set_anew(text, draw)
            while text:
                size = int(_PIECES[0] * (_PIECES[1] / _PIECES[0]) ** draw.random())
                yield text[:size]
                text = text[size:]


def set_anew(text: bytes, draw: random.Random) -> bytes:
    """A text of a line a paragraph, as files hold it: often with lines of some columns, at times with other line ends or letters."""
    if draw.random() < 0.6:
        width = draw.randint(58, 80)
        lines = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
                 for line in text.decode("utf-8", "replace").splitlines())
        text = "\n".join(line for several in lines for line in several).encode()
    if draw.random() < 0.15:
        text = text.decode("utf-8", "ignore").encode("latin-1", "ignore")
    return text.replace(b"\n", b"\r\n") if draw.random() < 0.1 else text
