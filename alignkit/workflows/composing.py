"""Search by queries made of several rows, of one modality or of many: this picture and that sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from alignkit._columns import find
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search.compose import slerp, weighted_sum
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings
from alignkit.workflows.searching import Found, IndexedGallery, check_depth, overlap

TWO = 2  # parts that an arc joins


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of every query: its rows, how much they weigh, and how they come to the gallery.

    Rows come through the index's own map, like any query. With an ``alignment`` they come through that one,
    into the gallery's space; rows that are ``of_gallery`` are in that space already.
    """

    rows: Embeddings
    weight: float = 1.0
    alignment: Alignment | None = None
    of_gallery: bool = False


def search_composed(
    indexed: IndexedGallery, parts: Sequence[Part], k: int = 10, *, arc: float | None = None
) -> Found:
    """Return the ``k`` best gallery rows for queries that are composed in the joint frame, as unit rows.

    The first part names the queries; of the others each has a row of the same id, or one row in all, which
    goes to every query. They are summed by their weights, where a negative one takes its part away; with
    ``arc`` two parts are joined by a point on the arc between them.

    Raises
    ------
    ParameterError
        If there is no part, an arc is asked of other than two, or ``k`` is not from 1 to the gallery's size.
    DataError
        If a part lacks a query's id, or rows cancel out, are opposite, or have no direction.
    SpaceMismatchError
        If a part is of another space than its way to the gallery starts from.

    Examples
    --------
    >>> from alignkit.workflows.searching import index_gallery
    >>> indexed = index_gallery(Embeddings(np.eye(3)), hub_correction="none")
    >>> parts = [Part(Embeddings(np.array([[1.0, 1.0, 0.0]]))), Part(Embeddings(np.eye(3)[:1]), -1)]
    >>> search_composed(indexed, parts, 1).rows.tolist()  # the first and the second, less the first
    [[1]]
    """
    if not parts or (arc is not None and len(parts) != TWO):
        wanted = "at least one part" if arc is None else "two parts"
        raise ParameterError(f"a query of {len(parts)} parts: give {wanted}.")
    check_depth(indexed, k)
    names = parts[0].rows
    rows = [_in_order_of(names, part.rows, _projected(indexed, part)) for part in parts]
    if arc is None:
        asked = weighted_sum(rows, [part.weight for part in parts])
    else:
        asked = slerp(rows[0], rows[1], arc)
    hits = indexed.index.search(asked, k)
    seen = overlap(None if parts[0].of_gallery or parts[0].alignment else indexed.bank, names)
    return Found(names.ids, indexed.ids, hits.rows, hits.scores, seen)


def one_row(rows: Embeddings, name: str) -> Embeddings:
    """Return the row whose id is ``name``, or whose number where there are no ids: a part for every query.

    Raises
    ------
    DataError
        If there is no such row.

    Examples
    --------
    >>> one_row(Embeddings(np.eye(3), ids=["cat", "dog", "owl"]), "dog").array().tolist()
    [[0.0, 1.0, 0.0]]
    """
    found = find(pa.array([name]), rows.ids)
    if found[0] < 0:
        raise DataError(
            f"{rows.name} has no row {name!r} (its first is {rows.id_at(0)!r}): name an id of its own."
        )
    return rows.select(found)


def _projected(indexed: IndexedGallery, part: Part) -> Vectors:
    """Return a part's rows in the joint frame."""
    if part.alignment is None and not part.of_gallery:
        return indexed.project(part.rows)
    rows = part.rows if part.alignment is None else part.alignment.apply(part.rows)
    indexed.space.check_meets(rows.space, f"a part of a query of this index, {part.rows.name},")
    rows.check(direction=True)
    return np.asarray(
        rows.vectors[:] if indexed.alignment is None else indexed.alignment.project_target(rows)
    )


def _in_order_of(names: Embeddings, part: Embeddings, rows: Vectors) -> np.ndarray:
    """Return the part's row for every query: by id, or its only one for all."""
    if part is names:
        return rows
    if len(part) == 1:
        return np.repeat(rows, len(names), axis=0)
    if not (names.has_ids or part.has_ids) and len(names) != len(part):
        raise DataError(
            f"{names.name} has {len(names)} queries and {part.name} {len(part)} rows, and neither has ids: "
            "give ids, as many rows, or one row for all."
        )
    found = find(names.ids, part.ids)
    missing = np.flatnonzero(found < 0)
    if len(missing):
        raise DataError(
            f"{part.name} has no row {names.id_at(int(missing[0]))!r}, which {names.name} has: a part needs "
            "a row for every query, or one row for all."
        )
    return rows[found]
