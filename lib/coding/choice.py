"""From what was wished for to a plan; and what preset=auto takes: the preset that makes the smallest file in the time that there is."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from lib.coders import make_coder
from lib.coding.plan import Plan
from lib.coding.predictor import Predictor
from lib.coding.speed import priming_seconds
from lib.kinds import name_of
from lib.machine import available_memory
from lib.models.backend import gpu_backend
from lib.models.exact.bounds import MOST_SYMBOLS
from lib.settings import Settings
from lib.sources.source import Source

_SMALLEST_FIRST = ("best", "balanced", "fast")
_TRIAL_SECONDS = 0.4
_SLOWER_LATER = 1.25         # the first steps find little in tables that are still empty, and in the cache
_SURELY_PER_SECOND = 300     # symbols that even the slowest preset for processors codes on a slow one


def plan_for(settings: Settings, source: Source, prior_symbols: int = 0,
             speed: Callable[[Plan], float] | None = None) -> tuple[Plan, str]:
    """(the Plan for a source, after a prior of so many symbols; what was chosen and why in a line).

    speed: tells how many symbols a second a plan codes; without it that is tried out. The line is "" where there was nothing
    to choose. Raises SettingsError.
    """
    kind = source.suitable_contexts()
    if source.place and settings.batch_size is None:
        settings = settings.with_values({"batch_size": source.place.batch_size})
    on_gpu = settings.backend in ("auto", gpu_backend()) and gpu_backend() is not None

    def plan_by(preset: str) -> Plan:
        parameters = dataclasses.replace(settings, preset=preset).resolve(source.symbol_count, kind, on_gpu, prior_symbols)
        return Plan.of(parameters, source, settings.backend)

    if settings.preset != "auto":
        return plan_by(settings.preset), ""
    names = [name for name in _SMALLEST_FIRST if name != "fast" or not settings.chooses_network]
    against = []
    for name in names:
        is_last = name == names[-1]
        if not is_last and source.vocabulary_size > MOST_SYMBOLS:
            against.append(f"{name} is for up to {MOST_SYMBOLS:,} different symbols")
            continue
        plan = plan_by(name)
        if not is_last and not _fits(plan):
            against.append(f"{name} would take more memory than there is")
            continue
        to_begin = priming_seconds(plan, prior_symbols)
        seconds = to_begin + source.symbol_count / _SURELY_PER_SECOND
        if seconds > settings.time_limit or on_gpu:
            seconds = to_begin + source.symbol_count / (speed or _symbols_per_second)(plan)
        if is_last or seconds <= settings.time_limit:
            break
        against.append(f"{name} would take about {duration(seconds)}")
    return plan, _reason(name, plan.parameters.contexts, kind, seconds, against, settings.time_limit)


def _fits(plan):
    """Whether a plan leaves half of the memory that is free."""
    available = available_memory()
    return available is None or 2 * plan.predictor_bytes < available


def _symbols_per_second(plan):
    """How fast a plan codes its source, here and now, by its first steps, without a primer."""
    plan = dataclasses.replace(plan, parameters=dataclasses.replace(plan.parameters, primer="none"))
    streams = plan.streams
    predictor, coder = Predictor(plan), make_coder(plan.parameters.coder)
    symbols = streams.lay_out(plan.source.symbols())
    warm_up = plan.parameters.update_interval    # steps that compile, and learn for the first time
    at_once = min(predictor.steps_at_once, warm_up)
    step, coded, started = 0, 0, time.perf_counter()
    while step < len(symbols):
        end = min(step + at_once, len(symbols))
        predictor.code_steps(coder, symbols[step:end], streams.active(np.arange(step, end)), step)
        coded += streams.symbols_before(end) - streams.symbols_before(step)
        step, now = end, time.perf_counter()
        if step <= warm_up:
            started, coded = now, 0
        elif now - started > _TRIAL_SECONDS:
            break
    return max(1, coded) / max(1e-6, time.perf_counter() - started) / _SLOWER_LATER


def _reason(name, contexts, kind, seconds, against, time_limit):
    looks = f"{kind} by its looks" if name_of(contexts) == kind else f"taken for {contexts}"
    why = f"; {', '.join(against)}, and time_limit is {duration(time_limit)}" if against else ""
    return f"auto took {name} for what is {looks}: up to {duration(seconds)}{why}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds <= 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.0f} h"
