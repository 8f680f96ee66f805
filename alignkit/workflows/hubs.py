"""Say beside retrieval scores how unevenly items are found: hubs, and items that nobody finds."""

from dataclasses import replace
from typing import Any

import numpy as np

from alignkit.alignment import Alignment
from alignkit.retrieval.hubness import NEIGHBOURS, Hubness, measure_hubness_both
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import Evaluation, prepared_rows

NAMED = 5  # hubs that a report names


def with_hubness(
    found: Evaluation,
    queries: Embeddings,
    gallery: Embeddings,
    *,
    k: int = NEIGHBOURS,
    alignment: Alignment | None = None,
    center: bool = False,
) -> Evaluation:
    """Return an evaluation with the sections ``hubness_forward`` and ``hubness_backward``.

    Forward, the gallery's items are counted among the ``k`` of greatest cosine to each query; backward the
    queries among those of each gallery item. Each has the skewness of the counts, the share of items that
    nobody finds, Gini and Robin Hood index and the greatest hub's share, beside their level at random
    retrieval. The context's ``hubness`` names the greatest hubs with how often each was found.

    Raises
    ------
    ParameterError
        If ``k`` is below 1, or no smaller than a side.

    Examples
    --------
    >>> from alignkit.workflows.evaluation import evaluate
    >>> same = Embeddings(np.eye(6))
    >>> found = with_hubness(evaluate(same, same), same, same, k=1)
    >>> found.report.sections["hubness_forward"]["antihub_share"].value
    0.0
    """
    rows, _ = prepared_rows(queries, gallery, alignment, "cosine", center=center)
    measured = measure_hubness_both(*rows, k=k)
    sections = dict(found.report.sections)
    facts: dict[str, Any] = {"k": k, "similarity": "cosine"}
    for direction, hubs, held in zip(("forward", "backward"), measured, (gallery, queries), strict=True):
        sections[f"hubness_{direction}"] = hubs.scores()
        facts[direction] = _greatest(hubs, held)
    report = replace(found.report, sections=sections, context=found.report.context | {"hubness": facts})
    return replace(found, report=report)


def _greatest(hubs: Hubness, held: Embeddings) -> list[dict[str, Any]]:
    """Return the items that are found most often, the lower row first where equal."""
    order = np.argsort(-hubs.occurrences, kind="stable")[:NAMED]
    return [{"id": held.ids[int(row)].as_py(), "found_by": int(hubs.occurrences[row])} for row in order]
