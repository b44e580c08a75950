"""lib.models.exact: whole-number arithmetic that gives the same bits on every backend."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import tiny

from lib.compiling import compiled
from lib.errors import FormatError, SettingsError
from lib.models import check_model
from lib.models.backend import keras_backend
from lib.models.exact import bounds, tables
from lib.models.exact.dimensions import Dimensions
from lib.models.exact.fixed_point import FixedPoint
from lib.models.exact.kernels import backward, learning, products
from lib.models.exact.lstm import ExactLSTM
from lib.models.exact.schedule import Schedule, decay_bits
from lib.models.exact.state import State
from lib.models.inputs import InputShape

BACKENDS = ("numpy", "numba", "tensorflow", "jax")
SYMBOLS = 7
STEPS = 23


def model_of(backend="numba", symbols=SYMBOLS, steps=STEPS, **changes):
    return ExactLSTM(tiny(**dict(start_learning_rate=0.02) | changes).resolve(0), InputShape.of_last_symbol(symbols), steps, backend)


def walk(model, symbols, active=None):
    """Let a model predict and learn each row of symbols; returns its frequencies."""
    frequencies = []
    for row in symbols:
        frequencies.append(model.predict().copy())
        model.learn(row, len(row) if active is None else active, row[:, None])
    return np.array(frequencies)


def noise(steps=STEPS, streams=tiny().batch_size, symbols=SYMBOLS, seed=1):
    return np.random.default_rng(seed).integers(0, symbols, (steps, streams)).astype(np.uint16)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()[:16]


@pytest.fixture
def exact():
    return FixedPoint(keras_backend("numpy").ops)


@pytest.fixture
def checking(monkeypatch):
    """The reference backend checks every value against its bound."""
    monkeypatch.setattr(bounds, "checking", True)


# What a file depends on, and so never changes

def test_tables_are_as_they_were():
    assert {table.__name__: digest(table()) for table in (tables.sigmoid, tables.tanh, tables.exponential)} == {
        "sigmoid": "e6767fde705464e5", "tanh": "4d95ca6f1656bc2d", "exponential": "2772aba985160970"}


def test_rates_are_as_they_were():
    rates = np.array([[Schedule(start, end, 1000, beta).rate(step, step // 5) for step in range(0, 1000, 5)]
                      for start, end, beta in ((0.005, 0.001, 0.992), (1.0, 1e-7, 0.5), (0.3, 0.7, 0.999999))])
    assert rates.dtype == np.float32 and digest(rates) == "8d674f5b1c18ccf3"


def test_initial_weights_are_as_they_were():
    dimensions = Dimensions(symbols=9, embedding=5, units=8, layers=2, streams=2, window=3, interval=2, seen=1, known=9)
    assert hashlib.sha256(State.initial(dimensions, seed=1).to_bytes()).hexdigest()[:16] == "fe78be6b54bddbd6"


# Tables and schedules

@pytest.mark.parametrize("table, function, unit", [
    (tables.sigmoid, lambda x: 1 / (1 + math.exp(-x)), 2 ** -12), (tables.tanh, math.tanh, 2 ** -12)])
def test_a_table_holds_its_function_to_half_a_unit(table, function, unit):
    expected = [function(k / 1024) / unit for k in range(-tables.HALF, tables.HALF)]
    assert np.abs(table() - expected).max() <= 0.5 + 1e-9


def test_the_exponential_falls_from_one():
    expected = np.exp(-np.arange(tables.EXPONENTS) / 1024) * 2 ** 20
    assert np.abs(tables.exponential() - expected).max() <= 0.5 + 1e-9


def test_the_inverse_root_is_within_a_hundredth(exact):
    squares = np.float32(2.0) ** np.arange(-40, 100)[:, None] * np.linspace(1, 2, 500, endpoint=False, dtype=np.float32)
    roots, powers = exact.inverse_root(squares)
    assert (roots == np.rint(roots)).all() and 0 < roots.min() and roots.max() < 1 << bounds.ROOT_BITS
    assert np.abs(np.float64(roots) * powers * np.sqrt(np.float64(squares)) - 1).max() < 0.01


@pytest.mark.parametrize("beta_2, bits", [(0.5, 1), (0.9, 3), (0.99, 7), (0.992, 7), (0.999, 10), (0.999999, 20)])
def test_the_decay_is_the_nearest_power_of_two(beta_2, bits):
    assert decay_bits(beta_2) == bits


def test_rates_are_adams_with_bias_correction():
    schedule = Schedule(0.008, 0.002, steps=500, beta_2=0.99)
    for step in (4, 9, 254, 499, 9):             # back again, as after a resumed run
        updates = (step + 1) // 5 - 1
        rate = (0.008 - 0.006 * step / 500) * math.sqrt(1 - (1 - 2 ** -7) ** (updates + 1)) * 2 ** 20
        assert float(schedule.rate(step, updates)) == pytest.approx(rate, abs=0.1)


# Bounds

def test_every_sum_keeps_its_bound():
    most = bounds.FACTOR_LIMIT
    exact_in_float, exact_in_integer = 2 ** bounds.FLOAT_BITS, 2 ** bounds.INTEGER_BITS
    assert most ** 2 * bounds.FORWARD_BLOCK < exact_in_float
    assert most ** 2 * bounds.MOST_TERMS + (bounds.WEIGHT_LIMIT >> 5) < exact_in_integer
    assert 2 * bounds.SUM_LIMIT <= exact_in_integer
    assert 2 ** bounds.GATE_FRACTION * (bounds.CELL_LIMIT + 2 ** bounds.GATE_FRACTION) < exact_in_integer
    assert bounds.TRACE_LIMIT >= bounds.CELL_LIMIT * 2 ** 10 >> bounds.GATE_FRACTION
    assert bounds.TRACE_LIMIT <= np.iinfo(np.int16).max
    assert bounds.GRADIENT_LIMIT * bounds.TRACE_LIMIT + 2 ** 11 < exact_in_integer
    assert bounds.GRADIENT_LIMIT * bounds.TRACE_LIMIT >> bounds.GATE_FRACTION < bounds.PRE_GRADIENT_LIMIT
    assert 2 * 2 ** bounds.ERROR_FRACTION * most < exact_in_float
    assert 2 ** (20 - bounds.FREQUENCY_CUT + bounds.ERROR_FRACTION) <= exact_in_integer // 2
    assert bounds.GRADIENT_SUM * most < exact_in_float
    assert bounds.UNITS_BLOCK * bounds.PRE_GRADIENT_LIMIT < exact_in_integer
    assert bounds.rows_block(bounds.MOST_ROWS) * bounds.PRE_GRADIENT_LIMIT < exact_in_integer
    assert -(-bounds.MOST_ROWS // bounds.rows_block(bounds.MOST_ROWS)) * exact_in_float < exact_in_integer
    assert 2 * bounds.SIGNIFICANT_BITS <= bounds.FLOAT_BITS
    assert bounds.SIGNIFICANT_BITS + bounds.ROOT_BITS <= bounds.FLOAT_BITS


@pytest.mark.parametrize("rows", [1, 2, 3, 16, 8192, 8193, 2 ** 17])
@pytest.mark.parametrize("bits", [16, 19, 20])
def test_totals_fit_whatever_the_number_of_rows(rows, bits):
    largest = (1 << bits) - 1
    shift = bounds.total_shift(rows, bits)
    assert rows * ((largest + (1 << shift >> 1)) >> shift) < 2 ** bounds.INTEGER_BITS


@pytest.mark.parametrize("changes, message", [
    (dict(rnn_units=8192, num_layers=5), "rnn_units * num_layers up to 33,000, got 40,960"),
    (dict(symbols=20_000), "a vocabulary of 16,384 symbols, got 20,000")])
def test_a_network_that_would_leave_the_bounds_is_refused_by_name(changes, message):
    symbols = changes.pop("symbols", SYMBOLS)
    with pytest.raises(SettingsError) as refused:
        check_model(tiny(**changes).resolve(0), InputShape.of_last_symbol(symbols))
    assert message in str(refused.value)
    check_model(tiny(arithmetic="float32", **changes).resolve(0), InputShape.of_last_symbol(symbols))


def test_the_largest_networks_of_most_settings_keep_the_bounds():
    check_model(tiny(rnn_units=4_000, num_layers=8, batch_size=512, seq_length=256).resolve(0),
                InputShape.of_last_symbol(bounds.MOST_SYMBOLS))


@pytest.mark.parametrize("terms", [1, 258, 259, 8_000, 17_408, 33_000])
@pytest.mark.parametrize("streams", [1, 2, 5])
def test_products_of_the_largest_factors_are_exact_at_any_width(exact, terms, streams):
    left = np.full((streams, terms), bounds.FACTOR_LIMIT, np.float32)
    right = np.random.default_rng(terms).choice([-255, 254, 255, 255], (terms, 6)).astype(np.float32)
    expected = left.astype(np.int64) @ right.astype(np.int64)
    assert (exact.product(left, right, bounds.FORWARD_BLOCK) == expected).all()
    assert (native_product(left, right, bounds.FORWARD_BLOCK) == expected).all()
    assert (in_whole_numbers(native_dots, left, right.T, 6) == expected).all()
    assert (in_whole_numbers(native_sums_of_rows, left, right, 6) == expected).all()


def native_product(left, right, block):
    out = np.empty((len(left), right.shape[1]), np.int32)
    products.product(left, right, block, np.empty(out.shape, np.float32), out)
    return out


@compiled
def native_dots(left, right, out):
    products.dots(left, 0, right, out)


@compiled
def native_sums_of_rows(left, right, out):
    products.sums_of_rows(left, right, 0, right.shape[1], out)


def in_whole_numbers(function, left, right, columns):
    """A product of whole numbers: right has a row for each column of what comes out, or for each term."""
    out = np.empty((len(left), columns), np.int32)
    function(left.astype(np.int16), np.ascontiguousarray(right, np.int16), out)
    return out


GRADIENTS = {
    "all at the limit": lambda shape, _: np.full(shape, bounds.PRE_GRADIENT_LIMIT),
    "all one": lambda shape, _: np.ones(shape),
    "none": lambda shape, _: np.zeros(shape),
    "one at the limit": lambda shape, _: np.eye(*shape) * -bounds.PRE_GRADIENT_LIMIT,
    "just under the sum": lambda shape, _: np.full(shape, (bounds.GRADIENT_SUM - 1) // shape[0]),
    "of all sizes": lambda shape, random: random.choice([-1, 1], shape) * 2 ** (19 * random.random(shape))}


@pytest.mark.parametrize("kind", GRADIENTS)
@pytest.mark.parametrize("rows", [1, 7, 512, 513, 5_000])
def test_gradients_are_fit_for_an_exact_product(exact, checking, kind, rows):
    values = GRADIENTS[kind]((rows, 5), np.random.default_rng(rows)).astype(np.int32)
    block = bounds.rows_block(rows)
    operands, shifts = exact.fit(values, axis=0, block=block)
    inputs = np.full((rows, 3), bounds.FACTOR_LIMIT, np.float32)
    product = exact.product(inputs.T, operands, block)          # checks its own partial sums
    assert (product == inputs.T.astype(np.int64) @ operands.astype(np.int64)).all()
    assert np.abs(values - operands * 2.0 ** shifts).max() <= 2.0 ** shifts.max() / 2
    across, across_shifts = exact.fit(values.T, axis=1, block=block)
    assert (across == operands.T).all() and (across_shifts == shifts.T).all()
    native_operands, native_shifts = np.empty((5, rows), np.float32), np.empty(5, np.int32)
    learning.fit_columns(values, 0, 5, block, native_operands, native_shifts)
    assert (native_operands == operands.T).all() and (native_shifts == shifts).all()
    assert (native_product(inputs.T.copy(), operands, block) == product).all()


@pytest.mark.parametrize("columns", [4, 1024, 1025, 32_768])
def test_a_row_of_gradients_goes_through_any_number_of_units(exact, checking, columns):
    random = np.random.default_rng(columns)
    values = (random.choice([-1, 1], (3, columns)) * 2 ** (19 * random.random((3, columns)))).astype(np.int32)
    operands, shifts = exact.fit(values, axis=1, block=bounds.UNITS_BLOCK)
    kernel = random.choice([-255, 255], (5, columns)).astype(np.float32)
    product = exact.product(operands, kernel.T, bounds.UNITS_BLOCK)
    assert (product == operands.astype(np.int64) @ kernel.T.astype(np.int64)).all()
    assert (in_whole_numbers(native_sums_of_rows, operands, kernel.T, 5) == product).all()
    native = np.empty(operands.shape, np.int16)
    assert [backward._fit_row(row, out) for row, out in zip(values, native)] == shifts[:, 0].tolist()
    assert (native == operands).all()


@pytest.mark.parametrize("symbols", [2, 255, bounds.MOST_SYMBOLS])
@pytest.mark.parametrize("spread", [0, 1 << 12, bounds.SUM_LIMIT])
def test_errors_fit_for_an_exact_product_at_any_vocabulary(exact, symbols, spread):
    model = model_of("numpy", symbols=symbols)
    logits = np.random.default_rng(symbols).integers(-spread, spread + 1, (3, symbols)).astype(np.int32)
    frequencies = exact.frequencies(logits)
    assert 1 <= frequencies.min() and frequencies.max() == 2 ** 20 + 1
    targets, active = np.array([0, symbols - 1, 1], np.int32), np.int32(2)
    errors = model._engine._errors([frequencies], [targets], [active])[0]
    assert np.abs(errors.astype(np.int64)).sum(1).max() <= 2 ** (bounds.ERROR_FRACTION + 1)
    assert errors[0, 0] <= 0 <= errors[0, 1:].min() and (errors[2] == 0).all()
    native = np.empty_like(errors)
    for stream in range(3):
        backward._errors(frequencies[stream], targets[stream], stream < active, native[stream])
    assert (native == errors).all()


@given(st.integers(0, 2 ** 32 - 1), st.sampled_from([1, 8]), st.sampled_from([1e-7, 0.02, 1.0]))
def test_values_stay_within_their_bounds(seed, scale, rate):
    """Weights of any size, gates wide open, errors of every kind: the reference checks each value."""
    model = model_of("numpy", num_layers=2, start_learning_rate=rate, end_learning_rate=rate)
    random = np.random.default_rng(seed)
    state = model._engine.state()
    for weights in state.weights.values():
        weights[...] = random.integers(-bounds.WEIGHT_LIMIT // scale, bounds.WEIGHT_LIMIT // scale + 1, weights.shape)
    state.cells[...] = random.integers(-bounds.CELL_LIMIT, bounds.CELL_LIMIT + 1, state.cells.shape)
    model._engine._load(state)
    other = model_of("numba", num_layers=2, start_learning_rate=rate, end_learning_rate=rate)
    other._engine._load(state)
    bounds.checking = True
    try:
        assert (walk(model, noise(8, seed=seed)) == walk(other, noise(8, seed=seed))).all()
    finally:
        bounds.checking = False
    assert model.state_bytes() == other.state_bytes()


def test_a_bound_that_does_not_hold_is_seen(checking, monkeypatch):
    left, right = np.full((1, 300), 255, np.float32), np.full((300, 1), 255, np.float32)
    exact = FixedPoint(keras_backend("numpy").ops)
    with pytest.raises(AssertionError, match="a block of a product"):
        exact.product(left, right, block=300)
    with pytest.raises(AssertionError, match="a product of two values"):
        exact.times(np.array([1 << 20]), np.array([1 << 11]), 12)


# One network, four backends

NETWORKS = {
    "one layer": {},
    "three layers, odd sizes": dict(num_layers=3, rnn_units=9, embedding_size=5),
    "an update every step": dict(update_interval=1),
    "one stream": dict(batch_size=1),
    "blocks in every product": dict(rnn_units=270, num_layers=2, embedding_size=7),
    "blocks of rows": dict(batch_size=60, seq_length=19, update_interval=5),
    "a wild rate": dict(start_learning_rate=1.0, end_learning_rate=1.0),
    "another decay and seed": dict(adam_beta_2=0.9, seed=5),
    "updates that count a step late": dict(seq_length=4, update_interval=3, update_delay=1),
    "updates that count when the next begins": dict(num_layers=2, update_delay=2),
    "a delay of a wide interval": dict(batch_size=1, seq_length=9, update_interval=7, update_delay=4)}


@pytest.mark.parametrize("network", NETWORKS)
def test_all_backends_give_the_same_bits(network):
    results = []
    for backend in BACKENDS:
        model = model_of(backend, **NETWORKS[network])
        streams = model._dimensions.streams
        frequencies = walk(model, noise(streams=streams)[:-4])
        last = walk(model, noise(streams=streams)[-4:], active=streams // 2)
        results.append((digest(frequencies), digest(last), model.fingerprint(), len(model.state_bytes())))
    assert results[1:] == results[:1] * (len(BACKENDS) - 1)


@pytest.mark.parametrize("before, after", [("numpy", "numba"), ("numba", "tensorflow"), ("tensorflow", "jax"),
                                           ("jax", "numpy"), ("numba", "numba")])
@pytest.mark.parametrize("steps", [0, 1, 8, 11])
@pytest.mark.parametrize("delay", [0, 1, 2])
def test_a_state_goes_on_under_another_backend(before, after, steps, delay):
    symbols, unbroken = noise(), model_of("numba", update_delay=delay)
    expected = walk(unbroken, symbols)
    first, second = model_of(before, update_delay=delay), model_of(after, seed=9, update_delay=delay)
    walk(first, symbols[:steps])
    second.restore(first.state_bytes(), steps)
    assert second.fingerprint() == first.fingerprint()
    assert (walk(second, symbols[steps:]) == expected[steps:]).all()
    assert second.fingerprint() == unbroken.fingerprint()


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
def test_a_state_of_another_length_is_refused(change):
    model = model_of()
    with pytest.raises(FormatError, match="the state of the network is damaged"):
        model.restore(change(model.state_bytes()), 0)


@pytest.mark.parametrize("delay", [0, 2])
def test_the_fingerprint_covers_every_part_of_the_state(delay):
    model = model_of(update_delay=delay)
    walk(model, noise(7))
    state, seen = State.from_bytes(model.state_bytes(), model._dimensions, 7), {model.fingerprint()}
    for array in state.arrays():
        last = array.reshape(-1).view(np.uint8)[-1:]
        last ^= 1
        seen.add(hashlib.sha256(state.to_bytes()).digest()[:8])
        last ^= 1
    assert len(seen) == 1 + len(list(state.arrays()))


# What it learns

def test_learning_lowers_the_cost_of_what_repeats():
    model = model_of(steps=180, rnn_units=16)
    again = np.tile(noise(6), (30, 1))
    frequencies = walk(model, again)
    chosen = np.take_along_axis(frequencies, again[..., None].astype(np.int64), -1)[..., 0]
    bits = np.log2(frequencies.sum(-1) / chosen).reshape(3, -1).sum(1)
    assert bits[2] < bits[1] < bits[0] and bits[2] < 0.5 * again.size / 3 * np.log2(SYMBOLS)


def test_what_stands_in_for_missing_symbols_is_not_learned():
    one, other = model_of(), model_of()
    filled = noise()
    filled[:, 2] = (filled[:, 2] + 1) % SYMBOLS
    for model, symbols in ((one, noise()), (other, filled)):
        walk(model, symbols, active=2)
    one, other = one._engine.state(), other._engine.state()
    assert all((one.weights[name] == other.weights[name]).all() for name in one.weights if name != "embedding")


def test_weights_move_only_at_the_end_of_an_interval():
    model, moved = model_of(seq_length=4, update_interval=3), []
    for row in noise(6):
        before = digest(model._engine.state().weights["kernel_0"].copy())
        walk(model, [row])
        moved.append(before != digest(model._engine.state().weights["kernel_0"]))
    assert moved == [False, False, True, False, False, True]


def test_a_delayed_update_counts_so_many_steps_later():
    """Predictions are those of an update that counts at once, up to the step after the first update and the delay."""
    symbols = noise(12)
    at_once = walk(model_of(seq_length=5, update_interval=5), symbols)
    for delay in range(1, 5):
        late = walk(model_of(seq_length=5, update_interval=5, update_delay=delay), symbols)
        never = walk(model_of(seq_length=5, update_interval=5, update_delay=5), symbols)
        assert (late[:5] == at_once[:5]).all() and (late[:5 + delay] == never[:5 + delay]).all()
        assert (late[5 + delay] != never[5 + delay]).any() and (late[5] != at_once[5]).any()


def test_an_update_looks_seq_length_steps_back():
    """Only the embeddings of the newest seq_length inputs move."""
    model = model_of(batch_size=1, seq_length=3, update_interval=1, symbols=9)
    for step in range(7):
        before = model._engine.state().weights["embedding"].copy()
        walk(model, np.array([[step + 1]], np.uint16))
        moved = np.flatnonzero((model._engine.state().weights["embedding"] != before).any(1))
        assert moved.tolist() == list(range(max(0, step - 2), step + 1))   # the input at step s is symbol s


def test_gradients_are_those_of_the_network_in_floating_point():
    """Against automatic differentiation of the same network with the same weights, from its first step."""
    import jax
    model = model_of("numpy", seq_length=8, update_interval=8, num_layers=2)
    engine, symbols = model._engine, noise(8)
    for row in symbols:
        model.predict()
        engine.take(row, len(row), row[:, None])
    exact = engine._gradients(engine._factors, list(engine._tokens), list(engine._traces), engine._frequencies,
                              engine._targets, engine._active)
    scales = {"embedding": bounds.HIDDEN_FRACTION, "kernel_0": bounds.FACTOR_FRACTION,
              "kernel_1": bounds.FACTOR_FRACTION, "output_kernel": bounds.FACTOR_FRACTION}
    weights = {name: values / 2.0 ** scales.get(name, bounds.SUM_FRACTION) for name, values in engine._factors.items()}
    floating = jax.grad(float_loss)(weights, symbols)
    for name, (gradient, shifts) in exact.items():
        one = np.ravel(gradient * 2.0 ** np.ravel(shifts))
        other = np.ravel(floating[name]).astype(np.float64)
        assert one @ other / np.sqrt(one @ one * (other @ other)) > 0.999, name


def float_loss(weights, symbols):
    """What the symbols cost, in nats, the first inputs being zeros."""
    import jax
    numpy = jax.numpy
    streams, units = symbols.shape[1], weights["output_kernel"].shape[0] // 2
    hidden, cells = [numpy.zeros((streams, units))] * 2, [numpy.zeros((streams, units))] * 2
    inputs, loss = np.zeros(streams, int), 0
    for row in symbols.astype(int):
        embedded, below = weights["embedding"][inputs], []
        for layer in range(2):
            joined = numpy.concatenate([embedded, *below, hidden[layer]], -1)
            enter, forget, candidate, leave = numpy.split(
                joined @ weights[f"kernel_{layer}"] + weights[f"bias_{layer}"], 4, -1)
            cells[layer] = (jax.nn.sigmoid(forget) * cells[layer] + jax.nn.sigmoid(enter) * numpy.tanh(candidate))
            hidden[layer] = jax.nn.sigmoid(leave) * numpy.tanh(cells[layer])
            below = [hidden[layer]]
        logits = numpy.concatenate(hidden, -1) @ weights["output_kernel"] + weights["output_bias"]
        loss -= jax.nn.log_softmax(logits)[np.arange(streams), row].sum()
        inputs = row
    return loss
