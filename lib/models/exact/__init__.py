"""An LSTM that learns online in whole numbers: the same bits on every device.

`bounds` states the formats and proves them, `dimensions` the shapes, `tables` and `schedule` what is computed once;
`state` is what a run is between two steps. Two engines run it: `keras_engine` on NumPy, TensorFlow or JAX, written
in the primitives of `fixed_point`, and `numba_engine` on processors. `lstm` is the model that drives either.
"""
