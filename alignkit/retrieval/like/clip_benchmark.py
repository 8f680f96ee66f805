"""CLIP_benchmark at 48de38c, its zero-shot retrieval."""

from collections.abc import Mapping

from alignkit.retrieval.like._base import Figure, Tool
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs


class ClipBenchmark(Tool):
    """Give CLIP_benchmark's retrieval figures: rows are texts that look for images, columns are images.

    ``recall@k`` is the mean of the true recall that it computes inside and thresholds before reporting.

    Defects
    -------
    What it reports as recall is a hit rate: one of five captions among the first k counts as all.
    A text without an image has recall 0/0, which is NaN: it makes ``recall@k`` NaN, and in the reported
    figure, where NaN > 0 is false, it silently counts as a miss. (Images without a text are left out of
    ``text_retrieval_recall@k`` here, and counted; the tool counts them as misses in the same way.)
    Ties fall as torch.topk lets them. A k beyond the gallery fails.

    References
    ----------
    Cherti & Beaumont, *CLIP benchmark*.

    Examples
    --------
    >>> import numpy as np
    >>> scores, relevance = np.array([[0.9, 0.1, 0.5]]), np.array([[1, 1, 0]])
    >>> ClipBenchmark().score(scores, relevance, ["image_retrieval_recall@1", "recall@1"])
    {'image_retrieval_recall@1': 1.0, 'recall@1': 0.5}
    """

    name = "clip_benchmark"
    strict = True
    figures: Mapping[str, Figure] = {
        "image_retrieval_recall@{k}": Figure(
            Convention("hit", dtype="float32", order="topk", empty="zero"), "hit@{k}", "recall@{k}"
        ),
        "text_retrieval_recall@{k}": Figure(
            Convention("hit", dtype="float32", order="topk", backward=True), None, "recall@{k}"
        ),
        "recall@{k}": Figure(
            Convention("recall", dtype="float32", order="topk", empty="nan"), "recall@{k}", "recall@{k}"
        ),
    }
    usual = tuple(f"{side}_retrieval_recall@{k}" for k in (1, 5, 10) for side in ("image", "text"))
    card = Card(
        tool="clip_benchmark",
        compared_with="CLIP_benchmark 48de38c (stored answers)",
        ties="as torch.topk leaves them on a CPU",
        recall_label="image_retrieval_recall@k and text_retrieval_recall@k are hit rates",
        ap_denominator="not offered",
        mrr_cut="not offered",
        median="not offered",
        empty_queries="a miss forwards (0/0 is NaN, and NaN > 0 is false); backwards left out here",
        dtype="float32 in the stored answers; the tool keeps that of the embeddings, half under amp",
        memory="the score matrix, a matrix of positives, and one-hot int64 of batch x k x gallery",
        needs="scores and relevance; texts in rows, images in columns",
        defects=("calls a hit rate recall", "a text without an image counts as a miss"),
    )

    def _check(self, inputs: Inputs) -> None:
        """Accept any relevance."""
