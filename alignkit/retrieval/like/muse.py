"""MUSE at 3159355, its word translation by nearest neighbours and by CSLS (Conneau et al. 2018)."""

from collections.abc import Mapping

from alignkit.retrieval.like._base import Figure
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._words import WordTool, csls

NEIGHBOURS = 10
LISTED = 10  # targets that it asks torch.topk for, whatever k


class Muse(WordTool):
    """Give MUSE's precision at k in per cent: a hit if any of a word's translations is among the first k.

    Scores are cosines of the *whole* source vocabulary (rows) to the whole target vocabulary: CSLS takes each
    target word's ten nearest among all source words. Give ``score_vectors`` embeddings to have them made.
    Source words that the dictionary lacks are rows without a positive.

    Defects
    -------
    What it calls precision is a hit rate, times 100. Words of the dictionary that have no vector are dropped
    without a trace in the figure (vecmap reports them as coverage).
    Fewer than ten words on either side make it fail. Ties fall as torch.topk with ten leaves them.

    References
    ----------
    Conneau et al. (2018), *Word translation without parallel data*.

    Examples
    --------
    >>> import numpy as np
    >>> Muse().score(np.eye(12), metrics=["precision_at_1-nn", "precision_at_5-csls_knn_10"])
    {'precision_at_1-nn': 100.0, 'precision_at_5-csls_knn_10': 100.0}
    """

    name = "muse"
    strict = True
    figures: Mapping[str, Figure] = {
        "precision_at_{k}-nn": Figure(
            Convention("hit", dtype="float32", order="topk", depth=LISTED, scale=100.0),
            "hit@{k}",
            "precision@{k}",
        ),
        "precision_at_{k}-csls_knn_10": Figure(
            Convention(
                "hit", dtype="float32", adjust=csls(NEIGHBOURS), order="topk", depth=LISTED, scale=100.0
            ),
            None,
            "precision@{k}",
        ),
    }
    usual = tuple(
        f"precision_at_{k}-{method}" for method in ("nn", f"csls_knn_{NEIGHBOURS}") for k in (1, 5, 10)
    )
    card = Card(
        tool="muse",
        compared_with="definitions of MUSE 3159355",
        ties="as torch.topk leaves the first ten on a CPU",
        recall_label="not offered; precision_at_k is a hit rate in per cent",
        ap_denominator="not offered",
        mrr_cut="not offered",
        median="not offered",
        empty_queries="dropped: they are words that the dictionary lacks",
        dtype="float32",
        memory="the scores of all words of the dictionary",
        needs="cosines of both whole vocabularies, or their embeddings",
        defects=("calls a hit rate precision", "fails with fewer than ten words on a side"),
    )

    def _refusal(self, name: str, inputs: Inputs) -> str | None:
        k = self.figure(name).convention.k or 1
        if k > LISTED:
            return f"muse lists {LISTED} targets for each word: give k of at most {LISTED}."
        if "csls" in name and len(inputs.scores) < NEIGHBOURS:
            return f"muse takes the {NEIGHBOURS} nearest of {len(inputs.scores)} source words and fails."
        return super()._refusal(name, inputs)
