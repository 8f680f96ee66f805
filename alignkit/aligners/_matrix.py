"""Maps that are one matrix between two frames, found step by step from rows in memory."""

from typing import Any, ClassVar

import numpy as np

from alignkit.aligners._frame import Frame, check_normalize
from alignkit.aligners._framed import FramedAligner
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors


class MatrixAligner(FramedAligner):
    """Hold a matrix from framed source rows to framed target rows; a leaf finds it.

    The joint frame is that of the target, after its normalisation.

    Attributes
    ----------
    matrix_
        Framed source rows to framed target rows, ``(ds, dt)``.
    history_
        One row for every step of the fit; the leaf says what its columns are.
    """

    invertible: ClassVar[bool] = True

    matrix_: np.ndarray
    history_: np.ndarray
    _inverse: np.ndarray | None

    def check_invertible(self) -> None:
        """Raise NotInvertibleError, saying why, unless the fitted matrix has a right inverse."""
        if self._inverse is None:
            self._inverse = self._right_inverse(self.matrix_)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return self._frame_arrays() | {"matrix": self.matrix_, "history": self.history_}

    def _check_params(self) -> None:
        check_normalize(self.normalize)

    def _take_frames(self, source: Frame, target: Frame) -> None:
        self.source_frame_, self.target_frame_ = source, target
        self.n_features_in_, self.target_dim_ = len(source.mean), len(target.mean)
        self._inverse = None

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_frames(arrays)
        self.matrix_, self.history_ = arrays["matrix"], arrays["history"]
        self._inverse = None

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return self._forward(V)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return V

    def _forward(self, V: SourceVectors) -> TargetVectors:
        return V @ self.matrix_.astype(V.dtype, copy=False)

    def _backward(self, V: TargetVectors) -> SourceVectors:
        inverse: Any = self._inverse  # there is one: check_invertible came first
        return V @ inverse.astype(V.dtype, copy=False)
