"""Maps that are one matrix between two frames, fitted from `Moments` in closed form."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from alignkit.aligners._base import FEWEST_ROWS, ArrayLike, Blocks
from alignkit.aligners._frame import Frame, FrameFit, check_normalize, known_beforehand
from alignkit.aligners._framed import FramedAligner, times
from alignkit.aligners._links import checked_groups, checked_links, checked_vocabulary, checked_weights
from alignkit.aligners._raw_moments import framed_moments, frames_of_raw
from alignkit.errors import DataError, ParameterError
from alignkit.moments import BLOCK, Moments, Parts
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors, Weights

CROSS_BLOCK = 512  # rows framed at a time where one product is all: the block stays in the cache


class LinearAligner(FramedAligner):
    """Solve for a matrix from the moments of framed pairs; a leaf fills `_solve`.

    The products are taken about the origin of the joint frame. They hold float64 whatever the input, in
    O(d^2) memory, so a stream of any length can be fitted: with `fit` from memory maps, `fit_blocks` from
    any repeatable stream, `partial_fit` as blocks arrive, `from_moments` from products made elsewhere.

    Attributes
    ----------
    matrix_
        Framed source rows to framed target rows, ``(ds, dt)``.
    source_projection_, target_projection_
        Framed rows to the joint frame; None where the framed row is the joint row already.
    """

    invertible: ClassVar[bool] = True
    _learned: ClassVar[tuple[str, ...]] = ()  # further fitted values that are saved

    matrix_: np.ndarray
    source_projection_: np.ndarray | None
    target_projection_: np.ndarray | None
    _moments: Moments | None
    _given_frames: tuple[Frame, Frame] | None
    _about_origin = False  # whether the frames' own means were taken for those of the pairs' rows
    _inverse: np.ndarray | None

    def fit_blocks(self, blocks: Blocks, groups: ArrayLike = None) -> Self:
        """Learn the map from a repeatable stream of ``(X, Y)`` or ``(X, Y, sample_weight)``; return self.

        ``blocks`` is called once a pass: one pass over the data, two where unit rows are centred and made
        unit again, or columns scaled or whitened. No more than a block is in memory at a time.
        """
        self._check_params()
        self._stream(blocks, None if groups is None else np.asarray(groups))
        return self

    def fit_vocabulary(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        links: ArrayLike,
        sample_weight: ArrayLike = None,
        groups: ArrayLike = None,
    ) -> Self:
        """Learn the map from the ``links`` (row of X, row of Y) between whole vocabularies; return self.

        The frames are those of all rows, linked or not, each counted once; the products, about the origin
        of these frames, are those of the linked rows. ``sample_weight`` and ``groups`` hold one value for
        each link.

        Raises
        ------
        DataError
            If a row is not finite or has no direction where one is needed.
        PairingError
            If a link names a row that does not exist, or there are fewer than two.
        """
        self._check_params()
        X, Y = checked_vocabulary(X, "X"), checked_vocabulary(Y, "Y")
        for side, name in ((X, "X"), (Y, "Y")):
            self._check_rows(side, name)
        known = checked_links(links, len(X), len(Y), FEWEST_ROWS)
        weight = None if sample_weight is None else checked_weights(sample_weight, len(known))
        frames = Frame.fit(X, self.normalize), Frame.fit(Y, self.normalize)

        def blocks() -> Iterator[tuple]:
            for start in range(0, len(known), BLOCK):
                part = slice(start, start + BLOCK)
                pair = X[known[part, 0]], Y[known[part, 1]]
                yield pair if weight is None else (*pair, weight[part])

        self._stream(blocks, checked_groups(groups, known), frames)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike = None) -> Self:
        """Add pairs to those seen so far (by `fit` and `from_moments` as well), solve again, return self.

        Each call solves once (of the order of d^3), so give large blocks. Equal to `fit` on all pairs at
        once to rounding. ``unit-center-unit``, ``per-dim`` and ``whiten`` need the means before the first
        product: call `set_frames` first, or `fit`, whose frames then stay.
        """
        self._check_params()
        moments = getattr(self, "_moments", None)
        frames = self._frames_for_stream()
        X, Y = self._checked_pairs(X, y, reset=moments is None, fewest=1)
        if moments is None:
            self._moments = moments = Moments(X.shape[1], Y.shape[1], parts=self._parts())
            self._frame_fits = self._new_frame_fits()
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        for block in self._in_blocks(X, Y, weight):
            moments.update(*self._framed(block, frames, self._frame_fits))
        self._finish(moments, frames or _frames_of(self._frame_fits))
        return self

    def set_frames(self, source_frame: Frame, target_frame: Frame) -> Self:
        """Fix the frames that `partial_fit` works in, forget the pairs seen so far, and return self."""
        for frame in (source_frame, target_frame):
            if frame.steps != self.normalize:
                raise ParameterError(
                    f"a frame has the steps {frame.steps!r}; this map has {self.normalize!r}."
                )
        self._given_frames, self._moments = (source_frame, target_frame), None
        self._about_origin = False
        return self

    def from_moments(
        self, moments: Moments, source_frame: Frame | None = None, target_frame: Frame | None = None
    ) -> Self:
        """Learn the map from moments and return self.

        With frames, ``moments`` are those of the framed rows (`Frame.apply`). Without frames they are
        those of the raw rows, which determine the frames of ``"none"`` and ``"center"`` and, made with
        ``parts="all"``, of ``"per-dim"`` and ``"whiten"``; those that begin with ``unit`` they do not.
        """
        self._check_params()
        if source_frame is None or target_frame is None:
            frames = frames_of_raw(moments, self.normalize)
            framed = framed_moments(moments, *frames)
        else:
            frames, framed = (source_frame, target_frame), moments
        self.set_frames(*frames)
        self._moments, self._frame_fits = framed.copy(), self._new_frame_fits()
        self._finish(framed, frames)
        return self

    def check_invertible(self) -> None:
        """Raise NotInvertibleError, saying why, unless the fitted matrix has a right inverse."""
        if getattr(self, "_inverse", None) is None:
            self._inverse = self._right_inverse(self.matrix_)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        arrays = self._frame_arrays() | {"matrix": self.matrix_}
        for side in ("source", "target"):
            projection = getattr(self, f"{side}_projection_")
            if projection is not None and projection is not self.matrix_:
                arrays[f"{side}_projection"] = projection
        return arrays | {
            name: np.atleast_1d(np.asarray(getattr(self, name), np.float64)) for name in self._learned
        }

    @abstractmethod
    def _solve(self, moments: Moments) -> None:
        """Set ``matrix_`` and the projections from the moments of framed rows."""

    def _parts(self) -> Parts:
        return "all"

    def _check_params(self) -> None:
        check_normalize(self.normalize)

    def _select(self, blocks: Blocks, groups: np.ndarray | None) -> None:
        """Choose parameters by holding out some pairs; most methods have nothing to choose."""

    def _fit(self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, groups: Any) -> None:
        self._check_params()
        self._stream(lambda: self._in_blocks(X, Y, weight), groups)

    def _stream(
        self, blocks: Blocks, groups: np.ndarray | None, frames: tuple[Frame, Frame] | None = None
    ) -> None:
        self._given_frames = self._moments = None
        self._about_origin = frames is not None
        fits = self._new_frame_fits()
        if frames is None and not known_beforehand(self.normalize):
            for X, Y, *weight in blocks():
                for fit, rows in zip(fits, (X, Y), strict=True):
                    fit.update(rows, *weight)
            frames = _frames_of(fits)
        framed = (self._framed(block, frames, fits) for block in blocks())
        moments = Moments.from_blocks(framed, parts=self._parts())
        self.source_frame_, self.target_frame_ = frames = frames or _frames_of(fits)
        self._select(blocks, groups)
        self._finish(moments, frames)
        self._moments, self._frame_fits = moments, fits  # partial_fit goes on from here
        if self._about_origin or not known_beforehand(self.normalize):
            self._given_frames = frames

    def _framed(self, block: tuple, frames: tuple | None, fits: tuple[FrameFit, FrameFit]) -> tuple:
        """Return a block in known frames, or, where they are not known yet, before centring."""
        X, Y, *weight = block
        if frames:
            rows = [frame.apply(side, dtype=np.float64) for frame, side in zip(frames, (X, Y), strict=True)]
        else:
            rows = [fit.update(side, *weight).unit(side) for fit, side in zip(fits, (X, Y), strict=True)]
        return (*rows, *weight)

    def _finish(self, moments: Moments, frames: tuple[Frame, Frame]) -> None:
        self.source_frame_, self.target_frame_ = frames
        self.n_features_in_, self.target_dim_ = moments.source_dim, moments.target_dim
        if not moments.weight > 0:
            raise DataError(
                f"{moments.n} pairs have a total weight of {moments.weight}: nothing can be fitted."
            )
        if self.normalize in ("center", "unit-center") and not self._about_origin:
            moments = moments.centered()
        self._inverse = None
        self._solve(moments)

    def _in_blocks(self, X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> Iterator[tuple]:
        size = CROSS_BLOCK if self._parts() == "cross" else BLOCK
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            yield (X[part], Y[part]) if weight is None else (X[part], Y[part], weight[part])

    def _new_frame_fits(self) -> tuple[FrameFit, FrameFit]:
        return FrameFit(self.normalize), FrameFit(self.normalize)

    def _frames_for_stream(self) -> tuple[Frame, Frame] | None:
        frames = getattr(self, "_given_frames", None)
        if frames is None and not known_beforehand(self.normalize):
            raise ParameterError(
                f"partial_fit with normalize={self.normalize!r} needs the means before the first product: "
                "call set_frames with Frame.fit of both sides first, use fit_blocks, or choose "
                "normalize='unit-center'."
            )
        return frames

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_frames(arrays)
        self.matrix_ = arrays["matrix"]
        self.source_projection_ = arrays.get("source_projection", self.matrix_)
        self.target_projection_ = arrays.get("target_projection")
        self._inverse = None
        for name in self._learned:
            value = arrays[name]
            setattr(self, name, float(value[0]) if value.shape == (1,) else value)

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return times(V, self.source_projection_)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return times(V, self.target_projection_)

    def _forward(self, V: SourceVectors) -> TargetVectors:
        return times(V, self.matrix_)

    def _backward(self, V: TargetVectors) -> SourceVectors:
        return times(V, self._inverse)


def _frames_of(fits: tuple[FrameFit, FrameFit]) -> tuple[Frame, Frame]:
    return fits[0].frame(), fits[1].frame()
