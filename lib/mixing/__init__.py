"""What turns probabilities into bits: contexts and their mixer (see `engine`), and the coders of what a network says alone.

Such a coder codes one step of all streams at a time: `code_step(frequencies, symbols, active)`
writes `symbols` when it encodes and fills them in when it decodes. `Coder()` encodes,
`Coder(payload)` decodes; that is the only difference between the directions.
"""


def make_coder(name, payload=None, state=None):
    """The coder of a setting `coder`, for encoding or for decoding `payload`; state: of another, to go on as that one."""
    if name == "numba":
        from lib.mixing.arithmetic_coder import ArithmeticCoder
        return ArithmeticCoder.resumed(*state, payload) if state else ArithmeticCoder(payload)
    from lib.mixing.reference_coder import ReferenceCoder
    return ReferenceCoder(payload)
