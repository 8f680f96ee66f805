"""Write the points of a map as a parquet file that embedding-atlas opens: coordinates, words, neighbours."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignkit.alignment import Alignment
from alignkit.atomic import replacing
from alignkit.errors import ParameterError
from alignkit.explorer.captions import plain
from alignkit.explorer.layouts import VIEWS, lay_out
from alignkit.explorer.scenes import choose_rows, one_space, pair_up
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings

NEIGHBOURS = 15
ATLAS_VIEWS = tuple(view for view in VIEWS if view != "moving")
CAPTIONS = ("caption", "text", "title", "sentence", "description")
LABELS = ("label", "class", "category", "digit", "target", "genre")


def check_view(view: str) -> None:
    """Raise ParameterError unless the map can be written in this view."""
    if view not in ATLAS_VIEWS:
        raise ParameterError(f"there is no view {view!r} to write; there are: {', '.join(ATLAS_VIEWS)}.")


def export_atlas(
    sides: list[Embeddings],
    out: Path | str,
    *,
    alignment: Alignment | None = None,
    view: str = "pca",
    seed: int = 0,
    force: bool = False,
) -> int:
    """Write one row a point, x, y, id, modality, label, caption, neighbors, and return how many there are.

    ``neighbors`` holds, as embedding-atlas reads it, row numbers of this file and cosine distances: the 15
    nearest points of either modality in the target's frame. Up to 20,000 points are drawn, by seed.

    Raises
    ------
    DataError
        If the sides lie in different spaces and no alignment joins them.
    OutputError
        If the file exists and ``force`` is off.
    """
    scene = choose_rows(sides, pair_up(sides[0], sides[1]), seed=seed)
    rows = one_space(sides, scene, alignment)
    layout = lay_out(view, rows, seed=seed)
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "modality", "label", "caption")}
    for place, (side, chosen) in enumerate(zip(sides, scene.rows, strict=True)):
        columns["id"] += [str(name) for name in side.ids.take(pa.array(chosen)).to_pylist()]
        columns["modality"] += [modality_of(side, place)] * len(chosen)
        for column, known in (("label", LABELS), ("caption", CAPTIONS)):
            columns[column] += cells(side, chosen, known)
    points = np.concatenate(layout.points)
    table = pa.table(
        {"x": points[:, 0], "y": points[:, 1], **columns, "neighbors": _neighbours(np.concatenate(rows))}
    )
    with replacing(out, force=force) as file:
        pq.write_table(table, file)
    return len(table)


def modality_of(side: Embeddings, place: int) -> str:
    """Return what a side is called in a picture: its modality, or the name of its file."""
    return side.modality or Path(side.name).stem or ("source", "target", "third")[place]


def cells(side: Embeddings, rows: np.ndarray, known: tuple[str, ...]) -> list[str]:
    """Return, for rows, the cells of the first of the ``known`` columns; empty ones without any."""
    column = next((name for name in known if name in side.items.column_names), None)
    if column is None:
        return [""] * len(rows)
    return [plain(cell) for cell in side.items[column].take(pa.array(rows)).to_pylist()]


def _neighbours(rows: Vectors) -> pa.Array:
    k = min(NEIGHBOURS, len(rows) - 1)
    found = []
    for start in range(0, len(rows), 1024):
        scores = rows[start : start + 1024] @ rows.T
        scores[np.arange(len(scores)), start + np.arange(len(scores))] = -np.inf
        near = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        distances = 1 - np.take_along_axis(scores, near, axis=1)
        found += [
            {"ids": ids.tolist(), "distances": far.tolist()} for ids, far in zip(near, distances, strict=True)
        ]
    return pa.array(found, pa.struct({"ids": pa.list_(pa.int64()), "distances": pa.list_(pa.float64())}))
