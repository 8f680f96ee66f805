"""Put a block of queries' items into the order in which a tool lists them, equal scores as it leaves them."""

import numpy as np

from alignkit.retrieval.like._conventions import Order
from alignkit.retrieval.like._quicksort import quicksort_order
from alignkit.retrieval.like._selection import topk_order


def reordered(
    stable: np.ndarray, scores: np.ndarray, gains: np.ndarray, order: Order, depth: int
) -> np.ndarray:
    """Return the first ``depth`` columns of every row by falling score, equal scores by ``order``.

    ``stable`` is the stable order. Where a tool's sort is not stable, the rows that a tie decides are
    sorted again as it does, step by step. In the others equal scores have equal ``gains``, so that their
    order tells nothing.
    """
    top = stable[:, :depth]
    if order in ("topk", "quicksort"):
        top = top.copy()
        for row in _undecided(scores, gains, stable, depth):
            values = scores[row].tolist()
            found = topk_order(values, depth) if order == "topk" else quicksort_order(values)
            top[row] = found[:depth]
    return top


def listed(scores: np.ndarray, gains: np.ndarray, depth: int) -> np.ndarray:
    """Return the columns of the list that torch.topk makes of every row."""
    return reordered(np.argsort(-scores, axis=1, kind="stable"), scores, gains, "topk", depth)


def by_id(ids: tuple[str, ...], order: Order) -> np.ndarray:
    """Return the columns as ties are broken: by id, compared as strings, or as they stand."""
    if order not in ("id_ascending", "id_descending"):
        return np.arange(len(ids))
    return np.array(sorted(range(len(ids)), key=ids.__getitem__, reverse=order == "id_descending"))


def _undecided(scores: np.ndarray, gains: np.ndarray, order: np.ndarray, depth: int) -> np.ndarray:
    """Return the rows in which items of different gain share a score that reaches the first ``depth``."""
    scores, gains = (np.take_along_axis(values, order, axis=1) for values in (scores, gains))
    level = scores[:, 1:] == scores[:, :-1]
    mixed = gains[:, 1:] != gains[:, :-1]
    near = scores[:, :-1] >= scores[:, depth - 1 : depth]
    return np.flatnonzero((level & mixed & near).any(axis=1))
