"""Describe every row by its strongest similarities to all training pairs: ASIF (Norelli et al. 2023)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from alignkit._params import check_amount, check_count, check_flag
from alignkit.aligners._anchored import BLOCK, AnchoredAligner, Choice, directions
from alignkit.aligners._base import ArrayLike
from alignkit.aligners._frame import Frame, Normalize
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Vectors

ENTRIES = 1 << 22  # similarities held at a time beside the answer: 32 MB of float64


class Asif(AnchoredAligner):
    r"""Compare rows by sparse relative coordinates; nothing is trained, the pairs are the model.

    The order is: normalise both sides; take directions from each cloud's mean (``center``); take the
    cosines of a row to the anchors of its own side; keep the ``k`` largest; raise them to ``exponent``;
    scale the row to length 1. Both sides meet in the space with one axis per anchor. `transform` answers
    with the mean of the target rows of the anchors, weighted by the source row's coordinates, and restores
    the target's frame: a smooth look-up between targets that it has seen.

    Cosines below zero count as zero, whatever ``exponent``: centred clouds have them, and an even power
    would take an opposite for a neighbour. (The paper's rows lie in a cone, where there are none.) Anchors
    whose cosine equals the k-th to rounding are kept too. A row that is near no anchor has no coordinates
    and scores 0 against all. A sharp ``exponent`` suits a million pairs, as in the paper; with some
    hundreds a milder one, such as 2, may find more.

    A pass costs ``n * m * d``. Similarities are held for a few rows at a time, but the joint rows that
    `project_source` answers with are dense, ``(n, m)``: for many anchors use `sparse_source` and
    `sparse_target`, whose memory is ``n * k``, or cap ``n_anchors``. It has no inverse.

    Parameters
    ----------
    k
        Cosines kept per row; capped by the number of anchors.
    exponent
        The power that sharpens them; 0 keeps only who the neighbours are.
    center
        Whether directions are those from the mean direction of the fitted pairs, so that cosines spread
        over [-1, 1] in every frame. As published: off, with ``normalize="unit"``.
    n_anchors, choice, seed
        How many pairs are anchors (None: all, as published), and how they are chosen; see `Relative`.
    normalize
        The frames; see `FramedAligner`.

    Raises
    ------
    ParameterError
        If there are fewer distinct pairs than ``n_anchors``.

    References
    ----------
    Norelli et al. (2023), *ASIF: coupled data turns unimodal models to multimodal without training*;
    the defaults of ``k`` and ``exponent`` are its own.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(200, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = Asif(k=20).fit(X, X @ Q)
    >>> fitted.sparse_source(X).shape, fitted.sparse_source(X).nnz <= 200 * 20
    ((200, 200), True)
    """

    def __init__(
        self,
        *,
        k: int = 800,
        exponent: float = 8,
        center: bool = True,
        n_anchors: int | None = None,
        choice: Choice = "random",
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(n_anchors=n_anchors, choice=choice, seed=seed, normalize=normalize)
        self.k = k
        self.exponent = exponent
        self.center = center

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return self._anchor_arrays() | {"target_rows": self.target_rows_, "means": self.means_}

    def sparse_source(self, X: ArrayLike) -> csr_array:
        """Return source rows in the joint frame as a sparse matrix, in memory that follows ``n * k``."""
        X = self._checked_source(X)
        return self._sparse(X, self.source_frame_, self._source_directions, self.source_anchors_)

    def sparse_target(self, Y: ArrayLike) -> csr_array:
        """Return target rows in the joint frame as a sparse matrix, in memory that follows ``n * k``."""
        Y = self._checked_target(Y)
        return self._sparse(Y, self.target_frame_, self._target_directions, self.target_anchors_)

    def _check_params(self) -> None:
        super()._check_params()
        check_count("k", self.k, least=1)
        check_amount("exponent", self.exponent)
        check_flag("center", self.center)

    def _learn(
        self, source: SourceVectors, target: TargetVectors, pairs: tuple[np.ndarray, np.ndarray, Any]
    ) -> None:
        ds = source.shape[1]
        self.target_rows_ = target.astype(self.target_anchors_.dtype)
        self.means_ = np.zeros(ds + target.shape[1])
        if self.center:
            moments = self._moments_of_directions(*pairs, parts="cross")
            self.means_ = np.concatenate([moments.mean_x, moments.mean_y])
            dtypes = self.source_anchors_.dtype, self.target_anchors_.dtype
            self.source_anchors_ = directions(directions(source) - self.means_[:ds]).astype(dtypes[0])
            self.target_anchors_ = directions(directions(target) - self.means_[ds:]).astype(dtypes[1])

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_anchors(arrays)
        self.target_rows_, self.means_ = arrays["target_rows"], arrays["means"]

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return self._dense(self._source_directions(V), self.source_anchors_)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return self._dense(self._target_directions(V), self.target_anchors_)

    def _forward(self, V: SourceVectors) -> TargetVectors:
        rows = self.target_rows_.astype(V.dtype, copy=False)
        answer = np.zeros((len(V), rows.shape[1]), V.dtype)
        for part, weights in self._coordinates(self._source_directions(V), self.source_anchors_):
            total = weights.sum(axis=1, keepdims=True)
            answer[part] = (weights @ rows) / np.where(total > 0, total, 1)
        return answer

    def _dense(self, V: Vectors, anchors: np.ndarray) -> JointVectors:
        joint = np.empty((len(V), len(anchors)), V.dtype)
        for part, block in self._coordinates(V, anchors):
            joint[part] = block
        return joint

    def _sparse(
        self, X: Vectors, frame: Frame, to_directions: Callable[[Vectors], Vectors], anchors: np.ndarray
    ) -> csr_array:
        framed = (
            to_directions(frame.apply(X[start : start + BLOCK], first_row=start))
            for start in range(0, len(X), BLOCK)
        )
        blocks = [csr_array(block) for rows in framed for _, block in self._coordinates(rows, anchors)]
        return csr_array(vstack(blocks, format="csr"))

    def _source_directions(self, V: SourceVectors) -> SourceVectors:
        return self._about(V, self.means_[: V.shape[1]])

    def _target_directions(self, V: TargetVectors) -> TargetVectors:
        return self._about(V, self.means_[len(self.means_) - V.shape[1] :])

    def _about(self, V: Vectors, mean: np.ndarray) -> Vectors:
        D = directions(V)
        return directions(D - mean.astype(D.dtype)) if self.center else D

    def _coordinates(self, D: Vectors, anchors: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the joint rows of directions a few at a time, so that the similarities stay small."""
        columns = anchors.T.astype(D.dtype, copy=False)
        step = max(1, ENTRIES // columns.shape[1])
        for start in range(0, len(D), step):
            part = slice(start, start + step)
            yield part, self._sharpened(D[part] @ columns)

    def _sharpened(self, S: np.ndarray) -> np.ndarray:
        """Cut all but the ``k`` largest similarities, raise them to the power, make unit rows; in place."""
        m = S.shape[1]
        rounding = 16 * np.finfo(S.dtype).eps
        if self.k < m:
            smallest = np.partition(S, m - self.k, axis=1)[:, m - self.k, None]
            S[smallest - rounding > S] = 0
        S[rounding >= S] = 0
        largest = S.max(axis=1, keepdims=True)
        S /= np.where(largest > 0, largest, 1)  # so that no power leaves the range of the type
        np.power(S, S.dtype.type(self.exponent), out=S, where=S > 0)
        lengths = np.sqrt(np.einsum("nm,nm->n", S, S))
        S /= np.where(lengths > 0, lengths, 1)[:, None]
        return S
