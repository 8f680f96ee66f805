"""How unevenly the rows of one side are found by those of the other (Radovanovic et al. 2010)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alignkit.errors import ParameterError
from alignkit.gaps._bands import Level
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._exchange import EXCHANGES, exchanged, first_side, first_sides
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._neighbours import (
    KEPT,
    TILE,
    Neighbours,
    neighbours_between,
    neighbours_within,
    places_taken,
    pooled_keep,
)
from alignkit.gaps._replicas import Replicas, n_blocks
from alignkit.gaps._replicated import JACKKNIFE, Replicated
from alignkit.shapes import (
    Gallery,
    ItemCounts,
    PerItem,
    PerQuery,
    Queries,
    QueryCounts,
    SourceRows,
    TargetRows,
)
from alignkit.statistics.blocks import saturating_interval

K = 10
ROUNDING = 1e-9


def hubness(x: SourceRows, y: TargetRows, *, k: int = K) -> float:
    """Return the skewness of how often each row of y is among the ``k`` nearest to a row of x.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 400, 64))
    >>> hubness(x, y) < 1 < 1.4 < hubness(x + 0.5, y + 0.5)  # in a cone there are hubs
    True
    """
    return Hubness(k=k).measure(x, y)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Hold how often each row of a side is among the k nearest to a row of the other."""

    target: PerItem | ItemCounts
    source: PerQuery | QueryCounts


class Hubness(Replicated[Occurrences]):
    r"""Return, for each direction of search, the skewness of the k-occurrence :math:`N_{10}`.

    Part ``source_to_target``: how often each target row is among the 10 of greatest cosine to a source row;
    ``target_to_source`` the other way. 0 means that all are found alike; above 1.4, by custom, that hubs are
    found everywhere and most rows nowhere. Between -sqrt(n) and sqrt(n). No pairs needed. Rows that tie for
    the last places share them, so a collapsed side has no hubs. A cone of many dimensions has hubs without
    any gap: the null level is that of sides whose partners are exchanged at random (unpaired: of random
    splits of the pooled rows).

    The interval is a delete-a-block jackknife's on the scale a / (1 + abs(a) / 2): the few largest hubs
    make a large skewness, so it varies the more the larger it is. Beyond 2,000 rows a side a seeded sample
    is used, because every row meets every other.

    References
    ----------
    Radovanovic et al. (2010), *Hubs in space: popular nearest neighbors in high-dimensional data*.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100, 4))
    >>> found = Hubness().measure_parts(x, x)
    >>> found["source_to_target"] == found["target_to_source"]
    True
    """

    parts = ("source_to_target", "target_to_source")
    interval = f"{JACKKNIFE}, on the scale a / (1 + |a| / 2)"
    null = EXCHANGES
    limits = (-np.inf, np.inf)
    fewest = 2 * K
    most = 2_000

    def __init__(self, *, k: int = K) -> None:
        if k < 1:
            raise ParameterError(f"k must be 1 or more, got {k}: a search must find something.")
        self.k = k

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: twice k rows must be there to find."""
        fault = super().refusal_of(clouds)
        if fault is None and clouds.fewest < 2 * self.k:
            return f"it needs {2 * self.k} rows to find {self.k}, and there are {clouds.fewest}"
        return fault

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values of sides without a gap."""
        return self.values_of(exchanged(clouds, first_side(clouds, rng)))

    def _ends(
        self,
        part: str,
        value: float,
        left_out: np.ndarray,
        level: Level,  # noqa: ARG002
        whole: Occurrences,
    ) -> tuple[float, float]:
        found = whole.target if part == self.parts[0] else whole.source
        return saturating_interval(value, left_out, (-np.sqrt(len(found)), np.sqrt(len(found))))

    def _of(self, read: Occurrences) -> dict[str, float]:
        return {"source_to_target": _skewness(read.target), "target_to_source": _skewness(read.source)}

    def _read(self, clouds: Clouds) -> Occurrences:
        return Occurrences(_occurrences(clouds.x, clouds.y, self.k), _occurrences(clouds.y, clouds.x, self.k))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Occurrences]:
        return Replicas(self._read(clouds), self._left_out(clouds, seed), self._nulls(clouds, seed))

    def _left_out(self, clouds: Clouds, seed: int) -> Iterator[Occurrences]:
        sides, rng = ((clouds.x, clouds.y), (clouds.y, clouds.x)), np.random.default_rng([seed, 3])
        there, back = (neighbours_between(*pair, KEPT * self.k, rng) for pair in sides)
        count = n_blocks(clouds)
        x_blocks, y_blocks = item_blocks(clouds, count, seed)
        for block in range(count):
            x, y = x_blocks != block, y_blocks != block
            yield Occurrences(
                _counted(there.without(x, self.k, y), int(y.sum())),
                _counted(back.without(y, self.k, x), int(x.sum())),
            )

    def _nulls(self, clouds: Clouds, seed: int) -> Iterator[Occurrences]:
        pooled = np.concatenate([clouds.x, clouds.y])
        keep = pooled_keep(len(clouds.x), len(clouds.y), self.k)
        lists = neighbours_within(pooled, keep, np.random.default_rng([seed, 3]))
        for first in first_sides(clouds, seed):
            yield Occurrences(
                _counted(lists.without(first, self.k, ~first), int((~first).sum())),
                _counted(lists.without(~first, self.k, first), int(first.sum())),
            )


def _occurrences(rows: Queries, others: Gallery, k: int) -> PerItem:
    """Return how often each of the others is found; those that tie for the last places share them."""
    found = np.zeros(len(others))
    for start in range(0, len(rows), TILE):
        found += places_taken(rows[start : start + TILE] @ others.T, k).sum(axis=0)
    return found


def _counted(lists: Neighbours, size: int) -> ItemCounts:
    return np.bincount(lists.rows[lists.rows >= 0], minlength=size)


def _skewness(counts: np.ndarray) -> float:
    deviations = counts - counts.mean()
    spread = float((deviations**2).mean())
    return float((deviations**3).mean()) / spread**1.5 if spread > ROUNDING else 0.0
