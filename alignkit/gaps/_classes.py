"""Sums of rows over classes of labels."""

import numpy as np
from scipy.sparse import csr_array

from alignkit.shapes import Labels, Vectors


def class_sums(rows: Vectors, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the rows of each class, in the order of the labels, and how many rows each has.

    Examples
    --------
    >>> sums, sizes = class_sums(np.eye(3), np.array([7, 2, 7]))
    >>> sums.tolist(), sizes.tolist()
    ([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]], [1, 2])
    """
    _, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    n = len(rows)
    member = csr_array((np.ones(n), (place.reshape(-1), np.arange(n))), shape=(len(sizes), n))
    return member @ rows.astype(np.float64), sizes
