"""What damaged files do: python -m benchmarks.damage [--count 10000] [--seed 1] [--jobs 2] [--csv FILE]

Damages files of every sort at random, by accident and on purpose with right checksums, and lets the library read each in a
process of its own, a fork of one that has read the undamaged ones. Counts wrong outputs, errors of other types than
LockstepError, attempts of over 5 s of processor time, of over 1 GB more memory than the undamaged file takes, files left over and
files changed. Exits 1 where a count is not 0. `--only N --keep FOLDER` repeats an attempt and keeps its files. Runs on Linux.
"""

import argparse
import contextlib
import csv
import json
import multiprocessing
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.damages.samples import FAST, Sample, digest, samples
from benchmarks.damages.ways import damaged
from lib import LockstepError, Settings, compress, decompress, inspect, join, resume

FAULTS = ("wrong output", "other error", "slow", "memory", "left over", "changed")
_MOST_SECONDS = 5.0             # of processor time
_HUNG_SECONDS = 60.0            # after which an attempt is ended
_MOST_MEMORY = 1 << 30          # bytes over what the undamaged file takes
_MOST_ADDRESSES = 6 << 30       # bytes that an attempt may add to the address space: for the machine's sake
_MOST_OF_ANOTHER = 8_000        # bytes of another file that come into one: honest work stays quick
_OUTPUTS = "out"                # the folder for them


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt."""

    number: int
    sort: str
    damage: str
    ended: str                     # "restored", "refused" or, with an "other error", "failed"
    faults: dict[str, str]         # of FAULTS: what there is to say of it
    seconds: float                 # of processor time
    memory: int                    # bytes, resident at most


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    numbers = [options.only] if options.only is not None else range(options.count)
    outcomes = []
    started = time.perf_counter()
    for outcome in measure(numbers, options.seed, options.jobs, options.keep):
        outcomes.append(outcome)
        for fault, said in outcome.faults.items():
            print(f"#{outcome.number} (seed {options.seed}), {outcome.sort}, {outcome.damage}: {fault}: {said}", flush=True)
    if options.only is not None:
        print(outcomes[0])
    for title in ("sort", "damage"):
        _print_table(title, outcomes)
    print(f"{len(outcomes):,} damages in {time.perf_counter() - started:,.0f} s; the longest took {max(one.seconds for one in outcomes):.1f} s "
          f"of processor time, the largest {max(one.memory for one in outcomes) / 1e6:,.0f} MB")
    if options.csv:
        _write_csv(options.csv, outcomes)
    return 1 if any(outcome.faults for outcome in outcomes) else 0


def measure(numbers: Iterable[int], seed: int, jobs: int = 2, keep: Path | None = None) -> Iterator[Outcome]:
    """The Outcome of each attempt, as they come. keep: a folder for the attempts' files.

    Raises AssertionError where an undamaged file does not come back.
    """
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        bench = _Bench(samples(made), seed, Path(folder), keep)
        with multiprocessing.get_context("fork").Pool(jobs) as pool:       # each forks for every attempt
            yield from pool.imap_unordered(bench.attempt, numbers, chunksize=4)


class _Bench:
    """Samples, and what undamaged ones take."""

    def __init__(self, made: list[Sample], seed: int, folder: Path, keep: Path | None):
        self._samples, self._seed, self._folder, self._keep = made, seed, folder, keep
        self._sorts = sorted({sample.sort for sample in made})
        self._honest_memory = {}
        for number, sample in enumerate(made):
            honest = self._run(-1, sample, sample.files, "none", False)
            if "slow" in honest.faults:              # it may have had to compile
                honest = self._run(-1, sample, sample.files, "none", False)
            if honest.ended != "restored" or honest.faults:
                raise AssertionError(f"undamaged: {honest}")
            self._honest_memory[number] = honest.memory

    def attempt(self, number: int) -> Outcome:
        """Damage a sample and let it be read."""
        draw = random.Random(f"{self._seed}/{number}")
        sort = draw.choice(self._sorts)
        which = draw.choice([at for at, sample in enumerate(self._samples) if sample.sort == sort])
        sample, other = self._samples[which], draw.choice(self._samples)
        name, other_name = draw.choice(sample.targets), draw.choice(other.targets)
        files, damage, is_right = damaged(draw, sample.files, name, other.files[other_name][:_MOST_OF_ANOTHER])
        outcome = self._run(number, sample, files, damage, is_right, self._honest_memory[which])
        if "slow" in outcome.faults:                 # as the first attempt of its kind may be, which has to compile
            outcome = self._run(number, sample, files, damage, is_right, self._honest_memory[which])
        return outcome

    def _run(self, number: int, sample: Sample, files: dict[str, bytes], damage: str, is_right: bool, honest_memory: int = 1 << 60) -> Outcome:
        """is_right: whether any output is."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        work = folder / "work"
        (work / _OUTPUTS).mkdir(parents=True)
        for name, data in files.items():
            (work / name).write_bytes(data)
        if self._keep:
            shutil.copytree(work, self._keep / str(number), dirs_exist_ok=True)
        ended, said, seconds, memory = _in_a_process(work, sample, files)
        faults = {"other error": said} if ended == "failed" else {}
        if seconds > _MOST_SECONDS:
            faults["slow"] = f"{seconds:.1f} s"
        if memory > honest_memory + _MOST_MEMORY:
            faults["memory"] = f"{memory / 1e6:,.0f} MB"
        faults |= _faults_on_disk(folder, work, sample, files, ended, is_right)
        shutil.rmtree(folder)
        return Outcome(number, sample.sort, damage, ended, faults, seconds, memory)


