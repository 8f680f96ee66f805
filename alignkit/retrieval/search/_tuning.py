"""The least effort at which an approximate index finds enough, and what it then finds, with an interval."""

from typing import Any

import numpy as np

from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._flat import best
from alignkit.rows import Rows
from alignkit.statistics.bounded import share_interval

SAMPLE = 1000  # queries on which the effort is sought, and as many others on which recall is measured
STEP = 1.25  # between two efforts that are tried
SIGMAS = 2  # standard errors by which the recall must pass
STREAM = 11  # second word of the seed: default_rng(seed) may have drawn the rows themselves


def sample(n: int, seed: int) -> np.ndarray:
    """Return the rows, of ``n``, that an index is tuned and measured on, in the order drawn."""
    return np.random.Generator(np.random.PCG64([seed, STREAM])).permutation(n)[: 2 * SAMPLE]


def tune(index: Any, vectors: Rows, queries: np.ndarray, recall: float) -> dict[str, Any]:
    """Return the settings of a faiss index: its effort, and its recall with an interval and their number.

    Efforts grow by a quarter; one passes if its mean recall is above ``recall`` by two standard errors. What
    passes has been lucky more often than not, so the recall that is stated is measured on other queries: the
    second half of a `sample`.
    """
    half = max(1, len(queries) // 2)
    sought, others = queries[:half], queries[half if len(queries) > 1 else 0 :]
    level = _levels(sought, vectors)
    effort = 1
    while True:
        found = _found(index, vectors, sought, effort, level)
        error = found.std() / len(found) ** 0.5
        if found.mean() - SIGMAS * error >= recall or effort == _faiss.most(index):
            break
        effort = min(max(effort + 1, int(effort * STEP)), _faiss.most(index))
    return {"effort": effort, **measure(index, vectors, others, effort)}


def measure(index: Any, vectors: Rows, queries: np.ndarray, effort: int) -> dict[str, Any]:
    """Return the recall of the exact first ten over some queries, its 95% interval, and how many they are."""
    found = _found(index, vectors, queries, effort, _levels(queries, vectors))
    low, high = share_interval(min(1.0, float(found.mean())), len(found))
    return {"recall": float(found.mean()), "low": low, "high": high, "n": len(found)}


def _levels(queries: np.ndarray, vectors: Rows) -> np.ndarray:
    """Return the exact scores of the best rows of every query."""
    return best(queries[:, : vectors.shape[1]], vectors, min(_faiss.DEPTH, len(vectors)))[1]


def _found(index: Any, vectors: Rows, queries: np.ndarray, effort: int, exact: np.ndarray) -> np.ndarray:
    """Return the share of the exact hits that every query finds."""
    rows, scores, _ = _faiss.search(index, queries, vectors, exact.shape[1], effort)
    return shares(np.where(rows >= 0, scores, -np.inf), exact)


def shares(scores: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the share of the exact scores that are among the ``scores``, both from high to low.

    Which of the rows that tie for the last places are listed is a matter of convention, so any of them
    stands for any other, as often as the exact list has room for them.
    """
    last = exact[:, -1:]
    above, level, room = (scores > last).sum(axis=1), scores == last, exact == last
    return (above + np.minimum(level.sum(axis=1), room.sum(axis=1))) / exact.shape[1]
