"""The presets: what each parameter is where a user says nothing.

A file header stores the number of a preset in place of its values, so the values of a released preset never change.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lib import kinds, learned
from lib.mixing import primers

_NETWORK_1 = dict(
    batch_size=16, seq_length=10, update_interval=5, rnn_units=200, num_layers=2, embedding_size=64,
    start_learning_rate=0.008, end_learning_rate=0.003, adam_beta_2=0.999, seed=1,
    arithmetic="float32", coder="numba")

_NETWORK_2 = _NETWORK_1 | dict(
    batch_size=4, seq_length=12, update_interval=8, num_layers=3, start_learning_rate=0.005, end_learning_rate=0.001,
    adam_beta_2=0.992, arithmetic="exact")

_FAST = _NETWORK_2 | dict(num_layers=0, batch_size=1, table_bits=22)
_BALANCED = _NETWORK_2 | dict(batch_size=1, seq_length=32, update_interval=32, num_layers=2, table_bits=22)
_VIDEO = dict(contexts="video", num_layers=1, embedding_size=32, context_size=1, context_frames=3, start_learning_rate=0.003)
_IMAGE = dict(contexts="image", num_layers=1, embedding_size=16, context_size=3)
_SOUND = dict(contexts="sound", num_layers=1, embedding_size=16)
_GPU = _BALANCED | dict(seq_length=24, update_interval=16, num_layers=3, rnn_units=1600)
_BEST = _BALANCED | dict(seq_length=24, update_interval=16, num_layers=3, rnn_units=400)

_LEARNED = _BALANCED | dict(seq_length=64, update_interval=64, update_delay=64, num_layers=3, start_learning_rate=0.0003, end_learning_rate=0.0001)

# Every form of a preset ever released, by the number that file headers give it. Entries never change;
# a better preset gets new numbers, and `newest` takes from those.
PRESETS = MappingProxyType({
    1: MappingProxyType(_NETWORK_1),
    2: MappingProxyType(_NETWORK_1 | dict(batch_size=8)),      # 2 to 4: what auto made of it for smaller inputs
    3: MappingProxyType(_NETWORK_1 | dict(batch_size=4)),
    4: MappingProxyType(_NETWORK_1 | dict(batch_size=2)),
    5: MappingProxyType(_NETWORK_2),
    6: MappingProxyType(_NETWORK_2 | dict(batch_size=1)),      # 6 to 9: what auto made of it for other sizes
    7: MappingProxyType(_NETWORK_2 | dict(batch_size=2)),
    8: MappingProxyType(_NETWORK_2 | dict(batch_size=8)),
    9: MappingProxyType(_NETWORK_2 | dict(batch_size=16)),
    10: MappingProxyType(_FAST | dict(contexts="text")),
    11: MappingProxyType(_FAST | dict(contexts="binary")),
    12: MappingProxyType(_BALANCED | dict(contexts="text", primer="text-1")),
    13: MappingProxyType(_BALANCED | dict(contexts="binary")),
    14: MappingProxyType(_BEST | dict(contexts="text", primer="text-1")),
    15: MappingProxyType(_BEST | dict(contexts="binary")),
    16: MappingProxyType(_GPU | dict(contexts="text", primer="text-1")),
    17: MappingProxyType(_GPU | dict(contexts="binary")),
    18: MappingProxyType(_FAST | dict(contexts="video")),
    19: MappingProxyType(_BALANCED | _VIDEO),
    20: MappingProxyType(_BEST | _VIDEO),
    21: MappingProxyType(_GPU | _VIDEO),
    22: MappingProxyType(_FAST | dict(contexts="image")),
    23: MappingProxyType(_BALANCED | _IMAGE),
    24: MappingProxyType(_BEST | _IMAGE),
    25: MappingProxyType(_GPU | _IMAGE),
    26: MappingProxyType(_FAST | dict(contexts="sound")),
    27: MappingProxyType(_BALANCED | _SOUND),
    28: MappingProxyType(_BEST | _SOUND),
    29: MappingProxyType(_GPU | _SOUND),
    30: MappingProxyType(_FAST | dict(contexts="jpeg")),
    31: MappingProxyType(_FAST | dict(contexts="packed", table_bits=14)),
    32: MappingProxyType(_LEARNED | dict(contexts="text", weights="text-small-1", rnn_units=160)),
    33: MappingProxyType(_LEARNED | dict(contexts="text", weights="text-large-1", rnn_units=384)),
})
NETWORK = 5
# Parameters that early presets do not know.
_ADDED_LATER: dict[str, Any] = dict(contexts="none", table_bits=22, primer="none", prior="none", context_size=0, context_frames=1,
                                    update_delay=0, weights="none")


def values_of(number: int) -> dict[str, Any]:
    """All values of a released preset, as parameters are called today."""
    return with_overrides(number, {})


def with_overrides(number: int, overrides: dict[str, Any]) -> dict[str, Any]:
    """All values of a released preset but those that a header overrides.

    Before there was image_neighbours, context_size said that too: 0, or any other number.
    """
    values = _ADDED_LATER | dict(PRESETS[number]) | overrides
    values.setdefault("image_neighbours", "yes" if values["context_size"] else "no")
    if kinds.name_of(values["contexts"]) == "image":
        values["context_size"] = 0
    return values


def can_describe(number: int, contexts: str) -> bool:
    """Whether a preset's number may stand for values with these contexts: context_size means one thing for images, and another for videos."""
    preset = PRESETS[number]
    return "context_size" not in preset or (preset["contexts"] == "image") == (kinds.name_of(contexts) == "image")


