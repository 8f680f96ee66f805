"""Move the source alone along the line through both means (notebooks of Liang et al. 2022)."""

from typing import ClassVar

import numpy as np

from alignkit.closing._base import Fix, Side
from alignkit.closing.shift import to_delta
from alignkit.shapes import Vectors


class OneSidedShift(Fix):
    r"""Subtract :math:`2\lambda\Delta` from the source, so that the clouds approach as far as in `shift`.

    At 0.5 the source's mean has moved onto the target's, before the rows are made unit again. The notebooks'
    own :math:`\delta`, an absolute length along the unit gap vector, is :math:`2\lambda\lVert\Delta\rVert`.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*: the notebooks ``get_gap_stats.ipynb`` and
    ``shift_CLIP_FairFace_Bias.ipynb`` at Weixin-Liang/Modality-Gap, commit 8e20cb2.

    Examples
    --------
    >>> fix = OneSidedShift().fit(np.eye(2)[[0, 0]], np.eye(2)[[1, 1]])
    >>> fix.apply_source(np.eye(2)[:1], 0.5).tolist()
    [[0.0, 1.0]]
    """

    limits: ClassVar[tuple[float, float]] = (-5.0, 5.0)
    grid: ClassVar[tuple[float, ...]] = (-0.5, -0.25, 0.125, 0.25, 0.375, 0.5)
    full: ClassVar[float] = 0.5

    def published(self, strength: float) -> dict[str, float]:
        """Return the strength as the published notebooks count it."""
        return {"delta": to_delta(strength, float(np.linalg.norm(self.gap_vector)))}

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        return rows - 2 * strength * self.gap_vector if side == "source" else rows
