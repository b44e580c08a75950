"""One damage, drawn at random, to one of several files."""

import hashlib
import json

from benchmarks.damages.accidents import ACCIDENTS, Damage, Draw
from benchmarks.damages.container import CONTAINER, OWN_CONTENT
from benchmarks.damages.sealed import CHECKPOINT, MANIFESTS, PART, PARTS, PRIOR, PRIORS, SEALED
from lib import LockstepError
from lib.coding.container import MAGIC

_MANIFEST = ".parts.json"


def damaged(draw: Draw, files: dict[str, bytes], name: str, other: bytes) -> tuple[dict[str, bytes], str, bool]:
    """(files of which that one is damaged, what was done to it, whether the file says itself that what comes out is right).

    other: the bytes of another file. What is drawn depends on `draw` alone.
    """
    data = files[name]
    while True:
        ways = _ways_of(data) if draw.random() < 0.6 else ACCIDENTS
        what = draw.choice(sorted(ways))
        try:
            done = ways[what](draw, data, other)
        except (LockstepError, ValueError, TypeError, IndexError, OverflowError, UnicodeError):
            continue                                  # the file has nothing of that sort to damage, or the field cannot hold it
        if done != data:
            done, fits = files | {name: done}, not name.endswith(_MANIFEST) and draw.random() < 0.5
            return (_with_fitting_manifest(done, name) if fits else done), what, what == OWN_CONTENT


def _with_fitting_manifest(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    """The files, with a manifest, where there is one, that says of one of them what it now is."""
    for manifest in (key for key in files if key.endswith(_MANIFEST)):
        fields = json.loads(files[manifest])
        for part in fields["parts"]:
            if part["name"] == name:
                part |= {"size": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
        files = files | {manifest: json.dumps(fields).encode()}
    return files


def _ways_of(data: bytes) -> dict[str, Damage]:
    """What can be done to a file of that sort on purpose."""
    for magic, ways in ((MAGIC, CONTAINER), (CHECKPOINT, SEALED), (PRIOR, PRIORS), (PART, PARTS), (b"{", MANIFESTS)):
        if data.startswith(magic):
            return ways
    return ACCIDENTS
