"""The thin singular value decomposition, also where LAPACK's fast algorithm gives up."""

import numpy as np
import scipy.linalg

from alignkit.errors import DataError


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
