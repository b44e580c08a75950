"""The single list of parameters; lib.presets fills it.

The notebook forms, the command line, the file header and the README table are made from the
fields of `Settings`. A field left at None takes the value of the preset. `Settings.resolve`
turns what a user asked for into a complete set of values; only such a set can be coded with.
"""

import dataclasses
import math
import numbers
import re
from dataclasses import dataclass, field
from types import MappingProxyType

from lib import presets
from lib.errors import SettingsError


def _parameter(header_id, kind, unit, help, minimum=None, maximum=None, choices=None, pattern=None):
    """A field of `Settings`: its number in file headers, type, unit, bounds and line of help."""
    metadata = dict(header_id=header_id, kind=kind, unit=unit, help=help, minimum=minimum,
                    maximum=maximum, choices=choices, pattern=pattern)
    return field(default=None, metadata=MappingProxyType(metadata))


def _of_a_run(default, help, choices=None, unit="", minimum=None, maximum=None, of_decoding=False):
    """A field of `Settings` that is chosen for a run, or also one of decoding, and never stored."""
    metadata = dict(header_id=None, kind=type(default), unit=unit, help=help, minimum=minimum, maximum=maximum,
                    choices=choices, of_decoding=of_decoding)
    return field(default=default, metadata=MappingProxyType(metadata))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user can choose. None means: as the preset says.

    Raises SettingsError where a value is outside its bounds, naming the parameter.
    """

    preset: str = _of_a_run(
        "auto", "fast: contexts alone; balanced: contexts and a network; best: a larger network; network: one alone; "
        "auto: fast, balanced or best, by size and time", ("auto", "fast", "balanced", "best", "network"))
    time_limit: float = _of_a_run(
        100.0, "what auto may take; more only where even fast takes more", unit="s", minimum=1, maximum=10_000_000)
    checkpoint_minutes: float = _of_a_run(
        10.0, "how often a run that has a checkpoint writes it; a twentieth of the time goes into that at most",
        unit="min", minimum=0.001, maximum=10_000, of_decoding=True)
    grid_width: int = _of_a_run(
        0, "how wide a frame of video tokens is, for arrays of (frames, cells); 0: as it is recognised", unit="cells", minimum=0,
        maximum=1 << 20)
    pixels: str = _of_a_run(
        "no", "yes: of a PNG that cannot be made again to the last byte, keep pixels, palette, profile and texts, in a PNG "
        "written anew", ("no", "yes"))
    contexts: str | None = _parameter(
        13, str, "", "context statistics, by kind of data; empty: as the data looks; none: a network alone",
        choices=("none", "text", "binary", "video", "image"))
    table_bits: int | None = _parameter(
        14, int, "", "2^table_bits context slots of 9 bytes; empty: by the size of the input", 12, 28)
    primer: str | None = _parameter(
        15, str, "", "a text of our own that contexts learn from before the input; it takes seconds",
        choices=("none", "text-1"))
    prior: str | None = _parameter(
        16, str, "", "what was learned from files of yours, by the first 16 digits of its SHA-256; --prior FILE sets it",
        pattern=("none|[0-9a-f]{16}", "none or 16 hexadecimal digits"))
    batch_size: int | None = _parameter(
        1, int, "streams", "stretches of the input coded side by side: more is faster, fewer is smaller",
        1, 512)
    seq_length: int | None = _parameter(
        2, int, "steps", "how far back an update looks (truncated backpropagation through time)", 1, 256)
    update_interval: int | None = _parameter(
        3, int, "steps", "steps from one update of the weights to the next; at most seq_length", 1, 256)
    rnn_units: int | None = _parameter(4, int, "units", "width of each LSTM layer", 8, 8192)
    num_layers: int | None = _parameter(
        5, int, "layers", "LSTM layers, joined by skip connections; 0: no network", 0, 8)
    embedding_size: int | None = _parameter(6, int, "units", "width of a symbol's embedding", 1, 1024)
    context_size: int | None = _parameter(
        17, int, "cells", "of video tokens: the network sees a square of so many cells a side in frames before; 0: the last symbol alone",
        0, 9)
    context_frames: int | None = _parameter(
        18, int, "frames", "of video tokens: how many frames before the network sees, where context_size is 1 or more", 1, 16)
    start_learning_rate: float | None = _parameter(
        7, float, "per update", "Adam's learning rate at the first symbol", 1e-7, 1.0)
    end_learning_rate: float | None = _parameter(
        8, float, "per update", "Adam's learning rate at the last symbol; linear in between", 1e-7, 1.0)
    adam_beta_2: float | None = _parameter(
        9, float, "", "decay of Adam's mean of squared gradients; exact takes the nearest 1 - 2^-k", 0.5, 0.999999)
    seed: int | None = _parameter(10, int, "", "seed of the initial weights", 0, 2**31 - 1)
    arithmetic: str | None = _parameter(
        11, str, "", "exact decodes on every device; float32, and float16 for GPUs, only where the file was made",
        choices=("exact", "float32", "float16"))
    coder: str | None = _parameter(
        12, str, "", "numba is the compiled coder; arithmetic-compressor is the slow pure-Python reference",
        choices=("numba", "arithmetic-compressor"))
    backend: str = _of_a_run(
        "auto", "what computes an exact network, here and now; all give the same file, and auto takes the quickest",
        ("auto", "numba", "numpy", "tensorflow", "jax"), of_decoding=True)

    def __post_init__(self):
        for parameter in dataclasses.fields(self):
            value = getattr(self, parameter.name)
            if value is not None:
                object.__setattr__(self, parameter.name, _checked(parameter, value))
            elif parameter.default is not None:
                object.__setattr__(self, parameter.name, parameter.default)
        if None not in (self.update_interval, self.seq_length) and self.update_interval > self.seq_length:
            raise SettingsError(f"update_interval must be at most seq_length ({self.seq_length}), "
                                f"got {self.update_interval}", parameter="update_interval")
        if self.num_layers == 0 and self.contexts == "none":
            raise SettingsError("num_layers=0 is no network and contexts=none no contexts", "leave one of them", "num_layers")
        if self.contexts == "none" and self.prior not in (None, "none"):
            raise SettingsError("a prior is for contexts, which this run has not", "leave the prior out, or take another preset",
                                "prior")
        if self.primer not in (None, "none") and self.contexts in ("video", "image"):
            raise SettingsError(f"primer={self.primer} is a text, and contexts={self.contexts} read none",
                                "leave the primer out", "primer")
        if self.coder == "arithmetic-compressor" and self.contexts not in (None, "none"):
            raise SettingsError("coder=arithmetic-compressor codes what a network says alone", "use preset=network, "
                                "or leave the coder to the preset", "coder")

    def with_text(self, assignments):
        """These settings with `name=value` strings applied, as typed on a command line or in a form."""
        values = {}
        for assignment in assignments:
            name, separator, text = assignment.partition("=")
            if not separator:
                raise SettingsError(f"a setting is written name=value, got {assignment!r}")
            values[name.strip()] = text.strip()
        return self.with_values(values)

    def with_values(self, values):
        """These settings with a dict of values applied; text is read as the parameter's type.

        An empty text, None or "preset" leaves a parameter to the preset.
        """
        known = {parameter.name for parameter in dataclasses.fields(self)}
        for name in values:
            if name not in known:
                raise SettingsError(f"there is no setting {name!r}", f"the settings are {', '.join(sorted(known))}")
        unset = (None, "", "preset")
        return dataclasses.replace(
            self, **{name: None if value in unset else value for name, value in values.items()})

    def resolve(self, symbol_count, kind="text", on_gpu=False, prior_symbols=0):
        """Every value filled in for an input of `symbol_count` symbols, by the newest form of the preset.

        kind: the contexts that suit the data; on_gpu: whether a GPU is there for a large network;
        prior_symbols: what a prior adds to what contexts see. "auto" is taken as "balanced" here; lib.coding.choice knows better.
        """
        preset = "balanced" if self.preset == "auto" else self.preset
        kind = self.contexts if self.contexts in presets.KINDS else kind
        values = presets.newest(preset, symbol_count, kind, self.chosen(), on_gpu, prior_symbols)
        if self.seq_length is None:
            values["seq_length"] = max(values["seq_length"], values["update_interval"])
        elif self.update_interval is None:
            values["update_interval"] = min(values["update_interval"], values["seq_length"])
        return dataclasses.replace(self, preset="network", **values)

    @property
    def has_network(self):
        """Whether complete settings have a network."""
        return self.num_layers > 0

    @property
    def has_contexts(self):
        """Whether complete settings mix context statistics."""
        return self.contexts != "none"

    def to_header(self):
        """Of complete settings: (number of the nearest preset, {header_id: value} of what differs from it)."""
        differences = {number: self._differences(number) for number in presets.PRESETS}
        nearest = min(differences, key=lambda number: (len(differences[number]), number))
        return nearest, differences[nearest]

    def _differences(self, number):
        values = presets.values_of(number)
        return {parameter.metadata["header_id"]: getattr(self, parameter.name)
                for parameter in coding_parameters() if getattr(self, parameter.name) != values[parameter.name]}

    @classmethod
    def from_header(cls, number, overrides):
        """The complete settings that `to_header` described.

        Raises SettingsError for a preset or parameter this version does not know and for values
        out of bounds.
        """
        names = {parameter.metadata["header_id"]: parameter.name for parameter in coding_parameters()}
        unknown = [f"preset {number}"] if number not in presets.PRESETS else []
        unknown += [f"parameter {header_id}" for header_id in overrides if header_id not in names]
        if unknown:
            raise SettingsError(f"the file uses {unknown[0]}, which this version of Lockstep does not know",
                                "a newer version may")
        values = presets.values_of(number)
        values.update({names[header_id]: value for header_id, value in overrides.items()})
        for parameter in coding_parameters():
            value = values[parameter.name]
            if type(value) is not parameter.metadata["kind"]:      # a header holds no numbers as text, and no gaps
                raise SettingsError(f"{_expected(parameter)}, got {value!r}", parameter=parameter.name)
        return cls(preset="network", **values)

    def summary(self):
        """The complete settings in one line, for people."""
        known = [name for name in (self.primer, self.prior) if name != "none"]
        primed = f" that have read {' and '.join(known)}" if known else ""
        parts = [f"contexts for {self.contexts}{primed}, 2^{self.table_bits} slots"] if self.has_contexts else []
        parts += [f"{self.batch_size} stream{'s' if self.batch_size > 1 else ''}"]
        if self.has_network:
            parts += [f"{self.num_layers} x {self.rnn_units} LSTM, embedding {self.embedding_size}, "
                      f"window {self.seq_length}, an update every {self.update_interval} steps, "
                      f"learning rate {self.start_learning_rate:g} to {self.end_learning_rate:g}, {self.arithmetic}"]
        return "; ".join(parts)

    def check_for_decoding(self):
        """Refuse settings that a file knows itself, by name."""
        how = ", ".join(parameter.name for parameter in decoding_parameters())
        for name in self.chosen():
            raise SettingsError(f"the file says {name} itself", f"to decompress, only how to run can be chosen ({how})")

    @property
    def chooses_network(self):
        """Whether what the user chose asks for a network."""
        of_contexts_too = {"batch_size", "contexts", "table_bits", "primer", "prior", "coder", "num_layers"}
        return bool(self.chosen().keys() - of_contexts_too or self.num_layers or self.contexts == "none")

    def chosen(self):
        """{name: value} of the coding parameters that were given a value."""
        return {parameter.name: getattr(self, parameter.name) for parameter in coding_parameters()
                if getattr(self, parameter.name) is not None}


def coding_parameters():
    """The fields of `Settings` that shape the coded data, in order."""
    return [parameter for parameter in dataclasses.fields(Settings) if parameter.metadata["header_id"]]


def decoding_parameters():
    """The fields of `Settings` that a file does not know itself."""
    return [parameter for parameter in dataclasses.fields(Settings) if parameter.metadata.get("of_decoding")]


# What presets fit to the input.
_FITTED = {"contexts": "by the data", "primer": "by the data", "table_bits": "by size", "batch_size": "by size"}


def bounds_of(parameter):
    """What a parameter may be, for people."""
    facts = parameter.metadata
    if facts["choices"]:
        return ", ".join(facts["choices"])
    return facts["pattern"][1] if facts.get("pattern") else f"{facts['minimum']} to {facts['maximum']} {facts['unit']}".strip()


def default_of(name):
    """What a parameter is where nothing is said: the balanced preset's value or what it goes by, or that of a run."""
    field = Settings.__dataclass_fields__[name]
    if not field.metadata["header_id"]:
        return field.default
    return _FITTED.get(name) or presets.newest("balanced", 0, "text")[name]


