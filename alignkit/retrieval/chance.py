"""The level that each metric reaches where scores carry no information, in closed form."""

from collections.abc import Sequence

import numpy as np

from alignkit.retrieval.metrics import evaluate, parse_metric
from alignkit.retrieval.ties import all_tied
from alignkit.shapes import PerPositive, QueryCounts


def chance_levels(
    positives: QueryCounts,
    candidates: int | QueryCounts,
    metrics: Sequence[str],
    *,
    zero: bool = False,
    grades: PerPositive | None = None,
) -> dict[str, float]:
    """Return each metric's expectation over all orders of the gallery, summarised over the queries.

    ``positives`` is the number of positives of each query and ``candidates`` how many items are ranked, for
    all or for each; queries without a positive are left out or, with ``zero``, count as finding nothing.
    ``grades`` are those of all positives, query by query, where they have any.
    Hits are hypergeometric; every other metric is the expectation of one tie group that holds the whole
    gallery, so a space collapsed to one point scores exactly this. For ``median_rank`` it is the median of
    the queries' expected ranks; the median over one random order is lower where queries have several
    positives.

    Examples
    --------
    >>> chance_levels(np.array([1]), 15446, ["mrr"])["mrr"]  # one clip among VGGSound's test set
    0.000661...
    """
    ranked = np.broadcast_to(candidates, np.shape(positives))
    used = np.stack([positives, ranked])[:, slice(None) if zero else positives > 0]
    if grades is None:
        (counts, sizes), queries = np.unique(used, axis=1, return_counts=True)
    else:  # two queries with as many positives may differ in their grades
        (counts, sizes), queries = used, np.ones_like(used[0])
    levels = {}
    for metric in [parse_metric(name) for name in metrics]:
        values = evaluate(all_tied(counts, sizes, grades), [metric])[metric.name]
        values[counts == 0] = metric.worst(sizes[counts == 0])
        scaled = metric.scaled(values)
        if metric.statistic == "median":
            summary = np.median(np.repeat(scaled, queries))
        else:
            summary = scaled @ queries / queries.sum()
        levels[metric.name] = float(metric.unscaled(summary))
    return levels
