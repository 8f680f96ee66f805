"""VGGSound's test clips by instance: the picture of this very clip among 15,446."""

from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.protocols._base import NamedProtocol
from alignkit.retrieval.protocols._card import Card, Figure, Side
from alignkit.shapes import Links
from alignkit.spaces import Embeddings

WHERE = "WavBriVL's table, quoted at second hand"
FIGURES = tuple(
    Figure(f"{model}, {way}, MRR", value, WHERE)
    for model, *values in (
        ("Wav2CLIP", 0.0566, 0.0678),
        ("WavBriVL", 0.0611, 0.0608),
        ("OpenL3", 0.0169, 0.0162),
    )
    for way, value in zip(("audio to image", "image to audio"), values, strict=True)
)
LEVEL = (
    "which level the published MRR has is our inference: it is 86 to 103 times the chance of one right clip "
    "in 15,446 (0.00066), but 3 to 4 times that of the class (0.0187): most likely instance level"
)
UNSTATED = "the papers' gallery size, frame choice (one frame or the mean) and tie rule are unverified"


class VggsoundInstance(NamedProtocol):
    """Sounds and pictures of the test clips under the clips' ids; only its own picture is right."""

    card = Card(
        name="vggsound-instance",
        task="retrieval",
        data="VGGSound, test split: sound and picture of each clip",
        queries=Side("sounds", 15_446),
        gallery=Side("pictures", 15_446),
        relevance="the picture of the same clip, joined by id",
        positives=(1, 1),
        metrics=("mrr", "hit@1", "hit@5", "hit@10"),
        headline=("forward mrr", "backward mrr"),
        called={"mrr": "MRR"},
        paper="Chen et al. (2020), VGGSound; Wu et al. (2022), Wav2CLIP, and WavBriVL for the retrieval",
        source="no code of either paper holds the evaluation; what the table does not say is inferred",
        split="test",
        published=FIGURES,
        notes=(
            LEVEL,
            UNSTATED,
            "mteb's VGGSound-AV has a gallery of 696 clips (chance MRR 0.0102): not comparable",
        ),
    )

    def _links(self, queries: Embeddings, gallery: Embeddings) -> Links:
        for side in (queries, gallery):
            if not side.has_ids:
                raise DataError(
                    f"{self.card.name} joins sound and picture by the clip's id, and {side.name} has no ids: "
                    "name its rows; their order is no evidence."
                )
        return Pairs.by_id(queries, gallery).links
