"""AudioCaps' test split as it is still found: 4,785 captions and 957 clips."""

from alignkit.retrieval.protocols._captions import FIVE, CaptionProtocol
from alignkit.retrieval.protocols._card import RECALL, Card, Figure, Side

TEXTME = "TextME's readme"


class AudioCaps(CaptionProtocol):
    """Every caption among 957 clips, every clip among their 4,785 captions."""

    card = Card(
        name="audiocaps",
        task="retrieval",
        data="AudioCaps, test split, the 957 clips in the list of WavCaps",
        queries=Side("captions", 4_785, ("audio",)),
        gallery=Side("clips", 957),
        relevance=FIVE.format("clip"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "map@10:R", "mrr"),
        headline=("forward hit@1", "backward hit@1"),
        called=RECALL | {"map@10:R": "mAP@10"},
        paper="Kim et al. (2019), AudioCaps",
        source="the split's list in WavCaps (data/AudioCaps/csv_files/test.csv): 957 clips, five captions",
        split="test",
        published=(
            Figure("Ex-MCR, text to audio, R@1", 0.1907, TEXTME),
            Figure("TextME, text to audio, R@1", 0.1535, TEXTME),
            Figure("text to audio, R@1, model not named", 0.231, "QB-Norm's readme, its row without it"),
        ),
        notes=(
            "clips vanish from the web: galleries of 975 and fewer are in use, and papers seldom say which",
            "the published figures do not state their gallery",
        ),
    )
