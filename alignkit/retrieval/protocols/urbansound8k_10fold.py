"""UrbanSound8K in its ten folds: zero-shot accuracy by class texts, mean over folds."""

from alignkit.retrieval.protocols._card import Card, Side
from alignkit.retrieval.protocols._classes import FoldedZeroShot


class UrbanSound8k(FoldedZeroShot):
    """Clips of each fold look for the text of their class; hit@1 is accuracy."""

    card = Card(
        name="urbansound8k-10fold",
        task="zero-shot",
        data="UrbanSound8K: 8,732 clips of 10 classes",
        queries=Side("clips", 8_732, ("label", "fold")),
        gallery=Side("class texts", 10),
        relevance="a clip's class text; backward, all clips of the class in the fold",
        positives=(1, 87),
        metrics=("hit@1", "hit@5", "mrr"),
        headline=("forward hit@1",),
        called={"hit@1": "accuracy"},
        paper="Salamon, Jacoby and Bello (2014), A dataset and taxonomy for urban sound research",
        source="the data set's own description, from memory: ten folds of unequal size",
        folds="the data set's own ten folds, never reshuffled; mean of the ten figures",
        n_folds=10,
        probe="trained on nine folds, tested on the tenth, in turn; accuracy, mean over the ten",
        notes=(
            "slices of one recording share a fold: a random split puts them on both sides and looks better",
            "classes and folds are unequal, so a report has the chance backward of the clips at hand",
        ),
    )
