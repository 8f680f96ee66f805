"""The Fréchet distance of two clouds by the cheaper of two exact routes; no matrix square root is formed."""

import numpy as np

from alignkit.shapes import SourceRows, TargetRows


def frechet(x: SourceRows, y: TargetRows) -> float:
    r"""Return :math:`|\mu_x - \mu_y|^2 + tr(\Sigma_x + \Sigma_y - 2(\Sigma_x \Sigma_y)^{1/2})` of the rows.

    Covariances are divided by n - 1. With fewer rows than dimensions the last trace is the nuclear norm of
    the small matrix of inner products, :math:`|X_c Y_c^T|_* / \sqrt{(n-1)(m-1)}`: exact for singular
    covariances, where iterations for a matrix root lose digits or turn complex. Otherwise it is taken from
    the eigenvalues of :math:`\Sigma_x^{1/2} \Sigma_y \Sigma_x^{1/2}`, which is symmetric. Never below 0.

    References
    ----------
    Dowson and Landau (1982), *The Fréchet distance between multivariate normal distributions*.

    Examples
    --------
    >>> x = np.array([[0.0], [2.0]])
    >>> round(frechet(x, 3 * x + 5), 12)         # means 1 and 8, standard deviations sqrt 2 and 3 sqrt 2
    57.0
    """
    x, y = (np.asarray(rows, dtype=np.float64) for rows in (x, y))
    centre_x, centre_y = x.mean(axis=0), y.mean(axis=0)
    X, Y = x - centre_x, y - centre_y
    degrees = len(X) - 1, len(Y) - 1
    spread = (X**2).sum() / degrees[0] + (Y**2).sum() / degrees[1]
    overlap = _from_products(X, Y) if min(len(X), len(Y)) < X.shape[1] else _from_covariances(X, Y)
    apart = centre_x - centre_y
    return max(float(apart @ apart + spread - 2 * overlap / np.sqrt(degrees[0] * degrees[1])), 0.0)


def _from_products(X: SourceRows, Y: TargetRows) -> float:
    """Return the nuclear norm of X Y' by way of the smaller side's Gram matrix, or by singular values."""
    small, large = (X, Y) if len(X) <= len(Y) else (Y, X)
    if len(large) > X.shape[1]:  # rotate the larger side into as many rows as it has dimensions
        large = np.asarray(np.linalg.qr(large, mode="r"))
    return float(np.linalg.svd(small @ large.T, compute_uv=False).sum())


def _from_covariances(X: SourceRows, Y: TargetRows) -> float:
    """Return tr (X'X Y'Y)^(1/2): with X = Q R, the nuclear norm of R R_y'."""
    values, vectors = np.linalg.eigh(X.T @ X)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    inner = np.linalg.eigvalsh(root @ (Y.T @ Y) @ root.T)
    return float(np.sqrt(np.maximum(inner, 0.0)).sum())
