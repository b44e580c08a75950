"""A long input in parts for several sessions: split, and joined again. Files are read and written in stretches.

Aligned parts go on from one another: part p holds for every stream its p-th stretch, so that coding one after the other,
each from the state that the one before left (lib.resume.parts), codes the very sequence of symbols of the whole. Independent parts
are plain stretches of the file, for machines side by side. A manifest names all of them.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.errors import FormatError, InputError
from lib.presets import streams_for
from lib.sources.bytes import looks
from lib.sources.part import IDENTITY_BYTES, PartDescription, PartSource
from lib.storage.files import OutputFile, check_input, check_target, mode_of, write_file
from lib.storage.names import is_file_name

MANIFEST_SUFFIX = ".parts.json"
MOST_PARTS = 9_999
_VERSION = 1
_BLOCK = 1 << 20
_LARGEST_MANIFEST = 1 << 24


@dataclass(frozen=True)
class Manifest:
    """What belongs together."""

    name: str                 # of the whole
    size: int                 # bytes of the whole
    sha256: str               # of the whole, hexadecimal
    batch_size: int           # streams that aligned parts are laid out in; 0 for independent parts
    parts: tuple              # of each part: (name, bytes, SHA-256)

    def to_json(self):
        """Text for a file that people can read too."""
        parts = [dict(name=name, size=size, sha256=sha256) for name, size, sha256 in self.parts]
        return json.dumps(dict(lockstep_parts=_VERSION, name=self.name, size=self.size, sha256=self.sha256,
                               batch_size=self.batch_size, parts=parts), indent=1) + "\n"

    @classmethod
    def read(cls, path):
        """The Manifest in a file. Raises InputError and FormatError."""
        if check_input(path) > _LARGEST_MANIFEST:
            raise FormatError(f"{path} is too large for a manifest", f"choose the {MANIFEST_SUFFIX} file")
        try:
            fields = json.loads(Path(path).read_bytes())
            version = fields["lockstep_parts"]
            if version != _VERSION:
                raise FormatError(f"{path} has version {version}", f"this version of Lockstep reads {_VERSION}")
            parts = tuple((str(part["name"]), int(part["size"]), str(part["sha256"])) for part in fields["parts"])
            manifest = cls(str(fields["name"]), int(fields["size"]), str(fields["sha256"]), int(fields["batch_size"]), parts)
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path} is no manifest of parts, or damaged", f"choose the {MANIFEST_SUFFIX} file") from error
        names = [manifest.name, *(name for name, _, _ in parts)]
        if not all(map(is_file_name, names)) or not 0 <= manifest.size < 1 << 48 or not 0 <= manifest.batch_size <= 512:
            raise FormatError(f"{path} holds a value out of bounds", "it is damaged")
        return manifest


def split(input_path, parts, folder=None, *, batch_size=None, independent=False, overwrite=False, progress=None):
    """Cut a file into parts; returns (path of the manifest, Manifest).

    folder: where the parts and the manifest go; by default beside the input. batch_size: streams that aligned parts are laid
    out in, by default what presets take for the size. progress: called with (bytes done, bytes in all).
    Raises InputError, where the file changes meanwhile too, and OutputError; then none of them is there.
    """
    input_path = Path(input_path)
    folder = Path(folder) if folder else input_path.parent
    size = check_input(input_path)
    if not size:
        raise InputError(f"{input_path} is empty: there is nothing to split")
    if not 1 <= parts <= min(MOST_PARTS, size):
        raise InputError(f"parts must be 1 to {min(MOST_PARTS, size):,} for a file of {size:,} bytes, got {parts}")
    names = [f"{input_path.name}.part{number}of{parts}" for number in range(1, parts + 1)]
    path, written, done = folder / (input_path.name + MANIFEST_SUFFIX), [], 0
    how = dict(overwrite=overwrite, inputs=[input_path])
    for name in (*names, path.name):
        check_target(folder / name, **how)
    how["mode"] = mode_of(input_path)
    batch_size = 0 if independent else batch_size or streams_for(size)
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
        write_file(path, manifest.to_json().encode(), **how)
    except BaseException:
        for name, _, _ in written:
            (folder / name).unlink(missing_ok=True)
        raise
    return path, manifest


def join(manifest_path, output_path=None, *, overwrite=False, progress=None):
    """Put the parts that lie beside a manifest together again, all checked; returns (path of the whole, Manifest).

    output_path: by default beside the manifest, under the whole's name. progress: as for `split`.
    Raises InputError, which names all parts that are missing or damaged; then there is no output.
    """
    manifest_path = Path(manifest_path)
    manifest, folder = Manifest.read(manifest_path), manifest_path.parent
    _check_parts(manifest, folder)
    output_path = Path(output_path) if output_path else folder / manifest.name
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
            raise FormatError(f"what the parts make is not {manifest.name} (its SHA-256 differs): the manifest belongs to other "
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
    damaged = [name for name, size, sha256 in manifest.parts if name not in missing and not _is(folder / name, size, sha256)]
    faults = [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {how}" for names, how in (
        (missing, f"not in {folder}"), (damaged, "damaged: decompress again")) if names]
    if faults:
        raise InputError(f"{manifest.name} needs all of its {len(manifest.parts)} parts: {'; '.join(faults)}")


def _is(path, size, sha256):
    if path.stat().st_size != size:
        return False
    digest = hashlib.sha256()
    for block in _blocks(path, 0, size):
        digest.update(block)
    return digest.hexdigest() == sha256


def _blocks_of_whole(manifest, folder):
    """The bytes of the whole, in order, from parts that are as they were."""
    paths = [folder / name for name, _, _ in manifest.parts]
    if not manifest.batch_size:
        for path, (_, size, _) in zip(paths, manifest.parts):
            yield from _blocks(path, 0, size)
        return
    places = [PartSource.place_of(path) for path in paths]        # (PartDescription, where the symbols begin)
    for stream in range(manifest.batch_size):
        for path, (place, start) in zip(paths, places):
            lengths = [end - first for first, end in place.streams.stretches()]
            before = start + sum(lengths[:stream])
            yield from _blocks(path, before, before + lengths[stream])


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
