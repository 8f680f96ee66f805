"""The level that each metric reaches where scores carry no information, in closed form."""

from collections.abc import Sequence

import numpy as np

from alignkit.retrieval.metrics import evaluate, parse_metric
from alignkit.retrieval.ties import all_tied
from alignkit.shapes import QueryCounts


def chance_levels(
    positives: QueryCounts, n_gallery: int, metrics: Sequence[str], *, zero: bool = False
) -> dict[str, float]:
    """Return each metric's expectation over all orders of the gallery, summarised over the queries.

    ``positives`` is the number of positives of each query; queries with none are left out or, with ``zero``,
    count as finding nothing. Hits are hypergeometric; every other metric is the expectation of one tie group
    that holds the whole gallery, so a space collapsed to one point scores exactly this. For ``median_rank``
    it is the median of the queries' expected ranks; the median over one random order is lower where queries
    have several positives.

    Examples
    --------
    >>> chance_levels(np.array([1]), 15446, ["mrr"])["mrr"]  # one clip among VGGSound's test set
    0.000661...
    """
    counts, queries = np.unique(positives if zero else positives[positives > 0], return_counts=True)
    levels = {}
    for metric in [parse_metric(name) for name in metrics]:
        values = evaluate(all_tied(counts, n_gallery), [metric])[metric.name]
        values[counts == 0] = metric.worst(n_gallery)
        if metric.statistic == "median":
            levels[metric.name] = float(np.median(np.repeat(values, queries)))
        else:
            levels[metric.name] = float(values @ queries / queries.sum())
    return levels
