"""Sinkhorn normalization: scale queries and items until all have equal mass (Pan et al. 2025)."""

import numpy as np

from alignkit.retrieval._unit import UnitRows, cosines
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.rescoring._additive import AdditiveRescorer
from alignkit.retrieval.rescoring._bank import LogSums
from alignkit.retrieval.rescoring._base import check_count, check_positive
from alignkit.shapes import PerItem


class Sinkhorn(AdditiveRescorer):
    r"""Score by :math:`\cos(x, y) + \tau \log v(y)`, v the item's scaling in the entropic transport plan.

    The plan :math:`u(b)\, e^{\cos(b, y) / \tau}\, v(y)` gives all queries b one mass and all items one mass
    (Sinkhorn's iteration, in logarithms, from v = 1, ending with the items). A hub draws too much and gets
    a small v. The query's factor u is the same for all its items. ``tau`` is the ``temperature``.

    As published the plan is that of the **test queries** and the gallery: without a bank the method is
    transductive, and close to solving the matching of the test set, where every item has its turn. With a
    bank v comes from the bank alone. The biases have mean 0.

    Limits: it asks that all items be wanted equally often. Where a part of the gallery is wanted by nobody,
    its items are raised as if they were only overlooked. Every iteration goes through all cosines again,
    in strips of 64 MB; at most ``iterations``, fewer where no query's mass was off by more than the share
    ``tolerance``.

    References
    ----------
    Pan et al. (2025), *Hubness Reduction with Dual Bank Sinkhorn Normalization for Cross-Modal Retrieval*;
    temperature of the authors' code. Cuturi (2013), *Sinkhorn Distances*.

    Examples
    --------
    >>> import numpy as np
    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6]])
    >>> bank = np.array([[1.0, 0.5], [1.0, 0.6], [0.7, 0.6]])  # all nearer to the second
    >>> Sinkhorn(temperature=0.1).fit(bank, gallery).bias_.round(2).tolist()
    [-0.08, 0.08]
    """

    transductive = True
    whole_rows = True

    def __init__(self, *, temperature: float = 0.01, iterations: int = 100, tolerance: float = 1e-4) -> None:
        self.temperature = temperature
        self.iterations = iterations
        self.tolerance = tolerance

    def _check(self) -> None:
        check_positive("temperature", self.temperature)
        check_positive("tolerance", self.tolerance)
        check_count("iterations", self.iterations)

    def _bias(self, bank: UnitRows) -> PerItem:
        log_v, before = np.zeros(len(self.gallery_)), np.full(len(bank), np.inf)
        for _ in range(self.iterations):
            log_u, log_v = self._iterate(bank, log_v)
            if np.abs(log_u - before).max() <= self.tolerance:  # the logarithms of the queries' masses
                break
            before = log_u
        return -self.temperature * (log_v - log_v.mean())

    def _iterate(self, bank: UnitRows, log_v: PerItem) -> tuple[np.ndarray, PerItem]:
        """Return the queries' scalings for the items' old ones, then the items' for those; masses are 1.

        Items run down the rows and sums along them, so that equal items get equal scalings in any block.
        """
        log_u, columns = np.empty(len(bank)), LogSums(len(log_v))
        parts = [slice(*part) for part in spans(0, len(log_v), self.block_.gallery)]
        for start, stop in spans(0, len(bank), self._strip()):
            strip, rows = bank[start:stop], LogSums(stop - start)
            held = [cosines(self.gallery_[part], strip).astype(np.float32) for part in parts]
            for part, tile in zip(parts, held, strict=True):
                rows.add((self._scaled(tile) + log_v[part, None]).T, slice(None))
            log_u[start:stop] = -rows.logarithms()
            for part, tile in zip(parts, held, strict=True):
                columns.add(self._scaled(tile) + log_u[start:stop], part)
        return log_u, np.log(len(bank) / len(log_v)) - columns.logarithms()

    def _scaled(self, tile: np.ndarray) -> np.ndarray:
        return np.divide(tile, self.temperature, dtype=np.float64)
