"""Maps that normalise both sides first and store how: the frames belong to the map."""

from abc import abstractmethod

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.aligners._frame import Frame, Normalize
from alignkit.aligners._svd import right_inverse
from alignkit.errors import NotInvertibleError
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Vectors


class FramedAligner(Aligner):
    """Apply a `Frame` on each side, map between the frames, and restore the target's own.

    A leaf fills `_map_source` and `_map_target` (framed rows to the joint frame), `_forward` (framed
    source to framed target) and, where there is one, `_backward`.

    Parameters
    ----------
    normalize
        The steps of both frames: ``"none"``, ``"center"``, ``"unit"``, ``"unit-center"``,
        ``"unit-center-unit"``, ``"per-dim"`` (every column at mean 0 and deviation 1) or ``"whiten"``
        (the covariance the identity); see `Frame`.
    """

    normalize: Normalize
    source_frame_: Frame
    target_frame_: Frame

    def __init__(self, *, normalize: Normalize = "unit-center-unit") -> None:
        self.normalize = normalize

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return self.target_frame_.restores_unit_rows

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self._map_source(self.source_frame_.apply(X))

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return self._map_target(self.target_frame_.apply(Y))

    def _transform(self, X: SourceVectors) -> TargetVectors:
        return self.target_frame_.restore(self._forward(self.source_frame_.apply(X)))

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        return self.source_frame_.restore(self._backward(self.target_frame_.unrestore(Z)))

    @abstractmethod
    def _map_source(self, V: SourceVectors) -> JointVectors: ...

    @abstractmethod
    def _map_target(self, V: TargetVectors) -> JointVectors: ...

    @abstractmethod
    def _forward(self, V: SourceVectors) -> TargetVectors: ...

    def _backward(self, V: TargetVectors) -> SourceVectors:
        raise NotImplementedError(f"{type(self).__name__} says that it is invertible but has no way back")

    def _right_inverse(self, matrix: np.ndarray) -> np.ndarray:
        """Return the matrix that takes `_forward`, ``V @ matrix``, back, as far as the frames let rows pass.

        Raises
        ------
        NotInvertibleError
            If there is none: the matrix has none, or whitening dropped directions that are needed.
        """
        source, target = self.source_frame_.spread, self.target_frame_.spread
        if source is not None and source.dropped:
            raise NotInvertibleError(
                f"whitening dropped {source.dropped} of {len(matrix)} source directions, in which the fitted "
                "rows do not vary, and cannot bring them back: fit on more rows, or choose another normalize."
            )
        if target is not None and target.dropped:
            matrix = target.take_out(target.put_back(matrix))
        return right_inverse(matrix, type(self).__name__)

    def _frame_arrays(self) -> dict[str, np.ndarray]:
        sides = (("source_frame", self.source_frame_), ("target_frame", self.target_frame_))
        return {f"{side}.{key}": value for side, frame in sides for key, value in frame.arrays().items()}

    def _restore_frames(self, arrays: dict[str, np.ndarray]) -> None:
        frames = []
        for side in ("source_frame", "target_frame"):
            own = {
                key.partition(".")[2]: value for key, value in arrays.items() if key.startswith(f"{side}.")
            }
            frames.append(Frame.from_arrays(self.normalize, own))
        self.source_frame_, self.target_frame_ = frames
        self.n_features_in_, self.target_dim_ = (len(frame.mean) for frame in frames)


def times(V: Vectors, matrix: np.ndarray | None) -> np.ndarray:
    """Return rows times a matrix in the rows' own float type; None leaves them as they are."""
    return V if matrix is None else V @ matrix.astype(V.dtype, copy=False)
