"""Find the k best items of every query by the very scores that ranks are counted with, float64."""

import numpy as np

from alignkit.retrieval.exact.scores import ProductScores
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.exact.vectors import PreparedRows, Similarity, prepare
from alignkit.retrieval.search._flat import PANEL, best
from alignkit.retrieval.search._vectors import on_disk
from alignkit.rows import Rows
from alignkit.shapes import Nearest, QueryNeighbours

SPARE = 8  # candidates beyond those wanted, so that the exact scores seldom leave a doubt


def best_hits(
    queries: Rows, gallery: Rows, k: int, *, similarity: Similarity = "cosine"
) -> tuple[Nearest, QueryNeighbours, np.ndarray]:
    """Return (rows, scores) of the ``k`` best items from high to low, and which queries' last tie is split.

    A tie is split where an item that is left out scores as much as the last one listed; the lower row
    stands first in a tie. Float32 rows propose candidates (`_flat.best`); their exact scores, those of
    `ranks`, decide, and where an item that was not proposed could still be among the best, all that could
    are looked at. Arrays in memory are held there as float32 too; of shards and memory maps a few blocks are.
    A gallery of fewer than ``k`` rows is listed whole.

    Examples
    --------
    >>> rows, scores, split = best_hits(np.eye(2), np.array([[1.0, 1.0], [2.0, 0.0], [3.0, 0.0]]), 1)
    >>> rows.tolist(), scores.round(4).tolist(), split.tolist()
    ([[1], [0]], [[1.0], [0.7071]], [True, False])
    """
    left, right = prepare(queries, gallery, similarity)
    source = ProductScores(left, right)
    narrow = np.dtype(np.float32)
    margin = source.margins(narrow)[0]
    asking, asked = (_Narrow(side) if on_disk(side.rows) else _whole(side, narrow) for side in (left, right))
    near, proposed = best(asking, asked, k + SPARE)
    n, width = near.shape
    exact = source.of(np.repeat(np.arange(n), width), near.ravel()).reshape(near.shape)
    order = np.lexsort((near, -exact), axis=1)
    near, exact = (np.take_along_axis(part, order, axis=1) for part in (near, exact))
    k = min(k, len(right))
    rows, scores = near[:, :k].copy(), exact[:, :k].copy()
    split = np.zeros(n, bool)
    if k < len(right):
        split = exact[:, k] == exact[:, k - 1]
    if width < len(right):
        for query in np.flatnonzero(proposed[:, -1] + margin >= scores[:, -1]).tolist():
            level = scores[query, -1] - 2 * margin[query]
            items = _reaching(asked, asking[query : query + 1][0], level)
            values = source.of(np.full(len(items), query), items)
            best_first = np.lexsort((items, -values))
            rows[query], scores[query] = items[best_first[:k]], values[best_first[:k]]
            split[query] = len(items) > k and values[best_first[k]] == values[best_first[k - 1]]
    return rows, scores, split


class _Narrow:
    """Show prepared rows as float32, prepared when they are read."""

    dtype = np.dtype(np.float32)

    def __init__(self, side: PreparedRows) -> None:
        self.side, self.shape = side, (len(side), side.dim)

    def __len__(self) -> int:
        return len(self.side)

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        n = len(range(*key.indices(len(self)))) if isinstance(key, slice) else len(key)
        return self.side.block(key, n, self.dtype)


def _reaching(asked: Rows, query: np.ndarray, level: float) -> np.ndarray:
    """Return the items whose float32 product with a query reaches a level."""
    panels = spans(0, len(asked), PANEL)
    return np.concatenate(
        [left + np.flatnonzero(asked[left:right] @ query >= level) for left, right in panels]
    )


def _whole(side: PreparedRows, dtype: np.dtype) -> np.ndarray:
    return side.block(slice(0, len(side)), len(side), dtype)
