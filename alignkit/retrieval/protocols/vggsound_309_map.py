"""VGGSound's 309 classes as queries over its test clips: mean average precision over classes."""

from alignkit.retrieval.protocols._card import Card, Side
from alignkit.retrieval.protocols._classes import ZeroShot


class Vggsound309Map(ZeroShot):
    """Clips look for their class text (accuracy), class texts rank all clips (mAP)."""

    card = Card(
        name="vggsound-309-map",
        task="zero-shot",
        data="VGGSound, test split, with a text for each of 309 classes",
        queries=Side("clips", 15_446, ("label",)),
        gallery=Side("class texts", 309),
        relevance="a clip's class text; backward, all clips of the class",
        positives=(1, 50),
        metrics=("map", "hit@1", "hit@5", "mrr"),
        headline=("backward map", "forward hit@1"),
        called={"map": "mAP", "hit@1": "top-1 accuracy"},
        paper="Chen et al. (2020), VGGSound; Wu et al. (2022), Wav2CLIP",
        source="the definition of macro mAP; the papers' figures are of trained classifiers, none is here",
        split="test",
        probe="trained on the training split, tested on this one; mAP, mean over 309 classes",
        notes=("backward map is the mean over classes of the average precision over the whole gallery",),
    )
