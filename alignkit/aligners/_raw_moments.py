"""The frames that moments of raw rows determine, and the moments of the same rows in those frames."""

import numpy as np

from alignkit.aligners._frame import SPREADS, Frame, Normalize
from alignkit.aligners._spread import Spread
from alignkit.errors import ParameterError
from alignkit.moments import Moments


def frames_of_raw(moments: Moments, normalize: Normalize) -> tuple[Frame, Frame]:
    """Return both sides' frames of the rows that ``moments`` were taken of.

    Raises
    ------
    ParameterError
        If the moments do not tell: lengths of rows are no moment, and variances are only in ``parts="all"``.
    """
    if normalize.startswith("unit"):
        raise ParameterError(
            f"moments of raw rows do not tell the frames of normalize={normalize!r}: pass "
            "source_frame and target_frame with the moments of framed rows, or normalize='center'."
        )
    if normalize in SPREADS and moments.parts != "all":
        raise ParameterError(
            f"moments of cross-products alone do not tell the frames of normalize={normalize!r}: make them "
            "with parts='all'."
        )
    means = moments.mean_x.copy(), moments.mean_y.copy()
    if normalize == "none":
        return Frame(normalize, np.zeros_like(means[0])), Frame(normalize, np.zeros_like(means[1]))
    if normalize == "center":
        return Frame(normalize, means[0]), Frame(normalize, means[1])
    covariances = moments.cov_xx, moments.cov_yy
    if SPREADS[normalize] == "columns":
        covariances = np.diag(covariances[0]), np.diag(covariances[1])
    source, target = (
        Frame(normalize, mean, spread=Spread.of(variances, mean))
        for mean, variances in zip(means, covariances, strict=True)
    )
    return source, target


def framed_moments(moments: Moments, source: Frame, target: Frame) -> Moments:
    """Return the moments of the rows in the frames that `frames_of_raw` gave for them."""
    if not source.centers:
        return moments
    moments = moments.centered()
    if source.spread is None or target.spread is None:
        return moments
    left, right = source.spread, target.spread
    xx, xy, yy = (
        left.of_products(moments.xx, left),
        left.of_products(moments.xy, right),
        right.of_products(moments.yy, right),
    )
    return Moments.from_products(
        (moments.n, moments.weight),
        np.zeros(moments.source_dim + moments.target_dim),
        np.block([[xx, xy], [xy.T, yy]]),
        source_dim=moments.source_dim,
    )
