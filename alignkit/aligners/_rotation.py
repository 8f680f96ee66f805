"""The orthogonal matrix between linked rows, from which iterative methods start and to which they return."""

import numpy as np

from alignkit.aligners._svd import thin_svd
from alignkit.shapes import Links, Weights


def rotation_of(X: "np.ndarray", Y: "np.ndarray", links: Links, weights: Weights | None = None) -> np.ndarray:
    """Return the orthogonal matrix that takes linked rows of ``X`` nearest to those of ``Y`` (Procrustes).

    Raises
    ------
    DataError
        If the products of the rows are not finite.
    """
    linked = X[links[:, 0]] if weights is None else X[links[:, 0]] * weights[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # thin_svd looks at the result
        U, _, Vt = thin_svd(linked.T @ Y[links[:, 1]])
    return U @ Vt
