"""Planted worlds, with hubs and without, and the dense cosines that the papers' formulas start from."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

D = 48


def flat_world(seed: int, n: int = 400, bank: int = 2000) -> tuple[NDArray, NDArray, NDArray]:
    """Return queries, gallery, bank: query i is a noisy item i; bank queries are of other items. No hubs."""
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(n, D))
    others = rng.normal(size=(bank, D))
    return items + 2 * rng.normal(size=items.shape), items, others + 2 * rng.normal(size=others.shape)


def hub_world(seed: int, n: int = 400, bank: int = 2000) -> tuple[NDArray, NDArray, NDArray]:
    """Return the same with a direction that all queries share and items have more or less of."""
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(n, D))
    others = rng.normal(size=(bank, D))
    gallery = items + 0.5 * rng.normal(size=(n, 1))
    queries, strangers = (rows + 1.6 * rng.normal(size=rows.shape) + 0.5 for rows in (items, others))
    return queries, gallery, strangers


def dense(left: NDArray, right: NDArray) -> NDArray:
    """Return all cosines in float64."""
    left, right = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (left, right))
    return left @ right.T


def hit(scores: NDArray) -> float:
    """Return hit@1 where query i looks for item i."""
    return float((scores.argmax(axis=1) == np.arange(len(scores))).mean())


@pytest.fixture(scope="session")
def worlds() -> SimpleNamespace:
    """Return the functions of this file."""
    return SimpleNamespace(flat=flat_world, hubs=hub_world, dense=dense, hit=hit)
