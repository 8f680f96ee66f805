"""ranx 0.3.21, its dictionaries and numba kernels."""

import re
from dataclasses import replace

from alignkit.retrieval.like._base import Figure, Tool, same_names
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs


class Ranx(Tool):
    """Give ranx's figures: float64, average precision over all positives, ties as its quicksort leaves them.

    A suffix ``-l2`` counts grades of at least 2 only, as in ranx. Every cell of the relevance matrix is a
    judgement, so a query without a positive scores 0 and stays in the mean.

    Defects
    -------
    Up to 15 documents a query, ties stand in the order of insertion; above, an unstable quicksort moves
    them, so the same ties rank otherwise in a longer list. ``mrr@k`` is cut at k although ranx's
    documentation says that k is ignored.

    References
    ----------
    Bassani (2022), *ranx: A blazing-fast Python library for ranking evaluation and comparison*.

    Examples
    --------
    >>> import numpy as np
    >>> Ranx().score(np.array([[0.5, 0.5], [0.1, 0.9]]), metrics=["mrr", "hit_rate@1"])
    {'mrr': 1.0, 'hit_rate@1': 1.0}
    """

    name = "ranx"
    keyed = True
    figures = same_names(
        {
            "mrr": "mrr",
            "mrr@{k}": "mrr@{k}",
            "hit_rate": "hit",
            "hit_rate@{k}": "hit@{k}",
            "recall": "recall",
            "recall@{k}": "recall@{k}",
            "precision": "precision",
            "precision@{k}": "precision@{k}",
            "map": "map",
            "map@{k}": "map@{k}",
            "ndcg": "ndcg",
            "ndcg@{k}": "ndcg@{k}",
        },
        Convention("", dtype="float64", order="quicksort", norm="R", graded=True, empty="zero"),
    )
    usual = (
        *("mrr", "mrr@10", "map", "map@10", "ndcg", "ndcg@10", "hit_rate@1", "hit_rate@5", "hit_rate@10"),
        *("recall@1", "recall@5", "recall@10", "precision@1", "precision@5", "precision@10"),
    )
    card = Card(
        tool="ranx",
        compared_with="ranx 0.3.21",
        ties="order of insertion up to 15 documents; above, as numba's unstable quicksort leaves them",
        recall_label="recall@k is the share of all positives among the first k; hit_rate@k is the hit rate",
        ap_denominator="R, the number of positives, at every cut",
        mrr_cut="none for mrr, k for mrr@k",
        median="not offered",
        empty_queries="zero, kept in the mean",
        dtype="float64",
        memory="typed dictionaries, one entry for each query and document",
        needs="scores and grades; the order of the documents where ties matter",
        defects=("ties depend on the order of insertion and on the length of the list",),
    )

    def figure(self, name: str) -> Figure:
        """Return how the figure is made, with the least grade that counts where ``-l`` names one."""
        bare, _, level = name.partition("-l")
        found = super().figure(bare if re.fullmatch("[1-9][0-9]*", level) else name)
        return replace(found, convention=replace(found.convention, level=int(level))) if level else found

    def _check(self, inputs: Inputs) -> None:
        """Accept any relevance."""
