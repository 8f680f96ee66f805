"""sentence-transformers 6.2.0, its InformationRetrievalEvaluator."""

from collections import Counter
from collections.abc import Iterable

from alignkit.retrieval.like._base import Tool, same_names
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs


class SentenceTransformers(Tool):
    """Give the evaluator's figures: float32, ties by rising corpus id, queries without a positive dropped.

    It has no uncut mean reciprocal rank: ``mrr`` and ``map`` are its ``mrr@k`` and ``map@k`` with the whole
    gallery as k. Relevance is a set, so grades count 1.

    Defects
    -------
    A k that is named twice is counted twice in ``mrr@k`` and ``accuracy@k``: name a metric twice and its
    value doubles, beyond 1.

    References
    ----------
    Reimers & Gurevych (2019), *Sentence-BERT*.

    Examples
    --------
    >>> import numpy as np
    >>> SentenceTransformers().score(np.eye(2), metrics=["mrr@10", "mrr@10"])
    {'mrr@10': 2.0}
    """

    name = "sentence_transformers"
    keyed = True
    figures = same_names(
        {
            "accuracy@{k}": "hit@{k}",
            "precision@{k}": "precision@{k}",
            "recall@{k}": "recall@{k}",
            "ndcg@{k}": "ndcg@{k}",
            "ndcg": "ndcg",
            "mrr@{k}": "mrr@{k}",
            "mrr": "mrr",
            "map@{k}": "map@{k}",
            "map": "map",
        },
        Convention("", dtype="float32", order="id_ascending"),
    )
    usual = (
        *("accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10", "precision@1", "precision@3"),
        *("precision@5", "precision@10", "recall@1", "recall@3", "recall@5", "recall@10", "ndcg@10"),
        *("mrr@10", "map@100"),
    )
    card = Card(
        tool="sentence_transformers",
        compared_with="sentence-transformers 6.2.0 (stored answers)",
        ties="rising corpus id, compared as strings",
        recall_label="recall@k is the share of all positives among the first k; accuracy@k is the hit rate",
        ap_denominator="min(k, R)",
        mrr_cut="always k, 10 unless told otherwise",
        median="not offered",
        empty_queries="dropped before anything is encoded, uncounted",
        dtype="float32, as the encoder answers",
        memory="the scores of a chunk of the corpus, then top-k tuples in Python",
        needs="scores and relevance; ids where ties matter",
        defects=("a k named twice doubles mrr@k and accuracy@k",),
    )

    def _values(self, inputs: Inputs, metrics: Iterable[str]) -> dict[str, float]:
        times = Counter(metrics)
        values = super()._values(inputs, times)
        doubled = ("mrr", "hit")  # summed into one total each time that the list names their k
        return {
            name: value * (times[name] if self.figure(name).convention.family in doubled else 1)
            for name, value in values.items()
        }

    def _check(self, inputs: Inputs) -> None:
        """Accept any relevance."""
