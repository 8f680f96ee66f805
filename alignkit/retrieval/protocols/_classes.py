"""Protocols whose positives are classes: rows of one class, or the one text that names it."""

import numpy as np

from alignkit._columns import links_by_value
from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.protocols._base import NamedProtocol, Round
from alignkit.shapes import Links
from alignkit.spaces import Embeddings

LABEL = "names the class of each row"


class ClassProtocol(NamedProtocol):
    """All rows that share a query's value in the column ``label`` are right."""

    def _links(self, queries: Embeddings, gallery: Embeddings) -> Links:
        wanted, held = (self.column(side, "label", LABEL) for side in (queries, gallery))
        links = links_by_value(np.array(wanted), np.array(held))
        if not len(links):
            raise DataError(
                f"no class is shared: {queries.name} has {wanted[0]!r} and {gallery.name} {held[0]!r} in "
                "column label: name the classes alike."
            )
        return links


class ZeroShot(NamedProtocol):
    """Rows with a column ``label`` look for the one text that names their class.

    The texts' class is their column ``label``, or their id where they have none. A probe that is trained on
    the other folds answers another question and is no retrieval.
    """

    def _links(self, queries: Embeddings, gallery: Embeddings) -> Links:
        wanted = np.array(self.column(queries, "label", LABEL))
        if "label" in gallery.items.column_names:
            held = np.array(self.column(gallery, "label", LABEL))
        else:
            held = np.array([str(name) for name in gallery.ids.to_pylist()])
        names, counts = np.unique(held, return_counts=True)
        if (counts > 1).any():
            raise DataError(
                f"{gallery.name} has {counts.max()} rows of class {str(names[counts.argmax()])!r}: "
                f"{self.card.name} without a trained probe ranks one text a class; give class texts."
            )
        lost = np.flatnonzero(~np.isin(wanted, names))
        if len(lost):
            raise DataError(
                f"{queries.name}, row {lost[0]} is of class {str(wanted[lost[0]])!r}, which {gallery.name} "
                f"does not name (it has {', '.join(names[:3])} ...): give a text for every class."
            )
        return links_by_value(wanted, held)


class FoldedZeroShot(ZeroShot):
    """The same in the data set's own folds, a column ``fold`` of the rows; all folds share the texts."""

    def _rounds(self, whole: Pairs) -> tuple[Round, ...]:
        folds = np.array(self.column(whole.source, "fold", "says which of the data set's folds a row is in"))
        everything = np.arange(len(whole.target))
        return tuple(Round(str(fold), np.flatnonzero(folds == fold), everything) for fold in np.unique(folds))
