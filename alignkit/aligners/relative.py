"""Describe every row by its similarities to paired anchors: relative representations (Moschella 2023)."""

from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from alignkit._params import check_flag
from alignkit.aligners._anchored import AnchoredAligner, Choice, directions
from alignkit.aligners._frame import Normalize
from alignkit.aligners._spectrum import Regularization, Spectrum, added_eigenvalue, check_regularization
from alignkit.errors import ParameterError
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors

Coordinates: TypeAlias = Literal["raw", "centered", "standardized"]
COORDINATES: tuple[Coordinates, ...] = get_args(Coordinates)


class Relative(AnchoredAligner):
    r"""Compare a source row and a target row by their cosines to the two sides of the same anchors.

    The order is: normalise both sides; take ``n_anchors`` training pairs as anchors; a row's coordinates
    are its cosines to the anchors of its own side; centre or standardise the coordinates where asked. The
    coordinates are the joint frame, and nothing else is fitted: whatever keeps the angles within a side, a
    rotation above all, changes nothing. `transform` goes on to the target row whose own coordinates come
    nearest (least squares, ``regularization`` added), and restores the target's frame; lengths in frames
    that keep them are the source's times one factor.

    Cosines are linear in a row's direction, so the anchors act through their products ``A'A``, ``A'B`` and
    ``B'B`` alone. Where anchors outnumber the dimensions of both sides together, the joint frame is
    therefore turned, without loss, into the ``ds + dt`` dimensions that coordinates can fill: every
    inner product and cosine is that of the anchor coordinates (``compact=False`` keeps these themselves).
    It also means that few anchors see few directions, and that angles that differ between the sides are
    not mended; there `ridge` and `procrustes` do better. It has no inverse: fit the other direction.

    Parameters
    ----------
    n_anchors
        How many of the distinct training pairs are anchors; None takes them all.
    choice
        ``"random"``; ``"farthest"``: each anchor as far as can be from those before it; ``"kmeans"``: the
        pairs nearest to the cluster means. The last two look at both sides' raw directions together, so
        with ``normalize="center"`` a cloud that was moved may get other anchors.
    coordinates
        ``"raw"``, as published; ``"centered"``: less their means over the fitted pairs;
        ``"standardized"``: then divided by their standard deviations too.
    compact
        Whether the joint frame may be turned as described.
    regularization
        Share of the mean eigenvalue added where `transform` solves for the target row; ``"auto"`` is the
        target's dimensions per anchor, at most 1. It does not touch the joint frame.
    seed
        Of the random choices; `normalize`: the frames, see `FramedAligner`.

    Raises
    ------
    ParameterError
        If there are fewer distinct pairs than ``n_anchors``.

    References
    ----------
    Moschella et al. (2023), *Relative representations enable zero-shot latent space communication*. The
    way to the target: Maiorca et al. (2024), *Latent space translation via inverse relative projection*.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(50, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = Relative(n_anchors=6, normalize="none").fit(X, X @ Q)
    >>> bool(np.allclose(fitted.project_source(X), fitted.project_target(X @ Q)))
    True
    """

    def __init__(
        self,
        *,
        n_anchors: int | None = None,
        choice: Choice = "random",
        coordinates: Coordinates = "centered",
        compact: bool = True,
        regularization: Regularization = "auto",
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(n_anchors=n_anchors, choice=choice, seed=seed, normalize=normalize)
        self.coordinates = coordinates
        self.compact = compact
        self.regularization: Regularization = regularization

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return self._anchor_arrays() | {name: getattr(self, f"{name}_") for name in self._names()}

    def _names(self) -> list[str]:
        names = ["means", "matrix", "length_ratio"]
        if self._turned():
            return [*names, "source_projection", "target_projection"]
        return [*names, "spreads"] if self.coordinates == "standardized" else names

    def _turned(self) -> bool:
        return self.compact and len(self.source_anchors_) > self.n_features_in_ + self.target_dim_

    def _check_params(self) -> None:
        super()._check_params()
        check_flag("compact", self.compact)
        check_regularization(self.regularization)
        if self.coordinates not in COORDINATES:
            raise ParameterError(
                f"coordinates is {self.coordinates!r}; choose one of {', '.join(COORDINATES)}."
            )

    def _learn(
        self, source: SourceVectors, target: TargetVectors, pairs: tuple[np.ndarray, np.ndarray, Any]
    ) -> None:
        ds = source.shape[1]
        A, B = directions(source), directions(target)
        self.means_ = np.zeros(ds + target.shape[1])
        self.spreads_ = np.ones((2, len(A)))
        if self.coordinates != "raw":
            moments = self._moments_of_directions(*pairs, parts="all")
            self.means_ = np.concatenate([moments.mean_x, moments.mean_y])
            if self.coordinates == "standardized":
                self.spreads_ = np.stack([_spreads(A, moments.cov_xx), _spreads(B, moments.cov_yy)])
        both = np.hstack([A / self.spreads_[0][:, None], B / self.spreads_[1][:, None]])
        products = both.T @ both
        spectrum = Spectrum.of(products[ds:, ds:])
        shift = added_eigenvalue(self.regularization, products[ds:, ds:], len(A))
        self.matrix_ = products[:ds, ds:] @ spectrum.power(-1, shift)
        energy = np.sum(source * source)
        self.length_ratio_ = np.array([np.sqrt(np.sum(target * target) / energy) if energy > 0 else 1.0])
        if self._turned():
            spectrum = Spectrum.of(products)
            halves = np.split(spectrum.vectors * np.sqrt(spectrum.values), [ds])
            self._set_projections(*(np.ascontiguousarray(half) for half in halves))  # as a file holds them
        else:
            self._set_projections(*self._plain_projections())

    def _plain_projections(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the anchors as columns, each divided by the spread of its coordinate."""
        if self.coordinates != "standardized":
            return self.source_anchors_.T, self.target_anchors_.T
        return self.source_anchors_.T / self.spreads_[0], self.target_anchors_.T / self.spreads_[1]

    def _set_projections(self, source: np.ndarray, target: np.ndarray) -> None:
        self.source_projection_, self.target_projection_ = source, target

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_anchors(arrays)
        for name in self._names():
            setattr(self, f"{name}_", arrays[name])
        if not self._turned():
            self._set_projections(*self._plain_projections())

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return self._centered_source(V) @ self.source_projection_.astype(V.dtype, copy=False)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        D = directions(V)
        D -= self.means_[len(self.matrix_) :].astype(V.dtype)
        return D @ self.target_projection_.astype(V.dtype, copy=False)

    def _forward(self, V: SourceVectors) -> TargetVectors:
        Z = self._centered_source(V) @ self.matrix_.astype(V.dtype, copy=False)
        Z += self.means_[len(self.matrix_) :].astype(V.dtype)
        if self.target_frame_.ends_unit:
            return Z
        lengths = np.linalg.norm(V, axis=1, keepdims=True)
        return Z * lengths * V.dtype.type(self.length_ratio_[0])

    def _centered_source(self, V: SourceVectors) -> SourceVectors:
        D = directions(V)
        D -= self.means_[: len(self.matrix_)].astype(V.dtype)
        return D


def _spreads(anchors: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the standard deviation of every coordinate; 1 where a coordinate never changes."""
    variances = np.einsum("md,md->m", anchors @ covariance, anchors)
    floor = np.finfo(np.float64).eps * len(covariance) * max(float(variances.max(initial=0)), 0.0)
    return np.sqrt(np.where(variances > floor, variances, 1))
