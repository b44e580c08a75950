"""lib.coding.streams: how symbols lie in streams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.coding.streams import Streams

ANY_STREAMS = st.builds(Streams, st.integers(0, 300), st.integers(1, 40))


def numbered(streams):
    """Symbols 1 to symbol_count: none of them looks like a place without a symbol."""
    return np.arange(1, streams.symbol_count + 1, dtype=np.uint16)


@pytest.mark.parametrize("symbol_count, matrix", [
    (0, []),
    (1, [[1, 0, 0, 0]]),
    (4, [[1, 2, 3, 4]]),
    (5, [[1, 3, 5, 0], [2, 4, 0, 0]]),
    (11, [[1, 4, 7, 10], [2, 5, 8, 11], [3, 6, 9, 0]]),
])
def test_stream_b_holds_the_symbols_from_b_times_steps_on(symbol_count, matrix):
    streams = Streams(symbol_count, 4)
    assert streams.lay_out(numbered(streams)).tolist() == matrix


@given(ANY_STREAMS)
def test_the_streams_that_have_a_symbol_at_a_step_are_the_first_active_ones(streams):
    for step, row in enumerate(streams.lay_out(numbered(streams))):
        active = streams.active(step)
        assert 1 <= active <= streams.batch_size
        assert row[:active].all() and not row[active:].any()


@given(ANY_STREAMS)
def test_active_streams_add_up_to_the_symbols_before_each_step_and_in_all(streams):
    active = [streams.active(step) for step in range(streams.steps)]
    assert [streams.symbols_before(step) for step in range(streams.steps + 1)] == [0, *np.cumsum(active).tolist()]
    assert sum(active) == streams.symbol_count


@given(ANY_STREAMS)
def test_join_is_the_inverse_of_lay_out(streams):
    matrix = streams.lay_out(numbered(streams))
    assert matrix.shape == streams.empty().shape and matrix.dtype == streams.empty().dtype == np.uint16
    assert not streams.empty().any()
    assert np.array_equal(streams.join(matrix), numbered(streams))


def test_sizes_of_terabytes_cost_nothing_to_reckon_with():
    streams = Streams(2 ** 48 - 1, 16)
    assert (streams.steps, streams.active(2 ** 44 - 1), streams.symbols_before(2 ** 44)) == (2 ** 44, 15, 2 ** 48 - 1)
