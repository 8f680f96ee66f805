"""ImageHear: 101 photos of 30 sounding things, by class."""

from alignkit.retrieval.protocols._card import Card, Figure, Side
from alignkit.retrieval.protocols._classes import ClassProtocol

TABLE = "im2wav's table, quoted at second hand"


class ImageHear(ClassProtocol):
    """Sounds with their class look for the photos of that class; sounds of other classes are left out."""

    card = Card(
        name="imagehear",
        task="retrieval",
        data="ImageHear of im2wav: 101 photos in 30 classes, and sounds of any collection in those classes",
        queries=Side("sounds", None, ("label",)),
        gallery=Side("photos", 101, ("label",)),
        relevance="every photo of the sound's class; backward, every sound of the photo's",
        positives=(3, 1),
        metrics=("hit@1", "hit@5", "mrr", "map"),
        headline=("forward hit@1", "backward hit@1"),
        called={"hit@1": "P@1", "hit@5": "P@5"},
        paper="Sheffer and Adi (2023), I hear your true colors: image guided audio generation (im2wav)",
        source="im2wav's repository: Data/ImageHear, a photo's class is its file name without digits",
        without_positive="skip",
        published=(
            Figure("im2wav, CLIP score of made sounds (100 x cosine), no retrieval", 9.53, TABLE),
            Figure("im2wav, accuracy of made sounds in percent (PaSST), no retrieval", 49.14, TABLE),
        ),
        notes=(
            "no retrieval figure is published: im2wav makes 120 sounds a class and judges those",
            "the classes have two to eight photos; chance forward is that of three",
        ),
    )
