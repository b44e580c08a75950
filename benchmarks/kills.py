"""What killed commands leave: python -m benchmarks.kills [--count 1000] [--seed 1] [--jobs 2]

Runs the command line and kills it at random moments, by SIGTERM, SIGKILL, SIGINT and SIGHUP; then begins again, by the same command
or by resume, until it ends. Whatever was there before has to be there still, under a final name only complete outputs, and after
anything but SIGKILL no temporary files; at the end, the output of an unbroken run. Exits 1 where a count of faults is not 0.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.damages.samples import digest

FAULTS = ("lost or changed", "incomplete output", "left over", "success without output", "failed", "not identical")
SIGNALS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP)
_TO_THE_GROUP = (signal.SIGINT, signal.SIGHUP)     # as a terminal sends them
_ROOT = Path(__file__).resolve().parents[1]
_KILLS_EACH = (1, 2, 3, 4)                         # of one run, until it may end
_OLDER = b"an earlier output"
_WORD = b"It was the best of times, it was the worst of times, it was the age of wisdom. "
_WHOLE_BYTES, _TEXT_BYTES = 24_000_000, 50_000
_OFTEN = ("--checkpoint", "kept", "--set=checkpoint_minutes=0.001")
_FAST = ("--preset=fast",)


@dataclass(frozen=True)
class Case:
    """A command, in a folder of its own."""

    label: str
    command: tuple[str, ...]
    inputs: tuple[str, ...]                   # names of what it reads, which never changes
    outputs: tuple[str, ...]
    expected: tuple[str, ...] = ()            # digests of the outputs of an unbroken run
    seconds: float = 0.0                      # that one takes

    @property
    def has_checkpoint(self) -> bool:
        return "--checkpoint" in self.command


CASES = (
    Case("compress, checkpoint", ("compress", "text", "-o", "text.out", *_FAST, *_OFTEN), ("text",), ("text.out",)),
    Case("compress, checkpoint, verified", ("compress", "text", "-o", "text.out", "--preset=fast", "--verify", *_OFTEN), ("text",),
         ("text.out",)),
    Case("compress", ("compress", "text", "-o", "text.out", *_FAST), ("text",), ("text.out",)),
    Case("compress a folder", ("compress", "folder", "-o", "folder.out", *_FAST), ("folder",), ("folder.out",)),
    Case("decompress, checkpoint", ("decompress", "text.lks", "-o", "text.out", *_OFTEN), ("text.lks",), ("text.out",)),
    Case("decompress", ("decompress", "text.lks", "-o", "text.out"), ("text.lks",), ("text.out",)),
    Case("decompress a folder", ("decompress", "folder.lks", "-o", "folder.again"), ("folder.lks",), ("folder.again",)),
    Case("split", ("split", "whole", "-n", "3"), ("whole",), tuple(f"whole.part{n}of3" for n in (1, 2, 3)) + ("whole.parts.json",)),
    Case("join", ("join", "cut/whole.parts.json", "-o", "whole.out"), ("cut",), ("whole.out",)),
    Case("learn", ("learn", "text", "folder/a", "-o", "my.prior"), ("text", "folder"), ("my.prior",)),
)


@dataclass(frozen=True)
class Trial:
    """What came of one run that was killed and begun again until it ended."""

    number: int
    label: str
    kills: tuple[tuple[str, int], ...]        # of each: the signal's name, the exit code
    faults: tuple[tuple[str, str], ...]       # of FAULTS: what there is to say of it


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    started, trials = time.perf_counter(), []
    with contextlib.suppress(KeyboardInterrupt):         # what was done until then is still counted
        for trial in measure(options.count, options.seed, options.jobs):
            trials.append(trial)
            for fault, said in trial.faults:
                print(f"#{trial.number} (seed {options.seed}), {trial.label}: {fault}: {said}", flush=True)
    done = sum(len(trial.kills) for trial in trials)
    _print_tables(trials)
    print(f"{done:,} kills in {len(trials):,} runs, in {time.perf_counter() - started:,.0f} s")
    return 1 if done < options.count or any(trial.faults for trial in trials) else 0


def measure(count: int, seed: int, jobs: int = 2, cases: tuple[Case, ...] = CASES, text_bytes: int = _TEXT_BYTES,
            whole_bytes: int = _WHOLE_BYTES) -> Iterator[Trial]:
    """Trials, as they come, until so many kills or some more are done; those of one seed kill at the same shares of a run's time."""
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        folder = Path(folder)
        _make_inputs(folder / "made", text_bytes, whole_bytes)
        bench = _Bench(tuple(_unbroken(case, folder) for case in cases), seed, folder)
        with multiprocessing.get_context("spawn").Pool(jobs, _listen_to_signals) as pool:
            done, begun = 0, 0
            while done < count:
                numbers = range(begun, begun + max(jobs, (count - done) // _KILLS_EACH[-1]))
                for trial in pool.imap_unordered(bench.trial, numbers):
                    yield trial
                    done += len(trial.kills)
                begun = numbers.stop


def _listen_to_signals() -> None:
    """A shell starts what runs in the background with SIGINT ignored, and nohup with SIGHUP: children would inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _make_inputs(folder: Path, text_bytes: int, whole_bytes: int) -> None:
    """Every file that a case reads."""
    draw = random.Random(1)
    folder.mkdir()
    (folder / "text").write_bytes(bytes(draw.choices(_WORD, k=text_bytes)))
    (folder / "whole").write_bytes(draw.randbytes(whole_bytes))
    (folder / "folder" / "below").mkdir(parents=True)
    (folder / "folder" / "a").write_bytes(bytes(draw.choices(_WORD, k=text_bytes // 2)))
    (folder / "folder" / "below" / "b").write_bytes(bytes(draw.choices(_WORD, k=text_bytes // 2)))
    (folder / "cut").mkdir()
    for command in (("compress", "text", *_FAST), ("compress", "folder", *_FAST), ("split", "whole", "-n", "3", "-o", "cut")):
        subprocess.run(_command(command), cwd=folder, env=_environment(), check=True)


def _unbroken(case: Case, folder: Path) -> Case:
    """The case, with what a run that nobody kills makes, and how long that takes."""
    seconds = []
    for _ in range(2):                        # the first may have to compile
        work = _workplace(case, folder)
        started = time.perf_counter()
        subprocess.run(_command(case.command), cwd=work, env=_environment(), check=True)
        seconds.append(time.perf_counter() - started)
        expected = tuple(digest(work / name) for name in case.outputs)
        shutil.rmtree(work)
    return replace(case, expected=expected, seconds=min(seconds))


def _workplace(case: Case, folder: Path) -> Path:
    work = Path(tempfile.mkdtemp(dir=folder))
    for name in case.inputs:
        source = folder / "made" / name
        shutil.copytree(source, work / name) if source.is_dir() else shutil.copy(source, work / name)
    return work


def _command(command: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "lib", *command, "--quiet", *(["--force"] if _has_force(command) else [])]


def _has_force(command: tuple[str, ...]) -> bool:
    return command[-1] != "folder.again"       # folders are never replaced


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


class _Bench:
    """Cases with what is expected of them."""

    def __init__(self, cases: tuple[Case, ...], seed: int, folder: Path):
        self._cases, self._seed, self._folder = cases, seed, folder

    def trial(self, number: int) -> Trial:
        draw = random.Random(f"{self._seed}/{number}")
        case = self._cases[number % len(self._cases)]
        work = _workplace(case, self._folder)
        if draw.random() < 0.5 and "folder.again" not in case.outputs:
            for name in case.outputs:
                (work / name).write_bytes(_OLDER)
        kills, faults = [], []
        for _ in range(draw.choice(_KILLS_EACH)):
            if _is_done(case, work):
                break
            before, temporary = _state(case, work), _temporary(work)
            killed_by, code = _run_and_kill(case, work, draw)
            faults += _faults_after(case, work, before, temporary, killed_by, code)
            if killed_by:
                kills.append((killed_by.name, code))
        faults += _faults_at_the_end(case, work)
        shutil.rmtree(work)
        return Trial(number, case.label, tuple(kills), tuple(faults))


def _state(case: Case, work: Path) -> dict[str, str]:
    """{name: digest} of inputs and outputs; "" for what is not there."""
    return {name: digest(work / name) for name in (*case.inputs, *case.outputs)}


def _temporary(work: Path) -> set[str]:
    return {path.name for path in work.rglob(".lockstep-*")}


def _checkpoints(work: Path) -> list[str]:
    return [name for name in ("kept", "kept.previous") if (work / name).exists()]


def _is_done(case: Case, work: Path) -> bool:
    return _outputs(case, work) == case.expected and not _checkpoints(work)


def _outputs(case: Case, work: Path) -> tuple[str, ...]:
    return tuple(digest(work / name) for name in case.outputs)


def _again(case: Case, work: Path, draw: random.Random) -> list[str]:
    """The same command, or where there is a checkpoint, now and then resume."""
    if draw.random() < 0.5 and _checkpoints(work):
        return [sys.executable, "-m", "lib", "resume", "kept", "--quiet", "--set=checkpoint_minutes=0.001"]
    return _command(case.command)


def _run_and_kill(case: Case, work: Path, draw: random.Random) -> tuple[signal.Signals | None, int]:
    """(the signal, or None for a run that ended before; the exit code)."""
    command, chosen, moment = _again(case, work, draw), draw.choice(SIGNALS), draw.uniform(0.2, 1.0) * case.seconds
    process = subprocess.Popen(command, cwd=work, env=_environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        return None, process.wait(moment)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        if chosen in _TO_THE_GROUP:
            os.killpg(process.pid, chosen)
        else:
            process.send_signal(chosen)
    code = process.wait(120)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)              # a verification that outlives it
    return chosen, code


def _faults_after(case: Case, work: Path, before: dict[str, str], temporary: set[str], killed_by: signal.Signals | None,
                  code: int) -> list[tuple[str, str]]:
    """What is wrong after a kill, or after a run that ended before it; temporary: what an earlier kill had left."""
    faults, how = [], f"after {killed_by.name if killed_by else 'the end'}, exit code {code}"
    after = _state(case, work)
    lost = [name for name in case.inputs if after[name] != before[name]]
    lost += [name for name in case.outputs if before[name] and not after[name]]
    if lost:
        faults.append(("lost or changed", f"{', '.join(lost)} {how}"))
    partly = [name for name, right in zip(case.outputs, case.expected) if after[name] not in (before[name], right, "")]
    if partly:
        faults.append(("incomplete output", f"{', '.join(partly)} {how}"))
    left = _temporary(work) - temporary
    if left and killed_by is not signal.SIGKILL:
        faults.append(("left over", f"{', '.join(sorted(left))} {how}"))
    if code == 0 and _outputs(case, work) != case.expected:
        faults.append(("success without output", how))
    if killed_by is None and code:
        faults.append(("failed", how))
    return faults


def _faults_at_the_end(case: Case, work: Path) -> list[tuple[str, str]]:
    """Let the command end; say what is wrong then."""
    faults, is_done = [], _is_done(case, work)
    if not is_done or _has_force(case.command):
        done = subprocess.run(_command(case.command), cwd=work, env=_environment(), capture_output=True, text=True)
        if done.returncode:
            faults.append(("failed", f"at the end: {done.stderr.strip()[-300:]}"))
    elif _temporary(work):
        return faults                                       # no run came after that could have collected them
    if _outputs(case, work) != case.expected:
        faults.append(("not identical", "at the end"))
    names = {*case.inputs, *case.outputs}
    left = [path.name for path in work.iterdir() if path.name not in names]
    if left:
        faults.append(("left over", f"{', '.join(left)} at the end"))
    return faults


def _print_tables(trials: list[Trial]) -> None:
    """Faults by case; exit codes by signal."""
    print(f"\n| case | runs | kills | {' | '.join(FAULTS)} |\n|---|{'---|' * (2 + len(FAULTS))}")
    for label in (*sorted({trial.label for trial in trials}), "all"):
        chosen = [trial for trial in trials if label in (trial.label, "all")]
        faults = Counter(fault for trial in chosen for fault, _ in trial.faults)
        kills = sum(len(trial.kills) for trial in chosen)
        print(f"| {label} | {len(chosen):,} | {kills:,} | {' | '.join(f'{faults[fault]:,}' for fault in FAULTS)} |")
    codes = Counter(kill for trial in trials for kill in trial.kills)
    print("\n| signal | exit code | kills |\n|---|---|---|")
    for (name, code), count in sorted(codes.items()):
        print(f"| {name} | {code} | {count:,} |")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, metavar="N", help="kills (default: 1,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at a time (default: 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
