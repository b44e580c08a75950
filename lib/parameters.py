"""The complete set of coding parameters: all that, beside the input, decides the bytes of a file, and what its header stores.

lib.settings has what a person asks for; lib.presets turns the one into the other. The facts on each parameter (its number in
headers, bounds, unit, line of help) stand here once; forms, the command line and docs/settings.md are made from them.
"""

import dataclasses
import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lib import kinds, learned, presets
from lib.errors import SettingsError
from lib.mixing import primers


def parameter(header_id: int | None, kind: type, unit: str, help: str, minimum: float | None = None, maximum: float | None = None,
              choices: tuple[str, ...] | None = None, pattern: tuple[str, str] | None = None) -> Mapping[str, Any]:
    """The facts on a parameter: its number in file headers, type, unit, line of help, and what it may be.

    pattern: (regular expression, what that means for people).
    """
    return MappingProxyType(dict(header_id=header_id, kind=kind, unit=unit, help=help, minimum=minimum, maximum=maximum,
                                 choices=choices, pattern=pattern))


def _coding(*facts: Any, **more: Any) -> Any:
    return field(metadata=parameter(*facts, **more))


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """A value for every coding parameter. Raises SettingsError where one is out of its bounds, naming it, or two do not go together."""

    contexts: str = _coding(
        13, str, "", "kind of context statistics; not set: found from the data; none: a network only",
        choices=("none", *kinds.BY_STORED_NAME))
    table_bits: int = _coding(14, int, "", "2^table_bits context slots of 9 bytes; not set: by the input's size", 12, 28)
    primer: str = _coding(
        15, str, "", "a built-in text that contexts learn from before the input; takes seconds", choices=primers.NAMES)
    prior: str = _coding(
        16, str, "", "prior learned from your files, as the first 16 digits of its SHA-256; --prior FILE sets it",
        pattern=("none|[0-9a-f]{16}", "none or 16 hexadecimal digits"))
    weights: str = _coding(
        21, str, "", "what the network knows before the input: none; a network that the library comes with; prior: that of the prior",
        choices=("none", *learned.NAMES, "prior"))
    batch_size: int = _coding(
        1, int, "streams", "parallel streams of the input: more is faster, fewer makes smaller files", 1, 512)
    seq_length: int = _coding(
        2, int, "steps", "how far back an update looks (truncated backpropagation through time)", 1, 256)
    update_interval: int = _coding(
        3, int, "steps", "steps from one update of the weights to the next; at most seq_length", 1, 256)
    update_delay: int = _coding(
        20, int, "steps", "steps until an update counts, for which it is computed beside coding; at most update_interval", 0, 256)
    rnn_units: int = _coding(4, int, "units", "width of each LSTM layer", 8, 8192)
    num_layers: int = _coding(5, int, "layers", "LSTM layers, joined by skip connections; 0: no network", 0, 8)
    embedding_size: int = _coding(6, int, "units", "width of a symbol's embedding", 1, 1024)
    context_size: int = _coding(
        17, int, "cells", "for video tokens: side of the square of cells that the network sees in earlier frames; 0: only the last symbol",
        0, 9)
    context_frames: int = _coding(
        18, int, "frames", "for video tokens: how many earlier frames the network sees, if context_size is 1 or more", 1, 16)
    image_neighbours: str = _coding(
        19, str, "", "for images: the network sees the samples around the next one (yes) or only the last symbol",
        choices=("yes", "no"))
    start_learning_rate: float = _coding(7, float, "per update", "Adam's learning rate at the first symbol", 1e-7, 1.0)
    end_learning_rate: float = _coding(
        8, float, "per update", "Adam's learning rate at the last symbol; linear in between", 1e-7, 1.0)
    adam_beta_2: float = _coding(
        9, float, "", "decay of Adam's mean of squared gradients; exact takes the nearest 1 - 2^-k", 0.5, 0.999999)
    seed: int = _coding(10, int, "", "seed of the initial weights", 0, 2**31 - 1)
    arithmetic: str = _coding(
        11, str, "", "exact decodes on every device; float32, and float16 for GPUs, only where the file was made",
        choices=("exact", "float32", "float16"))
    coder: str = _coding(
        12, str, "", "numba is the compiled coder; arithmetic-compressor is the slow pure-Python reference",
        choices=("numba", "arithmetic-compressor"))

    def __post_init__(self) -> None:
        values = {name: checked(name, facts, getattr(self, name)) for name, facts in FACTS.items()}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        check_together(values)

    @property
    def has_network(self) -> bool:
        return self.num_layers > 0

    @property
    def has_contexts(self) -> bool:
        return self.contexts != "none"

    def to_header(self) -> tuple[int, dict[int, Any]]:
        """(number of the nearest preset, {header_id: value} of what differs from it)."""
        differences = {number: self._differences(number) for number in presets.PRESETS if presets.can_describe(number, self.contexts)}
        nearest = min(differences, key=lambda number: (len(differences[number]), number))
        return nearest, differences[nearest]

    def _differences(self, number: int) -> dict[int, Any]:
        values = presets.values_of(number)
        changed = {name: getattr(self, name) for name in FACTS if name != "image_neighbours" and getattr(self, name) != values[name]}
        if presets.with_overrides(number, changed)["image_neighbours"] != self.image_neighbours:
            changed["image_neighbours"] = self.image_neighbours
        return {FACTS[name]["header_id"]: value for name, value in changed.items()}

    @classmethod
    def from_header(cls, number: int, overrides: Mapping[int, Any]) -> "Parameters":
        """The parameters that `to_header` described.

        Raises SettingsError for a preset, parameter or kind of contexts this version does not know and for values out of bounds.
        """
        names = {facts["header_id"]: name for name, facts in FACTS.items()}
        unknown = [f"preset {number}"] if number not in presets.PRESETS else []
        unknown += [f"parameter {header_id}" for header_id in overrides if header_id not in names]
        if not unknown:
            values = presets.with_overrides(number, {names[header_id]: value for header_id, value in overrides.items()})
            contexts = values["contexts"]
            if isinstance(contexts, str) and contexts not in FACTS["contexts"]["choices"]:
                unknown.append(f"contexts {contexts!r}")
        if unknown:
            raise SettingsError(f"the file uses {unknown[0]}, which this version of Lockstep does not know", "a newer version may")
        for name, facts in FACTS.items():
            if type(values[name]) is not facts["kind"]:        # a header holds no numbers as text, and no gaps
                raise SettingsError(f"{_expected(name, facts)}, got {values[name]!r}", parameter=name)
        return cls(**values)

    def summary(self) -> str:
        """One line, for people."""
        known = [name for name in (self.primer, self.prior) if name != "none"]
        network = f" from {self.weights}" if self.weights != "none" else ""
        primed = f" primed with {' and '.join(known)}" if known else ""
        parts = [f"contexts for {self.contexts}{primed}, 2^{self.table_bits} slots"] if self.has_contexts else []
        parts += [f"{self.batch_size} stream{'s' if self.batch_size > 1 else ''}"]
        if self.has_network:
            parts += [f"{self.num_layers} x {self.rnn_units} LSTM{network}, embedding {self.embedding_size}, "
                      f"window {self.seq_length}, an update every {self.update_interval} steps{_late(self.update_delay)}, "
                      f"learning rate {self.start_learning_rate:g} to {self.end_learning_rate:g}, {self.arithmetic}"]
        return "; ".join(parts)


