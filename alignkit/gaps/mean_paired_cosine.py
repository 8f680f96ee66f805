"""Mean cosine between partners (Liang et al. 2022)."""

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._bootstrap import item_draws, percentile_interval, resampled_means, sums_by_item
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._on_sums import Bootstrapped
from alignkit.gaps._pairwise import NORMAL, permuted_cosine, permuted_cosine_spread
from alignkit.gaps._sums import Sums
from alignkit.shapes import SourceRows, TargetRows


def mean_paired_cosine(x: SourceRows, y: TargetRows) -> float:
    """Return the mean cosine of row i of x with row i of y.

    Examples
    --------
    >>> mean_paired_cosine(np.eye(2), np.eye(2))
    1.0
    """
    return MeanPairedCosine().measure(x, y)


class MeanPairedCosine(Bootstrapped):
    r"""Return the mean cosine of linked rows, :math:`\frac1m \sum \cos(x_i, y_i)`.

    In [-1, 1]: 1 means every row lies on its partner. Alone it cannot tell a gap from pairs that do not
    belong together; the null level is its mean over all permutations of one end of the links (closed form:
    the inner product of the two means). Needs pairs. The interval is a bootstrap by item.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*; Schrodi et al. (2025), section 3.

    Examples
    --------
    >>> MeanPairedCosine().measure(np.eye(2), np.eye(2))
    1.0
    """

    needs_pairs = True
    interval = "bootstrap by item"
    null = "permuted pairs, closed form"
    limits = (-1.0, 1.0)

    def _of(self, read: Sums) -> dict[str, float]:
        return {HEADLINE: read.cosine / read.links}

    def _chance(self, clouds: Clouds) -> float:
        return permuted_cosine(clouds)

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:  # noqa: ARG002
        half = NORMAL * permuted_cosine_spread(clouds)
        return chance - half, chance + half

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:
        items = clouds.link_items()
        sums = sums_by_item(clouds.pair_cosines(), items, clouds.n_items)
        sizes = np.bincount(items, minlength=clouds.n_items)
        replicates = [
            resampled_means(counts, sums, sizes) for counts, _ in item_draws(clouds, resamples, seed)
        ]
        return percentile_interval(np.concatenate(replicates), value, self.limits, clouds.n_items)
