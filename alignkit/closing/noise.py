"""Centre both sides and blur the target by the noise of the pairs: C3 (Zhang et al. 2024)."""

from typing import ClassVar

import numpy as np

from alignkit.closing._base import Fix, Side
from alignkit.shapes import SourceRows, TargetRows, Vectors

C3_DEVIATION = 0.016**0.5  # what the authors' code adds to each dimension


class Noise(Fix):
    r"""Return :math:`N(x - \mu_x)` and :math:`N(y - \mu_y + \lambda\sigma\varepsilon)`, normal noise.

    C3 says that partners differ by a constant gap and by noise, takes the gap away ("collapse") and adds
    noise of its own to the side that a decoder is trained on ("corrupt"), so that the other side looks like
    more of the same. Here :math:`\sigma` is measured: the deviation, per dimension, of the centred training
    partners from one another; at :math:`\lambda = 1` the target is blurred as much as partners differ. The
    authors fix :math:`\lambda\sigma` to the root of 0.016. **A strength of 0 is `centring`**, not the rows
    as they are: what this fix adds is the noise.

    The noise of a row is drawn from the seed and the row's number, so that the same rows in the same order
    get the same noise, at every strength.

    References
    ----------
    Zhang, Sui and Yeung-Levy (2024), *Connect, Collapse, Corrupt*, sections 3.3 and 3.4; code at
    yuhui-zh15/C3, commit 1a1641c.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(50, 8)) + 1
    >>> fix = Noise().fit(x, x)  # partners do not differ: there is no noise to add
    >>> bool(np.allclose(fix.apply_target(x, 1.0), fix.apply_source(x, 1.0)))
    True
    """

    needs_pairs: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float]] = (0.0, 100.0)
    grid: ClassVar[tuple[float, ...]] = (0.0, 0.5, 1.0, 2.0)

    def published(self, strength: float) -> dict[str, float]:
        """Return the deviation of the noise as the published code counts it: per dimension of a unit row."""
        return {"deviation": strength * self.deviation_}

    def _fit(self, x: SourceRows, y: TargetRows) -> None:
        apart = (x - self.means_["source"]) - (y - self.means_["target"])
        self.deviation_ = float(np.sqrt(np.mean(apart**2)))

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        centred = rows - self.means_[side]
        if side == "source":
            return centred
        drawn = np.random.Generator(np.random.PCG64([self.seed, 4])).standard_normal(rows.shape)
        return centred + strength * self.deviation_ * drawn
