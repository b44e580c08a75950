"""The plan of a run: all that is settled about one input before its first symbol is coded, in either direction.

An encoder's plan is made by lib.coding.choice from what was wished for, a decoder's by `Plan.of_header` from a file's header. What is
checked of it is checked here, so that nothing is written that no decoder would take. Making one allocates nothing that grows
with what a header claims.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from lib.coding.container import Header, Segment
from lib.coding.streams import AnyStreams, StackedStreams, Streams
from lib.errors import FormatError, InputError, SettingsError
from lib.kinds import name_of
from lib.machine import available_memory
from lib.models import check_model
from lib.models.environment import MadeIn
from lib.models.inputs import InputShape, input_shape_of, inputs_bytes
from lib.models.size import network_bytes
from lib.parameters import Parameters
from lib.sources import describe_source
from lib.sources.blocks import BlockSource
from lib.sources.source import Source

BYTES_HELD_PER_BYTE = 8           # memory: the data, the symbols, their matrix, the result
_FEWEST_BITS_PER_SYMBOL = 1e-5    # the coder's 16-bit probabilities cost 2.2e-5 bits a decision or more


@dataclass(frozen=True)
class Plan:
    """Complete parameters, the source they code, and how its symbols lie in streams. Raises SettingsError where they do not go together.

    backend: what computes a network, see lib.settings.Settings; no part of what a file holds.
    """

    parameters: Parameters
    source: Source
    streams: AnyStreams
    backend: str = "auto"

    @cached_property
    def groups(self) -> "tuple[Plan, ...]":
        """Of an input in groups, the plan of each; else none."""
        if not isinstance(self.source, BlockSource) or not isinstance(self.streams, StackedStreams):
            return ()
        return tuple(Plan(group.parameters, group.source, streams, self.backend)
                     for group, streams in zip(self.source.groups, self.streams.groups) if group.parameters)

    def __post_init__(self) -> None:
        if isinstance(self.source, BlockSource):
            if self.groups and any(plan.parameters.arithmetic != "exact" or plan.parameters.coder != self.parameters.coder for plan in self.groups):
                raise SettingsError("an input in groups is coded in exact arithmetic, and by one coder", parameter="arithmetic")
            return
        if self.parameters.has_contexts and name_of(self.parameters.contexts) not in (*self.source.context_kinds, "packed"):
            raise SettingsError(f"contexts={self.parameters.contexts} cannot code this input, only "
                                f"{' and '.join(self.source.context_kinds)} can", "leave contexts out", "contexts")
        check_model(self.parameters, self.input_shape)

    @classmethod
    def of(cls, parameters: Parameters, source: Source, backend: str = "auto") -> "Plan":
        """The plan that complete parameters make of a source. Raises SettingsError."""
        return cls(parameters, source, source.streams_for(parameters.batch_size), backend)

    @classmethod
    def of_header(cls, header: Header, backend: str = "auto") -> "Plan":
        """The plan that a coded file's header holds. Raises FormatError where no version makes such a file."""
        try:
            parameters = Parameters.from_header(header.preset, header.overrides)
            if not header.original_bytes:
                raise FormatError("the header says that nothing is coded", "the file is damaged")
            return cls.of(parameters, describe_source(header.source_kind, header.original_bytes, header.description), backend)
        except SettingsError as error:
            advice = "the file is damaged" if error.parameter else error.advice      # which is for who chooses a parameter
            raise FormatError(f"the header cannot be used: {error.what}", advice or "the file is damaged") from error

    def header(self, original_bytes: int, sha256: bytes, name: str, environment: MadeIn | None, archive: int = 0) -> Header:
        """The header that `of_header` makes this plan from.

        original_bytes, sha256, name, archive: of the original. environment: what the bits depend on.
        """
        preset, overrides = self.parameters.to_header()
        return Header(original_bytes, sha256, name, preset, self.source.description(), environment.to_header() if environment else (),
                      overrides, self.source.kind, archive)

    @property
    def all_parameters(self) -> tuple[Parameters, ...]:
        """The parameters, and those of each group."""
        return self.parameters, *(plan.parameters for plan in self.groups)

    @property
    def prior(self) -> str:
        """The name of the prior that it needs, or "none"."""
        return next((plan.parameters.prior for plan in self.groups or [self] if plan.parameters.prior != "none"), "none")

    def summary(self) -> str:
        """One line, for people."""
        if not self.groups or not isinstance(self.source, BlockSource):
            return self.parameters.summary()
        groups = ", ".join(f"{group.size:,} bytes of {group.name}" for group in self.source.groups)
        networks = {plan.parameters for plan in self.groups if plan.parameters.has_network}
        return f"contexts{' and networks' if networks else ''} for each of {groups}"

    @property
    def input_shape(self) -> InputShape:
        """What a network sees before each symbol."""
        return input_shape_of(self.parameters, self.source)

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that coding takes, roughly, the file's own bytes included."""
        return BYTES_HELD_PER_BYTE * self.streams.coded_count + 2 * self.source.left_out + self.predictor_bytes

    @property
    def predictor_bytes(self) -> int:
        """Bytes of memory that the plan's Predictor takes, roughly."""
        parameters, source = self.parameters, self.source
        if self.groups:
            return max(plan.predictor_bytes for plan in self.groups)
        if source.vocabulary_size == 1:
            return 0
        total = network_bytes(parameters, self.input_shape) if parameters.has_network else 0
        total += inputs_bytes(parameters, source)
        if parameters.has_contexts and isinstance(self.streams, Streams):
            from lib.mixing.context_mixer import mixer_bytes
            total += mixer_bytes(parameters, source, self.streams)
        return total

    def check_memory(self) -> None:
        """Refuse, with an InputError, what this machine's memory cannot hold, before it is tried."""
        needed, available = self.memory_bytes, available_memory()
        if available is not None and needed > available:
            raise InputError(f"this takes about {_size(needed)} of memory, and {_size(available)} are free",
                             "use a smaller network, fewer table_bits, a smaller input or a larger machine")

    def check_plausible(self, segments: list[Segment], fault: FormatError | None) -> None:
        """Refuse, with a FormatError, a size that the intact segments' payload cannot hold, before anything of that size is allocated.

        fault: what ends the intact segments, where they are not all. What is recovered of a file that is cut short is filled up to
        the size of the whole, so it is that which counts.
        """
        payload_bits = 8 * sum(len(segment.payload) + 4 for segment in segments)
        claimed = self.streams.coded_count
        if self.source.vocabulary_size > 1 and claimed * _FEWEST_BITS_PER_SYMBOL > payload_bits:
            claims = f"the header claims {claimed:,} {self.source.unit}, more than"
            if fault:
                raise FormatError(f"{fault.what}, and {claims} the rest can be a part of", fault.advice)
            raise FormatError(f"{claims} the file can hold", "it is damaged or made to do harm")

    def identity(self) -> bytes:
        """32 bytes that name what is coded and how it lies: equal for plans that code the same symbols of the same source."""
        streams = self.streams
        lies = (self.source.kind, streams.symbol_count, streams.batch_size, streams.first, streams.end)
        return hashlib.sha256(repr(lies).encode() + self.source.description()).digest()


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
