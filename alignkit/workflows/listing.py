"""Make a run of the best items of every query, and judgements of pairs: what other tools score."""

import numpy as np
import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.pairs import Pairs
from alignkit.retrieval.exact.vectors import Similarity
from alignkit.retrieval.search.run_search import best_hits
from alignkit.retrieval.search.runs import Qrels, Run
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import scored_rows, with_directions


def make_run(
    queries: Embeddings,
    gallery: Embeddings,
    *,
    k: int = 100,
    tag: str = "alignkit",
    alignment: Alignment | None = None,
    similarity: Similarity = "cosine",
) -> Run:
    """Return the ``k`` best items of every query with the scores that `evaluate` ranks by.

    Through ``alignment`` in its joint frame, or as the rows are. The search is exact, and the scores are
    float64; the lower row of the gallery stands first in a tie. Where ``k`` splits a tie, the warnings of
    the run count the queries: no reader of the list can know of it.

    Raises
    ------
    DataError
        If dimensions differ and no alignment joins them, or rows are not finite or have no direction.
    SpaceMismatchError
        If the alignment joins other spaces.
    ParameterError
        If ``k`` is below 1.

    Examples
    --------
    >>> gallery = Embeddings(np.eye(3), ids=["cat", "dog", "owl"])
    >>> run = make_run(Embeddings(np.array([[1.0, 0.5, 0.0]]), ids=["pet"]), gallery, k=2)
    >>> [run.items[hit] for hit in run.hits]
    ['cat', 'dog']
    """
    if k < 1:
        raise ParameterError(f"k is {k}: list at least one item for each query.")
    rows = scored_rows(queries, gallery, alignment, similarity)
    if similarity == "cosine" and alignment is not None:
        rows, _ = with_directions(*rows)
    hits, scores, split = best_hits(rows[0], rows[1], k, similarity=similarity)
    torn = int(split.sum())
    said = (
        f"the cut at {k} splits a tie of {torn} of {len(queries)} queries, where the order of the gallery's "
        f"rows decides what is listed: figures cut at {k} can differ from those of the whole gallery."
    )
    return Run.of(
        names_of(queries),
        names_of(gallery),
        np.repeat(np.arange(len(queries)), hits.shape[1]),
        hits.ravel(),
        scores.ravel(),
        tag=tag,
        warnings=(said,) if torn else (),
    )


def make_qrels(pairs: Pairs, grades: np.ndarray | None = None) -> Qrels:
    """Return the pairs as judgements of grade 1, or of one whole number for each link.

    Examples
    --------
    >>> same = Embeddings(np.eye(2), ids=["a", "b"])
    >>> len(make_qrels(Pairs.by_id(same, same)))
    2
    """
    grades = np.ones(len(pairs), np.int64) if grades is None else np.asarray(grades)
    if grades.shape != (len(pairs),) or (grades.size and grades.dtype.kind not in "iu"):
        raise ParameterError(
            f"grades have shape {grades.shape} and type {grades.dtype}: give one whole number for each of "
            f"the {len(pairs)} links."
        )
    return Qrels(names_of(pairs.source), names_of(pairs.target), pairs.links, grades.astype(np.int64))


def names_of(side: Embeddings) -> list[str]:
    """Return the ids of one side as texts, in the order of its rows."""
    return side.ids.cast(pa.large_string()).to_pylist()
