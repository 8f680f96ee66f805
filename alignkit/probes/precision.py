"""Mean average precision over classes, for many weightings of the rows at once."""

import numpy as np

from alignkit.shapes import ClassScores, Membership, PerResample


def mean_average_precision(
    truth: Membership, scores: ClassScores, weights: np.ndarray | None = None
) -> PerResample:
    """Return the macro mAP: average precision of each class over all rows, then the mean over classes.

    One value per row of ``weights`` (resamples x rows; default: ones). Average precision is the sum of
    precision times gain in recall over falling thresholds; rows of one score enter together, so their order
    is of no matter (as in scikit-learn's ``average_precision_score``). Classes without a true row are left
    out.

    References
    ----------
    Gemmeke et al. (2017), *Audio Set*, section 4: the mAP of audio tagging.

    Examples
    --------
    >>> truth = np.array([[True], [False], [True]])
    >>> mean_average_precision(truth, np.array([[0.9], [0.8], [0.1]])).round(4).tolist()
    [0.8333]
    """
    weights = np.ones((1, len(truth))) if weights is None else weights
    total, classes = np.zeros(len(weights)), np.zeros(len(weights))
    for column in np.flatnonzero(truth.any(axis=0)):
        value = _average_precision(truth[:, column], scores[:, column], weights)
        exists = np.isfinite(value)
        total += np.where(exists, value, 0.0)
        classes += exists
    with np.errstate(invalid="ignore"):
        return total / classes


def _average_precision(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> PerResample:
    order = np.argsort(-scores, kind="stable")
    ranked, positive = scores[order], truth[order]
    # a step is all rows of one score; steps without a positive are joined with the next one that has some
    step = np.r_[0, np.cumsum(ranked[1:] != ranked[:-1])]
    holds = np.bincount(step, weights=positive) > 0
    stair = np.r_[0, np.cumsum(holds)[:-1]][step]
    starts = np.flatnonzero(np.r_[True, stair[1:] != stair[:-1]])[: int(holds.sum())]
    kept = order[: np.searchsorted(step, np.flatnonzero(holds)[-1], side="right")]
    drawn = weights[:, kept]
    seen = np.cumsum(np.add.reduceat(drawn, starts, axis=1), axis=1)
    gained = np.add.reduceat(drawn * truth[kept], starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(seen > 0, np.cumsum(gained, axis=1) / seen, 0.0)
        return (gained * precision).sum(axis=1) / gained.sum(axis=1)
