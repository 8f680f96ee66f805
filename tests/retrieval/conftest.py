"""The definitions, written out as loops over one full matrix: slow, and easy to believe."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from alignkit.retrieval.positives import Positives


def intervals(scores: NDArray, positives: Positives) -> tuple[NDArray, NDArray]:
    """Return negatives above and negatives tied, positive by positive."""
    above, tied = [], []
    for query in range(positives.n_queries):
        own = positives.indices[positives.indptr[query] : positives.indptr[query + 1]]
        negatives = np.delete(scores[query], own)
        for item in own:
            above.append(int((negatives > scores[query, item]).sum()))
            tied.append(int((negatives == scores[query, item]).sum()))
    return np.array(above, np.int64), np.array(tied, np.int64)


def metric(name: str, relevant: NDArray) -> float:
    """Return a metric of one ranking: ``relevant`` says of each place whether a positive stands there."""
    family, _, cut = name.partition("@")
    cut, _, norm = cut.partition(":")
    n, found = len(relevant), np.flatnonzero(relevant) + 1
    k = int(cut) if cut else n
    inside = found[found <= k]
    most = len(found) if norm == "R" else min(k, len(found))
    ideal = sum(1 / np.log2(1 + place) for place in range(1, most + 1))
    return {
        "mrr": 1 / inside[0] if len(inside) else 0.0,
        "hit": float(len(inside) > 0),
        "recall": len(inside) / len(found),
        "precision": len(inside) / k,
        "map": sum((i + 1) / place for i, place in enumerate(inside)) / most,
        "ndcg": sum(1 / np.log2(1 + place) for place in inside) / ideal,
    }.get(family, float(found[0]))


def expected_metric(name: str, scores: NDArray, relevant: NDArray) -> float:
    """Return the mean of a metric over every order of the items that agrees with their scores."""
    n = len(scores)
    orders = [order for order in permutations(range(n)) if (np.diff(scores[list(order)]) <= 0).all()]
    return float(np.mean([metric(name, relevant[list(order)]) for order in orders]))


def random_positives(rng: np.random.Generator, n_queries: int, n_gallery: int, links: int) -> Positives:
    """Return positives at random; some queries get many, some none."""
    pairs = np.stack([rng.integers(0, n_queries, links), rng.integers(0, n_gallery, links)], axis=1)
    return Positives.from_links(pairs, n_queries, n_gallery)


@pytest.fixture(scope="session")
def brute() -> SimpleNamespace:
    """Return the functions of this file."""
    return SimpleNamespace(
        intervals=intervals, metric=metric, expected_metric=expected_metric, random_positives=random_positives
    )
