"""Score retrieval from a matrix of scores that is there already, whatever made it."""

from collections.abc import Sequence

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.conventions import item_order, settle
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores_both
from alignkit.retrieval.protocol import Protocol, check_positives
from alignkit.retrieval.scoring import RetrievalResult, score_ranks
from alignkit.retrieval.ties import ORDERS

BLOCK_BYTES = 1 << 24  # of scores looked at together: 16 MB


def score_matrix(
    scores: np.ndarray,
    positives: Positives,
    protocol: Protocol | None = None,
    *,
    groups: Sequence[np.ndarray | None] = (None, None),
    ids: Sequence[Sequence[str] | None] = (None, None),
) -> RetrievalResult:
    """Return exact retrieval scores in both directions, as `score_retrieval` does for vectors.

    Higher scores are better, compared in their own precision; negative infinity is as bad as can be, for
    items that are not positives. ``protocol.similarity`` has no say. ``groups`` and ``ids`` are those of the
    queries and of the gallery: labels whose equal values are drawn together in the bootstrap, and names by
    which tied items are ordered where ``protocol.ties`` asks for that. The tables then hold metrics of that
    order beside rank intervals that show the ties. The matrix may be a memory map; only breaking ties by an
    order reads it by columns too, which is slow where it does not fit into memory.

    Raises
    ------
    DataError
        If scores are no real numbers or hold NaN, shapes do not fit, a positive scores infinity, or a query
        lacks a positive and the protocol says error.
    ParameterError, UnknownNameError
        If the protocol asks for what there is not.

    Examples
    --------
    >>> result = score_matrix(np.array([[0.9, 0.1], [0.5, 0.5]]), Positives.diagonal(2))
    >>> result.forward["mrr"].value, result.backward["hit@1"].value
    (0.875, 1.0)
    """
    protocol = protocol or Protocol()
    check_positives(positives, protocol)
    check_scores(scores)
    ranks = rank_scores_both(scores, positives)
    settled = None, None
    if protocol.ties in ORDERS:
        sides = zip(ranks, (scores, scores.T), reversed(ids), strict=True)
        settled = [
            settle(side, matrix, item_order(protocol.ties, side.n_gallery, names))
            for side, matrix, names in sides
        ]
    about = {"dtype": {"scores": str(scores.dtype)}, "similarity": "given scores"}
    return score_ranks(ranks, protocol, groups=groups, settled=settled, about=about)


def check_scores(scores: np.ndarray) -> None:
    """Raise DataError unless ``scores`` is a matrix of real numbers; the first row with NaN is named."""
    if scores.ndim != 2 or scores.dtype.kind not in "fiub":
        raise DataError(
            f"scores have shape {scores.shape} and type {scores.dtype}: "
            "give a matrix of real numbers, a row for each query and a column for each item."
        )
    step = max(1, BLOCK_BYTES // max(scores.shape[1] * scores.itemsize, 1))
    for start in range(0, len(scores) if scores.dtype.kind == "f" else 0, step):
        bad = np.flatnonzero(np.isnan(scores[start : start + step]).any(axis=1))
        if len(bad):
            raise DataError(f"row {start + bad[0]} of the scores holds NaN: repair or remove it.")