def _late(delay):
    return f", {delay} steps late" if delay else ""


FACTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({field.name: field.metadata for field in dataclasses.fields(Parameters)})


def check_together(values: Mapping[str, Any]) -> None:
    """Refuse values of coding parameters that do not go together; None is for one that is not chosen yet."""
    if None not in (values["update_interval"], values["seq_length"]) and values["update_interval"] > values["seq_length"]:
        raise SettingsError(f"update_interval must be at most seq_length ({values['seq_length']}), got {values['update_interval']}",
                            parameter="update_interval")
    if None not in (values["update_delay"], values["update_interval"]) and values["update_delay"] > values["update_interval"]:
        raise SettingsError(f"update_delay must be at most update_interval ({values['update_interval']}), got {values['update_delay']}",
                            parameter="update_delay")
    if values["update_delay"] and values["arithmetic"] not in (None, "exact"):
        raise SettingsError("update_delay needs arithmetic=exact", "leave it at 0", "update_delay")
    contexts, primer, weights = values["contexts"], values["primer"], values["weights"]
    if values["num_layers"] == 0 and contexts == "none":
        raise SettingsError("num_layers=0 and contexts=none leave no predictor", "change one of them", "num_layers")
    if weights not in (None, "none"):
        _check_weights(weights, values)
    if contexts == "none" and values["prior"] not in (None, "none") and weights not in (None, "prior"):
        raise SettingsError("a prior is for contexts or a network's weights, and this run takes neither from it",
                            "leave the prior out, or take another preset", "prior")
    if primer not in (None, "none") and contexts in kinds.BY_STORED_NAME and not kinds.BY_STORED_NAME[contexts].reads_text:
        raise SettingsError(f"contexts={contexts} cannot use the text primer={primer}", "leave the primer out", "primer")
    if values["num_layers"] and contexts in kinds.BY_STORED_NAME and not kinds.BY_STORED_NAME[contexts].suits_networks:
        raise SettingsError(f"contexts={contexts} work without a network", "leave num_layers out", "num_layers")
    if kinds.name_of(contexts) == "image" and values["context_size"]:
        raise SettingsError("context_size is for videos", "leave it out; image_neighbours is for images", "context_size")
    if values["coder"] == "arithmetic-compressor" and contexts not in (None, "none"):
        raise SettingsError("coder=arithmetic-compressor works only without contexts",
                            "use preset=network, or leave the coder to the preset", "coder")


