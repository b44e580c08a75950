"""The single list of parameters, and the presets that fill it.

The notebook forms, the command line, the file header and the README table are made from the
fields of `Settings`. A field left at None takes the value of the preset. `Settings.resolve`
turns what a user asked for into a complete set of values; only such a set can be coded with.

A file header stores the number of a preset in place of its values, so the values of a released
preset never change.
"""

import dataclasses
import math
import numbers
from dataclasses import dataclass, field
from types import MappingProxyType

from lib.errors import SettingsError


def _parameter(header_id, kind, unit, help, minimum=None, maximum=None, choices=None):
    """A field of `Settings`: its number in file headers, type, unit, bounds and line of help."""
    metadata = dict(header_id=header_id, kind=kind, unit=unit, help=help, minimum=minimum,
                    maximum=maximum, choices=choices)
    return field(default=None, metadata=MappingProxyType(metadata))


def _of_a_run(help, choices):
    """A field of `Settings` that is chosen for a run and never stored: any of its values gives the same bits."""
    metadata = dict(header_id=None, kind=str, unit="", help=help, minimum=None, maximum=None, choices=choices)
    return field(default="auto", metadata=MappingProxyType(metadata))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user can choose. None means: as the preset says.

    Raises SettingsError where a value is outside its bounds, naming the parameter.
    """

    preset: str = _of_a_run(
        "auto fits the preset to the size of the input; network takes its values as they are", ("auto", "network"))
    batch_size: int | None = _parameter(
        1, int, "streams", "stretches of the input coded side by side: more is faster, fewer is smaller",
        1, 512)
    seq_length: int | None = _parameter(
        2, int, "steps", "how far back an update looks (truncated backpropagation through time)", 1, 256)
    update_interval: int | None = _parameter(
        3, int, "steps", "steps from one update of the weights to the next; at most seq_length", 1, 256)
    rnn_units: int | None = _parameter(4, int, "units", "width of each LSTM layer", 8, 8192)
    num_layers: int | None = _parameter(5, int, "layers", "LSTM layers, joined by skip connections", 1, 8)
    embedding_size: int | None = _parameter(6, int, "units", "width of a symbol's embedding", 1, 1024)
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
        "what computes an exact network, here and now; all give the same file, and auto takes the quickest",
        ("auto", "numba", "numpy", "tensorflow", "jax"))

    def __post_init__(self):
        for parameter in dataclasses.fields(self):
            value = getattr(self, parameter.name)
            if value is not None:
                object.__setattr__(self, parameter.name, _checked(parameter, value))
            elif parameter.default is not None:
                object.__setattr__(self, parameter.name, parameter.default)
        if None not in (self.update_interval, self.seq_length) and self.update_interval > self.seq_length:
            raise SettingsError(f"update_interval must be at most seq_length ({self.seq_length}), "
                                f"got {self.update_interval}")

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
                raise SettingsError(f"there is no setting {name!r}; the settings are {', '.join(sorted(known))}")
        unset = (None, "", "preset")
        return dataclasses.replace(
            self, **{name: None if value in unset else value for name, value in values.items()})

    def resolve(self, symbol_count):
        """Every value filled in for an input of `symbol_count` symbols, by the newest form of the preset."""
        values = dict(PRESETS[_NETWORK])
        if self.preset == "auto":
            values["batch_size"] = _streams_for(symbol_count)
        values.update(self._chosen())
        if self.seq_length is None:
            values["seq_length"] = max(values["seq_length"], values["update_interval"])
        elif self.update_interval is None:
            values["update_interval"] = min(values["update_interval"], values["seq_length"])
        return Settings(preset="network", backend=self.backend, **values)

    def to_header(self):
        """Of complete settings: (number of the nearest preset, {header_id: value} of what differs from it)."""
        differences = {
            number: {parameter.metadata["header_id"]: getattr(self, parameter.name)
                     for parameter in coding_parameters() if getattr(self, parameter.name) != preset[parameter.name]}
            for number, preset in PRESETS.items()}
        nearest = min(PRESETS, key=lambda number: (len(differences[number]), number))
        return nearest, differences[nearest]

    @classmethod
    def from_header(cls, number, overrides):
        """The complete settings that `to_header` described.

        Raises SettingsError for a preset or parameter this version does not know and for values
        out of bounds.
        """
        names = {parameter.metadata["header_id"]: parameter.name for parameter in coding_parameters()}
        unknown = [f"preset {number}"] if number not in PRESETS else []
        unknown += [f"parameter {header_id}" for header_id in overrides if header_id not in names]
        if unknown:
            raise SettingsError(f"the file uses {unknown[0]}, which this version of Lockstep does not know; "
                                "a newer version may")
        values = dict(PRESETS[number])
        values.update({names[header_id]: value for header_id, value in overrides.items()})
        for parameter in coding_parameters():
            value = values[parameter.name]
            if type(value) is not parameter.metadata["kind"]:      # a header holds no numbers as text, and no gaps
                raise SettingsError(f"{_expected(parameter)}, got {value!r}")
        return cls(preset="network", **values)

    def summary(self):
        """The complete settings in one line, for people."""
        return (f"{self.num_layers} x {self.rnn_units} LSTM, embedding {self.embedding_size}, "
                f"{self.batch_size} streams, window {self.seq_length}, "
                f"an update every {self.update_interval} steps, "
                f"learning rate {self.start_learning_rate:g} to {self.end_learning_rate:g}, {self.arithmetic}")

    def check_for_decoding(self):
        """Refuse settings that a file knows itself, by name."""
        for name in self._chosen():
            raise SettingsError(f"the file says {name} itself; to decompress, only backend can be chosen")

    def _chosen(self):
        return {parameter.name: getattr(self, parameter.name) for parameter in coding_parameters()
                if getattr(self, parameter.name) is not None}


def coding_parameters():
    """The fields of `Settings` that shape the coded data, in order."""
    return [parameter for parameter in dataclasses.fields(Settings) if parameter.metadata["header_id"]]


def default_of(name):
    """What a parameter is where nothing is said: the network preset's value, or that of a run."""
    return PRESETS[_NETWORK].get(name, "auto")


