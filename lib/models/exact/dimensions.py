"""What shapes an exact network has: its parameters, and the trace that each step leaves for learning."""

from typing import NamedTuple

from lib.models.inputs import InputShape
from lib.parameters import Parameters

SLOPES = 6           # of a layer's unit: input gate, forget gate, candidate, output gate, cell's output; and the forget gate


class Dimensions(NamedTuple):
    """The sizes that a network is built from. Compiled loops take it as it is, and use its fields."""

    symbols: int       # V, the size of the vocabulary
    embedding: int     # E
    units: int         # U, of each layer
    layers: int        # L
    streams: int       # B
    window: int        # T, steps that an update looks back
    interval: int      # K, steps from update to update
    seen: int          # N, symbols that a step sees, see lib.models.inputs
    known: int         # what they may be: rows of the embedding
    delay: int = 0     # D, steps for which an update does not count yet: up to K

    @classmethod
    def of(cls, parameters: Parameters, input_shape: InputShape) -> "Dimensions":
        """The dimensions of complete `parameters`; input_shape: lib.models.inputs.InputShape."""
        return cls(input_shape.symbols, parameters.embedding_size, parameters.rnn_units, parameters.num_layers,
                   parameters.batch_size, parameters.seq_length, parameters.update_interval, input_shape.count, input_shape.values,
                   parameters.update_delay)

    def waits(self, steps: int) -> bool:
        """Whether after `steps` steps there is an update that does not count yet."""
        return steps >= self.interval and steps % self.interval < self.delay

    def inputs(self, layer: int) -> int:
        """Width of a layer's input: the embeddings, the layer below, the layer's own output a step before."""
        return self.embedded + self.units * (2 if layer else 1)

    @property
    def embedded(self) -> int:
        """Width of all that a step sees."""
        return self.seen * self.embedding

    @property
    def hidden(self) -> int:
        """Width of the output layer's input: the hidden units of all layers."""
        return self.layers * self.units

    @property
    def trace_parts(self) -> list[int]:
        """Widths of the parts of a trace: each layer's input, all hidden units, each layer's slopes."""
        return ([self.inputs(layer) for layer in range(self.layers)] + [self.hidden]
                + [SLOPES * self.units] * self.layers)

    @property
    def activations(self) -> int:
        """Width of a trace without its slopes."""
        return sum(self.trace_parts[:self.layers + 1])

    @property
    def trace_width(self) -> int:
        return sum(self.trace_parts)

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """{name: shape} in the order of states and files. Gates stand side by side: input, forget, candidate, output."""
        shapes: dict[str, tuple[int, ...]] = {"embedding": (self.known, self.embedding)}
        for layer in range(self.layers):
            shapes[f"kernel_{layer}"] = (self.inputs(layer), 4 * self.units)
            shapes[f"bias_{layer}"] = (4 * self.units,)
        shapes["output_kernel"] = (self.hidden, self.symbols)
        shapes["output_bias"] = (self.symbols,)
        return shapes
