"""Maps that are nothing but their frames: rows are normalised, and no matrix is learnt."""

from typing import ClassVar

import numpy as np

from alignkit.aligners._linear import LinearAligner
from alignkit.errors import DataError
from alignkit.moments import Moments, Parts


class UnmappedAligner(LinearAligner):
    """Leave framed rows as they are; both sides need the same dimensions."""

    needs_pairs: ClassVar[bool] = False

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
