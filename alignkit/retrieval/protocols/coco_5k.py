"""MS-COCO, Karpathy's test split: 25,000 captions and 5,000 pictures in one gallery."""

from alignkit.retrieval.protocols._captions import FIVE, CaptionProtocol
from alignkit.retrieval.protocols._card import RECALL, Card, Figure, Side

QB_NORM = "QB-Norm's readme, its row without normalisation"


class Coco5k(CaptionProtocol):
    """Every caption among all 5,000 pictures, every picture among all 25,000 captions."""

    card = Card(
        name="coco-5k",
        task="retrieval",
        data="MS-COCO captions, test split of Karpathy and Fei-Fei (2015)",
        queries=Side("captions", 25_000, ("image",)),
        gallery=Side("pictures", 5_000),
        relevance=FIVE.format("picture"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "mrr", "median_rank:floor"),
        headline=("forward hit@1", "backward hit@1"),
        called=RECALL | {"median_rank:floor": "MedR"},
        paper="Lin et al. (2014), Microsoft COCO; Karpathy and Fei-Fei (2015) for the split",
        source="sizes and hit rate as in CLIP_benchmark and open_clip: R@k is 1 if any caption is found",
        split="test",
        published=(Figure("CLIP, text to image, R@1", 0.303, QB_NORM),),
        notes=(
            "a picture with more than five captions keeps the first five",
            "the 5,000 pictures of val2017 are another gallery of the same size: compare the gallery's hash",
        ),
    )
