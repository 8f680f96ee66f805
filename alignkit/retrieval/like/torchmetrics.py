"""torchmetrics 1.9.0, its retrieval metrics averaged over queries."""

from collections.abc import Mapping
from dataclasses import replace

from alignkit.errors import ParameterError
from alignkit.retrieval.like._base import Figure, Tool, same_names
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs

TOPK = Convention("", dtype="float32", order="topk", above_zero=True, norm="hits", empty="zero")


class Torchmetrics(Tool):
    """Give torchmetrics' figures on targets of 0 and 1, ``empty_target_action="neg"``: grades count 1.

    With ``graded_ndcg`` nDCG takes the grades, as torchmetrics does where it is given them; its other metrics
    refuse grades above 1. With ``listed`` each query brings the list of its first so many items, as
    torch.topk makes it, and not the whole gallery.

    Defects
    -------
    A positive that scores 0 or less is lost in MRR, MAP, recall and precision, since scores are taken for
    probabilities: a perfect ranking by negative cosines has an MRR of 0 and a hit rate of 1.
    MAP is divided by the hits among the first k, so one hit in first place is 1 however many are missing.
    Given lists, it takes the positives in a list for all there are: recall rises, the shorter the list the
    more.
    MRR, MAP and precision order ties as torch.topk, recall and the hit rate as torch.argsort, nDCG averages
    over them: MRR@1 and the hit rate at 1 differ on the same scores.
    torch.argsort keeps the order of rows up to 16 items; above, it promises none, and rows are used here.

    References
    ----------
    Detlefsen et al. (2022), *TorchMetrics: Measuring Reproducibility in PyTorch*.

    Examples
    --------
    >>> import numpy as np
    >>> Torchmetrics().score(np.array([[-0.1, -0.2], [-0.9, -0.3]]), metrics=["mrr", "hit_rate@1"])
    {'mrr': 0.0, 'hit_rate@1': 1.0}
    """

    name = "torchmetrics"
    figures: Mapping[str, Figure] = {
        **same_names(
            {
                "mrr": "mrr",
                "mrr@{k}": "mrr@{k}",
                "map": "map",
                "map@{k}": "map@{k}",
                "precision": "precision",
                "precision@{k}": "precision@{k}",
            },
            TOPK,
        ),
        **same_names({"recall": "recall", "recall@{k}": "recall@{k}"}, replace(TOPK, order="index")),
        **same_names(
            {"hit_rate": "hit", "hit_rate@{k}": "hit@{k}"}, replace(TOPK, order="index", above_zero=False)
        ),
        **same_names(
            {"ndcg": "ndcg", "ndcg@{k}": "ndcg@{k}"}, replace(TOPK, order="expected", above_zero=False)
        ),
    }
    usual = ("mrr", "map", "ndcg", "hit_rate", "recall", "precision")
    card = Card(
        tool="torchmetrics",
        compared_with="torchmetrics 1.9.0",
        ties="torch.topk on a CPU for MRR, MAP, precision; rows for recall, hit rate; averaged for nDCG",
        recall_label="recall@k is the share of all positives among the first k, those that score above 0",
        ap_denominator="the hits among the first k",
        mrr_cut="none, or top_k",
        median="not offered",
        empty_queries="zero (empty_target_action='neg'), kept in the mean",
        dtype="float32",
        memory="flat triples of query, score and target; a Python loop over queries",
        needs="scores and relevance",
        defects=(
            "positives with scores of 0 or less are lost in MRR, MAP, recall and precision",
            "MAP@k is divided by the hits among the first k",
            "recall on lists is a share of the positives in the list",
            "three tie rules in one family of metrics",
        ),
    )

    def __init__(self, *, graded_ndcg: bool = False, listed: int | None = None) -> None:
        if listed is not None and listed < 1:
            raise ParameterError(f"listed is {listed}: a list holds at least 1 item.")
        self.graded_ndcg, self.listed = graded_ndcg, listed

    def figure(self, name: str) -> Figure:
        """Return how the figure is made, with this tool's grades and lists."""
        found = super().figure(name)
        graded = self.graded_ndcg and found.convention.family == "ndcg"
        return replace(found, convention=replace(found.convention, graded=graded, listed=self.listed))

    def _check(self, inputs: Inputs) -> None:
        """Accept any relevance."""
