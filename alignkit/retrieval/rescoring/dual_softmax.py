"""Dual softmax, DSL at test time: a cosine times its share among all queries (Cheng et al. 2021)."""

import numpy as np

from alignkit.errors import ParameterError
from alignkit.retrieval._unit import UnitRows
from alignkit.retrieval.rescoring._bank import log_mean_exp
from alignkit.retrieval.rescoring._base import Facts, Rescorer, check_positive
from alignkit.shapes import ScoreMatrix

LARGEST = 300.0  # exp(2 beta) must stay below the largest float64


class DualSoftmax(Rescorer):
    r"""Score by :math:`\cos(x, y)\, e^{\beta \cos(x, y)} / \frac1{|B|} \sum_{b \in B} e^{\beta \cos(b, y)}`.

    The factor is |B| times the softmax of the item's cosines over the queries b. As published these are the
    **test queries**: without a bank the method is transductive, a query's score changes with the other
    queries that happen to be asked, and tables made so compare only with one another. With a bank, the
    published factor is estimated from it, and may exceed |B|.

    Limits: a negative cosine ranks the higher the smaller its share, as the product has it; it concerns
    items that lie behind all with positive cosine.

    References
    ----------
    Cheng et al. (2021), *Improving Video-Text Retrieval by Multi-Stream Corpus Alignment and Dual Softmax
    Loss*; ``beta`` 100 is the scale that CLIP's cosines have there.

    Examples
    --------
    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6]])
    >>> rescorer = DualSoftmax(beta=10).fit(None, gallery)
    >>> rescorer.scores(np.array([[1.0, 0.1], [0.8, 0.6]])).round(2).tolist()
    [[1.74, 0.33], [0.2, 1.62]]
    >>> rescorer.uses_test_queries
    True
    """

    transductive = True

    def __init__(self, *, beta: float = 100.0) -> None:
        self.beta = beta

    def _check(self) -> None:
        check_positive("beta", self.beta)
        if self.beta > LARGEST:
            raise ParameterError(f"beta is {self.beta}: give at most {LARGEST:g}, beyond which it overflows.")

    def _learn(self, bank: UnitRows) -> Facts:
        return (log_mean_exp(bank, self.gallery_, self.beta, self.block_),)

    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:  # noqa: ARG002
        return found * np.exp(self.beta * found - learned[0][columns])
