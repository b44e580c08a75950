"""From what was wished for to a plan; and what preset=auto takes: the preset that makes the smallest file in the time that there is.

What auto takes goes by the data, the settings and this version alone, so the same input becomes the same file on every machine.
"""

import dataclasses
from collections.abc import Callable

from lib.coding import speed
from lib.coding.plan import Plan
from lib.kinds import NEWEST, name_of
from lib.models.exact.bounds import MOST_SYMBOLS
from lib.priors import Prior
from lib.settings import Settings
from lib.sources.blocks import WITH_PRIORS, BlockSource
from lib.sources.source import Source

_SMALLEST_FIRST = ("best", "balanced", "fast")
_FEWEST_FOR_NETWORKS = 4096      # symbols of a group of an input
_OF_NETWORKS = ("num_layers", "batch_size", "primer")       # settings that kinds which suit none leave to the preset
_MOST_MEMORY = 3_000_000_000     # bytes that auto lets networks and contexts take: half of what small machines have


def plan_for(settings: Settings, source: Source, prior: Prior | None = None, of_fast: Callable[[], Source] | None = None) -> tuple[Plan, str]:
    """(the Plan for a source, with what a prior holds; what was chosen and why in a line, "" where nothing was to be chosen).

    of_fast: gives the source that preset=fast looks at the same data with, where that may be another; for auto, should it take that.
    Raises SettingsError.
    """
    kind = source.suitable_contexts()
    if source.place and settings.batch_size is None:
        settings = settings.with_values({"batch_size": source.place.batch_size})

    def plan_by(preset: str) -> Plan:
        wished = dataclasses.replace(settings, preset=preset)
        looked_at = of_fast() if of_fast and preset == "fast" else source
        if not isinstance(looked_at, BlockSource):
            return Plan.of(_resolved(wished, looked_at, looked_at.suitable_contexts(), prior), looked_at, settings.backend)
        groups = looked_at.with_parameters([_parameters_of(group, wished, prior) for group in looked_at.groups])
        parameters = groups.largest.parameters
        assert parameters
        return Plan.of(parameters, groups, settings.backend)

    if settings.preset != "auto":
        plan = plan_by(settings.preset)
        unused = prior and plan.prior == "none"
        return plan, "the prior holds nothing that this preset uses for this input: the file does not need it" if unused else ""
    names = [name for name in _SMALLEST_FIRST if name != "fast" or not (settings.chooses_network or prior and not prior.text)]
    against = []
    for name in names:
        is_last = name == names[-1]
        if not is_last and source.vocabulary_size > MOST_SYMBOLS:
            against.append(f"{name} is for up to {MOST_SYMBOLS:,} different symbols")
            continue
        plan = plan_by(name)
        seconds = speed.coding_seconds(plan, len(prior.text) if prior else 0)
        if is_last or seconds <= settings.time_limit and plan.predictor_bytes <= _MOST_MEMORY:
            break
        against.append(f"{name} would take about {duration(seconds)}" if seconds > settings.time_limit else
                       f"{name} would take {plan.predictor_bytes / 1e9:.1f} GB of memory")
    return plan, _reason(name, plan, kind, seconds, against, settings.time_limit)


def _resolved(wished, source, kind, prior):
    """The parameters for a source, without a prior that holds nothing which they use."""
    symbols, network = (prior.symbols_for(source), prior.network_for(source)) if prior else (0, {})
    parameters = wished.resolve(source.symbol_count, kind, symbols, network)
    is_used = prior and (symbols or parameters.weights == "prior")
    return parameters if is_used else dataclasses.replace(parameters, prior="none")


def _parameters_of(group, wished, prior):
    """What a group is coded with: as its kind suits it, and without a network where that would take longer to begin than it is worth."""
    kind = NEWEST[group.contexts]
    if not kind.suits_networks:
        wished = wished.with_values(dict.fromkeys(_OF_NETWORKS, None))
    if group.name not in WITH_PRIORS and not (prior and not prior.text and prior.network_for(group.source)):
        wished, prior = wished.with_values({"prior": None}), None
    if group.source.symbol_count < _FEWEST_FOR_NETWORKS and not wished.chooses_network:
        wished = dataclasses.replace(wished, preset="fast")
    return _resolved(wished, group.source, kind.name, prior)


def _reason(name, plan, kind, seconds, against, time_limit):
    contexts = plan.parameters.contexts
    data = f"data that looks like {kind}" if name_of(contexts) == kind else f"contexts={contexts}"
    if plan.groups:
        data = f"data that holds {', '.join(sorted({group.parameters.contexts for group in plan.groups}))}"
    why = f"; {', '.join(against)}, and time_limit is {duration(time_limit)}" if against else ""
    return f"auto took {name} for {data}: about {duration(seconds)} on two usual cores{why}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds <= 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.0f} h"
