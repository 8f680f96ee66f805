"""Maps made of fitted maps: one after the other, one taken back, two ways, two that meet."""

from typing import Any, Never

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.errors import NotInvertibleError, ParameterError
from alignkit.rows import computing_dtype
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Vectors

_FITTED = "a {} is made of fitted maps and is not fitted itself: fit its parts and join them again."


class Composed(Aligner):
    """Apply ``first``, then ``second``; rows between them stand in the middle space's own frame.

    The joint frame is that of ``second``: the source is taken through ``first`` and projected as
    ``second`` projects its source.
    """

    invertible = True

    def __init__(self, first: Aligner, second: Aligner) -> None:
        self.first = first
        self.second = second
        self.n_features_in_, self.target_dim_ = first.n_features_in_, second.target_dim_

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return self.second.answers_unit_rows

    def check_invertible(self) -> None:
        """Raise NotInvertibleError unless both maps have an inverse."""
        self.first.check_invertible()
        self.second.check_invertible()

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of both maps, prefixed by ``first.`` and ``second.``."""
        parts = (("first", self.first), ("second", self.second))
        return {f"{name}.{key}": value for name, part in parts for key, value in part.arrays().items()}

    def _fit(self, X: Any, Y: Any, weight: Any, groups: Any) -> Never:  # noqa: ARG002
        raise ParameterError(_FITTED.format("composed map"))

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Do nothing: the parts arrive restored."""

    def _middle(self, X: SourceVectors) -> Vectors:
        return self.first.transform(X.astype(computing_dtype(X.dtype), copy=False))

    def _transform(self, X: SourceVectors) -> TargetVectors:
        return self.second.transform(self._middle(X))

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        Z = Z.astype(computing_dtype(Z.dtype), copy=False)
        return self.first.inverse_transform(self.second.inverse_transform(Z))

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self.second.project_source(self._middle(X))

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return self.second.project_target(Y)


class Inverse(Aligner):
    """Take a fitted map back: its target is the source now, and the joint frame is the same one."""

    invertible = True

    def __init__(self, inner: Aligner) -> None:
        self.inner = inner
        self.n_features_in_, self.target_dim_ = inner.target_dim_, inner.n_features_in_

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return _returns_unit_rows(self.inner)

    def check_invertible(self) -> None:
        """Return: the way back from the way back is the map itself."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the inner map, prefixed by ``inner.``."""
        return {f"inner.{key}": value for key, value in self.inner.arrays().items()}

    def _fit(self, X: Any, Y: Any, weight: Any, groups: Any) -> Never:  # noqa: ARG002
        raise ParameterError(_FITTED.format("map taken back"))

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Do nothing: the inner map arrives restored."""

    def _transform(self, X: SourceVectors) -> TargetVectors:
        return self.inner.inverse_transform(X)

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        return self.inner.transform(Z)

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self.inner.project_target(X)

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return self.inner.project_source(Y)


class TwoWay(Aligner):
    """Go there by one fitted map and back by another, which was fitted from the target to the source.

    The joint frame is that of the way there. The way back need not be its inverse.
    """

    invertible = True

    def __init__(self, there: Aligner, back: Aligner) -> None:
        self.there = there
        self.back = back
        self.n_features_in_, self.target_dim_ = there.n_features_in_, there.target_dim_

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return self.there.answers_unit_rows

    def check_invertible(self) -> None:
        """Return: the way back was fitted."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of both maps, prefixed by ``there.`` and ``back.``."""
        parts = (("there", self.there), ("back", self.back))
        return {f"{name}.{key}": value for name, part in parts for key, value in part.arrays().items()}

    def _fit(self, X: Any, Y: Any, weight: Any, groups: Any) -> Never:  # noqa: ARG002
        raise ParameterError(_FITTED.format("pair of opposite maps"))

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Do nothing: the parts arrive restored."""

    def _transform(self, X: SourceVectors) -> TargetVectors:
        return self.there.transform(X)

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        return self.back.transform(Z)

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self.there.project_source(X)

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return self.there.project_target(Y)


class Meeting(Aligner):
    """Let two spaces meet in a joint frame, in which ``source`` and ``target`` place one of them each.

    `transform` goes into the joint frame by the source's placement and out of it by the target's. What the
    joint frame does not hold is lost on the way, so there is no inverse: the other direction is the
    meeting of the same two the other way round.
    """

    def __init__(self, source: Aligner, target: Aligner) -> None:
        self.source = source
        self.target = target
        self.n_features_in_, self.target_dim_ = source.n_features_in_, target.n_features_in_

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return _returns_unit_rows(self.target)

    def check_invertible(self) -> None:
        """Raise NotInvertibleError: what the joint frame does not hold is lost."""
        raise NotInvertibleError(
            "a map through a joint frame cannot be taken back: ask the joint alignment for the other "
            "direction, between(target, source) or X.joint::TARGET:SOURCE."
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of both placements, prefixed by ``source.`` and ``target.``."""
        parts = (("source", self.source), ("target", self.target))
        return {f"{name}.{key}": value for name, part in parts for key, value in part.arrays().items()}

    def _fit(self, X: Any, Y: Any, weight: Any, groups: Any) -> Never:  # noqa: ARG002
        raise ParameterError(_FITTED.format("meeting of two spaces"))

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Do nothing: the parts arrive restored."""

    def _transform(self, X: SourceVectors) -> TargetVectors:
        joint = self.source.transform(X.astype(computing_dtype(X.dtype), copy=False))
        return self.target.inverse_transform(joint)

    def _project_source(self, X: SourceVectors) -> JointVectors:
        return self.source.project_source(X)

    def _project_target(self, Y: TargetVectors) -> JointVectors:
        return self.target.project_source(Y)


def _returns_unit_rows(aligner: Aligner) -> bool:
    """Whether `inverse_transform` answers with rows of length 1, to rounding."""
    if isinstance(aligner, Composed):
        return _returns_unit_rows(aligner.first)
    if isinstance(aligner, Inverse):
        return aligner.inner.answers_unit_rows
    if isinstance(aligner, TwoWay):
        return aligner.back.answers_unit_rows
    source_frame = getattr(aligner, "source_frame_", None)
    return source_frame is not None and source_frame.restores_unit_rows
