"""The contract of every map between two spaces, closed form or trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from alignkit.aligners._unit import unit_rows
from alignkit.errors import DataError, NotInvertibleError
from alignkit.rows import computing_dtype
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Weights

ArrayLike: TypeAlias = Any  # whatever scikit-learn turns into an array: lists, frames, memory maps
Blocks: TypeAlias = Callable[[], Iterable[tuple[np.ndarray, ...]]]  # yields (X, Y) or (X, Y, weights)

BLOCK = 8192  # rows mapped at a time
FLOATS = [np.float64, np.float32, np.float16]
FEWEST_ROWS = 2


class Aligner(TransformerMixin, BaseEstimator, ABC):
    """Map rows of a source space to rows of a target space, fitted on pairs.

    Row ``i`` of ``X`` belongs to row ``i`` of ``y``. There are two frames, and both have a name:

    - the **joint frame**, in which pairs are compared by cosine: `project_source` against
      `project_target`. Retrieval is scored here.
    - the **target's own frame**: `transform` answers with rows like those the target's model writes,
      means and lengths restored, for decoders and for files.

    A leaf fills `_fit`, `_project_source`, `_project_target`, `_transform`, and `_inverse_transform`
    where it can. Rows are handled in blocks, so memory maps larger than memory can be fitted and mapped;
    the input is never modified and no row's answer depends on its neighbours.
    """

    needs_pairs: ClassVar[bool] = True  # False where shuffling the rows of y changes nothing
    trained: ClassVar[bool] = False  # True: a network that takes minutes, so it is tried only where named
    invertible: ClassVar[bool] = False  # True: inverts wherever the fitted shapes and ranks allow it
    quick: ClassVar[dict[str, Any]] = {}  # parameters with which a few hundred rows are fitted in a moment

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike = None, groups: ArrayLike = None
    ) -> Self:
        """Learn the map from paired rows and return self.

        ``sample_weight`` counts a pair that often; ``groups`` labels pairs that belong together, for
        methods that hold out some of them to choose a parameter.

        Raises
        ------
        DataError
            If a row is not finite, or has no direction where one is needed.
        ParameterError
            If a parameter makes no sense.
        """
        X, Y = self._checked_pairs(X, y, reset=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if groups is not None:
            groups = np.asarray(groups)
            check_consistent_length(X, groups)
        self._fit(X, Y, sample_weight, groups)
        return self

    def fit_blocks(self, blocks: Blocks, groups: ArrayLike = None) -> Self:
        """Learn the map from a stream of ``(X, Y)`` or ``(X, Y, sample_weight)`` and return self.

        ``blocks`` is called once for every pass over the data and must give the same rows each time.
        Methods that cannot stream collect the blocks first.
        """
        columns = list(zip(*blocks(), strict=True))
        if not columns:
            raise DataError("there was no block to fit: give at least one.")
        X, Y, *weights = (np.concatenate(column) for column in columns)
        return self.fit(X, Y, weights[0] if weights else None, groups)

    def transform(self, X: ArrayLike) -> TargetVectors:
        """Return ``X`` as rows of the target space, in the target's own frame and in the dtype of ``X``."""
        X = self._checked_source(X)
        return _by_block(self._transform, X, X.dtype)

    def inverse_transform(self, Z: ArrayLike) -> SourceVectors:
        """Return rows of the target's own frame as rows of the source space: `transform` taken back.

        Raises
        ------
        NotInvertibleError
            If the map loses something on the way, so that there is no way back.
        """
        check_is_fitted(self)
        self.check_invertible()
        Z = self._checked_target(Z)
        return _by_block(self._inverse_transform, Z, Z.dtype)

    def project_source(self, X: ArrayLike) -> JointVectors:
        """Return source rows in the joint frame (half precision answers in float32)."""
        X = self._checked_source(X)
        return _by_block(self._project_source, X, computing_dtype(X.dtype))

    def project_target(self, Y: ArrayLike) -> JointVectors:
        """Return target rows in the joint frame (half precision answers in float32)."""
        Y = self._checked_target(Y)
        return _by_block(self._project_target, Y, computing_dtype(Y.dtype))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike = None) -> float:
        """Return the mean cosine of paired rows less that of unpaired rows, in the joint frame.

        Higher is better, 0 means that pairs are no closer than strangers; the range is [-2, 2]. Unlike a
        mean cosine it cannot be raised by moving both clouds into one corner; unlike R^2 it means the same
        for a map into a third space. It costs O(nd). It says nothing about ranks: for those, see
        `alignkit.evaluate`. One pair has no strangers, so its score is its cosine.
        """
        check_is_fitted(self)
        X, Y = self._checked_pairs(X, y, reset=False, fewest=1)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        P, Q = (
            unit_rows(rows.astype(np.float64)) for rows in (self.project_source(X), self.project_target(Y))
        )
        paired = np.einsum("nd,nd->n", P, Q)
        both = (weight @ P) @ (weight @ Q)
        strangers = weight.sum() ** 2 - weight @ weight
        unpaired = (both - (weight * weight) @ paired) / strangers if strangers > 0 else 0.0
        return float(weight @ paired / weight.sum() - unpaired)

    def check_invertible(self) -> None:
        """Raise NotInvertibleError, saying why, unless the fitted map has an inverse."""
        if not self.invertible:
            raise NotInvertibleError(
                f"{type(self).__name__} has no inverse: fit a map in the other direction instead."
            )

    @property
    def answers_unit_rows(self) -> bool:
        """Whether `transform` answers with rows of length 1, to rounding."""
        return False

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""

    @classmethod
    def from_state(cls, params: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Return the fitted map whose `get_params` and `arrays` these are; nothing is unpickled."""
        aligner = cls(**params)
        aligner._restore(arrays)
        return aligner

    @abstractmethod
    def _fit(self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, groups: Any) -> None: ...

    @abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray]) -> None: ...

    @abstractmethod
    def _transform(self, X: SourceVectors) -> TargetVectors: ...

    @abstractmethod
    def _project_source(self, X: SourceVectors) -> JointVectors: ...

    @abstractmethod
    def _project_target(self, Y: TargetVectors) -> JointVectors: ...

    def _inverse_transform(self, Z: TargetVectors) -> SourceVectors:
        raise NotImplementedError(f"{type(self).__name__} says that it is invertible but has no inverse")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags

    def _checked_pairs(
        self, X: ArrayLike, y: ArrayLike, *, reset: bool, fewest: int = FEWEST_ROWS
    ) -> tuple[np.ndarray, np.ndarray]:
        options = {"dtype": FLOATS, "ensure_all_finite": False, "ensure_min_samples": fewest}
        target_options = options | {"ensure_2d": False}
        X, Y = validate_data(self, X, y, reset=reset, validate_separately=(options, target_options))
        if Y.ndim == 1:
            Y = Y.reshape(-1, 1)  # as scikit-learn writes a target of one dimension
        check_consistent_length(X, Y)
        if reset:
            self.target_dim_ = Y.shape[1]
        self._check_rows(X, "X")
        self._check_target_width(Y)
        self._check_rows(Y, "y")
        return X, Y

    def _checked_source(self, X: ArrayLike) -> SourceVectors:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS, ensure_all_finite=False)
        self._check_rows(X, "X")
        return X

    def _checked_target(self, Y: ArrayLike) -> TargetVectors:
        check_is_fitted(self)
        Y = check_array(Y, dtype=FLOATS, ensure_all_finite=False, estimator=self, input_name="y")
        self._check_target_width(Y)
        self._check_rows(Y, "y")
        return Y

    def _check_target_width(self, Y: np.ndarray) -> None:
        if Y.shape[1] != self.target_dim_:
            raise DataError(
                f"y has {Y.shape[1]} features, but {type(self).__name__} was fitted to {self.target_dim_} "
                "target dimensions: give rows of the target space."
            )

    def _check_rows(self, X: np.ndarray, name: str) -> None:
        for start in range(0, len(X), BLOCK):
            block = X[start : start + BLOCK]
            with np.errstate(invalid="ignore", over="ignore"):
                whole = block.sum(dtype=np.float64 if block.dtype.itemsize > 4 else np.float32)
            if np.isfinite(whole):
                continue  # a NaN or an infinity would have stayed in the sum
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if len(bad):
                kind = "NaN" if np.isnan(block[bad[0]]).any() else "inf"
                raise DataError(
                    f"{name}: row {start + int(bad[0])} holds {kind}: remove or re-encode that item."
                )


def _by_block(step: Callable[[np.ndarray], np.ndarray], X: np.ndarray, dtype: np.dtype) -> np.ndarray:
    first = step(X[:BLOCK])
    if len(X) <= BLOCK:
        return first.astype(dtype, copy=False)
    out = np.empty((len(X), first.shape[1]), dtype)
    out[:BLOCK] = first
    for start in range(BLOCK, len(X), BLOCK):
        out[start : start + BLOCK] = step(X[start : start + BLOCK])
    return out
