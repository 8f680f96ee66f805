"""Linear centred kernel alignment of the two modalities' items (Kornblith et al. 2019; Song et al. 2012)."""

import numpy as np

from alignkit.gaps._bands import Level
from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._pairwise import NORMAL
from alignkit.gaps._products import Products, product_replicas, read_products
from alignkit.gaps._replicas import Replicas
from alignkit.gaps._replicated import Replicated
from alignkit.shapes import SourceRows, TargetRows


def linear_cka(x: SourceRows, y: TargetRows) -> float:
    """Return the unbiased linear CKA of unit rows of which row i of x belongs to row i of y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 8))
    >>> round(linear_cka(x, x), 6)
    1.0
    """
    return LinearCka().measure(x, y)


class LinearCka(Replicated[Products]):
    r"""Return :math:`HSIC(x, y) / \sqrt{HSIC(x, x)\,HSIC(y, y)}` with linear kernels of unit rows.

    1 where both sides see the same distances between items, up to rotation and shift: a constant gap changes
    nothing, and it is no measure of the gap but of what a map could reach. The headline takes the
    *unbiased* HSIC (near 0 for unrelated rows, possibly below), part ``biased`` the plain one, which is well
    above 0 there unless rows far outnumber dimensions. Needs pairs; of several partners one is drawn. In
    feature space: O(n d^2), no n x n matrix; that rows have length 1 makes the diagonal terms exact there.

    References
    ----------
    Kornblith et al. (2019), *Similarity of neural network representations revisited*; Song et al. (2012),
    *Feature selection via dependence maximization*, equation 5.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 64))
    >>> {part: round(value, 1) for part, value in LinearCka().measure_parts(x, y).items()}
    {'': 0.0, 'biased': 0.6}
    """

    reads = "products"
    parts = (HEADLINE, "biased")
    needs_pairs = True
    null = "permuted pairs, closed form"
    limits = (-1.0, 1.0)
    fewest = 5
    degenerate = True

    def _read(self, clouds: Clouds) -> Products:
        return read_products(clouds.matched(0))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Products]:
        return product_replicas(clouds.matched(seed), seed)

    def _levels(self, replicas: Replicas[Products]) -> dict[str, Level]:
        """Return the moments over all permutations of the partners.

        The products of U-centred kernels average 0 with variance 2 / (n (n - 3)) of their squares, those of
        plainly centred ones the product of the traces over n - 1.
        """
        read = replicas.whole
        spread = 2 / (read.n * (read.n - 3))
        half = NORMAL * np.sqrt(spread)
        # both have one numerator, up to what is the same in every permutation: only the denominators differ
        squares = _squares(read)
        plain = np.sqrt(squares[0] * squares[2])
        first, _, second = _unbiased(read, squares)
        scale = np.sqrt(max(first * second, 0.0)) / plain if plain > 0 else 0.0
        chance = _totals(read)[1] / (read.n - 1) / plain if plain > 0 else 0.0
        return {
            HEADLINE: Level.around(0.0, half, spread, self.limits),
            "biased": Level.around(chance, half * scale, spread * scale**2, self.limits),
        }

    def _of(self, read: Products) -> dict[str, float]:
        squares = _squares(read)
        return {HEADLINE: _ratio(_unbiased(read, squares)), "biased": _ratio(squares)}


def _squares(read: Products) -> list[float]:
    return [float((part**2).sum()) for part in read.centred()]


def _unbiased(read: Products, squares: list[float]) -> list[float]:
    """Return n (n - 3) times the unbiased HSIC of x with x, x with y, y with y (Song et al., eq. 5).

    For centred rows, K without its diagonal sums to -|x_i|^2 along row i.
    """
    ends, through = (read.n - 1) * (read.n - 2), read.n - 2
    return [
        square - own + total / ends - 2 * own / through
        for square, own, total in zip(squares, read.lengths(), _totals(read), strict=True)
    ]


def _totals(read: Products) -> tuple[float, float, float]:
    xx, _, yy = read.centred()
    x, y = float(np.trace(xx)), float(np.trace(yy))
    return x * x, x * y, y * y


def _ratio(products: list[float]) -> float:
    xx, xy, yy = products
    return float(np.clip(xy / np.sqrt(xx * yy), -1, 1)) if xx > 0 and yy > 0 else 0.0
