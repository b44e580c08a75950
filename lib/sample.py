"""The built-in sample: a tar of a part of this library's own source, the same bytes on every machine."""

import io
import tarfile
from pathlib import Path

from lib.storage.files import write_file

SAMPLE_NAME = "lockstep-sample.tar"
_ROOM = "coders"                     # 20 KB: what codes in seconds


def make_sample(folder: Path | str) -> Path:
    """Write the sample into `folder`; returns its path."""
    path = Path(folder) / SAMPLE_NAME
    write_file(path, sample_bytes(), overwrite=True)
    return path


def sample_bytes() -> bytes:
    """The tar's bytes: names sorted, no times, no owners."""
    library = Path(__file__).parent
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for source in sorted((library / _ROOM).glob("*.py")):
            entry = tarfile.TarInfo(f"lib/{source.relative_to(library).as_posix()}")
            content = source.read_bytes()
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
