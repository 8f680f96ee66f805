"""Per-query metrics from tie groups, by expectation over the orders of tied items, in closed form.

McSherry & Najork (2008), *Computing information retrieval performance measures efficiently in the presence
of tied scores*: within a tie group every order is equally likely, so each metric has an exact expectation.
"""

from collections.abc import Callable, Sequence

import numpy as np

from alignkit.retrieval.exact.ranks import Ranks
from alignkit.retrieval.metrics._average_precision import average_precision
from alignkit.retrieval.metrics._first_positive import (
    first_rank,
    geometric_first_rank,
    reciprocal_rank,
)
from alignkit.retrieval.metrics._found import hit, precision, r_precision, recall
from alignkit.retrieval.metrics._gain import normalised_gain
from alignkit.retrieval.metrics._names import KNOWN, Metric, parse_metric
from alignkit.retrieval.ties import TieGroups, Ties, tie_groups
from alignkit.shapes import PerQuery

__all__ = ["FAMILIES", "KNOWN", "Metric", "evaluate", "parse_metric", "per_query"]

FAMILIES: dict[str, Callable[[TieGroups, Metric], PerQuery]] = {
    "mrr": reciprocal_rank,
    "hit": hit,
    "recall": recall,
    "precision": precision,
    "rprecision": r_precision,
    "map": average_precision,
    "ndcg": normalised_gain,
    "mean_rank": first_rank,
    "median_rank": first_rank,
    "geometric_mean_rank": geometric_first_rank,
}


def per_query(ranks: Ranks, metrics: Sequence[str], *, ties: Ties = "expected") -> dict[str, PerQuery]:
    """Return every metric for every query: NaN for a query without a positive.

    With ``ties="expected"`` each number is the mean over all orders of the tied items, so that it does not
    depend on the order of the rows, and a space collapsed to one point scores at chance. For
    ``geometric_mean_rank`` it is the geometric mean over these orders: the geometric mean over the queries
    then is the one over all queries and all orders. A median over queries is taken of expected ranks.

    Raises
    ------
    UnknownNameError, ParameterError
        If there is no such metric, or no such rule for ties; ``"index"``, ``"docid_desc"`` and
        ``"docid_asc"`` need ranks from `conventions.rank_in_order`.
    DataError
        If ``ndcg:exp`` meets a grade whose gain is too large a number.

    Examples
    --------
    >>> from alignkit.retrieval.exact.positives import Positives
    >>> from alignkit.retrieval.exact.ranks import rank_scores
    >>> ranks = rank_scores(np.array([[0.9, 0.1], [0.5, 0.5]]), Positives.diagonal(2))
    >>> per_query(ranks, ["mrr", "hit@1"])["mrr"].tolist()
    [1.0, 0.75]
    """
    return evaluate(tie_groups(ranks, ties), [parse_metric(name) for name in metrics])


def evaluate(groups: TieGroups, metrics: Sequence[Metric]) -> dict[str, PerQuery]:
    """Return the metrics of queries whose tie groups are known."""
    empty = groups.positives == 0
    values = {}
    for metric in metrics:
        value = FAMILIES[metric.family](groups, metric)
        value[empty] = np.nan
        values[metric.name] = value
    return values
