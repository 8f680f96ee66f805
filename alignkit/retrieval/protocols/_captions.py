"""Protocols of captioned pictures and clips: each caption looks for its own, each of those for five."""

import numpy as np
import pyarrow as pa

from alignkit._columns import find
from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.protocols._base import NamedProtocol, Round
from alignkit.shapes import Links
from alignkit.spaces import Embeddings

CAPTIONS = 5
FIVE = "each caption has one right {0}; each {0} has its five captions, and finding any of them is a hit"


class CaptionProtocol(NamedProtocol):
    """Captions are the queries; their first needed column names the id of the gallery's row."""

    def _links(self, queries: Embeddings, gallery: Embeddings) -> Links:
        column, what = self.card.queries.columns[0], self.card.gallery.what
        named = self.column(queries, column, f"names the id of each caption's row among the {what}")
        found = find(pa.array(named), gallery.ids)
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise DataError(
                f"{queries.name}, column {column}, row {row}: {gallery.name} has no id {named[row]!r} "
                f"(its first is {gallery.id_at(0)!r}): give all {what} of the split, under those ids."
            )
        return np.stack([np.arange(len(found)), found], axis=1)

    def _differences(self, whole: Pairs, rounds: tuple[Round, ...]) -> list[str]:
        found = super()._differences(whole, rounds)
        counts = np.bincount(whole.links[:, 1], minlength=len(whole.target))
        other = np.flatnonzero(counts != CAPTIONS)
        if len(other):
            found.append(
                f"{whole.target.id_at(int(other[0]))!r} has {counts[other[0]]} captions, not {CAPTIONS} "
                f"(so have {len(other):,} rows)"
            )
        return found


class FoldedCaptions(CaptionProtocol):
    """The same in folds that a column ``fold`` of the gallery names; captions follow their picture."""

    def _rounds(self, whole: Pairs) -> tuple[Round, ...]:
        folds = np.array(self.column(whole.target, "fold", "says which fold each row belongs to"))
        of_query = np.empty(len(whole.source), folds.dtype)
        of_query[whole.links[:, 0]] = folds[whole.links[:, 1]]
        return tuple(
            Round(str(fold), np.flatnonzero(of_query == fold), np.flatnonzero(folds == fold))
            for fold in np.unique(folds)
        )
