"""How often a linear classifier tells the modalities of unseen rows apart (Friedman 1989)."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from alignkit.gaps._bands import Level
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import split_clouds
from alignkit.gaps._single import Single
from alignkit.shapes import Labels, SourceRows, TargetRows
from alignkit.statistics.blocks import jackknife_variance, wilson_interval

FOLDS, BLOCKS = 5, 10  # two blocks a fold
SHRINKAGE = 0.1


def linear_separability(x: SourceRows, y: TargetRows) -> float:
    """Return the cross-validated balanced accuracy of a linear discriminant between two sets of rows.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 8))
    >>> linear_separability(x + 9, x - 9)
    1.0
    """
    return LinearSeparability().measure(x, y)


class LinearSeparability(Single):
    """Return the balanced accuracy of a linear discriminant on rows of items it was not fitted to (5 folds).

    In [0, 1]; 0.5 means that no hyperplane helps. It *saturates*: 1.00 for nearly every two-tower model,
    trained or random, so it says that a gap is there and not how large. Where rows are fewer than
    dimensions, rows that were fitted always look separable: only the cross-validated value exists here.

    Order: rows to unit length; items dealt into folds (partners together); per fold a discriminant
    with the pooled covariance shrunk by 0.1 towards a sphere. The interval is Wilson's with the variance of a
    delete-a-block jackknife that repeats the cross-validation. Beyond 3,000 rows a side a seeded sample
    is used.

    References
    ----------
    Friedman (1989), *Regularized discriminant analysis*.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(50, 8))
    >>> LinearSeparability().measure(x + 9, x - 9)
    1.0
    """

    interval = "Wilson with the variance of a delete-a-block jackknife"
    null = "a coin; band: random splits of the pooled rows"
    limits = (0.0, 1.0)
    fewest = BLOCKS
    most = 3_000

    def _value(self, clouds: Clouds) -> float:
        return _accuracy(_BlockSums(clouds, seed=0))

    def _chance(self, clouds: Clouds) -> float:  # noqa: ARG002
        return 0.5

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:
        drawn = [_accuracy(_BlockSums(split, seed=0)) for split in split_clouds(clouds, seed)]
        spread = chance + np.array(drawn) - np.mean(drawn)
        level = Level.drawn(spread, self.limits)
        return level.low, level.high

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:  # noqa: ARG002
        sums = _BlockSums(clouds, seed=0)
        left_out = np.array([_accuracy(sums, without=block) for block in range(BLOCKS)])
        return wilson_interval(value, jackknife_variance(left_out), clouds.n_items)


class _BlockSums:
    """Counts, sums and scatter of each block, so that no fold ever goes back to its training rows."""

    def __init__(self, clouds: Clouds, seed: int) -> None:
        blocks = item_blocks(clouds, BLOCKS, seed)
        origin = (clouds.x.mean(axis=0) + clouds.y.mean(axis=0)) / 2
        # near the origin, scatter loses no digits
        sides = _within_their_span([(side - origin).astype(np.float64) for side in (clouds.x, clouds.y)])
        self.width = clouds.x.shape[1]
        self.rows = [
            [side[own == block] for block in range(BLOCKS)] for side, own in zip(sides, blocks, strict=True)
        ]
        self.counts = np.array([[len(rows) for rows in side] for side in self.rows])
        self.sums = np.array([[rows.sum(axis=0) for rows in side] for side in self.rows])
        x_rows, y_rows = self.rows
        self.scatter = np.array([x.T @ x + y.T @ y for x, y in zip(x_rows, y_rows, strict=True)])

    def direction(self, train: Labels) -> tuple[np.ndarray, float]:
        """Return the discriminant of the training blocks: project, subtract, and x is positive."""
        counts = self.counts[:, train].sum(axis=1)
        means = self.sums[:, train].sum(axis=1) / counts[:, None]
        within = self.scatter[train].sum(axis=0) - (counts[:, None] * means).T @ means
        within /= counts.sum()
        level = np.trace(within) / self.width
        within *= 1 - SHRINKAGE
        within[np.diag_indices_from(within)] += SHRINKAGE * level + np.finfo(float).tiny ** 0.5
        axis = cho_solve(cho_factor(within, overwrite_a=True, check_finite=False), means[0] - means[1])
        return axis, float(axis @ (means[0] + means[1]) / 2)


def _within_their_span(sides: list[np.ndarray]) -> list[np.ndarray]:
    """Return the rows in coordinates of the space that they span, where they are fewer than dimensions.

    A discriminant whose covariance shrinks to a sphere turns with the rows; its direction lies among them.
    """
    pooled = np.concatenate(sides)
    if len(pooled) >= pooled.shape[1]:
        return sides
    return np.split(np.asarray(np.linalg.qr(pooled.T, mode="r")).T, [len(sides[0])])


def _accuracy(sums: _BlockSums, without: int | None = None) -> float:
    """Return the balanced accuracy over all folds, a row exactly on the border counting half."""
    blocks = np.arange(BLOCKS)
    right, seen = np.zeros(2), np.zeros(2)
    for fold in range(FOLDS):
        train = blocks[(blocks % FOLDS != fold) & (blocks != without)]
        axis, border = sums.direction(train)
        for block in blocks[(blocks % FOLDS == fold) & (blocks != without)]:
            for side, sign in ((0, 1), (1, -1)):
                margin = sign * (sums.rows[side][block] @ axis - border)
                right[side] += (margin > 0).sum() + 0.5 * (margin == 0).sum()
                seen[side] += len(margin)
    return float((right / seen).mean())
