"""Distance of partners relative to the spread inside each modality (Schrodi et al. 2025)."""

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._bootstrap import item_draws, percentile_interval, resampled_means, sums_by_item
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._on_sums import Bootstrapped
from alignkit.gaps._pairwise import (
    NORMAL,
    mean_cosine_to_others,
    permuted_cosine,
    permuted_cosine_spread,
)
from alignkit.gaps._sums import Sums
from alignkit.shapes import Labels, SourceRows, TargetRows, Vectors

SMALLEST = 1e-3  # what the authors put in the place of a mean distance that is not above 0


def relative_modality_gap(x: SourceRows, y: TargetRows) -> float:
    """Return the relative modality gap of rows of which row i of x belongs to row i of y.

    Examples
    --------
    >>> round(relative_modality_gap(np.eye(3), -np.eye(3)), 4)
    0.6667
    """
    return RelativeModalityGap().measure(x, y)


class RelativeModalityGap(Bootstrapped):
    r"""Return :math:`m / (m + (a + b) / 2)` with every distance taken as :math:`(1 - \cos) / 2`.

    ``m`` is the mean distance of partners (0.001 where they all meet), ``a`` and ``b`` the mean distance
    between different rows of one modality. In [0, 1]: near 0 partners lie on one another, 0.5 means that they
    are as far apart as any two rows of one modality, 1 that each modality is one point and the points differ.
    Rows are normalised first. The double sum is closed (:math:`\lVert\sum x\rVert^2 - n`), so the cost
    is linear in rows. Linked many-to-many, ``a`` and ``b`` run over distinct rows as in the paper's COCO
    table. Needs pairs.

    The interval is a bootstrap by item in which ``a`` and ``b`` enter through their first-order projection,
    because a row drawn twice would count its distance 0 to itself. The null level is the value at permuted
    pairs.

    References
    ----------
    Schrodi et al. (2025), *Two effects, one trigger*, ICLR, equation 2.

    Examples
    --------
    >>> RelativeModalityGap().measure(np.eye(3), -np.eye(3)).__round__(4)
    0.6667
    """

    needs_pairs = True
    interval = "bootstrap by item, first-order projection of the within-modality means"
    null = "permuted pairs, closed form"
    limits = (0.0, 1.0)

    def _of(self, read: Sums) -> dict[str, float]:
        within = (_half_distance(cosine) for cosine in read.mean_cosines)
        return {HEADLINE: float(_ratio(_half_distance(read.cosine / read.links), *within))}

    def _chance(self, clouds: Clouds) -> float:
        between = _half_distance(permuted_cosine(clouds))
        return float(_ratio(between, _spreads(clouds.x).mean(), _spreads(clouds.y).mean()))

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:  # noqa: ARG002
        half = NORMAL * permuted_cosine_spread(clouds)
        between = _half_distance(permuted_cosine(clouds) + np.array([half, -half]))
        low, high = _ratio(between, _spreads(clouds.x).mean(), _spreads(clouds.y).mean())
        return float(low), float(high)

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:
        n = clouds.n_items
        paired = _by_item(_half_distance(clouds.pair_cosines()), clouds.link_items(), n)
        within = []
        for rows, items in ((clouds.x, clouds.x_items), (clouds.y, clouds.y_items)):
            spreads = _spreads(rows)
            mean = spreads.mean()
            within.append((mean, *_by_item(2 * (spreads - mean), items, n)))  # a row is either end of a pair
        replicates = [
            _ratio(
                resampled_means(counts, *paired),
                *(mean + resampled_means(counts, sums, sizes) for mean, sums, sizes in within),
            )
            for counts, _ in item_draws(clouds, resamples, seed)
        ]
        return percentile_interval(np.concatenate(replicates), value, self.limits, clouds.n_items)


def _ratio(between: np.ndarray | float, first: np.ndarray | float, second: np.ndarray | float) -> np.ndarray:
    floored = np.where(np.asarray(between) > 0, between, SMALLEST)
    return floored / (floored + (np.asarray(first) + second) / 2)


def _half_distance(cosine: np.ndarray | float) -> np.ndarray:
    return (1 - np.asarray(cosine)) / 2


def _spreads(rows: Vectors) -> np.ndarray:
    """Return each row's mean distance to the other rows of its modality."""
    return _half_distance(mean_cosine_to_others(rows))


def _by_item(values: np.ndarray, items: Labels, n: int) -> tuple[np.ndarray, np.ndarray]:
    return sums_by_item(values, items, n), np.bincount(items, minlength=n)
