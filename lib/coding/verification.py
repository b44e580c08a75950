"""What was written is verified before it takes its name: parsed as a decoder will, and, where that is wanted, decoded and compared.

The latter in a process of its own: one that has just encoded holds caches and compiled loops, and may carry a fault of its memory; a
fresh one is what the file will meet. Only a model of one's own is decoded with in the process that has it.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.coding import speed
from lib.coding.container import Reader
from lib.coding.plan import Plan
from lib.coding.run import Coded, check_readable, decode, made_in_of, stored_name
from lib.errors import FormatError, LockstepError
from lib.models import is_given
from lib.priors import Prior, load
from lib.resume.run import Run, RunCheckpoint
from lib.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]          # where the package lies
_QUICK_SECONDS = 2.0                                  # that decoding may be reckoned to take where it is to be quick; docs/design.md says why


def check_written(path: Path, run: Run, coded: Coded | None) -> None:
    """Read what was written as a decoder will, up to the first symbol, so that nothing takes its name that none would take."""
    reader = Reader(path.read_bytes())
    header = reader.header
    if (header.sha256, header.name, header.archive) != (run.sha256, stored_name(run.input_path.name), run.archive):
        raise FormatError("the written file has a wrong header", "try again, and report it")
    if coded is None:
        if hashlib.sha256(reader.read_stored()).digest() != run.sha256:
            raise FormatError("the written file does not hold the input", "try again, and report it")
        return
    made_in_of(header)
    plan = Plan.of_header(header)
    _, fault = check_readable(reader, plan)
    if fault:
        raise fault
    if (plan.parameters, plan.identity()) != (coded.plan.parameters, coded.plan.identity()):
        raise FormatError("the header of the written file does not describe its data", "try again, and report it")


def is_wanted(plan: Plan, run: Run) -> bool:
    """Whether what a run makes by a plan is verified: as the setting says."""
    wanted = run.settings.verify
    prior_symbols = len(run.prior.text) if run.prior else 0
    return wanted == "yes" or wanted == "quick" and speed.coding_seconds(plan, prior_symbols) <= _QUICK_SECONDS


def verify(path: Path, run: Run, note: Callable[[str], Any]) -> None:
    """Decode the file that a run has written to `path` in a fresh process; FormatError where the run's input does not come back.

    With a model of one's own, which no other process has, it is decoded in this one.
    """
    if is_given():
        note("decoding what was written, and comparing")
        if _restored_sha256(path, run.output_path, run.input_path, run.settings.backend, run.prior) != run.sha256:
            raise FormatError("the written file decodes to other bytes: nothing was kept", "the model predicts something else when decoding")
        return
    note("decoding what was written in a process of its own, and comparing")
    program = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from lib.coding.verification import main; sys.exit(main(sys.argv[1:]))"
    where = [path, run.output_path, run.input_path, run.prior.path if run.prior else ""]
    command = [sys.executable, "-P", "-c", program, run.settings.backend, *(os.path.abspath(name) if name else "" for name in where)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode or done.stdout.strip() != run.sha256.hex():
        said = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise FormatError(f"the file does not decode to its input in a new process ({said}): nothing was kept",
                          "try again, and report it with the input")


def main(arguments: list[str]) -> int:
    """The process: prints the SHA-256 of what a file gives back. Leaves nothing on disk."""
    backend, path, output, input, prior = arguments
    try:
        digest = _restored_sha256(Path(path), Path(output), Path(input), backend, load(prior) if prior else None)
    except LockstepError as error:
        print(error, file=sys.stderr)
        return 1
    print(digest.hex())
    return 0


def _restored_sha256(path: Path, output: Path, input: Path, backend: str, prior: Prior | None) -> bytes:
    """The SHA-256 of what a file gives back, which is left nowhere."""
    reader = Reader(path.read_bytes())
    run = Run("decompress", input, output, b"", False, Settings(backend=backend), prior, leaves_files=False)
    restored, _ = decode(reader, Plan.of_header(reader.header, backend), run, RunCheckpoint(None, run, lambda line: None))
    return hashlib.sha256(restored).digest()
