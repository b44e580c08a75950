"""A long input in parts for several sessions: split, and joined again. Files are read and written in stretches.

Aligned parts go on from one another: part p holds for every stream its p-th stretch, so that coding one after the other,
each from the state that the one before left (lib.resume.parts), codes the very sequence of symbols of the whole. Independent parts
are plain stretches of the file, for machines side by side. A manifest names all of them.
"""

import hashlib
import itertools
import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib.errors import FormatError, InputError
from lib.limits import MOST_PARTS, MOST_WHOLE
from lib.presets import streams_for
from lib.resume.manifest import MANIFEST_SUFFIX, Manifest
from lib.settings import Settings
from lib.sources.bytes import looks
from lib.sources.part import IDENTITY_BYTES, PartDescription, PartSource
from lib.storage.files import OutputFile, check_input, check_space, check_target, mode_of, write_file
from lib.storage.names import is_file_name
from lib.storage.paths import path_of_input, path_of_output

_BLOCK = 1 << 20


def split(input_path: Path | str, parts: int, folder: Path | str | None = None, *, batch_size: int | None = None,
          independent: bool = False, overwrite: bool = False, progress: Callable[[int, int], Any] | None = None) -> tuple[Path, Manifest]:
    """Cut a file into parts; returns (path of the manifest, Manifest).

    folder: where the parts and the manifest go; by default beside the input. batch_size: streams that aligned parts are laid
    out in, by default what presets take for the size. progress: called with (bytes done, bytes in all).
    Raises InputError, where the file changes meanwhile too, SettingsError and OutputError; then no new file is there.
    """
    input_path = path_of_input(input_path)
    folder = input_path.parent if folder is None else path_of_output(folder)
    size = check_input(input_path)
    if not size:
        raise InputError(f"{input_path} is empty", "there is nothing to split")
    batch_size = 0 if independent else _batch_size(size, batch_size)
    parts = _count_of_parts(size, parts, batch_size)
    names = [f"{input_path.name}.part{number}of{parts}" for number in range(1, parts + 1)]
    if not is_file_name(names[-1]):
        raise InputError(f"{input_path.name} is too long a name for parts of it", "give the file a shorter one")
    path, written, done = folder / (input_path.name + MANIFEST_SUFFIX), [], 0
    how: dict[str, Any] = dict(overwrite=overwrite, inputs=[input_path])
    for name in (*names, path.name):
        check_target(folder / name, **how)
    how["mode"] = mode_of(input_path)
    new = [name for name in names if not os.path.lexists(folder / name)]
    check_space(path, size)
    stretches = _stretches(size, parts, batch_size)
    whole = _survey(input_path, stretches)
    try:
        for number, name in enumerate(names, 1):
            header = b"" if independent else PartSource(PartDescription(
                whole.digest[:IDENTITY_BYTES], size, batch_size, number, parts, whole.kind, whole.values)).header()
            part_size, digest = _write_part(folder / name, input_path, header, stretches[number - 1], whole.parts[number - 1], how)
            written.append((name, part_size, digest))
            done += part_size - len(header)
            if progress:
                progress(done, size)
        manifest = Manifest(input_path.name, size, whole.digest.hex(), batch_size, tuple(written))
        text = manifest.to_json()
        Manifest.from_json(text, path)           # what join will read
        write_file(path, text.encode(), **how)
    except BaseException:
        for name, _, _ in written:
            if name in new:                      # those that replaced others stay: they are parts too, and those are gone
                (folder / name).unlink(missing_ok=True)
        raise
    return path, manifest


def _batch_size(size, wanted):
    """The streams that a file of `size` bytes is laid out in. Raises SettingsError, and InputError for more than there are bytes."""
    wanted = Settings(batch_size=wanted).batch_size
    if wanted and wanted > size:
        raise InputError(f"batch_size must be at most {size:,} for a file of {size:,} bytes, got {wanted}", parameter="batch_size")
    return wanted or streams_for(size)