_KIND_NAMES = {int: "a whole number", float: "a number"}


def _checked(parameter, value):
    """`value` as the parameter's own type, or SettingsError that names the parameter and its bounds."""
    facts = parameter.metadata
    if facts["choices"]:
        if value not in facts["choices"]:
            raise SettingsError(f"{_expected(parameter)}, got {value!r}", parameter=parameter.name)
        return value
    if facts.get("pattern"):
        if not isinstance(value, str) or not re.fullmatch(facts["pattern"][0], value):
            raise SettingsError(f"{_expected(parameter)}, got {value!r}", parameter=parameter.name)
        return value
    number = _number(value, facts["kind"])
    if number is None:
        raise SettingsError(f"{_expected(parameter)}, {_KIND_NAMES[facts['kind']]}, got {value!r}", parameter=parameter.name)
    if not facts["minimum"] <= number <= facts["maximum"]:
        raise SettingsError(f"{_expected(parameter)}, got {number}", parameter=parameter.name)
    return number


def _expected(parameter):
    """What a parameter must be, as the beginning of an error's text."""
    facts = parameter.metadata
    if facts["choices"]:
        return f"{parameter.name} must be one of {', '.join(facts['choices'])}"
    if facts.get("pattern"):
        return f"{parameter.name} must be {facts['pattern'][1]}"
    return f"{parameter.name} must be {facts['minimum']} to {facts['maximum']}"


def _number(value, kind):
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
