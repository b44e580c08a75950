"""What a notebook says and hands over of a long file in parts."""

import filecmp
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib.compression import SUFFIX, Result
from lib.contents import inspect
from lib.errors import LockstepError
from lib.resume.manifest import Manifest
from lib.resume.parts import STATE_SUFFIX, state_name
from lib.storage.files import OutputFile, check_space

_BLOCK = 1 << 20
_NUMBERED = re.compile(r"(.*\.part)\d+(of\d+)", re.DOTALL)


def list_of(manifest: Manifest, folder: Path) -> list[tuple[str, str, str, str]]:
    """A row for each part: its name, bytes, the beginning of its SHA-256, and what became of it in `folder`."""
    following = next_to_compress(manifest, folder)
    return [(name, f"{size:,}", sha256[:16], _became(folder / (name + SUFFIX), sha256) or ("next" if name == following else ""))
            for name, size, sha256 in manifest.parts]


def next_to_compress(manifest: Manifest, folder: Path) -> str:
    """The name of the first part that has no .lks file in `folder`; "" where all have one."""
    return next((name for name, _, sha256 in manifest.parts if not _became(folder / (name + SUFFIX), sha256)), "")


def line_on_manifest(path: Path | str) -> str:
    """A sentence or two on a manifest and how far its parts are. Raises LockstepError where it is none."""
    path = Path(path).expanduser()
    manifest, folder = Manifest.read(path), path.parent
    names = [name for name, _, _ in manifest.parts]
    there = sum((folder / name).is_file() for name in names)
    coded = sum(_became(folder / (name + SUFFIX), sha256) != "" for name, _, sha256 in manifest.parts)
    following = next_to_compress(manifest, folder)
    then = f" Next to compress: {following}." if coded and following else ""
    return f"{manifest.name} in {len(names)} parts: {there} lie beside {path.name}, {coded} are compressed.{then}"


def line_on_next(result: Result) -> str:
    """What to do after a part, in a sentence; "" where the result is not of one."""
    place = result.source.place if result.source else None
    if not place:
        return ""
    done = f"This was part {place.part} of {place.parts}."
    if place.part == place.parts:
        last = ("Keep all .lks files, and the .parts.json file." if result.direction == "compress" else
                "With all parts in one folder, splitter.ipynb joins them: choose the .parts.json file.")
        return f"{done} {last}"
    following = _NUMBERED.sub(rf"\g<1>{place.part + 1}\g<2>", result.input_path.name)
    return f"{done} Next is {following}, which needs {state_name(place, place.part)} in its folder."


def states_of(result: Result) -> list[Path]:
    """The state that a part left for the next one, where it is one and has left one."""
    place = result.source.place if result.source else None
    path = result.output_path.parent / state_name(place, place.part) if place else None
    return [path] if path and path.is_file() else []


def pack(paths: Sequence[Path], path: Path, progress: Callable[[int, int], Any]) -> Path:
    """Put files into one zip at `path`, as they are; returns `path`. progress: called with (bytes done, bytes in all)."""
    total, done = sum(part.stat().st_size for part in paths), 0
    check_space(path, total)
    with OutputFile(path, overwrite=True, inputs=paths) as output:
        with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as packed:          # type: ignore[call-overload]
            for part in paths:
                with open(part, "rb") as content, packed.open(part.name, "w", force_zip64=True) as member:
                    while block := content.read(_BLOCK):
                        member.write(block)
                        done += len(block)
                        progress(done, total)
        output.commit()
    return path


def may_replace(there: Path, path: Path) -> bool:
    """Whether a file on Drive may give way to one of its name: it is the same, of the same original, or the state of the same part."""
    if path.name.endswith(STATE_SUFFIX) or filecmp.cmp(there, path, shallow=False):
        return True
    try:
        return path.name.endswith(SUFFIX) and inspect(there).header.sha256 == inspect(path).header.sha256
    except LockstepError:
        return False


def _became(path, sha256):
    """How large the .lks file of a part is; "" where there is none of that very part."""
    try:
        contents = inspect(path)
    except LockstepError:
        return ""
    return f"{contents.compressed_bytes:,} bytes" if contents.header.sha256.hex() == sha256 else ""
