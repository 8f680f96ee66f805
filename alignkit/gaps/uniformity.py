"""How evenly rows cover the sphere, within each modality and across (Wang and Isola 2020)."""

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._kernel_sums import KernelMeans, read_kernel
from alignkit.gaps._on_kernel import OnKernel
from alignkit.shapes import Vectors


def uniformity(rows: Vectors) -> float:
    """Return the uniformity of one cloud of unit rows: the log of its mean kernel; lower is more even.

    Raises
    ------
    DataError
        If there are fewer than two rows, or one has no direction.

    Examples
    --------
    >>> round(uniformity(np.concatenate([np.eye(1), -np.eye(1)])), 6)
    -8.0
    """
    if len(rows) < 2:
        raise DataError(f"uniformity needs two rows or more, got {len(rows)}.")
    return float(np.log(read_kernel(Clouds.unpaired(rows, rows)).x))


class Uniformity(OnKernel):
    r"""Return :math:`\log E\,e^{-2 \lVert x - x' \rVert^2}` over different rows: of each side, and across.

    Parts ``source``, ``target`` (in [-8, 0]: 0 where all rows are one point, about -4 on a sphere of many
    dimensions) and ``across``, between rows of the two sides that are no partners. ``across`` far below both
    others means that the sides keep apart. No pairs needed. The null level is that of random splits of the
    pooled rows. Beyond 5,000 rows a side a seeded sample is used.

    References
    ----------
    Wang and Isola (2020), *Understanding contrastive representation learning through alignment and
    uniformity on the hypersphere*, equation 4 with t = 2.

    Examples
    --------
    >>> found = Uniformity().measure_parts(np.ones((9, 1)), -np.ones((9, 1)))
    >>> {part: round(value, 6) for part, value in found.items()}
    {'source': 0.0, 'target': 0.0, 'across': -8.0}
    """

    parts = ("source", "target", "across")
    limits = (-8.0, 0.0)

    def _of(self, read: KernelMeans) -> dict[str, float]:
        return dict(
            zip(self.parts, (float(np.log(mean)) for mean in (read.x, read.y, read.apart)), strict=True)
        )