def _faults_on_disk(folder: Path, work: Path, sample: Sample, files: dict[str, bytes], ended: str, is_right: bool) -> dict[str, str]:
    """What is wrong with what an attempt left."""
    faults = {}
    outputs = sorted((work / _OUTPUTS).iterdir())
    final = [path for path in outputs if not path.name.endswith((".partial", ".state", ".packed")) and not path.name.startswith(".")]
    rights = sample.rights or {digest(work / sample.targets[0])}
    wrong = [path.name for path in final if digest(path) not in rights]
    if ended == "restored" and (len(final) != 1 or wrong) and not is_right:
        faults["wrong output"] = ", ".join(wrong) or "none"
    others = [path for path in (*folder.iterdir(), *work.iterdir()) if path not in (work, work / _OUTPUTS)]
    left = [path for path in (*outputs, *others) if path.name.startswith(".lockstep-") or path in others and path.name not in files]
    if left := left + (final if ended != "restored" else []):
        faults["left over"] = ", ".join(path.name for path in left)
    is_done = sample.action in ("compress", "decompress", "resume") and ended == "restored"
    changed = [name for name, data in files.items() if not _is_as_it_was(work / name, data) and not (is_done and name.startswith("kept"))]
    if changed:
        faults["changed"] = ", ".join(changed)
    return faults


