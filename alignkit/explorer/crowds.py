"""Two coordinates for every row of large spaces, block by block: axes from a sample, means from all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.explorer.layouts import Layout, named
from alignkit.explorer.scenes import MOST as SAMPLE
from alignkit.explorer.scenes import Scene, in_one_space, unit
from alignkit.projections._base import Projection
from alignkit.projections.gap_axis import GapAxis
from alignkit.projections.pca import Pca
from alignkit.shapes import Vectors
from alignkit.spaces import BLOCK, Embeddings

MOST = 1_000_000  # points of one picture: what was measured to load
VIEWS = ("pca", "gap", "moving")

Blocks: TypeAlias = Callable[[np.ndarray], Vectors]


def lay_out_crowd(
    view: str, sides: Sequence[Embeddings], scene: Scene, alignment: Alignment | None = None, *, seed: int = 0
) -> Layout:
    """Return the exact linear picture of every row of a scene, as float32; ``view`` is pca or gap.

    The axes are fitted on a seeded sample of up to 20,000 rows and drawn for all. In the gap view the means
    are those of all rows, so that the two clouds lie as far apart as they do in the space. Nothing but the
    coordinates is kept: 16 bytes a row.

    Raises
    ------
    DataError
        If a side lies in another space and no alignment leads to the target's.
    ParameterError
        If the view is not linear.
    """
    if view not in ("pca", "gap"):
        raise ParameterError(f"all points are drawn in pca and gap only, not in {view!r}: draw a sample.")
    ways = [_way(sides, place, alignment) for place in range(len(sides))]
    drawn = [way(rows) for way, rows in zip(ways, sample_of(scene, seed=seed), strict=True)]
    if view == "gap":
        # the sample with the means of all: the line through both is then the true one
        for place in (0, 1):
            drawn[place] += _mean(ways[place], scene.rows[place]) - drawn[place].mean(axis=0)
        projection = GapAxis().fit(drawn[0], drawn[1])
    else:
        projection = Pca().fit(drawn[0], np.concatenate(drawn[1:]))
    points = tuple(_points(projection, way, rows) for way, rows in zip(ways, scene.rows, strict=True))
    return Layout(points, named(projection), None, _note(view, sum(map(len, drawn)), scene))


def crowd_ends(
    sides: Sequence[Embeddings], scene: Scene, alignment: Alignment, *, seed: int = 0
) -> tuple[Layout, Layout]:
    """Return the picture of every row before and after the map, in one pair of axes."""
    width = max(sides[0].dim, sides[1].dim)

    def padded(rows: Vectors) -> Vectors:
        return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))

    def before(rows: np.ndarray) -> Vectors:
        return padded(unit(sides[0].take(rows)))

    def after(rows: np.ndarray) -> Vectors:
        return padded(in_one_space(sides, 0, rows, alignment))

    def still(rows: np.ndarray) -> Vectors:
        return padded(in_one_space(sides, 1, rows, alignment))

    source, target = sample_of(scene, seed=seed)[:2]
    projection = Pca().fit(np.concatenate([before(source), after(source)]), still(target))
    rest = _points(projection, still, scene.rows[1])
    axes = named(projection)
    start, end = (Layout((_points(projection, way, scene.rows[0]), rest), axes) for way in (before, after))
    note = _note("moving", len(source) + len(target), scene)
    return replace(start, note=note), replace(end, note=note)


def sample_of(scene: Scene, *, most: int = SAMPLE, seed: int = 0) -> list[np.ndarray]:
    """Return up to ``most`` rows of a scene, an equal quota a side, ascending.

    Examples
    --------
    >>> scene = Scene((np.arange(9), np.arange(2)), np.empty((0, 2), int), 11)
    >>> [len(rows) for rows in sample_of(scene, most=8)]
    [4, 2]
    """
    rng = np.random.default_rng(seed)
    quota = max(1, most // len(scene.rows))
    return [
        rows if len(rows) <= quota else np.sort(rng.choice(rows, quota, replace=False)) for rows in scene.rows
    ]


def _way(sides: Sequence[Embeddings], place: int, alignment: Alignment | None) -> Blocks:
    return lambda rows: in_one_space(sides, place, rows, alignment)


def _blocks(way: Blocks, rows: np.ndarray) -> Iterator[tuple[int, Vectors]]:
    for start in range(0, len(rows), BLOCK):
        yield start, way(rows[start : start + BLOCK])


def _mean(way: Blocks, rows: np.ndarray) -> np.ndarray:
    return np.sum([block.sum(axis=0) for _, block in _blocks(way, rows)], axis=0) / len(rows)


def _points(projection: Projection, way: Blocks, rows: np.ndarray) -> np.ndarray:
    points = np.empty((len(rows), 2), np.float32)
    for start, block in _blocks(way, rows):
        points[start : start + len(block)] = projection.transform(block)
    return points


def _note(view: str, sampled: int, scene: Scene) -> str:
    fitted = (
        f"Axes from a seeded sample of {sampled:,} rows." if sampled < scene.drawn else "Axes from all rows."
    )
    if view == "gap":
        return f"Across, the clouds lie as far apart as the means of all rows: the true gap. {fitted}"
    if view == "moving":
        return fitted
    return f"One pair of axes for all modalities, in the unit of the unit rows. {fitted}"
