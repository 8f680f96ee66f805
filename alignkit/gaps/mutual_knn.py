"""Share of a row's nearest neighbours that its partner has on the other side (Huh et al. 2024)."""

import numpy as np

from alignkit.errors import ParameterError
from alignkit.gaps._bands import Level
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._neighbours import (
    TILE,
    Neighbours,
    both_neighbours,
    places_taken,
    similarities_to_others,
    too_few,
)
from alignkit.gaps._replicas import BLOCKS, NULLS
from alignkit.gaps._single import Single
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows
from alignkit.statistics.blocks import jackknife_variance, wilson_interval

K = 10


def mutual_knn(x: SourceRows, y: TargetRows, *, k: int = K) -> float:
    """Return the share of common rows among the ``k`` nearest of row i within x and within y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> mutual_knn(x, -x)
    1.0
    """
    return MutualKnn(k=k).measure(x, y)


class MutualKnn(Single):
    r"""Return the mean of :math:`|N_k(x_i) \cap N_k(y_i)| / k`, each the k nearest rows of a row's own side.

    By cosine, k = 10, a row not counted among its own. In [0, 1]: 1 means that partners have the same
    neighbours, :math:`k / (n - 1)` (the null level, closed form) that they share them by chance. That level
    falls with the number of rows, so values of sets of different sizes do not compare. Each side is
    compared with itself: where the sides lie is not seen. Rows that tie for the last places share them (the
    expectation over unrelated orders of the ties): two collapsed sides score the null level, not 1.

    Needs pairs, of which one an item is measured. The interval is Wilson's with the variance of a
    delete-a-block jackknife; drawing rows with replacement would make copies neighbours on both sides.
    Beyond 3,000 rows a seeded sample is used.

    References
    ----------
    Huh et al. (2024), *The platonic representation hypothesis*, section 3 and appendix A.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 101, 16))
    >>> abs(MutualKnn().measure(x, y) - 10 / 100) < 0.03
    True
    """

    needs_pairs = True
    interval = "Wilson with the variance of a delete-a-block jackknife"
    null = "k / (n - 1) of permuted pairs, closed form; band: permuted pairs"
    limits = (0.0, 1.0)
    fewest = 2 * K
    most = 3_000

    def __init__(self, *, k: int = K) -> None:
        if k < 1:
            raise ParameterError(f"k must be 1 or more, got {k}: a row needs a neighbour.")
        self.k = k

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: twice k rows must be left to choose from."""
        return super().refusal_of(clouds) or too_few(clouds, self.k)

    def _values(self, clouds: Clouds) -> dict[str, float]:
        return super()._values(clouds.matched(0))

    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]:
        return super()._scores(clouds.matched(seed), seed, resamples)

    def _value(self, clouds: Clouds) -> float:
        common = 0.0
        for start in range(0, len(clouds.x), TILE):
            first, second = (
                places_taken(similarities_to_others(rows, start), self.k) for rows in (clouds.x, clouds.y)
            )
            common += float(np.vdot(first, second))
        return common / (self.k * len(clouds.x))

    def _chance(self, clouds: Clouds) -> float:
        return self.k / (len(clouds.x) - 1)

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:
        x, y = (one.first(self.k) for one in self._lists(clouds, seed))
        drawn = []
        for draw in range(NULLS):
            order = np.random.default_rng([seed, 6, draw]).permutation(len(clouds.x))
            drawn.append(_common(x, y.reordered(order)))
        level = Level.drawn(chance + np.array(drawn) - np.mean(drawn), self.limits)
        return level.low, level.high

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:  # noqa: ARG002
        x, y = self._lists(clouds, seed)
        blocks = item_blocks(clouds, BLOCKS, seed)[0]
        left_out = [
            _common(x.without(blocks != block, self.k), y.without(blocks != block, self.k))
            for block in range(BLOCKS)
        ]
        return wilson_interval(value, jackknife_variance(np.array(left_out)), self.k * clouds.n_items)

    def _lists(self, clouds: Clouds, seed: int) -> tuple[Neighbours, Neighbours]:
        return clouds.once(("neighbours within", self.k, seed), lambda: both_neighbours(clouds, self.k, seed))


def _common(x: Neighbours, y: Neighbours) -> float:
    same = (x.rows[:, :, None] == y.rows[:, None, :]) & (x.rows >= 0)[:, :, None]
    return float(same.sum() / x.rows.size)
