"""What is checked of whole vocabularies and of the links between their rows."""

import numpy as np
from sklearn.utils import check_consistent_length

from alignkit.aligners._base import FEWEST_ROWS, ArrayLike
from alignkit.errors import DataError, PairingError


def checked_vocabulary(rows: ArrayLike, name: str) -> np.ndarray:
    """Return the rows of one side as an array of floats; raise DataError unless they are rows of numbers."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or len(rows) < FEWEST_ROWS or rows.dtype.kind not in "fiu":
        raise DataError(
            f"{name} has shape {rows.shape} and type {rows.dtype}: give {FEWEST_ROWS} or more rows of "
            "numbers."
        )
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def checked_links(links: ArrayLike, n: int, m: int, fewest: int) -> np.ndarray:
    """Return links between ``n`` and ``m`` rows as whole numbers; raise PairingError where one is none."""
    links = np.zeros((0, 2), np.int64) if links is None else np.asarray(links)
    if links.ndim != 2 or links.shape[1] != 2 or links.dtype.kind not in "iu":
        raise PairingError(
            f"links have shape {links.shape} and type {links.dtype}: give whole numbers, a row of X and a "
            "row of Y in each line."
        )
    if len(links) < fewest:
        raise PairingError(f"there are {len(links)} links: give {fewest} or more.")
    bad = np.flatnonzero((links < 0).any(axis=1) | (links >= [n, m]).any(axis=1))
    if len(bad):
        raise PairingError(
            f"link {bad[0]} joins rows {links[bad[0], 0]} and {links[bad[0], 1]}, but there are {n} and {m}: "
            "count both from 0."
        )
    return links.astype(np.int64)


def checked_weights(weights: ArrayLike, links: int) -> np.ndarray:
    """Return one weight for every link, 1 where none are given; raise PairingError where one is none."""
    if weights is None:
        return np.ones(links)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (links,):
        raise PairingError(f"sample_weight has shape {weights.shape}; give one for each of {links} links.")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise PairingError(f"link {bad[0]} has weight {weights[bad[0]]}: weights are finite, not negative.")
    return weights


def checked_groups(groups: ArrayLike, links: np.ndarray) -> np.ndarray | None:
    """Return a number for the group of every link, or None; raise ValueError unless there is one for each."""
    if groups is None:
        return None
    check_consistent_length(links, groups)
    return np.unique(np.asarray(groups), return_inverse=True)[1]
