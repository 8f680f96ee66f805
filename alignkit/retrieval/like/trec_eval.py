"""trec_eval, as pytrec_eval-terrier 0.5.11 runs it."""

from alignkit.retrieval.like._base import Tool, same_names
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs


class TrecEval(Tool):
    """Give trec_eval's figures: linear gains, average precision over all positives, ties by falling id.

    Every cell of the relevance matrix is a judgement, so a query without a positive is judged and scores 0.

    Defects
    -------
    Scores are compared in float32, however they were given: two that differ in the eighth digit are tied.
    Ties are broken by the document's name, greatest first: renaming documents changes the figure.

    References
    ----------
    Buckley & Voorhees, *trec_eval*; Van Gysel & de Rijke (2018), *Pytrec_eval*.

    Examples
    --------
    >>> import numpy as np
    >>> TrecEval().score(np.array([[0.5, 0.5], [0.1, 0.9]]), metrics=["recip_rank"])
    {'recip_rank': 0.75}
    """

    name = "trec_eval"
    keyed = True
    figures = same_names(
        {
            "recip_rank": "mrr",
            "map": "map",
            "ndcg": "ndcg",
            "success_{k}": "hit@{k}",
            "recall_{k}": "recall@{k}",
            "P_{k}": "precision@{k}",
            "map_cut_{k}": "map@{k}",
            "ndcg_cut_{k}": "ndcg@{k}",
        },
        Convention("", dtype="float32", order="id_descending", norm="R", graded=True, empty="zero"),
    )
    usual = (
        *("recip_rank", "map", "ndcg", "success_1", "success_5", "success_10", "recall_5", "recall_10"),
        *("P_5", "P_10", "map_cut_5", "map_cut_10", "ndcg_cut_5", "ndcg_cut_10"),
    )
    card = Card(
        tool="trec_eval",
        compared_with="pytrec_eval-terrier 0.5.11",
        ties="falling document id, compared as strings",
        recall_label="recall_k is the share of all positives among the first k; success_k is the hit rate",
        ap_denominator="R, the number of positives, at every cut",
        mrr_cut="none",
        median="not offered",
        empty_queries="zero, kept in the mean, if judged",
        dtype="float32",
        memory="one dictionary entry for each query and document",
        needs="scores and grades; ids where ties matter",
        defects=("compares scores in float32", "breaks ties by the name of the document"),
    )

    def _check(self, inputs: Inputs) -> None:
        """Accept any relevance."""
