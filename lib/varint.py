"""Whole numbers from 0 on as bytes: seven bits a byte, the lowest first, the highest bit set in all but the last (as LEB128)."""

_MOST_BITS = 63


def packed(*values: int) -> bytes:
    """Numbers as bytes, one after the other."""
    block = bytearray()
    for value in values:
        while value > 127:
            block.append(value & 127 | 128)
            value >>= 7
        block.append(value)
    return bytes(block)


def read(data: bytes, place: int) -> tuple[int, int]:
    """(the number at a place, where it ends). Raises IndexError where the data ends in it, ValueError where it is of over 63 bits."""
    value = 0
    for shift in range(0, _MOST_BITS, 7):
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
    raise ValueError("a number is out of bounds")
