"""Do both sides rank the neighbours of a class alike (normalised Kendall distance, Schrodi et al. 2025)."""

from dataclasses import replace

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._classes import class_sums
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicated import OnPairs
from alignkit.reports import Score
from alignkit.shapes import Labels, SourceRows, TargetRows

MOST_CLASSES = 200
CHUNK = 32  # rankings compared at a time: 10 MB for 200 classes


def neighbourhood_order(x: SourceRows, y: TargetRows, labels: Labels) -> float:
    """Return the mean Kendall distance of the rankings of classes; row i of x and of y has label i.

    Raises
    ------
    DataError
        If there are fewer than three classes.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> neighbourhood_order(x, -x, np.arange(40) % 5)
    0.0
    """
    measure = NeighbourhoodOrder()
    clouds = replace(Clouds.paired(x, y), labels=(np.asarray(labels),))
    measure._check(clouds)
    return measure.values_of(clouds)[HEADLINE]


def kendall_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of pairs that two lists of values put in opposite order; a tie in either counts half.

    Examples
    --------
    >>> kendall_distance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).__round__(4)
    0.3333
    """
    return float(_distances(np.atleast_2d(first), np.atleast_2d(second))[0])


def kendall_distance_as_published(first: np.ndarray, second: np.ndarray) -> float:
    """Return what the authors' script makes of two lists of similarities to classes.

    It hands over ranks where orders are expected, so it asks of two *ranks* whether the classes that hold
    them have numbers in opposite order. Numbering the classes anew changes the answer, which a distance of
    rankings must not do: `kendall_distance` asks of two classes.

    Examples
    --------
    >>> first, second = np.array([0.3, 0.1, 0.2]), np.array([0.2, 0.1, 0.3])
    >>> kendall_distance_as_published(first, second), kendall_distance(first, second).__round__(4)
    (1.0, 0.3333)
    """
    return kendall_distance(*(np.argsort(one, kind="stable") for one in (first, second)))


class NeighbourhoodOrder(OnPairs):
    r"""Return the mean, over classes, of the Kendall distance between the rankings of the other classes.

    On each side classes are ranked by the mean cosine of their rows to those of the class in question. In
    [0, 1]: the share of pairs of classes that one side holds nearer and the other farther; 0 means the same
    order everywhere, 0.5 no relation (the null level, of permuted pairs), 1 the reverse. Ties count half.
    Only order counts, so it does not see where the sides lie. Needs pairs, of which one an item is measured,
    and one column of labels: y rows have the class of their partners. Classes beyond 200 are sampled, because
    every class meets every pair of others.

    The published script also ranks the class itself, and its Kendall distance depends on how classes are
    numbered (`kendall_distance_as_published`): its figures do not compare with these.

    References
    ----------
    Schrodi et al. (2025), *Two effects, one trigger*, ICLR, section on neighbourhoods.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 4))
    >>> labels = np.arange(60) % 6
    >>> clouds = replace(Clouds.paired(x, x[:, ::-1].copy()), labels=(labels,))
    >>> score = NeighbourhoodOrder().score(clouds)
    >>> score.chance_low < 0.5 < score.chance_high
    True
    """

    needs_labels = 1
    limits = (0.0, 1.0)

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: of two classes there is nothing to rank."""
        fault = super().refusal_of(clouds)
        if fault is None and (count := len(np.unique(clouds.labels[0]))) < 3:
            return f"it needs three classes to rank two others, and there are {count}"
        return fault

    def _values(self, clouds: Clouds) -> dict[str, float]:
        return self._of(_sampled(clouds.matched(0), 0))

    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]:
        return super()._scores(_sampled(clouds.matched(seed), seed), seed, resamples)

    def _of(self, read: Clouds) -> dict[str, float]:
        return {HEADLINE: _mean_distance(read)}


def _mean_distance(clouds: Clouds) -> float:
    similarities = []
    for rows in (clouds.x, clouds.y):
        sums, sizes = class_sums(rows, clouds.labels[0])
        centroids = sums / sizes[:, None]
        similarities.append(centroids @ centroids.T)
    others = ~np.eye(len(similarities[0]), dtype=bool)
    first, second = (one[others].reshape(len(one), -1) for one in similarities)
    return float(_distances(first, second).mean()) if first.shape[1] > 1 else 0.5


def _sampled(clouds: Clouds, seed: int) -> Clouds:
    """Return the rows of at most 200 classes."""
    classes = np.unique(clouds.labels[0])
    if len(classes) <= MOST_CLASSES:
        return clouds
    chosen = np.random.default_rng([seed, 8]).permutation(classes)[:MOST_CLASSES]
    kept = np.isin(clouds.labels[0], chosen)
    part = clouds.kept(kept, kept)
    return replace(part, x_items=np.arange(len(part.x)), y_items=np.arange(len(part.y)), _made={})


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the Kendall distance of each row of one matrix and its row of the other."""
    count = first.shape[1]
    out = []
    for start in range(0, len(first), CHUNK):
        signs = [
            np.sign(rows[:, :, None] - rows[:, None, :])
            for rows in (first[start : start + CHUNK], second[start : start + CHUNK])
        ]
        agreed = np.einsum("kij,kij->k", *signs) / (count * (count - 1))
        out.append((1 - agreed) / 2)
    return np.concatenate(out)
