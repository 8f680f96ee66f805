"""The definitions, written out as loops over one full matrix: slow, and easy to believe."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from alignkit.retrieval.exact.positives import Positives


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
    """Return a metric of one ranking, given the grade of the item at each place, 0 for negatives."""
    head, _, variant = name.partition(":")
    family, _, cut = head.partition("@")
    n, found = len(relevant), np.flatnonzero(relevant) + 1
    k = int(cut) if cut else n
    inside = found[found <= k]
    norm = {"R": len(found), "hits": max(len(inside), 1)}.get(variant, min(k, len(found)))
    gains = 2.0 ** np.asarray(relevant, int) - 1 if variant == "exp" else np.asarray(relevant, float)
    discounts = (np.arange(n) < k) / np.log2(np.arange(n) + 2)
    return {
        "mrr": 1 / inside[0] if len(inside) else 0.0,
        "hit": float(len(inside) > 0),
        "recall": len(inside) / len(found),
        "precision": len(inside) / k,
        "rprecision": (found <= len(found)).mean(),
        "map": sum((i + 1) / place for i, place in enumerate(inside)) / norm,
        "ndcg": gains @ discounts / (np.sort(gains)[::-1] @ discounts),
    }.get(family, float(found[0]))


def expected_metrics(names: list[str], scores: NDArray, relevant: NDArray) -> dict[str, float]:
    """Return the mean of each metric over every order of the items that agrees with their scores.

    Of a geometric mean rank it is the geometric mean.
    """
    every = np.array(list(permutations(range(len(scores)))))
    orders = every[(np.diff(scores[every], axis=1) <= 0).all(axis=1)]
    rankings, times = np.unique(relevant[orders], axis=0, return_counts=True)
    found = {}
    for name in names:
        values = [metric(name, ranking) for ranking in rankings]
        if name.startswith("geometric"):
            found[name] = float(np.exp(np.average(np.log(values), weights=times)))
        else:
            found[name] = float(np.average(values, weights=times))
    return found


def random_positives(rng: np.random.Generator, n_queries: int, n_gallery: int, links: int) -> Positives:
    """Return positives at random; some queries get many, some none."""
    pairs = np.stack([rng.integers(0, n_queries, links), rng.integers(0, n_gallery, links)], axis=1)
    return Positives.from_links(pairs, n_queries, n_gallery)


@pytest.fixture(scope="session")
def brute() -> SimpleNamespace:
    """Return the functions of this file."""
    return SimpleNamespace(
        intervals=intervals,
        metric=metric,
        expected_metrics=expected_metrics,
        random_positives=random_positives,
    )
