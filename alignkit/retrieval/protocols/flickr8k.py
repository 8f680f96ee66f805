"""Flickr8k, Karpathy's test split: 5,000 captions and 1,000 pictures."""

from alignkit.retrieval.protocols._captions import FIVE, CaptionProtocol
from alignkit.retrieval.protocols._card import RECALL, Card, Side


class Flickr8k(CaptionProtocol):
    """Every caption among 1,000 pictures, every picture among their 5,000 captions."""

    card = Card(
        name="flickr8k",
        task="retrieval",
        data="Flickr8k, test split of Karpathy and Fei-Fei (2015)",
        queries=Side("captions", 5_000, ("image",)),
        gallery=Side("pictures", 1_000),
        relevance=FIVE.format("picture"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "mrr"),
        headline=("forward hit@1", "backward hit@1"),
        called=RECALL,
        paper="Hodosh et al. (2013), Framing image description as a ranking task",
        source="CLIP_benchmark issue 48: its table once held figures over the whole data set, not this split",
        split="test",
        notes=("figures over the whole data set are figures of another gallery",),
    )
