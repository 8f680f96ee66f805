"""Clotho's evaluation split: 5,225 captions and 1,045 clips, DCASE's recall beside CLAP's hit rate."""

from alignkit.retrieval.protocols._captions import FIVE, CaptionProtocol
from alignkit.retrieval.protocols._card import Card, Side


class Clotho(CaptionProtocol):
    """Every caption among 1,045 clips, every clip among their 5,225 captions."""

    card = Card(
        name="clotho",
        task="retrieval",
        data="Clotho v2, evaluation split",
        queries=Side("captions", 5_225, ("audio",)),
        gallery=Side("clips", 1_045),
        relevance=FIVE.format("clip"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "recall@1", "recall@5", "recall@10", "map@10:R", "mrr"),
        headline=("forward hit@1", "forward map@10:R"),
        called={
            **{f"hit@{k}": f"R@{k} in CLAP" for k in (1, 5, 10)},
            **{f"recall@{k}": f"R@{k} in DCASE" for k in (1, 5, 10)},
            "map@10:R": "mAP@10 in DCASE",
        },
        paper="Drossos et al. (2020), Clotho; DCASE 2023, task 6b",
        source="the split's list: 5,225 captions of 1,045 clips; the code of DCASE 2023 and LAION-CLAP",
        split="evaluation",
        notes=(
            "clip to text, the two R@k differ by up to five times: CLAP asks for any caption, DCASE for all",
            "LAION-CLAP's code prints an mAP@10 that may exceed 1: it divides unsorted ranks by five",
        ),
    )