def newest(name: str, symbol_count: int, kind: str, chosen: Mapping[str, Any] = MappingProxyType({}),
           prior_symbols: int = 0, prior_network: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """All values of a preset's newest form but those `chosen`, for `symbol_count` symbols that contexts of `kind` suit.

    prior_symbols: what contexts learn from before; prior_network: values of the network in a prior, where it has one.
    """
    values = values_of(NETWORK if name == "network" else kinds.NEWEST[kind].presets[name])
    values |= _of_weights(values, chosen, prior_network) | dict(chosen)
    if name == "network":
        return values
    known = primers.length(values["primer"]) + prior_symbols + symbol_count
    contexts = kinds.BY_STORED_NAME.get(values["contexts"])
    fitted = dict(table_bits=_table_bits(known, contexts.slots_per_symbol if contexts else _SLOTS_WITHOUT_CONTEXTS))
    if values["num_layers"]:
        fitted["batch_size"] = streams_for(symbol_count)
    return values | fitted | dict(chosen)


def _of_weights(preset: Mapping[str, Any], chosen: Mapping[str, Any], prior_network: Mapping[str, Any]) -> dict[str, Any]:
    """The weights that a network begins with, which are the prior's if that has some, and the values that go with them.

    Weights that were not `chosen` themselves give way to a shape or an arithmetic that was.
    """
    weights = chosen.get("weights", "prior" if prior_network and preset["num_layers"] else preset["weights"])
    if weights != "none":
        values = dict(prior_network if weights == "prior" else learned.values_of(weights))
        if "weights" in chosen or all(
                chosen.get(name, values.get(name)) == values.get(name) for name in _SHAPE) and chosen.get("arithmetic", "exact") == "exact":
            return values | {"weights": weights}
    return (_FROM_NOTHING if preset["weights"] != "none" else {}) | {"weights": "none"}


_SHAPE = "num_layers", "rnn_units", "embedding_size"
_FROM_NOTHING = dict(seq_length=32, update_interval=32, update_delay=0, start_learning_rate=0.005, end_learning_rate=0.001)


def _table_bits(symbol_count: int, slots_per_symbol: int) -> int:
    """Context slots for an input: so many for each symbol, rounded up, to 512 MB. docs/tuning.md has the figures."""
    return min(max(_FEWEST_TABLE_BITS, (slots_per_symbol * symbol_count - 1).bit_length()), _MOST_TABLE_BITS)


_FEWEST_TABLE_BITS, _MOST_TABLE_BITS = 14, 26
_SLOTS_WITHOUT_CONTEXTS = 32         # in the header of every file of a network alone; nothing looks at it


def streams_for(symbol_count: int) -> int:
    """How many streams an input gets beside contexts: fewer are slower and learn more.

    docs/tuning.md has the figures.
    """
    for streams, smallest in ((16, 16_000_000), (8, 8_000_000), (4, 4_000_000), (2, 2_000_000)):
        if symbol_count >= smallest:
            return streams
    return 1
