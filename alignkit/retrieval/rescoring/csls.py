"""Cross-domain similarity local scaling, CSLS (Conneau et al. 2018)."""

from alignkit.retrieval._unit import UnitRows
from alignkit.retrieval.rescoring._additive import AdditiveRescorer
from alignkit.retrieval.rescoring._bank import nearest_mean
from alignkit.retrieval.rescoring._base import Facts, check_count, check_enough
from alignkit.shapes import PerItem, Vectors


class Csls(AdditiveRescorer):
    r"""Score by :math:`2 \cos(x, y) - r_G(x) - r_B(y)`.

    r_B(y) is the mean cosine of item y to its ``neighbours`` nearest queries of the bank, r_G(x) that of the
    query to its nearest items: high where a row lies in a crowd. r_G(x) is the same for all items, so
    that r_B(y) alone decides the order; it makes scores of different queries comparable. In [-4, 4].

    Limits: one bank query next to an item weighs 1 / ``neighbours`` of its bias, so a small bank is noisy.
    The gallery too needs so many items.

    References
    ----------
    Conneau et al. (2018), *Word translation without parallel data*, section 2.3: 10 neighbours.

    Examples
    --------
    The middle item lies where most queries do.

    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> bank, query = np.array([[0.8, 0.6], [0.7, 0.7]]), np.array([[0.9, 0.42]])
    >>> Csls(neighbours=1).fit(bank, gallery).scores(query).round(2).tolist()
    [[0.03, -0.02, -0.84]]
    """

    weight = 2.0

    def __init__(self, *, neighbours: int = 10) -> None:
        self.neighbours = neighbours

    def _check(self) -> None:
        check_count("neighbours", self.neighbours)

    def _bias(self, bank: UnitRows) -> PerItem:
        check_enough(self.neighbours, bank, "bank")
        check_enough(self.neighbours, self.gallery_, "gallery")
        return nearest_mean(self.gallery_, bank, self.neighbours, self.block_)

    def _about(self, strip: Vectors, learned: Facts) -> Facts:  # noqa: ARG002
        return (nearest_mean(strip, self.gallery_, self.neighbours, self.block_),)
