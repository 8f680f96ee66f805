"""Centre both sides and rotate the source onto the target: orthogonal Procrustes (Schönemann 1966)."""

from typing import ClassVar

from alignkit.aligners.procrustes import Procrustes as Rotation
from alignkit.closing._base import Fix, Side
from alignkit.shapes import SourceRows, TargetRows, Vectors


class Procrustes(Fix):
    r"""Return :math:`N((1 - \lambda) x + \lambda P(x))`, P being the map of `procrustes`.

    P(x) and P(y) are the rows in the map's joint frame: unit, centred, unit again, and the source rotated.
    So at :math:`\lambda = 1` it differs from `centring` by the rotation alone. A model whose two towers were
    trained together has nothing left to rotate, and a rotation fitted on fewer pairs than dimensions turns
    the directions that no pair spans by chance: there it costs more than it mends.

    References
    ----------
    Schönemann (1966), *A generalized solution of the orthogonal Procrustes problem*.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, turn = rng.normal(size=(60, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fix = Procrustes().fit(x, x @ turn)
    >>> bool(np.allclose(fix.apply_source(x, 1.0), fix.apply_target(x @ turn, 1.0)))
    True
    """

    needs_pairs: ClassVar[bool] = True

    def _fit(self, x: SourceRows, y: TargetRows) -> None:
        self.map_ = Rotation().fit(x, y)

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        project = self.map_.project_source if side == "source" else self.map_.project_target
        return (1 - strength) * rows + strength * project(rows)
