"""Random splits of pooled rows into two sides of given sizes: two clouds without a difference."""

import numpy as np

from alignkit.shapes import Mask


def first_of_two(n: int, m: int, rng: np.random.Generator) -> Mask:
    """Return which of ``n + m`` pooled rows make up the first of two sides of ``n`` and ``m`` rows.

    Examples
    --------
    >>> int(first_of_two(3, 5, np.random.default_rng(0)).sum())
    3
    """
    first = np.zeros(n + m, dtype=bool)
    first[rng.permutation(n + m)[:n]] = True
    return first
