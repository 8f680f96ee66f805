"""Pairs that are not ranked at all: a query and itself, or another row of its own recording."""

from typing import Any

import numpy as np

from alignkit._columns import links_by_column
from alignkit.errors import PairingError
from alignkit.pairs import Pairs
from alignkit.shapes import Links
from alignkit.spaces import Embeddings

SELF = "self"


def excluded_links(queries: Embeddings, gallery: Embeddings, exclude: str | None) -> Links | None:
    """Return the pairs (query row, gallery row) that ``exclude`` names, by their ids or by a column.

    Raises
    ------
    PairingError
        If no id is shared, sides without ids differ in length, or a side has no such column.
    """
    if exclude is None:
        return None
    if exclude != SELF:
        return links_by_column(queries, gallery, exclude)
    if not (queries.has_ids or gallery.has_ids) and len(queries) != len(gallery):
        raise PairingError(
            f"{queries.name} has {len(queries)} rows and {gallery.name} {len(gallery)}, neither has ids, and "
            "so nobody knows which item is the query itself: give ids to both."
        )
    return Pairs.by_id(queries, gallery).links


def exclusion_facts(exclude: str | None, links: Links | None, pairs: Pairs) -> dict[str, Any] | None:
    """Return what was excluded, and how many of the partners that cost."""
    if links is None:
        return None
    wanted = pairs.links
    width = 1 + max(int(side[:, 1].max(initial=0)) for side in (links, wanted))
    flat = [side[:, 0] * width + side[:, 1] for side in (links, wanted)]
    return {"by": exclude, "pairs": len(links), "positives": int(np.isin(flat[1], flat[0]).sum())}
