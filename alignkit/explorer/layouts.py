"""Two coordinates for every drawn row: linear ones exact, nonlinear ones judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.projections._base import Projection
from alignkit.projections.gap_axis import GapAxis
from alignkit.projections.pca import Pca
from alignkit.shapes import Vectors

NEIGHBOURS = 10  # of the trustworthiness
JUDGED = 2_000  # points on which it is taken
MOST = {"umap": 20_000, "tsne": 4_000}  # points that a page waits for
VIEWS = {
    "pca": "PCA",
    "gap": "gap view",
    "umap": "UMAP",
    "tsne": "t-SNE",
    "moving": "before / after the map",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Coordinates of every side, what the axes are, and for a nonlinear picture its trustworthiness.

    Trustworthiness (Venna and Kaski 2001) lies in [0, 1]: 1 where the ``NEIGHBOURS`` nearest points of each
    point in the picture are near it in the space as well. ``None`` for linear pictures, which are exact.
    """

    points: tuple[np.ndarray, ...]
    axes: tuple[str, str]
    trust: float | None = None
    note: str = ""


def lay_out(view: str, sides: Sequence[Vectors], *, seed: int = 0) -> Layout:
    """Return the picture of unit rows of one space; ``view`` is pca, gap, umap or tsne.

    Raises
    ------
    DataError
        If there are too many points for the view, or the two means are one in the gap view.
    MissingExtraError
        If umap-learn is not installed.
    ParameterError
        If there is no such view.

    Examples
    --------
    >>> rows = np.eye(6)
    >>> lay_out("pca", [rows, -rows]).axes[0]
    'first principal component (cosine units, 17 % of the variance)'
    """
    if view in ("pca", "gap"):
        return _linear(view, sides)
    if view not in MOST:
        raise ParameterError(f"there is no view {view!r}; there are: {', '.join(VIEWS)}.")
    pooled = np.concatenate(sides)
    if len(pooled) > MOST[view]:
        raise DataError(
            f"{VIEWS[view]} of {len(pooled)} points takes too long here: draw {MOST[view]} or fewer."
        )
    if len(pooled) < 8:
        raise DataError(f"{VIEWS[view]} needs at least 8 points, there are {len(pooled)}: choose pca.")
    flat = _umap(pooled, seed) if view == "umap" else _tsne(pooled, seed)
    ends = np.cumsum([len(side) for side in sides])[:-1]
    note = (
        f"{VIEWS[view]} keeps neighbourhoods, not lengths: the distance between two clouds is not "
        "the modality gap. The gap view shows that in true length."
    )
    axes = (f"{VIEWS[view]} 1 (no unit)", f"{VIEWS[view]} 2 (no unit)")
    return Layout(tuple(np.split(flat, ends)), axes, _trust(pooled, flat, seed), note)


def moving(before: Vectors, after: Vectors, target: Vectors, share: float) -> Layout:
    """Return the source at a share of the way from its own place to where the map takes it.

    One pair of principal axes of all three clouds serves every share, so points move and the picture stays.

    Raises
    ------
    ParameterError
        If ``share`` is not within 0 and 1.

    Examples
    --------
    >>> rows = np.eye(4)
    >>> start, half, end = (moving(rows, -rows, rows, share).points[0] for share in (0, 0.5, 1))
    >>> bool(np.allclose(half, (start + end) / 2))
    True
    """
    return along(*ends_of(before, after, target), share)


def ends_of(before: Vectors, after: Vectors, target: Vectors) -> tuple[Layout, Layout]:
    """Return the two ends of `moving`: the source as it is, and where the map takes it."""
    projection = Pca().fit(np.concatenate([before, after]), target)
    still, axes = projection.transform(target), named(projection)
    start, end = (Layout((projection.transform(rows), still), axes) for rows in (before, after))
    return start, end


def along(start: Layout, end: Layout, share: float) -> Layout:
    """Return the picture between two ends, at a share of the way; costs nothing but the sum."""
    if not 0 <= share <= 1:
        raise ParameterError(f"the share of the way is {share}: it lies between 0 (before) and 1 (after).")
    note = (
        f"{share:.0%} of the way from the source's own place (0) to where the map takes it (1); "
        f"the target stays where it is. {start.note}"
    ).strip()
    points = (1 - share) * start.points[0] + share * end.points[0]
    return Layout((points, start.points[1]), start.axes, None, note)


def _linear(view: str, sides: Sequence[Vectors]) -> Layout:
    if view == "gap":
        projection = GapAxis().fit(sides[0], sides[1])
        note = "Across, the clouds lie as far apart as their means do: the modality gap in true length."
    else:
        projection = Pca().fit(sides[0], np.concatenate(sides[1:]))
        note = "One pair of axes for all modalities, in the unit of the unit rows."
    return Layout(tuple(projection.transform(side) for side in sides), named(projection), None, note)


def named(projection: Projection) -> tuple[str, str]:
    """Return what the two axes of a linear picture are called: direction, unit, share of the variance."""
    first, second = (
        f"{label} (cosine units, {share:.0%} of the variance)".replace("%", " %")
        for label, share in zip(projection.labels, projection.shares_, strict=True)
    )
    return first, second


def _umap(rows: Vectors, seed: int) -> np.ndarray:
    try:
        from umap import UMAP
    except ImportError as error:
        raise MissingExtraError("UMAP needs umap-learn: pip install 'alignkit[umap]'.") from error
    near = min(15, len(rows) - 1)
    return np.asarray(UMAP(n_neighbors=near, random_state=seed, n_jobs=1).fit_transform(rows), np.float64)


def _tsne(rows: Vectors, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    near = min(30.0, (len(rows) - 1) / 3)
    return np.asarray(TSNE(perplexity=near, init="pca", random_state=seed).fit_transform(rows), np.float64)


def _trust(rows: Vectors, flat: np.ndarray, seed: int) -> float:
    from sklearn.manifold import trustworthiness

    judged = np.random.default_rng(seed).permutation(len(rows))[:JUDGED]
    near = min(NEIGHBOURS, len(judged) // 2 - 1)
    return float(trustworthiness(rows[judged], flat[judged], n_neighbors=max(1, near)))
