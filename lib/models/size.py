"""How large a network is, reckoned without building it."""

_FLOAT_BYTES = 4
_COPIES = 4        # weights, gradients and Adam's two moments


def parameter_count(settings, vocabulary_size):
    """Weights of the network of `settings` over `vocabulary_size` symbols."""
    embedding, units = settings.embedding_size, settings.rnn_units
    count = vocabulary_size * embedding
    for layer in range(settings.num_layers):
        inputs = embedding + (units if layer else 0)
        count += 4 * units * (inputs + units + 1)
    return count + (settings.num_layers * units + 1) * vocabulary_size


def network_bytes(settings, vocabulary_size):
    """Bytes of memory that the network's weights, optimizer and window take, roughly."""
    per_step = settings.num_layers * settings.rnn_units * 12 + settings.embedding_size + 2 * vocabulary_size
    window = settings.seq_length * settings.batch_size * per_step
    return _FLOAT_BYTES * (_COPIES * parameter_count(settings, vocabulary_size) + window)
