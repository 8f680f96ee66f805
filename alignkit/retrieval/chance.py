"""The level that each metric reaches where scores carry no information, in closed form."""

from collections.abc import Sequence

import numpy as np

from alignkit.retrieval.metrics import evaluate, parse_metric
from alignkit.retrieval.ties import all_tied
from alignkit.shapes import PerPositive, QueryCounts


def chance_levels(
    positives: QueryCounts,
    n_gallery: int,
    metrics: Sequence[str],
    *,
    zero: bool = False,
    grades: PerPositive | None = None,
) -> dict[str, float]:
    """Return each metric's expectation over all orders of the gallery, summarised over the queries.

    ``positives`` is the number of positives of each query; queries with none are left out or, with ``zero``,
    count as finding nothing. ``grades`` are those of all positives, query by query, where they have any.
    Hits are hypergeometric; every other metric is the expectation of one tie group that holds the whole
    gallery, so a space collapsed to one point scores exactly this. For ``median_rank`` it is the median of
    the queries' expected ranks; the median over one random order is lower where queries have several
    positives.

    Examples
    --------
    >>> chance_levels(np.array([1]), 15446, ["mrr"])["mrr"]  # one clip among VGGSound's test set
    0.000661...
    """
    used = positives if zero else positives[positives > 0]
    if grades is None:
        counts, queries = np.unique(used, return_counts=True)
    else:  # two queries with as many positives may differ in their grades
        counts, queries = used, np.ones_like(used)
    levels = {}
    for metric in [parse_metric(name) for name in metrics]:
        values = evaluate(all_tied(counts, n_gallery, grades), [metric])[metric.name]
        values[counts == 0] = metric.worst(n_gallery)
        scaled = metric.scaled(values)
        if metric.statistic == "median":
            summary = np.median(np.repeat(scaled, queries))
        else:
            summary = scaled @ queries / queries.sum()
        levels[metric.name] = float(metric.unscaled(summary))
    return levels
