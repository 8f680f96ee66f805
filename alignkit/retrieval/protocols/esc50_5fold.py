"""ESC-50 in its five folds: zero-shot accuracy by class texts, mean over folds."""

from alignkit.retrieval.protocols._card import Card, Figure, Side
from alignkit.retrieval.protocols._classes import FoldedZeroShot

README = "LAION-CLAP's readme: fold 1, prompt 'This is a sound of X'"


class Esc50(FoldedZeroShot):
    """Clips of each fold look for the text of their class; hit@1 is accuracy."""

    card = Card(
        name="esc50-5fold",
        task="zero-shot",
        data="ESC-50: 2,000 clips of 50 classes, 40 a class",
        queries=Side("clips", 2_000, ("label", "fold"), in_fold=400),
        gallery=Side("class texts", 50),
        relevance="a clip's class text; backward, the eight clips of the class in the fold",
        positives=(1, 8),
        metrics=("hit@1", "hit@5", "map@10:R", "mrr"),
        headline=("forward hit@1",),
        called={"hit@1": "accuracy", "map@10:R": "mAP@10"},
        paper="Piczak (2015), ESC: Dataset for environmental sound classification",
        source="the data set's own table of classes and folds",
        folds="the data set's own five folds; mean of the five figures",
        n_folds=5,
        probe="trained on four folds, tested on the fifth, in turn; accuracy, mean over the five",
        published=(
            Figure("LAION-CLAP without fusion, R@1", 0.9275, README),
            Figure("LAION-CLAP without fusion, mAP@10", 0.9556, README),
            Figure("LAION-CLAP with fusion, R@1", 0.9050, README),
            Figure("LAION-CLAP with fusion, mAP@10", 0.9407, README),
        ),
        notes=("clips cut from one recording share a fold: no other split keeps them together",),
    )
