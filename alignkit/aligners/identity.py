"""Leave every row as it is after normalisation: the baseline that a map must beat."""

import numpy as np

from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.errors import DataError
from alignkit.moments import Moments, Parts


class Identity(LinearAligner):
    """Compare two spaces of equal dimension without a map; only the frames are fitted.

    The order is: normalise the source, restore the target's frame. By default rows are made unit, so the
    joint frame gives the raw cosine between the two spaces.

    Raises
    ------
    DataError
        If the dimensions differ: there is nothing to compare without a map.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> Identity().fit(X, X).project_source(X).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    needs_pairs = False

    def __init__(self, *, normalize: Normalize = "unit") -> None:
        super().__init__(normalize=normalize)

    def _parts(self) -> Parts:
        return "cross"

    def _solve(self, moments: Moments) -> None:
        if moments.source_dim != moments.target_dim:
            raise DataError(
                f"{type(self).__name__} needs equal dimensions, got {moments.source_dim} and "
                f"{moments.target_dim}: fit procrustes or ridge instead."
            )
        self.matrix_ = self.source_projection_ = np.eye(moments.source_dim)
        self.target_projection_ = None
