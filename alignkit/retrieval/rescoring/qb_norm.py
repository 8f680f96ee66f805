"""Querybank normalisation by the dynamic inverted softmax, QB-Norm with DIS (Bogolin et al. 2022)."""

from collections.abc import Iterator

import numpy as np

from alignkit.retrieval._unit import UnitRows, cosines
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.rescoring._bank import log_mean_exp, nearest_cosines
from alignkit.retrieval.rescoring._base import Facts, Rescorer, check_count, check_enough, check_positive
from alignkit.shapes import ScoreMatrix, Vectors


class QbNorm(Rescorer):
    r"""Score by the inverted softmax where a query's nearest item is one that the bank finds, else by cosine.

    The activation set holds every item that is among the ``neighbours`` nearest of some bank query. A query
    whose nearest item lies in it is scored by
    :math:`\cos(x, y) - \frac1\beta \log \frac1{|B|} \sum_{b \in B} e^{\beta \cos(b, y)}`, any other by
    :math:`\cos(x, y)`: a bank that is unlike the queries then does no harm. In [-2, 2].

    Each query is ranked as by the paper, whose scores are the exponentials of these for the first kind of
    query. Scores of different queries are not comparable, in the paper's form nor in this one.

    Items that tie are activated, and count as nearest, together. The bank is gone through three times.

    Limits: a bank of thousands finds nearly every item, and little is left of the safeguard.

    References
    ----------
    Bogolin et al. (2022), *Cross Modal Retrieval with Querybank Normalisation*; defaults of the authors'
    code.

    Examples
    --------
    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> bank, queries = np.array([[0.8, 0.6], [0.7, 0.7]]), np.array([[0.9, 0.42], [0.1, 1.0]])
    >>> QbNorm().fit(bank, gallery).scores(queries).round(2).tolist()
    [[0.13, -0.02, -0.26], [0.1, 0.68, 1.0]]
    """

    def __init__(self, *, beta: float = 20.0, neighbours: int = 1) -> None:
        self.beta = beta
        self.neighbours = neighbours

    def _check(self) -> None:
        check_positive("beta", self.beta)
        check_count("neighbours", self.neighbours)

    def _learn(self, bank: UnitRows) -> Facts:
        check_enough(self.neighbours, self.gallery_, "gallery")
        last = nearest_cosines(bank, self.gallery_, self.neighbours, self.block_)[:, 0]
        activated = np.empty(len(self.gallery_), bool)
        for part in self._parts():
            reached = np.zeros(part.stop - part.start, bool)
            for start, stop in spans(0, len(bank), self.block_.queries):
                reached |= (cosines(bank[start:stop], self.gallery_[part]) >= last[start:stop, None]).any(
                    axis=0
                )
            activated[part] = reached
        return log_mean_exp(bank, self.gallery_, self.beta, self.block_) / self.beta, activated

    def _about(self, strip: Vectors, learned: Facts) -> Facts:
        nearest, nearest_activated = np.full((2, len(strip)), -np.inf)
        for part in self._parts():
            found = cosines(strip, self.gallery_[part])
            nearest = np.maximum(nearest, found.max(axis=1))
            within = found.max(axis=1, where=learned[1][part], initial=-np.inf)
            nearest_activated = np.maximum(nearest_activated, within)
        return (nearest_activated == nearest,)

    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:
        return found - np.where(about[0][:, None], learned[0][columns], 0.0)

    def _parts(self) -> Iterator[slice]:
        return (slice(*part) for part in spans(0, len(self.gallery_), self.block_.gallery))
