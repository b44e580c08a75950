"""What preset=auto takes: the preset that makes the smallest file in the time that there is, by trying them out."""

import dataclasses
import time

import numpy as np

from lib.coders import make_coder
from lib.coding.predictor import Predictor, predictor_bytes
from lib.machine import available_memory
from lib.mixing import primers
from lib.models.backend import gpu_backend
from lib.models.exact.bounds import MOST_SYMBOLS

_SMALLEST_FIRST = ("best", "balanced", "fast")
_TRIAL_SECONDS = 0.4
_SLOWER_LATER = 1.25         # the first steps find little in tables that are still empty, and in the cache
_SURELY_PER_SECOND = 300     # symbols that even the slowest preset for processors codes on a slow one
_PRIMED_PER_SECOND = 20_000  # and symbols of a primer


def resolve(settings, source, prior_symbols=0, speed=None):
    """(complete settings for a source after a prior of so many symbols, what was chosen and why in a line).

    speed: tells how many symbols a second complete settings code of a source; without it that is tried out. The line is "" where
    there was nothing to choose.
    """
    kind = source.suitable_contexts()
    if not source.is_whole and settings.batch_size is None:
        settings = settings.with_values({"batch_size": source.place.batch_size})
    on_gpu = settings.backend in ("auto", gpu_backend()) and gpu_backend() is not None
    if settings.preset != "auto":
        return settings.resolve(source.symbol_count, kind, on_gpu, prior_symbols), ""
    names = [name for name in _SMALLEST_FIRST if name != "fast" or not settings.chooses_network]
    against = []
    for name in names:
        complete = dataclasses.replace(settings, preset=name).resolve(
            source.symbol_count, kind, on_gpu, prior_symbols)
        if name != names[-1] and not _fits(complete, source):
            against.append(f"{name} would take more memory than there is")
            continue
        if name != names[-1] and source.vocabulary_size > MOST_SYMBOLS:
            against.append(f"{name} is for up to {MOST_SYMBOLS:,} different symbols")
            continue
        to_begin = begin_seconds(complete, prior_symbols)
        seconds = to_begin + source.symbol_count / _SURELY_PER_SECOND
        if seconds > settings.time_limit or on_gpu:
            seconds = to_begin + source.symbol_count / (speed or _symbols_per_second)(complete, source)
        if seconds <= settings.time_limit or name == names[-1]:
            return complete, _reason(name, complete, kind, seconds, against)
        against.append(f"{name} would take about {duration(seconds)}")


def begin_seconds(settings, prior_symbols=0):
    """What contexts take to read a primer and a prior."""
    return (primers.length(settings.primer) + prior_symbols) / _PRIMED_PER_SECOND


def _fits(settings, source):
    """Whether complete settings leave half of the memory that is free."""
    available = available_memory()
    needed = predictor_bytes(settings, source, source.streams_for(settings.batch_size))
    return available is None or 2 * needed < available


def _symbols_per_second(settings, source):
    """How fast complete settings code a source, here and now, by its first steps, without a primer."""
    settings = dataclasses.replace(settings, primer="none")
    streams = source.streams_for(settings.batch_size)
    predictor, coder = Predictor(settings, source, streams), make_coder(settings.coder)
    symbols = streams.lay_out(source.symbols())
    warm_up = settings.update_interval           # steps that compile, and learn for the first time
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


def _reason(name, settings, kind, seconds, against):
    looks = f"{kind} by its looks" if settings.contexts == kind else f"taken for {settings.contexts}"
    why = f"; {', '.join(against)}, and time_limit is {duration(settings.time_limit)}" if against else ""
    return f"auto took {name} for what is {looks}: up to {duration(seconds)}{why}"


def duration(seconds):
    """Seconds as people say them."""
    if seconds <= 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.0f} h"
