"""Gather code and manuals from unpacked packages into texts to train on, beside prose.

    python -m tools.gather_texts FOLDER CORPUS

FOLDER holds one folder for each package, as `dpkg -x` (Debian 12) and `tar` (npm) unpack it; docs/training.md lists those that were taken. Of each
file one stretch is taken, at its beginning or anywhere, so that no file weighs too much.
"""

import gzip
import random
import sys
from pathlib import Path

# Names of the texts; which files; bytes of the whole; bytes of one file at most.
_TEXTS = (
    ("c_kernel.txt", ("linux/**/*.c",), 9_000_000, 30_000),
    ("java.txt", ("java/**/*.java",), 5_000_000, 30_000),
    ("lisp.txt", ("emacs-el/**/*.el", "emacs-el/**/*.el.gz"), 3_000_000, 30_000),
    ("js_modules.txt", ("js/**/*.js", "js/**/*.mjs", "js/**/*.ts"), 4_000_000, 30_000),
    ("man_pages.txt", ("manpages*/**/*.gz",), 4_000_000, 30_000),
    ("html_manuals.txt", ("python3.11-doc/**/*.html", "sqlite3-doc/**/*.html", "postgresql-doc-15/**/*.html", "git-doc/**/*.html"), 8_000_000, 20_000),
    ("asciidoc.txt", ("git-doc/**/*.txt",), 1_500_000, 30_000),
)
_FEWEST = 500                      # bytes of a file
_LONGEST_LINE = 2_000              # bytes; longer ones are of files that a program wrote


def main() -> int:
    folder, corpus = map(Path, sys.argv[1:])
    for name, patterns, most, most_of_file in _TEXTS:
        text = gather(folder, patterns, most, most_of_file)
        (corpus / name).write_bytes(text)
        print(f"{name}: {len(text):,} bytes")
    return 0


def gather(folder: Path, patterns: tuple[str, ...], most: int, most_of_file: int) -> bytes:
    """Stretches of the files that match, in an order of chance, until they are `most` bytes or there are no more files."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file() and not path.is_symlink()})
    draw, text, seen = random.Random(1), bytearray(), set()
    draw.shuffle(paths)
    for path in paths:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        begins = content[:20_000]
        if len(content) < _FEWEST or b"\0" in begins or max(map(len, begins.split(b"\n"))) > _LONGEST_LINE or content in seen:
            continue
        seen.add(content)
        start = draw.choice((0, draw.randrange(len(content) - most_of_file))) if len(content) > most_of_file else 0
        text += content[start:start + most_of_file]
        if len(text) >= most:
            break
    return bytes(text)


if __name__ == "__main__":
    sys.exit(main())