def _is_as_it_was(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _in_a_process(work: Path, sample: Sample, files: dict[str, bytes]) -> tuple[str, str, float, int]:
    """(how an attempt ended, what it said, seconds of processor time, bytes of memory)."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        _child(work, sample, files, writable)
    os.close(writable)
    said, deadline = b"", time.monotonic() + _HUNG_SECONDS
    while select.select([readable], [], [], max(0, deadline - time.monotonic()))[0] and (block := os.read(readable, 65_536)):
        said += block
    os.close(readable)
    is_hung = time.monotonic() >= deadline
    if is_hung:
        os.killpg(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    ended, what = json.loads(said) if said else ("failed", f"it ended with status {status}")
    seconds = _HUNG_SECONDS if is_hung else usage.ru_utime + usage.ru_stime
    return ended, what, seconds, 1024 * usage.ru_maxrss


def _child(work: Path, sample: Sample, files: dict[str, bytes], writable: int) -> None:
    """The process of an attempt. Does not return."""
    ended, said = "failed", ""
    try:
        os.setsid()
        os.chdir(work)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + _MOST_ADDRESSES,) * 2)
        _act(sample, files)
        ended = "restored"
    except LockstepError as error:
        ended, said = "refused", str(error)
    except BaseException as error:
        last = error.__traceback__
        while last.tb_next:
            last = last.tb_next
        said = f"{type(error).__name__}: {str(error)[:200]} ({last.tb_frame.f_code.co_filename}:{last.tb_lineno})"
    finally:
        os.write(writable, json.dumps((ended, said)).encode())
        os._exit(0)


def _act(sample: Sample, files: dict[str, bytes]) -> None:
    """What is done with a sample's files, in the folder where they lie."""
    prior = next((name for name in files if name.endswith(".prior")), None)
    kept = "kept" if "kept" in files else None
    if sample.action == "join":
        join(next(name for name in files if name.endswith(".parts.json")), Path(_OUTPUTS) / "joined")
    elif sample.action == "resume":
        resume(kept, Settings(verify="yes"))       # a crafted step within bounds makes a file that only decoding tells from a right one
        _unpack_what_was_packed(None)
    elif sample.action == "decompress":
        with contextlib.suppress(LockstepError):
            "\n".join(f"{what} {text}" for what, text in inspect("x.lks").facts())
        decompress("x.lks", "out/done" if kept else _OUTPUTS, prior=prior, checkpoint=kept)
    else:
        source = next(name for name in files if name not in (prior, "kept", "kept.previous"))
        compress(source, "out/done", Settings(verify="yes") if kept else FAST, checkpoint=kept, prior=prior)       # as above
        _unpack_what_was_packed(prior)


def _unpack_what_was_packed(prior: str | None) -> None:
    """Decode an output that is a .lks file, which takes its place: what counts is that it comes back."""
    packed = next(path for path in Path(_OUTPUTS).iterdir() if not path.name.startswith("."))
    with open(packed, "rb") as file:
        if file.read(4) != b"\x89LKS":
            return
    aside = packed.rename(packed.with_name("it.packed"))
    decompress(aside, packed, prior=prior)


def _print_table(title: str, outcomes: list[Outcome]) -> None:
    """Counts by `sort` or `damage`."""
    print(f"\n| {title} | attempts | restored | refused | {' | '.join(FAULTS)} |\n|---|{'---|' * (3 + len(FAULTS))}")
    for name, counts in sorted(_counts(outcomes, (title,)).items()):
        _print_row(name[0], counts)
    _print_row("all", sum(_counts(outcomes, ()).values(), Counter()))


def _print_row(name: str, counts: Counter) -> None:
    print(f"| {name} | {' | '.join(f'{counts[what]:,}' for what in ('attempts', 'restored', 'refused', *FAULTS))} |")


def _counts(outcomes: list[Outcome], by: tuple[str, ...]) -> dict[tuple[str, ...], Counter]:
    """{values of those fields: how often each ending and fault occurred}."""
    counts: dict[tuple[str, ...], Counter] = {}
    for outcome in outcomes:
        key = tuple(getattr(outcome, name) for name in by)
        counts.setdefault(key, Counter()).update(["attempts", outcome.ended, *outcome.faults])
    return counts


def _write_csv(path: Path, outcomes: list[Outcome]) -> None:
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["sort", "damage", "attempts", "restored", "refused", *FAULTS])
        for names, counts in sorted(_counts(outcomes, ("sort", "damage")).items()):
            rows.writerow([*names, *(counts[what] for what in ("attempts", "restored", "refused", *FAULTS))])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="damages (default: 10,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="attempts at a time (default: 2)")
    parser.add_argument("--only", type=int, metavar="N", help="repeat attempt N alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the files of each attempt in FOLDER/N")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write counts by sort and damage")
    return parser


if __name__ == "__main__":
    sys.exit(main())
