"""Mutual proximity: how surely query and item are near to each other (Schnitzer et al. 2012)."""

from typing import Literal, TypeAlias

import numpy as np
from scipy.special import log_ndtr

from alignkit.errors import ParameterError
from alignkit.retrieval._unit import UnitRows, cosines
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.rescoring._bank import moments
from alignkit.retrieval.rescoring._base import Facts, Rescorer
from alignkit.shapes import Gallery, ScoreMatrix, Vectors

Distribution: TypeAlias = Literal["gaussian", "empirical"]
DISTRIBUTIONS = ("gaussian", "empirical")
FLAT = 1e-12  # deviation of cosines that are all equal


class MutualProximity(Rescorer):
    r"""Score by :math:`\log P(S_x < \cos(x, y)) + \log P(S_y < \cos(x, y))`.

    S_x are the query's cosines to the gallery, S_y the item's to the bank. Query and item come from two
    sets, so there are no third rows that both are compared with, as the paper's joint distribution needs:
    the two are taken to be independent, the paper's own approximation. ``gaussian`` takes both for
    normal; ``empirical`` counts the share strictly below. The logarithm keeps the order and tells apart
    what a probability rounds to 1. In [-inf, 0].

    Limits: ``empirical`` scores are products of two counts and so often tie, above all at -inf, where a
    count is 0. It holds all cosines of some queries (64 MB) and bank times one tile's items, and goes
    through the bank again for every such strip of queries; ``gaussian`` goes through the bank once and
    looks at each query's cosines twice.

    References
    ----------
    Schnitzer et al. (2012), *Local and global scaling reduce hubs in space*.

    Examples
    --------
    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> bank, query = np.array([[0.8, 0.6], [0.7, 0.7], [1, 0.1]]), np.array([[0.9, 0.42]])
    >>> MutualProximity().fit(bank, gallery).scores(query).round(2).tolist()
    [[-0.66, -0.61, -3.37]]
    """

    whole_rows = True

    def __init__(self, *, distribution: Distribution = "gaussian") -> None:
        self.distribution = distribution

    def _check(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ParameterError(
                f"distribution is {self.distribution!r}: choose one of {', '.join(DISTRIBUTIONS)}."
            )

    def _learn(self, bank: UnitRows) -> Facts:
        return moments(self.gallery_, bank, self.block_) if self.distribution == "gaussian" else ()

    def _about(self, strip: Vectors, learned: Facts) -> Facts:  # noqa: ARG002
        found = np.empty((len(strip), len(self.gallery_)), np.float32)
        for left, right in spans(0, len(self.gallery_), self.block_.gallery):
            found[:, left:right] = cosines(strip, self.gallery_[left:right])
        if self.distribution == "empirical":
            return (np.sort(found, axis=1),)
        return found.mean(axis=1, dtype=np.float64), found.std(axis=1, dtype=np.float64)

    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:
        if self.distribution == "gaussian":
            means, deviations = (part[columns] for part in learned)
            of_query = _log_below(found, about[0][:, None], about[1][:, None])
            return of_query + _log_below(found, means, deviations)
        found = found.astype(np.float32)  # as the sorted ones are: without loss
        with np.errstate(divide="ignore"):  # the logarithm of no cosine below
            of_query = np.log(_shares_below(about[0], found))
            return of_query + np.log(_shares_below(self._sorted_bank(columns), found.T)).T

    def _sorted_bank(self, columns: slice) -> Gallery:
        """Return the sorted cosines of some items to the bank."""
        if self.bank_ is None:
            raise TypeError("mutual proximity is never fitted without a bank")
        items = self.gallery_[columns]
        found = np.empty((len(items), len(self.bank_)), np.float32)
        for start, stop in spans(0, len(self.bank_), self.block_.queries):
            found[:, start:stop] = cosines(items, self.bank_[start:stop])
        found.sort(axis=1)
        return found


def _log_below(values: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    return log_ndtr((values - means) / np.maximum(deviations, FLAT))


def _shares_below(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, row by row, which share of the ordered numbers lies strictly below each value."""
    pairs = zip(ordered, values, strict=True)
    return np.stack([np.searchsorted(row, line) for row, line in pairs]) / ordered.shape[1]
