"""One space's map into a frame that several spaces share, and the way out of it."""

from typing import Any, Never

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.aligners._frame import Frame, Normalize
from alignkit.errors import ParameterError
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors


class Placement(Aligner):
    """Take rows of one space to joint rows (`transform`) and joint rows to its own (`inverse_transform`).

    Into the frame: normalise, times ``matrix``. Out of it: times ``back``, the space's own frame restored.
    The way out is the one that the method chose: it is the exact inverse only where the method says so,
    otherwise the space's rows as the joint rows predict them. A matrix that is None changes nothing.
    """

    invertible = True

    source_frame_: Frame
    matrix_: np.ndarray | None
    back_: np.ndarray | None

    def __init__(self, *, method: str = "", normalize: Normalize = "unit-center-unit") -> None:
        self.method = method
        self.normalize: Normalize = normalize

    @classmethod
    def of(
        cls, method: str, frame: Frame, matrix: np.ndarray | None = None, back: np.ndarray | None = None
    ) -> "Placement":
        """Return the placement that ``method`` found for a space."""
        placement = cls(method=method, normalize=frame.steps)
        placement._take(frame, matrix, back)
        return placement

    def check_invertible(self) -> None:
        """Return: there is always the way out that the method chose."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        arrays = {f"source_frame.{key}": value for key, value in self.source_frame_.arrays().items()}
        matrices = {"matrix": self.matrix_, "back": self.back_}
        return arrays | {name: matrix for name, matrix in matrices.items() if matrix is not None}

    def _fit(self, X: Any, Y: Any, weight: Any, groups: Any) -> Never:  # noqa: ARG002
        raise ParameterError(
            "a placement in a joint frame is found together with those of other spaces: fit a joint method."
        )

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        prefix = "source_frame."
        own = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
        self._take(Frame.from_arrays(self.normalize, own), arrays.get("matrix"), arrays.get("back"))

    def _take(self, frame: Frame, matrix: np.ndarray | None, back: np.ndarray | None) -> None:
        self.source_frame_, self.matrix_, self.back_ = frame, matrix, back
        self.n_features_in_ = len(frame.mean)
        self.target_dim_ = self.n_features_in_ if matrix is None else matrix.shape[1]

    def _transform(self, X: SourceVectors) -> TargetVectors:
        return _times(self.source_frame_.apply(X), self.matrix_)

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        return self.source_frame_.restore(_times(Z, self.back_))

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self._transform(X)

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return Y


def _times(V: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    return V if matrix is None else V @ matrix.astype(np.result_type(V.dtype, np.float32), copy=False)
