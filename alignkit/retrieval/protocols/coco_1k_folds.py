"""MS-COCO in five galleries of 1,000 pictures, figures averaged over the five."""

from alignkit.retrieval.protocols._captions import FIVE, FoldedCaptions
from alignkit.retrieval.protocols._card import RECALL, Card, Side


class Coco1kFolds(FoldedCaptions):
    """Each fifth of Karpathy's test split by itself; the mean of the five figures is reported."""

    card = Card(
        name="coco-1k-folds",
        task="retrieval",
        data="MS-COCO captions, test split of Karpathy and Fei-Fei (2015), in five parts",
        queries=Side("captions", 25_000, ("image",), in_fold=5_000),
        gallery=Side("pictures", 5_000, ("fold",), in_fold=1_000),
        relevance=FIVE.format("picture"),
        positives=(1, 5),
        metrics=("hit@1", "hit@5", "hit@10", "mrr"),
        headline=("forward hit@1", "backward hit@1"),
        called=RECALL,
        paper="Lin et al. (2014), Microsoft COCO; Faghri et al. (2018), VSE++, for the mean over five folds",
        source="VSE++'s evaluation, from memory: consecutive blocks of 1,000 pictures of the split's file",
        split="test",
        folds="five blocks of 1,000 in the order of the split's file; mean of the five figures",
        n_folds=5,
        notes=(
            "rows have no order here, so a column fold says which block a picture is of",
            "figures are far higher than those of coco-5k: a gallery five times smaller",
        ),
    )
