"""Maps that are one matrix between two frames, found step by step from rows in memory."""

from typing import ClassVar

import numpy as np

from alignkit.aligners._frame import Frame, check_normalize
from alignkit.aligners._framed import FramedAligner, times
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors


class MatrixAligner(FramedAligner):
    """Hold a matrix from framed source rows to framed target rows; a leaf finds it.

    The joint frame is that of the target, after its normalisation, unless the leaf sets projections into
    one of its own.

    Attributes
    ----------
    matrix_
        Framed source rows to framed target rows, ``(ds, dt)``.
    source_projection_, target_projection_
        Framed rows to a joint frame of the leaf's own; None where the matrix leads into the joint frame.
    history_
        One row for every step of the fit; the leaf says what its columns are.
    """

    invertible: ClassVar[bool] = True

    matrix_: np.ndarray
    history_: np.ndarray
    source_projection_: np.ndarray | None = None
    target_projection_: np.ndarray | None = None
    _inverse: np.ndarray | None

    def check_invertible(self) -> None:
        """Raise NotInvertibleError, saying why, unless the fitted matrix has a right inverse."""
        if self._inverse is None:
            self._inverse = self._right_inverse(self.matrix_)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        arrays = self._frame_arrays() | {"matrix": self.matrix_, "history": self.history_}
        if self.source_projection_ is None or self.target_projection_ is None:
            return arrays
        return arrays | {
            "source_projection": self.source_projection_,
            "target_projection": self.target_projection_,
        }

    def _check_params(self) -> None:
        check_normalize(self.normalize)

    def _take_frames(self, source: Frame, target: Frame) -> None:
        self.source_frame_, self.target_frame_ = source, target
        self.n_features_in_, self.target_dim_ = len(source.mean), len(target.mean)
        self.source_projection_ = self.target_projection_ = self._inverse = None

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_frames(arrays)
        self.matrix_, self.history_ = arrays["matrix"], arrays["history"]
        self.source_projection_ = arrays.get("source_projection")
        self.target_projection_ = arrays.get("target_projection")
        self._inverse = None

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return times(V, self.matrix_ if self.source_projection_ is None else self.source_projection_)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return times(V, self.target_projection_)

    def _forward(self, V: SourceVectors) -> TargetVectors:
        return times(V, self.matrix_)

    def _backward(self, V: TargetVectors) -> SourceVectors:
        return times(V, self._inverse)  # there is one: check_invertible came first
