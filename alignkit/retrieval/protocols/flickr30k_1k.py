"""Flickr30k, Karpathy's test split: 5,000 captions and 1,000 pictures."""

from alignkit.retrieval.protocols._captions import FIVE, CaptionProtocol
from alignkit.retrieval.protocols._card import RECALL, Card, Side


class Flickr30k1k(CaptionProtocol):
    """Every caption among 1,000 pictures, every picture among their 5,000 captions."""

    card = Card(
        name="flickr30k-1k",
        task="retrieval",
        data="Flickr30k, test split of Karpathy and Fei-Fei (2015)",
        queries=Side("captions", 5_000, ("image",)),
        gallery=Side("pictures", 1_000),
        relevance=FIVE.format("picture"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "mrr"),
        headline=("forward hit@1", "backward hit@1"),
        called=RECALL,
        paper="Young et al. (2014), Flickr30k; Karpathy and Fei-Fei (2015) for the split",
        source="mteb issue 1449: figures over the whole data set were once printed beside this split's",
        split="test",
        notes=("figures over the whole data set are figures of another gallery",),
    )
