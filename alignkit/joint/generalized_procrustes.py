"""Rotate all spaces onto their common mean: generalised Procrustes analysis (Gower 1975)."""

from collections.abc import Sequence

import numpy as np

from alignkit._params import check_count
from alignkit.aligners._frame import Normalize
from alignkit.aligners._placement import Placement
from alignkit.aligners._svd import thin_svd
from alignkit.joint._base import JointAligner
from alignkit.joint._products import Products
from alignkit.rows import Rows
from alignkit.shapes import Labels

AT_REST = 1e-6  # share of the agreement by which a round must raise it


class GeneralizedProcrustes(JointAligner):
    r"""Minimise the distances of every item's rows to their mean, over one orthogonal map per space.

    The order is: normalise every side; place the space with the most dimensions as it is; then one space
    after the other, that with the largest products first, turned onto those already placed; then rounds in
    which each space in turn is turned onto the sum of all others (``U S V' = sum_j X_i'X_j W_j``,
    ``W_i = U V'``), until a round raises the agreement by less than one part in a million. No round
    lowers it. The joint frame has as many dimensions as the largest space; a smaller one takes up a part
    of it (``W_i W_i' = I``), so all lengths and angles are kept. Out of the frame leads ``W_i'``.

    An item that some spaces lack counts in the spaces that hold it: the sum runs over the distances to
    the mean of these (Commandeur 1991). Two spaces give orthogonal Procrustes, up to a rotation of the
    frame. The order of the spaces changes the result by no more than where the rounds stop, unless two
    optima are equally good. Which directions of the frame a space takes up that no other spans is the
    SVD's choice. A space that has nothing to do with the others is turned onto their noise, and its
    noise pulls at them a little. Products are summed by BLAS, so another number of
    threads may change the last bits.

    Parameters
    ----------
    rounds
        Rounds at most.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        The agreement before the rounds and after each: the mean inner product of an item's rows in two
        spaces (of unit rows the mean cosine).

    References
    ----------
    Gower (1975), *Generalized Procrustes analysis*; the rounds: ten Berge (1977); missing rows:
    Commandeur (1991), *Matching configurations*. Unlike Gower's, no space is stretched.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> things = rng.normal(size=(100, 4))
    >>> spaces = [things @ np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)]
    >>> fitted = GeneralizedProcrustes(normalize="none").fit(spaces)
    >>> bool(np.allclose(fitted.project(0, spaces[0]), fitted.project(2, spaces[2])))
    True
    """

    def __init__(self, *, rounds: int = 100, normalize: Normalize = "unit-center-unit") -> None:
        self.rounds = rounds
        self.normalize: Normalize = normalize

    def _check_params(self) -> None:
        check_count("rounds", self.rounds, least=0)

    def _fit(self, sides: Sequence[Rows], rows: np.ndarray, groups: Labels | None) -> None:  # noqa: ARG002
        frames = self._frames(sides, rows)
        products = Products.of(sides, rows, frames)
        maps = _placed_in_turn(products)
        pairs = float(((rows >= 0).sum(axis=1) - 1).sum())
        history = [_agreement(products, maps)]
        for _ in range(self.rounds):
            for i in range(len(maps)):
                maps[i] = _turned(_pull(products, maps, i, [j for j in range(len(maps)) if j != i]))
            history.append(_agreement(products, maps))
            if history[-1] - history[-2] <= AT_REST * abs(history[-1]):
                break
        self.history_ = np.array(history) / pairs
        self.maps_ = tuple(
            Placement.of("generalized_procrustes", frame, matrix, np.ascontiguousarray(matrix.T))
            for frame, matrix in zip(frames, maps, strict=True)
        )


def _placed_in_turn(products: Products) -> list[np.ndarray]:
    dims = np.diff(products.starts)
    spaces = range(len(dims))
    weight = [sum(np.linalg.norm(products.block(i, j)) for j in spaces if j != i) for i in spaces]
    first = max(spaces, key=lambda i: (dims[i], weight[i]))
    maps: dict[int, np.ndarray] = {first: np.eye(int(dims[first]))}
    while len(maps) < len(dims):
        pulls = {i: _pull(products, maps, i, list(maps)) for i in spaces if i not in maps}
        nearest = max(pulls, key=lambda i: float(np.linalg.norm(pulls[i])))
        maps[nearest] = _turned(pulls[nearest])
    return [maps[i] for i in spaces]


def _pull(
    products: Products, maps: "dict[int, np.ndarray] | list[np.ndarray]", i: int, others: Sequence[int]
) -> np.ndarray:
    return sum((products.block(i, j) @ maps[j] for j in others), np.zeros(()))


def _turned(pull: np.ndarray) -> np.ndarray:
    """Return the matrix with orthonormal rows whose inner product with ``pull`` is largest."""
    U, _, Vt = thin_svd(pull)
    return U @ Vt


def _agreement(products: Products, maps: list[np.ndarray]) -> float:
    """Return the sum over every two spaces of the weighted inner products of their rows, each pair twice."""
    stacked = np.concatenate(maps)
    own = sum(float(np.sum(m * (products.block(i, i) @ m))) for i, m in enumerate(maps))
    return float(np.sum(stacked * (products.whole @ stacked))) - own