def _check_weights(weights, values):
    """Refuse values that do not go with a network's weights that were learned before."""
    if values["arithmetic"] not in (None, "exact"):
        raise SettingsError(f"weights={weights} need arithmetic=exact", "leave the weights out", "weights")
    if values["num_layers"] == 0:
        raise SettingsError(f"weights={weights} are of a network, and num_layers=0 has none", "leave one of them out", "weights")
    if weights == "prior":
        if values["prior"] == "none":
            raise SettingsError("weights=prior need a prior", "give one (--prior; prior= in Python)", "weights")
        return
    for name, value in learned.values_of(weights).items():
        if "learning_rate" not in name and values[name] not in (None, value):
            raise SettingsError(f"weights={weights} have {name}={value}, got {values[name]}", f"leave the weights or {name} out", name)


_KIND_NAMES = {int: "a whole number", float: "a number"}


def checked(name: str, facts: Mapping[str, Any], value: Any) -> Any:
    """`value` as the parameter's own type, or SettingsError that names the parameter and its bounds."""
    if facts["choices"]:
        if value not in facts["choices"]:
            raise SettingsError(f"{_expected(name, facts)}, got {value!r}", parameter=name)
        return value
    if facts["pattern"]:
        if not isinstance(value, str) or not re.fullmatch(facts["pattern"][0], value):
            raise SettingsError(f"{_expected(name, facts)}, got {value!r}", parameter=name)
        return value
    number = _number(value, facts["kind"])
    if number is None:
        raise SettingsError(f"{_expected(name, facts)}, {_KIND_NAMES[facts['kind']]}, got {value!r}", parameter=name)
    if not facts["minimum"] <= number <= facts["maximum"]:
        raise SettingsError(f"{_expected(name, facts)}, got {number}", parameter=name)
    return number


def _expected(name: str, facts: Mapping[str, Any]) -> str:
    """What a parameter must be, as the beginning of an error's text."""
    if facts["choices"]:
        return f"{name} must be one of {', '.join(facts['choices'])}"
    if facts["pattern"]:
        return f"{name} must be {facts['pattern'][1]}"
    return f"{name} must be {facts['minimum']} to {facts['maximum']}"


def _number(value: Any, kind: type) -> float | None:
    """`value` as an int or a float, or None where it is not one."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, str)):
        return None
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return None
    if kind is int and not isinstance(value, str) and value != number:
        return None
    return number if math.isfinite(number) else None
