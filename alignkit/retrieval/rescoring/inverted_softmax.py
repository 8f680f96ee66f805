"""Inverted softmax: what share of an item's probability the query gets (Smith et al. 2017)."""

from alignkit.retrieval._unit import UnitRows
from alignkit.retrieval.rescoring._additive import AdditiveRescorer
from alignkit.retrieval.rescoring._bank import log_mean_exp
from alignkit.retrieval.rescoring._base import check_positive
from alignkit.shapes import PerItem


class InvertedSoftmax(AdditiveRescorer):
    r"""Score by :math:`\cos(x, y) - \frac1\beta \log \frac1{|B|} \sum_{b \in B} e^{\beta \cos(b, y)}`.

    That is 1 / ``beta`` times the logarithm of the paper's :math:`e^{\beta \cos(x, y)} / \sum_b e^{\beta
    \cos(b, y)}`, but for a number that all items of a query share (another one is the paper's alpha, which
    makes its probabilities sum to 1): the order is the same and nothing overflows. In [-2, 2].

    Limits: a low ``beta`` takes the mean cosine to the bank from an item's score, a high one the greatest,
    which is one query's and noisy: with a bank of a few hundred queries 100, the scale that CLIP is trained
    with, can cost more than the hubs do. The paper fits it to its training pairs; 30 is the value of MUSE's
    example, for unit rows.

    References
    ----------
    Smith et al. (2017), *Offline bilingual word vectors, orthogonal transformations and the inverted
    softmax*.

    Examples
    --------
    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> bank, query = np.array([[0.8, 0.6], [0.7, 0.7]]), np.array([[0.9, 0.42]])
    >>> InvertedSoftmax().fit(bank, gallery).scores(query).round(2).tolist()
    [[0.13, -0.02, -0.26]]
    """

    def __init__(self, *, beta: float = 30.0) -> None:
        self.beta = beta

    def _check(self) -> None:
        check_positive("beta", self.beta)

    def _bias(self, bank: UnitRows) -> PerItem:
        return log_mean_exp(bank, self.gallery_, self.beta, self.block_) / self.beta
