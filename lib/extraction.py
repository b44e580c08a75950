"""One file out of a folder in a .lks file, and the names of all, without decoding what comes after them."""

import difflib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib import priors
from lib.coding.container import Reader
from lib.coding.loop import Progress
from lib.coding.partial import PartialDecoder
from lib.coding.plan import Plan
from lib.compiling import announced
from lib.contents import file_bytes
from lib.errors import InputError
from lib.machine import within_memory
from lib.resume.run import Run, folders_of
from lib.settings import Settings
from lib.storage import folders, tree, zipped
from lib.storage.files import mode_of, write_file
from lib.storage.names import near_name, shown
from lib.storage.paths import path_of_input, path_of_output
from lib.storage.tree import FILE, Entry

_Say = Callable[[str], Any]
_MOST_MEANT = 3                  # names that are proposed


@within_memory
def entries_of(input_path: Path | str, settings: Settings = Settings(), *, prior: Path | str | None = None) -> list[Entry]:
    """What is in the folder that a .lks file holds, in its order; none for a file. Raises as `extract`."""
    folder = _Folder(path_of_input(input_path), settings, prior)
    return folder.entries if folder.header.is_folder else []


@within_memory
def extract(input_path: Path | str, name: str, output_path: Path | str | None = None, settings: Settings = Settings(), *,
            progress: Callable[[Progress], Any] | None = None, note: _Say = lambda line: None, overwrite: bool = False,
            prior: Path | str | None = None) -> Path:
    """Write one file of the folder that a .lks file holds; returns where it is.

    name: its path in the folder, with "/". output_path: the file to write, or a folder for it; by default it goes beside the .lks file.
    The rest is as for lib.decompress. The file is checked by what its segments say; that of the whole folder cannot be, as it is not decoded.
    Raises InputError where there is no such file, FormatError, OutputError, and DivergedError.
    """
    input_path = path_of_input(input_path)
    folder = _Folder(input_path, settings, prior, progress)
    if not folder.header.is_folder:
        raise InputError(f"{input_path} holds a single file, {shown(folder.header.name)}", "decompress it")
    with announced(note):
        entry = _entry_named(name, folder.entries)
        data = folder.contents(entry)
    output = input_path.parent if output_path is None else path_of_output(output_path)
    if output.is_dir():
        output = output / near_name(entry.name)
    write_file(output, data, overwrite, mode_of(input_path) if entry.mode is None else entry.mode, [input_path])
    return output


class _Folder:
    """A .lks file, of which no more is decoded than is asked for."""

    def __init__(self, path: Path, settings: Settings, prior: Path | str | None, progress: Callable[[Progress], Any] | None = None) -> None:
        data = file_bytes(path)
        settings.check_for_decoding()
        reader = Reader(data)
        self.header = reader.header
        plan = None if self.header.is_stored else Plan.of_header(self.header, settings.backend)
        known = priors.needed(plan.prior if plan else None, prior, folders_of(path, path))
        run = Run("decompress", path, path, hashlib.sha256(data).digest(), False, settings, known, leaves_files=False)
        stored = reader.read_stored() if plan is None else b""
        decoder = PartialDecoder(reader, plan, run, progress) if plan else None
        self._stretch = decoder.stretch if decoder else lambda start, stop: stored[start:stop]
        self._entries: list[Entry] = []
        self._places: dict[str, tuple[int, int]] = {}

    @property
    def entries(self) -> list[Entry]:
        if not self._entries and self.header.is_folder:
            self._read_index()
        return self._entries

    def contents(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        start, size = self._places[entry.path]
        return self._stretch(start, start + size)

    def _read_index(self):
        size = self.header.original_bytes
        if self.header.archive == folders.ZIPPED:
            self._entries, contents = zipped.parse(self._stretch(0, size))
            joined = b"".join(contents)
            self._stretch = lambda start, stop: joined[start:stop]
            start = 0
        else:
            index = self._stretch(0, tree.start_of_contents(self._stretch(0, tree.FIRST)))
            self._entries, start = tree.parse(index, size)
        self._places = {path: (start, size) for path, start, size in tree.places_of(self._entries, start)}


def _entry_named(name: str, entries: list[Entry]) -> Entry:
    """The Entry of a file. InputError where there is none."""
    files = {entry.path: entry for entry in entries if entry.kind == FILE}
    for path, entry in files.items():
        if name in (path, shown(path)):          # as `info` lists it
            return entry
    others = {entry.path: entry.kind for entry in entries if entry.path}
    if name in others:
        raise InputError(f"{shown(name)} is a {others[name]}, and one file can be taken out", "decompress all of it")
    meant = difflib.get_close_matches(name, files, _MOST_MEANT) or [path for path in files if path.endswith(f"/{name}")][:_MOST_MEANT]
    raise InputError(f"there is no file {shown(name) or 'without a name'} in the folder", f"did you mean {' or '.join(map(shown, meant))}?" if meant else "info lists its files")
