"""Querybank normalisation by the dynamic inverted softmax, QB-Norm with DIS (Bogolin et al. 2022)."""

import numpy as np

from alignkit.retrieval._flat import best
from alignkit.retrieval._unit import UnitRows
from alignkit.retrieval.rescoring._bank import log_mean_exp
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

    Limits: a bank of thousands finds nearly every item, and little is left of the safeguard.

    References
    ----------
    Bogolin et al. (2022), *Cross Modal Retrieval with Querybank Normalisation*, section 3.4; defaults of
    the authors' code.

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
        found = np.zeros(len(self.gallery_), bool)
        found[best(bank, self.gallery_, self.neighbours)[0]] = True
        return log_mean_exp(bank, self.gallery_, self.beta, self.block_) / self.beta, found

    def _about(self, strip: Vectors, learned: Facts) -> Facts:
        nearest = best(strip, self.gallery_, 1)[0][:, 0]
        return (learned[1][nearest],)

    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:
        return found - np.where(about[0][:, None], learned[0][columns], 0.0)
