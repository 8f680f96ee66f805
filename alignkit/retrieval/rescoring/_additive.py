"""Methods that take one number from each item's score: a bias that an index can hold as well."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from alignkit.errors import ParameterError
from alignkit.retrieval._unit import UnitRows
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.rescoring._base import Facts, Rescorer
from alignkit.shapes import PerItem, ScoreMatrix, Vectors


class AdditiveRescorer(Rescorer):
    """Score by ``weight cos(x, y) - bias(y)``, less a number of the query's own that changes no order."""

    weight: ClassVar[float] = 1.0

    @property
    def bias_(self) -> PerItem:
        """What each gallery item's score is lowered by, as learned from the bank.

        Raises
        ------
        ParameterError
            If the method was fitted without a bank: its biases belong to one set of test queries.
        """
        if self.uses_test_queries:
            raise ParameterError(
                f"{self.name} was fitted without a bank and has no bias that holds for new queries: give one."
            )
        return self.learned_[0]

    def index_vectors(self) -> Vectors:
        """Return float32 rows ``[weight y, -bias(y)]``: their product with ``[x, 1]`` ranks as the scores do.

        The query x has unit length. Any index of inner products, exact or not, can so answer with hubs held
        down, as `build_index` does for CSLS.
        """
        g, d = self.gallery_.shape
        vectors = np.empty((g, d + 1), np.float32)
        for start, stop in spans(0, g, self.block_.gallery):
            vectors[start:stop, :d] = self.weight * self.gallery_[start:stop]
        vectors[:, d] = -self.bias_
        return vectors

    def _learn(self, bank: UnitRows) -> Facts:
        return (self._bias(bank),)

    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:
        scores = self.weight * found - learned[0][columns]
        return scores - about[0][:, None] if about else scores

    @abstractmethod
    def _bias(self, bank: UnitRows) -> PerItem:
        """Return each gallery item's bias."""
