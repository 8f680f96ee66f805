"""The thin singular value decomposition, also where LAPACK's fast algorithm gives up; the right inverse."""

import numpy as np
import scipy.linalg

from alignkit.errors import DataError, NotInvertibleError

WORST_CONDITION = 1e8  # beyond it, less than half of float64's digits would survive the way back


def thin_svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``U``, the singular values from large to small, and ``V'``.

    Divide and conquer (gesdd) now and then fails to converge on a sound matrix of low rank, as fewer pairs
    than dimensions make it; then QR iteration (gesvd), slower and surer, takes over.

    Raises
    ------
    DataError
        If the matrix is not finite: the products of the rows were too large.
    """
    if not np.isfinite(matrix).all():
        raise DataError("the products of the rows leave the range of float64: scale the rows down.")
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        return scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")


def right_inverse(matrix: np.ndarray, name: str) -> np.ndarray:
    """Return the matrix that takes rows times ``matrix`` back to the rows.

    Raises
    ------
    NotInvertibleError
        If there is none, or rounding would drown it; ``name`` is what the message calls the map.
    """
    ds, dt = matrix.shape
    if ds > dt:
        raise NotInvertibleError(
            f"{name} maps {ds} dimensions to {dt} and cannot be taken back: fit a map in the other "
            "direction instead."
        )
    U, s, Vt = thin_svd(matrix)
    if not s[-1] * WORST_CONDITION > s[0]:
        rank = int((s * WORST_CONDITION > s[0]).sum())
        raise NotInvertibleError(
            f"{name} keeps {rank} of {ds} source dimensions and cannot be taken back: fit it on more "
            "pairs, with more components or more regularisation, or fit the other direction."
        )
    return (Vt.T / s) @ U.T
