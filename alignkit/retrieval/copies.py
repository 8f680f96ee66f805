"""Byte-identical rows: copies of one item, which no ranking can tell apart."""

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.exact.positives import Positives
from alignkit.shapes import Labels

MOST = 50_000_000  # pairs: 400 MB of indices


def collapse_duplicates(positives: Positives, query_labels: Labels, gallery_labels: Labels) -> Positives:
    """Return the positives that follow when copies of a row pass for one another.

    Labels are those of `duplicate_labels`: what is right for a query is right for its copies, and so is
    every copy of a right item. Without this a query whose partner was stored twice loses to the copy half of
    the time. Grades go along, the highest where several meet; what is excluded stays so.

    Raises
    ------
    DataError
        If that makes more than 50 million positives: so many copies say that the embeddings collapsed.

    Examples
    --------
    >>> links, labels = np.array([[0, 0], [1, 2]]), np.array([0, 0, 2])  # items 0 and 1 are copies
    >>> collapse_duplicates(Positives.from_links(links, 2, 3), np.arange(2), labels).links.tolist()
    [[0, 0], [0, 1], [1, 2]]
    """
    query_kinds, queries_of = _kinds(query_labels)
    item_kinds, items_of = _kinds(gallery_labels)
    sizes = np.diff(queries_of.indptr), np.diff(items_of.indptr)
    grades = np.ones(len(positives), np.int64) if positives.grades is None else positives.grades
    left, right = query_kinds[positives.queries], item_kinds[positives.indices]
    pairs, which = np.unique(np.stack([left, right], axis=1), axis=0, return_inverse=True)
    best = np.zeros(len(pairs), np.int64)
    np.maximum.at(best, which.ravel(), grades)
    across, down = sizes[1][pairs[:, 1]], sizes[0][pairs[:, 0]]
    if (total := int((across * down).sum())) > MOST:
        raise DataError(
            f"copies of the right items would make {total} positives, more than {MOST}: the rows have "
            "collapsed to a few; leave the duplicates as they are, or mend the embeddings."
        )
    pair = np.repeat(np.arange(len(pairs)), across * down)
    place = np.arange(total) - np.repeat(np.cumsum(across * down) - across * down, across * down)
    query = queries_of.indices[queries_of.indptr[pairs[pair, 0]] + place // across[pair]]
    item = items_of.indices[items_of.indptr[pairs[pair, 1]] + place % across[pair]]
    found = Positives.from_links(
        np.stack([query, item], axis=1),
        positives.n_queries,
        positives.n_gallery,
        grades=None if positives.grades is None else best[pair],
    )
    return found if positives.excluded is None else found.excluding(positives.excluded.links)


def _kinds(labels: Labels) -> tuple[Labels, Positives]:
    """Return the number of each row's kind, and the rows of every kind."""
    first, kinds = np.unique(labels, return_inverse=True)
    kinds = kinds.ravel()
    rows = np.stack([kinds, np.arange(len(labels))], axis=1)
    return kinds, Positives.from_links(rows, len(first), len(labels))
