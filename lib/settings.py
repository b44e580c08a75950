"""What a person asks for: the notebooks' forms, the command line and `compress(settings=...)` fill in a Settings.

A coding parameter left at None takes the value of the preset; `Settings.resolve` makes the complete lib.parameters.Parameters.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lib import kinds, parameters, presets
from lib.errors import SettingsError
from lib.parameters import FACTS, Parameters, checked


def _of_coding(name: str) -> Any:
    """A field for a coding parameter, left to the preset where nothing is said."""
    facts = dict(FACTS[name])
    if name == "contexts":
        # A person chooses a kind, and gets its newest version. Those that suit no network are found in data, and are no choice.
        facts["choices"] = ("none", *(name for name, kind in kinds.NEWEST.items() if kind.suits_networks))
    return field(default=None, metadata=facts)


def _of_a_run(default: Any, help: str, choices: tuple[str, ...] | None = None, unit: str = "", minimum: float | None = None,
              maximum: float | None = None, of_decoding: bool = False, in_notebooks: Any = None) -> Any:
    """A field for what is chosen for a run, or also one of decoding, and never stored in a file.

    in_notebooks: what a notebook's form begins with, where that is not the default.
    """
    facts = parameters.parameter(None, type(default), unit, help, minimum, maximum, choices)
    return field(default=default, metadata=dict(facts) | {"of_decoding": of_decoding, "in_notebooks": in_notebooks or default})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a person can choose. None means: as the preset says.

    Raises SettingsError where a value is outside its bounds, naming the parameter.
    """

    preset: str = _of_a_run(
        "auto", "fast: contexts only; balanced: contexts and a network; best: a larger network; gpu: the largest, for a GPU; "
        "network: a network only; auto: fast, balanced or best, by data, size and time_limit", ("auto", "fast", "balanced", "best", "gpu", "network"))
    time_limit: float = _of_a_run(
        100.0, "longest run that auto may choose, on two usual cores; fast may take longer", unit="s", minimum=1, maximum=10_000_000)
    verify: str = _of_a_run(
        "no", "yes: decode the new file in a process of its own, and compare, before it gets its name; this takes as long as "
        "decompressing; quick: only where that is a few seconds (default in notebooks)", ("no", "quick", "yes"), in_notebooks="quick")
    checkpoint_minutes: float = _of_a_run(
        10.0, "time between two checkpoints, if a run keeps them; they take at most 4 % of the time",
        unit="min", minimum=0.001, maximum=10_000, of_decoding=True)
    grid_width: int = _of_a_run(
        0, "width of a frame of video tokens, for arrays of (frames, cells); 0: found from the data", unit="cells", minimum=0,
        maximum=1 << 20)
    pixels: str = _of_a_run(
        "no", "yes: if a PNG cannot be restored byte for byte, keep its pixels, palette, profile and texts in a "
        "new PNG", ("no", "yes"))
    contexts: str | None = _of_coding("contexts")
    table_bits: int | None = _of_coding("table_bits")
    primer: str | None = _of_coding("primer")
    prior: str | None = _of_coding("prior")
    weights: str | None = _of_coding("weights")
    batch_size: int | None = _of_coding("batch_size")
    seq_length: int | None = _of_coding("seq_length")
    update_interval: int | None = _of_coding("update_interval")
    update_delay: int | None = _of_coding("update_delay")
    rnn_units: int | None = _of_coding("rnn_units")
    num_layers: int | None = _of_coding("num_layers")
    embedding_size: int | None = _of_coding("embedding_size")
    context_size: int | None = _of_coding("context_size")
    context_frames: int | None = _of_coding("context_frames")
    image_neighbours: str | None = _of_coding("image_neighbours")
    start_learning_rate: float | None = _of_coding("start_learning_rate")
    end_learning_rate: float | None = _of_coding("end_learning_rate")
    adam_beta_2: float | None = _of_coding("adam_beta_2")
    seed: int | None = _of_coding("seed")
    arithmetic: str | None = _of_coding("arithmetic")
    coder: str | None = _of_coding("coder")
    backend: str = _of_a_run(
        "auto", "what computes an exact network in this run; all give the same file, and auto takes the fastest",
        ("auto", "numba", "numpy", "tensorflow", "jax"), of_decoding=True)

    def __post_init__(self) -> None:
        for wish in dataclasses.fields(self):
            value = getattr(self, wish.name)
            if value is not None:
                object.__setattr__(self, wish.name, checked(wish.name, wish.metadata, value))
            elif wish.default is not None:
                object.__setattr__(self, wish.name, wish.default)
        parameters.check_together(vars(self))

    def with_text(self, assignments: list[str]) -> "Settings":
        """These settings with `name=value` strings applied, as typed on a command line or in a form."""
        values = {}
        for assignment in assignments:
            name, separator, text = assignment.partition("=")
            if not separator:
                raise SettingsError(f"a setting is written name=value, got {assignment!r}")
            values[name.strip()] = text.strip()
        return self.with_values(values)

    def with_values(self, values: dict[str, Any]) -> "Settings":
        """These settings with a dict of values applied; text is read as the parameter's type.

        An empty text, None or "preset" leaves a parameter to the preset.
        """
        known = {wish.name for wish in dataclasses.fields(self)}
        for name in values:
            if name not in known:
                meant = difflib.get_close_matches(name, known, 1)
                raise SettingsError(f"there is no setting {name!r}", f"did you mean {meant[0]}?" if meant else
                                    f"the settings are {', '.join(sorted(known))}")
        unset = (None, "", "preset")
        wishes: dict[str, Any] = {name: None if value in unset else value for name, value in values.items()}
        return dataclasses.replace(self, **wishes)

    def resolve(self, symbol_count: int, kind: str = "text", prior_symbols: int = 0,
                prior_network: Mapping[str, Any] = MappingProxyType({})) -> Parameters:
        """The complete Parameters for an input of `symbol_count` symbols, by the newest form of the preset.

        kind: the contexts that suit the data; prior_symbols: symbols of the prior; prior_network: values that its network has. "auto" counts as "balanced" here;
        lib.coding.choice decides.
        """
        preset = "balanced" if self.preset == "auto" else self.preset
        chosen = self.chosen()
        if self.contexts is not None and self.contexts != "none":
            kind = self.contexts
            chosen["contexts"] = kinds.NEWEST[kind].stored_name
        values = presets.newest(preset, symbol_count, kind, chosen, prior_symbols, prior_network)
        if self.seq_length is None:
            values["seq_length"] = max(values["seq_length"], values["update_interval"])
        elif self.update_interval is None:
            values["update_interval"] = min(values["update_interval"], values["seq_length"])
        if self.update_delay is None:
            values["update_delay"] = min(values["update_delay"], values["update_interval"]) if values["arithmetic"] == "exact" else 0
        return Parameters(**values)

    def check_for_decoding(self, allowed: tuple[str, ...] = ()) -> None:
        """Refuse settings that a file knows itself or that are for compressing, by name, but those `allowed`."""
        how = ", ".join(wish.name for wish in decoding_parameters())
        for name in self.asked():
            if name not in allowed:
                why = f"the file says {name} itself" if name in FACTS else f"{name} is for compressing"
                raise SettingsError(why, f"to decompress, only how to run can be chosen ({how})", name)

    @property
    def chooses_network(self) -> bool:
        """Whether what the user chose asks for a network."""
        of_contexts_too = {"batch_size", "contexts", "table_bits", "primer", "prior", "coder", "num_layers"}
        return bool(self.chosen().keys() - of_contexts_too or self.num_layers or self.contexts == "none")

    def chosen(self) -> dict[str, Any]:
        """{name: value} of the coding parameters that were given a value."""
        return {name: getattr(self, name) for name in FACTS if getattr(self, name) is not None}

    def asked(self) -> dict[str, Any]:
        """{name: value} of all that was asked for but how a run computes, which may change from one machine to the next."""
        return {wish.name: getattr(self, wish.name) for wish in dataclasses.fields(self)
                if getattr(self, wish.name) != wish.default and not wish.metadata.get("of_decoding")}


def coding_parameters() -> list[dataclasses.Field]:
    """The fields of `Settings` that shape the coded data, in order."""
    return [wish for wish in dataclasses.fields(Settings) if wish.name in FACTS]


def decoding_parameters() -> list[dataclasses.Field]:
    """The fields of `Settings` that a file does not know itself."""
    return [wish for wish in dataclasses.fields(Settings) if wish.metadata.get("of_decoding")]


# What presets fit to the input.
_FITTED = {"contexts": "by the data", "primer": "by the data", "table_bits": "by size", "batch_size": "by size", "image_neighbours": "by the data"}


def bounds_of(wish: dataclasses.Field) -> str:
    """What a setting may be, for people."""
    facts = wish.metadata
    if facts["choices"]:
        return ", ".join(facts["choices"])
    return facts["pattern"][1] if facts["pattern"] else f"{facts['minimum']} to {facts['maximum']} {facts['unit']}".strip()


def default_of(name: str) -> Any:
    """What a setting is where nothing is said: the balanced preset's value or what it goes by, or that of a run."""
    if name not in FACTS:
        return Settings.__dataclass_fields__[name].default
    return _FITTED.get(name) or presets.newest("balanced", 0, "text")[name]