_NETWORK_1 = dict(
    batch_size=16, seq_length=10, update_interval=5, rnn_units=200, num_layers=2, embedding_size=64,
    start_learning_rate=0.008, end_learning_rate=0.003, adam_beta_2=0.999, seed=1,
    arithmetic="float32", coder="numba")

_NETWORK_2 = _NETWORK_1 | dict(
    batch_size=4, seq_length=12, update_interval=8, num_layers=3, start_learning_rate=0.005, end_learning_rate=0.001,
    adam_beta_2=0.992, arithmetic="exact")

# Every form of a preset ever released, by the number that file headers give it. Entries never change;
# a better preset gets new numbers, and _NETWORK points at its plain form.
PRESETS = MappingProxyType({
    1: MappingProxyType(_NETWORK_1),
    2: MappingProxyType(_NETWORK_1 | dict(batch_size=8)),      # 2 to 4: what auto made of it for smaller inputs
    3: MappingProxyType(_NETWORK_1 | dict(batch_size=4)),
    4: MappingProxyType(_NETWORK_1 | dict(batch_size=2)),
    5: MappingProxyType(_NETWORK_2),
    6: MappingProxyType(_NETWORK_2 | dict(batch_size=1)),      # 6 to 9: what auto makes of it for other sizes
    7: MappingProxyType(_NETWORK_2 | dict(batch_size=2)),
    8: MappingProxyType(_NETWORK_2 | dict(batch_size=8)),
    9: MappingProxyType(_NETWORK_2 | dict(batch_size=16)),
})
_NETWORK = 5
_KIND_NAMES = {int: "a whole number", float: "a number"}


def _streams_for(symbol_count):
    """How many streams `auto` gives an input: fewer are slower and learn more, which small inputs can afford.

    docs/tuning.md has the figures.
    """
    for streams, smallest in ((16, 8_000_000), (8, 2_000_000), (4, 100_000), (2, 30_000), (1, 0)):
        if symbol_count >= smallest:
            return streams


def _checked(parameter, value):
    """`value` as the parameter's own type, or SettingsError that names the parameter and its bounds."""
    facts = parameter.metadata
    if facts["choices"]:
        if value not in facts["choices"]:
            raise SettingsError(f"{_expected(parameter)}, got {value!r}")
        return value
    number = _number(value, facts["kind"])
    if number is None:
        raise SettingsError(f"{_expected(parameter)}, {_KIND_NAMES[facts['kind']]}, got {value!r}")
    if not facts["minimum"] <= number <= facts["maximum"]:
        raise SettingsError(f"{_expected(parameter)}, got {number}")
    return number


def _expected(parameter):
    """What a parameter must be, as the beginning of an error's text."""
    facts = parameter.metadata
    if facts["choices"]:
        return f"{parameter.name} must be one of {', '.join(facts['choices'])}"
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
