"""Maps whose joint frame weighs the directions of a rotation on both sides."""

import numpy as np

from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._tempering import Tempering
from alignkit.aligners._weighed_rotation import WeighedRotation
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Vectors


class WeighedAligner(JudgedAligner):
    """Hold a matrix for `transform` and two projections for the joint frame.

    The joint frame is where pairs are compared: the rows of both sides in the directions of the rotation,
    weighed; see `WeighedRotation`. `transform` goes by the matrix, in which nothing is weighed.

    Attributes
    ----------
    source_projection_, target_projection_
        Framed rows to the joint frame, ``(ds, r)`` and ``(dt, r)``.
    """

    source_projection_: np.ndarray
    target_projection_: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return super().arrays() | {
            "source_projection": self.source_projection_,
            "target_projection": self.target_projection_,
        }

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.source_projection_ = arrays["source_projection"]
        self.target_projection_ = arrays["target_projection"]

    def _take_map(
        self, found: WeighedRotation, power: float, sides: tuple[Tempering, Tempering] | None = None
    ) -> None:
        """Set the matrix and the projections; ``sides`` is what the rows of ``found`` were tempered by."""
        self.matrix_ = found.matrix
        left, right = found.projections(power)
        if sides is not None:
            self.matrix_ = sides[0].matrix @ self.matrix_ @ sides[1].inverse
            left, right = sides[0].matrix @ left, sides[1].matrix @ right
        # as a file holds them: one order of summation before and after it
        self.source_projection_, self.target_projection_ = map(np.ascontiguousarray, (left, right))
        self.matrix_ = np.ascontiguousarray(self.matrix_)

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return _times(V, self.source_projection_)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return _times(V, self.target_projection_)


def _times(V: Vectors, matrix: np.ndarray) -> np.ndarray:
    return V @ matrix.astype(V.dtype, copy=False)
