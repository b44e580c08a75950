"""Entropy coders: what turns probabilities into bits.

A coder of what a network says alone codes one step of all streams at a time: `code_step(frequencies, symbols, active)`
writes `symbols` when it encodes and fills them in when it decodes. `Coder()` encodes, `Coder(payload)` decodes; that is
the only difference between the directions. Context mixing codes single bits, by `lib.coders.arithmetic.code_bit`.
"""


def make_coder(name, payload=None, state=None):
    """The coder of a setting `coder`, for encoding or for decoding `payload`; state: of another, to go on as that one."""
    if name == "numba":
        from lib.coders.arithmetic import ArithmeticCoder
        return ArithmeticCoder.resumed(*state, payload) if state else ArithmeticCoder(payload)
    from lib.coders.reference import ReferenceCoder
    return ReferenceCoder(payload)
