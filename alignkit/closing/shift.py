"""Move both clouds along the line through their means, half the way each (Liang et al. 2022)."""

from typing import ClassVar

import numpy as np

from alignkit.closing._base import Fix, Side
from alignkit.shapes import Vectors


class Shift(Fix):
    r"""Subtract :math:`\lambda\Delta` from the source and add it to the target; both become unit rows again.

    :math:`\Delta` is the difference of the means of the training rows, source less target. Three ways to
    say how far are published; this kit has the first, and `from_delta` and `to_delta` take the others there:

    - the paper, section 4.2: :math:`x \leftarrow N(x - \lambda\Delta)`, :math:`y \leftarrow N(y +
      \lambda\Delta)`. At 0.5 the means meet before the rows are made unit again, below 0 the clouds move
      apart, beyond 0.5 they change sides;
    - its code (``shift_features.ipynb``): :math:`\tfrac12\delta\Delta/\lVert\Delta\rVert` on either side,
      so that :math:`\lambda = \delta / (2\lVert\Delta\rVert)`;
    - two other notebooks of it (``get_gap_stats.ipynb``, ``shift_CLIP_FairFace_Bias.ipynb``):
      :math:`\delta\Delta/\lVert\Delta\rVert` on the images alone. The clouds approach one another by as
      much, with the same :math:`\lambda`, but other rows move: see `one_sided_shift`.

    All rows move alike, but to be unit again they are pulled back to the sphere by different amounts: that
    is what reorders neighbours.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*, section 4.2; code at Weixin-Liang/Modality-Gap, commit 8e20cb2.

    Examples
    --------
    >>> fix = Shift().fit(np.eye(2)[[0, 0]], np.eye(2)[[1, 1]])
    >>> fix.apply_source(np.eye(2)[:1], 0.5).round(4).tolist()  # both sides meet between their means
    [[0.7071, 0.7071]]
    """

    limits: ClassVar[tuple[float, float]] = (-5.0, 5.0)
    grid: ClassVar[tuple[float, ...]] = (-0.5, -0.25, 0.125, 0.25, 0.375, 0.5)
    full: ClassVar[float] = 0.5

    def published(self, strength: float) -> dict[str, float]:
        """Return the strength as the published code counts it."""
        return {"delta": to_delta(strength, float(np.linalg.norm(self.gap_vector)))}

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        sign = -1.0 if side == "source" else 1.0
        return rows + sign * strength * self.gap_vector


def from_delta(delta: float, length: float) -> float:
    """Return the strength that the published code calls ``delta``, for a gap vector of that length.

    Examples
    --------
    >>> from_delta(0.75, 0.75)
    0.5
    """
    return delta / (2 * length)


def to_delta(strength: float, length: float) -> float:
    """Return what the published code calls a strength, for a gap vector of that length.

    Examples
    --------
    >>> to_delta(0.5, 0.75)
    0.75
    """
    return 2 * strength * length
