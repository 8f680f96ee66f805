"""MUSE's word translation: P@1, P@5 and P@10 by nearest neighbour and by CSLS."""

from typing import NoReturn

from alignkit.errors import DataError
from alignkit.retrieval.protocols._base import NamedProtocol
from alignkit.retrieval.protocols._card import Card, Figure, Side
from alignkit.spaces import Embeddings

TABLE = "Conneau et al. (2018), table 1, quoted at second hand"
LANGUAGES = ("en-es", "es-en", "en-fr", "en-de", "en-ru", "en-zh")
ROWS = {
    "Procrustes, nearest neighbour": (0.774, 0.773, 0.749, 0.684, 0.470, 0.406),
    "Procrustes, CSLS": (0.814, 0.829, 0.811, 0.735, 0.517, 0.427),
    "adversarial, refined, CSLS": (0.817, 0.833, 0.823, 0.740, 0.440, 0.325),
}


class MuseDictionary(NamedProtocol):
    """Words of a test dictionary look for any of their translations among the whole target vocabulary."""

    card = Card(
        name="muse-dictionary",
        task="translation",
        data="MUSE: two vocabularies of 200,000 words, a test dictionary (5000-6500) of 1,500 source words",
        queries=Side("dictionary words", 1_500),
        gallery=Side("target words", 200_000),
        relevance="any translation that the dictionary has for the word",
        positives=(1, 1),
        metrics=("hit@1", "hit@5", "hit@10"),
        headline=("nearest hit@1", "csls hit@1"),
        called={"hit@1": "P@1", "hit@5": "P@5", "hit@10": "P@10"},
        paper="Conneau et al. (2018), Word translation without parallel data",
        source="MUSE's code: mean over the source words that both vocabularies cover",
        published=tuple(
            Figure(f"{method}, {pair}, P@1", value, TABLE)
            for method, values in ROWS.items()
            for pair, value in zip(LANGUAGES, values, strict=True)
        ),
        notes=(
            "one direction: the other has a dictionary of its own",
            "words without a vector are left out and counted, never scored as wrong",
            "CSLS takes its neighbourhoods, of ten, from both whole vocabularies",
            "chance is that of one translation a word; a report has that of the dictionary at hand",
        ),
    )

    def _links(self, queries: Embeddings, gallery: Embeddings) -> NoReturn:  # noqa: ARG002
        raise DataError(
            "muse-dictionary needs two vocabularies and a dictionary, a table with the columns source and "
            "target: call workflows.evaluate_dictionary with them."
        )
