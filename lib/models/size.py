"""How large a network is, reckoned without building it."""

from lib.models.inputs import InputShape
from lib.parameters import Parameters

_FLOAT_BYTES = 4
_COPIES = 5        # weights, squares, factors or gradients, and a copy of the first two


def parameter_count(parameters: Parameters, input_shape: InputShape) -> int:
    """Weights of the network of `parameters` that sees `input_shape`, a lib.models.inputs.InputShape."""
    embedding, units = parameters.embedding_size * input_shape.count, parameters.rnn_units
    count = input_shape.values * parameters.embedding_size
    for layer in range(parameters.num_layers):
        inputs = embedding + (units if layer else 0)
        count += 4 * units * (inputs + units + 1)
    return count + (parameters.num_layers * units + 1) * input_shape.symbols


def network_bytes(parameters: Parameters, input_shape: InputShape) -> int:
    """Bytes of memory that the network's weights, optimizer and window take, roughly, and another copy of the state.

    Measured at a fingerprint, which copies the state, the Numba engine takes less; the reference backend takes
    up to three times as much.
    """
    units = parameters.num_layers * parameters.rnn_units
    embedding = parameters.num_layers * parameters.embedding_size * input_shape.count
    per_step = 20 * units + 4 * embedding + 4 * input_shape.symbols
    window = (parameters.seq_length + parameters.update_delay) * parameters.batch_size * per_step
    return _FLOAT_BYTES * (_COPIES * parameter_count(parameters, input_shape) + window)


def operations_per_step(parameters: Parameters, input_shape: InputShape) -> tuple[float, float]:
    """Operations of a step of all streams, two for each term of a product: (to predict, to learn)."""
    products = parameter_count(parameters, input_shape) - input_shape.values * parameters.embedding_size
    forward = 2 * parameters.batch_size * products
    return forward, 2 * forward * parameters.seq_length / parameters.update_interval
