"""What the machine, or the container or batch job that a process runs in, has left for it."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from lib.errors import InputError

try:
    import resource
except ImportError:          # on Windows
    resource = None          # type: ignore[assignment]

# Bytes of a process's own limits that compiled loops take, and the libraries that Numba loads with them: one of those asks for memory
# again and again, for ever, where there is none.
_STILL_TO_LOAD = 200 << 20
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def within_memory(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function that says with an InputError where memory is used up that nobody could tell before."""
    @functools.wraps(function)
    def guarded(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        try:
            return function(*arguments, **named)
        except MemoryError as error:
            raise InputError("the memory of this machine is used up", "use a smaller network, a smaller input or a larger machine") from error
    return guarded


# Of each version of cgroups: where its memory controller lies, the files with the limit and the use in bytes, and the line of
# memory.stat that says how much of the use is a cache of files, which the system gives up by itself.
_CGROUPS = (("", "memory.max", "memory.current", "inactive_file"),
            ("unified", "memory.max", "memory.current", "inactive_file"),
            ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))


def available_memory(proc: Path | str = "/proc", cgroups: Path | str = "/sys/fs/cgroup") -> int | None:
    """Bytes of memory that this process can still take, or None where the system does not say.

    That is the least of what is free on the machine, in the process's control groups, and under its own limits (ulimit).
    proc, cgroups: where those file systems are mounted.
    """
    proc = Path(proc)
    free = [*_kilobytes(proc / "meminfo", "MemAvailable"), *_left_in_cgroups(proc, Path(cgroups)), *_left_of_limits(proc)]
    return max(0, min(free)) if free else None


def _left_in_cgroups(proc: Path, cgroups: Path) -> Iterator[int]:
    """What each control group of the process, and each that it lies in, leaves of its limit."""
    for line in _lines(proc / "self" / "cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for folder, limit, used, cache in _CGROUPS:
            is_in_it = "memory" in controllers.split(",") if folder == "memory" else number == "0"
            if not is_in_it:
                continue
            root = cgroups / folder
            group = root / path.lstrip("/")
            for place in (group, *group.parents):
                yield from _left_in_group(place, limit, used, cache)
                if place == root:
                    break


def _left_in_group(group: Path, limit: str, used: str, cache: str) -> Iterator[int]:
    most, taken = (_number(next(_lines(group / name), "")) for name in (limit, used))
    if most is None or taken is None:            # "max", or no such group in here
        return
    words = (line.split() for line in _lines(group / "memory.stat"))
    caches = [_number(pair[1]) or 0 for pair in words if len(pair) == 2 and pair[0] == cache]
    yield most - taken + min(sum(caches), taken)


def _left_of_limits(proc: Path) -> Iterator[int]:
    if resource is None:
        return
    for limit, used in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most = resource.getrlimit(limit)[0]
        if most != resource.RLIM_INFINITY:
            yield most - _STILL_TO_LOAD - next(_kilobytes(proc / "self" / "status", used), 0)


def _kilobytes(path: Path, name: str) -> Iterator[int]:
    """Bytes in the line "name: 123 kB" of a file, if there is one."""
    for line in _lines(path):
        if line.startswith(f"{name}:") and (number := _number(line.split()[1])) is not None:
            yield number * 1024


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, none where it cannot be read."""
    try:
        yield from path.read_text(errors="replace").splitlines()
    except OSError:
        return


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
