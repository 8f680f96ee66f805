"""VGGSound's test clips by class: any picture of the sound's class among 15,446 is right."""

from alignkit.retrieval.protocols._card import Card, Side
from alignkit.retrieval.protocols._classes import ClassProtocol
from alignkit.retrieval.protocols.vggsound_instance import LEVEL, UNSTATED


class VggsoundClass(ClassProtocol):
    """Sounds and pictures of the test clips; all of the class, the own clip too, are right."""

    card = Card(
        name="vggsound-class",
        task="retrieval",
        data="VGGSound, test split: sound and picture of each clip, 309 classes",
        queries=Side("sounds", 15_446, ("label",)),
        gallery=Side("pictures", 15_446, ("label",)),
        relevance="every picture of the same class, that of the same clip among them",
        positives=(50, 50),
        metrics=("mrr", "hit@1", "hit@5", "hit@10", "map", "precision@10"),
        headline=("forward mrr", "backward mrr"),
        called={"mrr": "MRR"},
        paper="Chen et al. (2020), VGGSound; Wu et al. (2022), Wav2CLIP, and WavBriVL for the retrieval",
        source="no code of either paper holds the evaluation; about 50 test clips a class",
        split="test",
        notes=(
            LEVEL,
            UNSTATED,
            "the published figures are therefore on the card of vggsound-instance, and none is here",
            "chance is that of 50 clips a class; a report has that of the classes at hand",
        ),
    )
