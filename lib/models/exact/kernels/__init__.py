"""The compiled loops of the Numba engine, each a long stretch of work that runs without Python's lock.

They do what KerasEngine does, in the formats of `lib.models.exact.bounds`.
"""
