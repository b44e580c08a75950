"""How long a plan takes on a usual machine, two cores of an x86-64 one, reckoned before it begins: the same figure everywhere.

What `auto` takes goes by these figures, so they are part of a version; lib.coding.calibration says how long it takes here.
"""

from lib.coding.plan import Plan
from lib.kinds import BY_STORED_NAME
from lib.mixing import primers
from lib.models.size import operations_per_step

BEGIN_SECONDS = 2                          # to load what was compiled before
_OPERATIONS_PER_SECOND = 28e9              # of an exact network on one core, or of one stream, measured on an x86-64 machine
_STEP_SECONDS = 25e-6                      # that the calls of a step take beside a network
_WITHOUT_CONTEXTS = 1_000_000              # symbols of a network alone that a coder codes in a second
_PRIMED_PER_SECOND = 20_000                # symbols of a primer or prior that contexts read in a second, a slow one


def symbols_per_second(plan: Plan) -> float:
    """Symbols that a plan codes in a second on two cores of an x86-64 machine."""
    if plan.groups:
        return plan.streams.coded_count / sum(group.streams.coded_count / symbols_per_second(group) for group in plan.groups)
    parameters = plan.parameters
    kind = BY_STORED_NAME.get(parameters.contexts)
    seconds = 1 / (kind.symbols_per_second if kind else _WITHOUT_CONTEXTS)
    if parameters.has_network:
        coding, learning = (operations / parameters.batch_size / _OPERATIONS_PER_SECOND for operations in
                            operations_per_step(parameters, plan.input_shape))
        seconds += coding + _STEP_SECONDS / parameters.batch_size
        seconds = max(seconds, learning) if parameters.update_delay else seconds + learning
    return 1 / seconds


def priming_seconds(plan: Plan, prior_symbols: int = 0) -> float:
    """Seconds that contexts take to read a primer and a prior of so many symbols."""
    return (primers.length(plan.parameters.primer) + prior_symbols) / _PRIMED_PER_SECOND


def coding_seconds(plan: Plan, prior_symbols: int = 0) -> float:
    """Seconds from the first symbol, of a primer, a prior of so many symbols or the input, to the last."""
    if plan.groups:
        return sum(coding_seconds(group, prior_symbols) for group in plan.groups)
    if plan.source.vocabulary_size == 1:
        return 0.0
    return priming_seconds(plan, prior_symbols) + plan.streams.coded_count / symbols_per_second(plan)
