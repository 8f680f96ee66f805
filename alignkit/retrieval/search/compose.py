"""Queries made of several: a weighted sum of directions, or a point on the arc between two.

A negative weight takes something away. The arc is that of Shoemake (1985), *Animating rotation with
quaternion curves*.
"""

from collections.abc import Sequence

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Vectors

NOTHING = 1e-6  # of the weights: a shorter sum is what rounding left, and points nowhere


def weighted_sum(parts: Sequence[Vectors], weights: Sequence[float]) -> np.ndarray:
    """Return the directions of ``sum_i weights[i] * parts[i]``: unit rows, float32, of parts made unit first.

    So a long row of one part does not drown the others, and weights say what they seem to.

    Raises
    ------
    ParameterError
        If there is not one finite weight for each part, or all are 0.
    DataError
        If parts differ in shape, a row has no direction, or a sum cancels out; the row is named.

    Examples
    --------
    >>> weighted_sum([np.array([[2.0, 0.0]]), np.array([[0.0, 5.0]])], [1, -1]).round(3).tolist()
    [[0.7070000171661377, -0.7070000171661377]]
    """
    sizes = np.abs(np.asarray(weights, np.float64))
    if sizes.shape != (len(parts),) or not np.isfinite(sizes).all() or not sizes.any():
        raise ParameterError(
            f"weights are {list(weights)} for {len(parts)} parts: give each part one number, not all 0."
        )
    units = _units(parts)
    total = sum((weight * unit for weight, unit in zip(weights, units, strict=True)), np.zeros(()))
    lengths = np.linalg.norm(total, axis=1)
    flat = np.flatnonzero(lengths <= NOTHING * sizes.sum())
    if len(flat):
        raise DataError(f"the parts of query {flat[0]} cancel out: change a weight or leave a part out.")
    return (total / lengths[:, None]).astype(np.float32)


def slerp(start: Vectors, end: Vectors, t: float) -> np.ndarray:
    """Return the directions at share ``t`` of the arc from ``start`` (0) to ``end`` (1): unit rows, float32.

    Unlike a sum it moves at one speed: half way it is as far from one end as from the other.

    Raises
    ------
    ParameterError
        If ``t`` is outside [0, 1].
    DataError
        If shapes differ, a row has no direction, or two rows are opposite: then no arc is the shortest.

    Examples
    --------
    >>> slerp(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]), 1 / 3).round(3).tolist()
    [[0.8659999966621399, 0.5]]
    """
    if not 0 <= t <= 1:
        raise ParameterError(f"the place on the arc is {t}: give a share from 0 to 1.")
    a, b = _units([start, end])
    # by chords, which lose nothing where the rows are nearly equal or nearly opposite
    apart, together = (np.linalg.norm(chord, axis=1) for chord in (a - b, a + b))
    opposite = np.flatnonzero(together <= NOTHING)
    if len(opposite):
        raise DataError(
            f"the two parts of query {opposite[0]} are opposite, and no arc between them is the shortest: "
            "go by way of a third, or use a weighted sum."
        )
    angle = 2 * np.arctan2(apart, together)
    whole = np.where(angle > 0, np.sin(angle), 1)
    shares = [np.where(angle > 0, np.sin(s * angle) / whole, s) for s in (1 - t, t)]
    found = shares[0][:, None] * a + shares[1][:, None] * b
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def _units(parts: Sequence[Vectors]) -> list[np.ndarray]:
    if len({np.shape(part) for part in parts}) != 1:
        shapes = ", ".join(str(np.shape(part)) for part in parts)
        raise DataError(f"parts of a query have shapes {shapes}: give as many rows of one width for each.")
    units = []
    for number, part in enumerate(parts):
        rows = np.asarray(part, np.float64)
        lengths = np.linalg.norm(rows, axis=1)
        wrong = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
        if len(wrong):
            raise DataError(f"row {wrong[0]} of part {number} has no direction: repair or remove it.")
        units.append(rows / lengths[:, None])
    return units
