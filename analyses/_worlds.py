"""The real pairs that benchmarks and analyses are run on, by title; each is read when it is asked for."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from alignkit.formats import open_embeddings
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings

FOLDER = Path(os.environ.get("ALIGNKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def worlds(data: Path) -> dict[str, Callable[[], Pairs]]:
    """Return pairs of two encoders' rows of one item, each item once."""
    lvis, clap, names = data / "clip_lvis_text", data / "clap_audiocaps497", data / "clip_classnames_text"

    def by_row(source: Path, target: Path) -> Callable[[], Pairs]:
        return lambda: Pairs.by_id(open_embeddings(source), open_embeddings(target))

    return {
        "LVIS RN50 text -> ViT-B/32 images": by_row(
            lvis / "lvis_rn50_text.npy", lvis / "lvis_vitb32_image_exemplars_avg5.npy"
        ),
        "LVIS ViT-B/32 text -> RN50 text": by_row(lvis / "lvis_vitb32_text.npy", lvis / "lvis_rn50_text.npy"),
        "LVIS ViT-B/32 images -> text": by_row(
            lvis / "lvis_vitb32_image_exemplars_avg5.npy", lvis / "lvis_vitb32_text.npy"
        ),
        "COCO-80 names ViT-B/32 -> RN50": by_row(
            names / "coco80_vitb32_text.npy", names / "coco80_rn50_text.npy"
        ),
        "AudioCaps CLAP audio -> text": by_row(clap / "audio_embeddings.npy", clap / "text_embeddings.npy"),
        "ESC-10 YAMNet -> CLAP audio": lambda: esc10(data),
    }


def more_worlds(data: Path) -> dict[str, Callable[[], Pairs]]:
    """Return the pairs of `worlds`, those of one photo and one caption, and many-to-many translations."""
    clip = data / "modality_gap" / "features_clip.npy"
    return worlds(data) | {
        "COCO CLIP images -> captions": lambda: Pairs.by_id(
            *(open_embeddings(f"{clip}::{side}") for side in (0, 1))
        ),
        "words English -> German": lambda: translations(data),
    }


def esc10(data: Path) -> Pairs:
    """Return the 400 clips that both encoders heard, joined by file name."""
    yamnet = open_embeddings(f"{data}/precomputed_real_features/esc10_yamnet.npz::emb", ids="files")
    clap = open_embeddings(data / "clap_esc50" / "audio_embeddings.npy")
    lines = (data / "clap_esc50" / "metadata.csv").read_text().splitlines()[1:]
    rows = {line.split(",")[0].removesuffix(".wav").rpartition("-")[0]: row for row, line in enumerate(lines)}
    stems = [Path(str(name)).stem for name in yamnet.ids.to_pylist()]
    return Pairs(yamnet, clap, np.array([(row, rows[stem]) for row, stem in enumerate(stems)]))


def translations(data: Path) -> Pairs:
    """Return the words of a dictionary that both vocabularies hold, with all their translations."""
    folder = data / "bilingual"
    with np.load(folder / "m30k_vecs_en_de.npz") as held:
        sides = [Embeddings(held[f"{side}_vecs"], ids=held[f"{side}_words"].tolist(), name=f"{side} words")
                 for side in ("en", "de")]  # fmt: skip
    known = [{word: row for row, word in enumerate(side.ids.to_pylist())} for side in sides]
    links = set()
    for part in ("train.freq.5k", "test.freq.2k"):
        for line in (folder / f"yacle.{part}.en-de.tsv").read_text(encoding="utf-8").splitlines():
            english, german = line.lower().split("\t")[:2]  # the vocabularies are in small letters
            if english in known[0] and german in known[1]:
                links.add((known[0][english], known[1][german]))
    pairs = Pairs(sides[0], sides[1], np.array(sorted(links)))
    return pairs.restricted()


def flickr(data: Path) -> tuple[Embeddings, Embeddings, np.ndarray]:
    """Return 500 captions, their 100 images, and the image of every caption."""
    images, captions = (
        open_embeddings(data / "clip_flickr8k" / f"{side}_embeddings.npy") for side in ("image", "text")
    )
    return captions, images.select(np.arange(0, 500, 5)), np.repeat(np.arange(100), 5)