def _count_of_parts(size, parts, batch_size):
    """`parts` as an int: at most as many as there are steps, or bytes, so that none is empty. Raises InputError."""
    if size > MOST_WHOLE:
        raise InputError(f"the file has {size:,} bytes, and {MOST_WHOLE:,} is the most that is split")
    most = min(MOST_PARTS, -(-size // batch_size) if batch_size else size)
    streams = f" in {batch_size} streams" if batch_size > 1 else ""
    if isinstance(parts, bool) or not hasattr(parts, "__index__") or not 1 <= operator.index(parts) <= most:
        raise InputError(f"parts must be 1 to {most:,} for a file of {size:,} bytes{streams}, got {parts!r}", parameter="parts")
    return operator.index(parts)


def join(manifest_path: Path | str, output_path: Path | str | None = None, *, overwrite: bool = False,
         progress: Callable[[int, int], Any] | None = None) -> tuple[Path, Manifest]:
    """Put the parts that lie beside a manifest together again, all checked; returns (path of the whole, Manifest).

    output_path: the file, or a folder for it; by default it goes beside the manifest, under the whole's name. progress: as for `split`.
    Raises InputError, which names all parts that are missing or damaged, and FormatError; then there is no output.
    """
    manifest_path = path_of_input(manifest_path)
    manifest, folder = Manifest.read(manifest_path), manifest_path.parent
    output_path = folder if output_path is None else path_of_output(output_path)
    if output_path.is_dir():
        output_path = output_path / manifest.name
    _check_parts(manifest, folder)
    read = [manifest_path, *(folder / name for name, _, _ in manifest.parts)]
    check_target(output_path, overwrite, read)
    digest, size = hashlib.sha256(), 0
    with OutputFile(output_path, overwrite, mode=mode_of(*read[1:]), inputs=read) as output:
        for block in _blocks_of_whole(manifest, folder):
            output.write(block)
            digest.update(block)
            size += len(block)
            if progress:
                progress(size, manifest.size)
        if size != manifest.size or digest.hexdigest() != manifest.sha256:
            raise FormatError(f"the joined parts are not {manifest.name} (its SHA-256 differs): the manifest belongs to other "
                              "parts")
        output.commit()
    return output_path, manifest


@dataclass(frozen=True)
class _Survey:
    """What every part says of the whole."""

    digest: bytes
    kind: str
    values: np.ndarray
    parts: list               # of each part: the SHA-256 of its stretches, one after the other


def _stretches(size, parts, batch_size):
    """int64, shape (parts, streams, 2): where each part's stretches begin and end. All of them are the whole, none twice."""
    if batch_size:
        places = (PartDescription(b"", size, batch_size, number, parts, "text", np.zeros(0, np.uint8))
                  for number in range(1, parts + 1))
        return np.array([np.array(place.streams.stretches(), np.int64) for place in places])
    ends = [size * number // parts for number in range(parts + 1)]
    return np.array([[piece] for piece in zip(ends, ends[1:])], np.int64)


def _survey(path, stretches):
    """Read a file once, in the order of the stretches in it."""
    digest, counts, padding, before = hashlib.sha256(), np.zeros(256, np.int64), 0, b"\x01"
    parts = [hashlib.sha256() for _ in stretches]
    for start, end, part in _in_file_order(stretches):
        for block in _blocks(path, start, end):
            digest.update(block)
            parts[part].update(block)
            array = np.frombuffer(before + block, np.uint8)
            counts += np.bincount(array[1:], minlength=256)
            padding += int(((array[1:] == 0) & (array[:-1] == 0)).sum())
            before = block[-1:]
    return _Survey(digest.digest(), looks(counts, padding), np.flatnonzero(counts).astype(np.uint8),
                   [part.digest() for part in parts])


def _in_file_order(stretches):
    """(start, end, index of the part) of all stretches: each stream's, part by part."""
    for stream in range(stretches.shape[1]):
        for part, (start, end) in enumerate(stretches[:, stream].tolist()):
            yield start, end, part


def _write_part(path, source, header, stretches, expected, how):
    """Write a part; returns (its bytes, SHA-256).

    expected: SHA-256 of its stretches as the survey read them; InputError where they are others now. how: of the OutputFile.
    """
    digest, content, size = hashlib.sha256(header), hashlib.sha256(), len(header)
    with OutputFile(path, **how) as output:
        output.write(header)
        for start, end in stretches.tolist():
            for block in _blocks(source, start, end):
                output.write(block)
                digest.update(block)
                content.update(block)
                size += len(block)
        if content.digest() != expected:
            raise InputError(f"{source} has changed while it was split", "try again")
        output.commit()
    return size, digest.hexdigest()


def _check_parts(manifest, folder):
    """Refuse parts that are missing or not what they were, all of them by name."""
    missing = [name for name, _, _ in manifest.parts if not (folder / name).is_file()]
    there = [part for part in manifest.parts if part[0] not in set(missing)]
    damaged = [name for name, size, sha256 in there if not _is(folder / name, size, sha256)]
    faults = [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {how}" for names, how in (
        (missing, f"not in {folder}"), (damaged, "damaged")) if names]
    if faults:
        raise InputError(f"{manifest.name} needs all of its {len(manifest.parts)} parts, and {', and '.join(faults)}",
                         "put all of them there; decompress damaged ones again")


def _is(path, size, sha256):
    if check_input(path) != size:
        return False
    digest = hashlib.sha256()
    for block in _blocks(path, 0, size):
        digest.update(block)
    return digest.hexdigest() == sha256


def _blocks_of_whole(manifest, folder):
    """The bytes of the whole, in order, from parts that are as they were. Raises FormatError for parts of something else."""
    paths = [folder / name for name, _, _ in manifest.parts]
    if not manifest.batch_size:
        for path, (_, size, _) in zip(paths, manifest.parts):
            yield from _blocks(path, 0, size)
        return
    ends = [_ends_of_stretches(manifest, number, path) for number, path in enumerate(paths, 1)]
    for stream in range(manifest.batch_size):
        for path, ends_of_part in zip(paths, ends):
            yield from _blocks(path, ends_of_part[stream], ends_of_part[stream + 1])


def _ends_of_stretches(manifest, number, path):
    """Where the first stream's stretch begins in part `number`, and where each ends, in bytes: batch_size + 1 whole numbers."""
    _, size, _ = manifest.parts[number - 1]
    place, start = PartSource.place_of(path)
    expected = (bytes.fromhex(manifest.sha256)[:IDENTITY_BYTES], manifest.size, manifest.batch_size, number, len(manifest.parts))
    if ((place.identity, place.whole_bytes, place.batch_size, place.part, place.parts) != expected
            or size != start + place.streams.coded_count):
        raise FormatError(f"{path} is not part {number} of {manifest.name}", "the manifest belongs to other parts, or is damaged")
    return list(itertools.accumulate((end - first for first, end in place.streams.stretches()), initial=start))


def _blocks(path, start, end):
    """The bytes [start, end) of a file, some at a time. Raises InputError where it has become shorter."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            while start < end:
                block = file.read(min(_BLOCK, end - start))
                if not block:
                    raise InputError(f"{path} has become shorter while it was read", "try again")
                start += len(block)
                yield block
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
