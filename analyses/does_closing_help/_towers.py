"""Pairs of models with two towers, and labelled rows of the same models where there are any."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from alignkit import Embeddings, Pairs, open_embeddings
from alignkit.workflows import LabelledRows

World: TypeAlias = tuple[Pairs, LabelledRows | None]


def worlds(data: Path) -> dict[str, Callable[[], World]]:
    """Return what is looked at, by title; each is read when it is asked for."""
    return {
        "CLIP ViT-B/16, COCO": lambda: stored(data, "clip"),
        "CLIP ViT-B/32, Flickr8k": lambda: flickr(data),
        "CLIP ViT-B/32, LVIS": lambda: lvis(data),
        "CLAP, AudioCaps": lambda: audiocaps(data),
        "CLAP, ESC-50": lambda: esc50(data),
        "ConVIRT": lambda: stored(data, "convirt"),
        "VideoCLIP": lambda: stored(data, "videoclip"),
    }


def planted(n: int = 120, d: int = 8) -> World:
    """Return two noisy views of five classes of rows, pushed apart along one axis."""
    rng = np.random.default_rng(0)
    centres, apart = 2 * rng.normal(size=(5, d)), 3 * np.eye(d)[0]
    label = np.arange(n) % 5
    meaning = centres[label] + rng.normal(size=(n, d))
    one, other = (Embeddings(meaning + 0.3 * rng.normal(size=(n, d)) + s * apart) for s in (1, -1))
    names = [f"class {number}" for number in range(5)]
    labelled = LabelledRows([names[i] for i in label], Embeddings(centres - apart), names)
    return Pairs.by_id(one, other), labelled


def stored(data: Path, name: str) -> World:
    """Return pairs that are stored with Mind the Gap: images, or videos, and their texts."""
    path = data / "modality_gap" / f"features_{name}.npy"
    return Pairs.by_id(*(open_embeddings(f"{path}::{side}") for side in (0, 1))), None


def flickr(data: Path) -> World:
    """Return 100 photos with five captions each; to be classified are the object photos of `lvis`."""
    photos, captions = (
        open_embeddings(data / "clip_flickr8k" / f"{side}_embeddings.npy") for side in ("image", "text")
    )
    links = np.stack([np.repeat(np.arange(100), 5), np.arange(500)], axis=1)
    objects, names, classes = _lvis(data)
    labelled = LabelledRows(classes, names, classes, objects)
    return Pairs(photos.select(np.arange(0, 500, 5)), captions, links), labelled


def lvis(data: Path) -> World:
    """Return object photos (means of five) and class names; held-out photos compete for all names."""
    objects, names, classes = _lvis(data)
    return Pairs.by_id(objects, names), LabelledRows(classes, names, classes)


def _lvis(data: Path) -> tuple[Embeddings, Embeddings, list[int]]:
    folder = data / "clip_lvis_text"
    objects = open_embeddings(folder / "lvis_vitb32_image_exemplars_avg5.npy")
    names = open_embeddings(folder / "lvis_vitb32_text.npy")
    return objects, names, list(range(len(names)))


def audiocaps(data: Path) -> World:
    """Return clips and captions; to be classified are the clips of `esc50`."""
    folder = data / "clap_audiocaps497"
    sides = (open_embeddings(folder / f"{side}_embeddings.npy") for side in ("audio", "text"))
    clips, texts, labels, names = _esc50(data)
    return Pairs.by_id(*sides), LabelledRows(labels, texts, names, clips)


def esc50(data: Path) -> World:
    """Return clips and the texts of their classes: classes are held out, and all compete."""
    clips, texts, labels, names = _esc50(data)
    links = np.array([(row, names.index(label)) for row, label in enumerate(labels)])
    return Pairs(clips, texts, links), LabelledRows(labels, texts, names)


def _esc50(data: Path) -> tuple[Embeddings, Embeddings, list[str], list[str]]:
    folder = data / "clap_esc50"
    with (folder / "metadata.csv").open(encoding="utf-8") as file:
        labels = [line["class_name"] for line in csv.DictReader(file)]
    clips = open_embeddings(folder / "audio_embeddings.npy")
    texts = open_embeddings(folder / "class_text_embeddings.npy")
    return clips, texts, labels, sorted(set(labels))  # the texts stand in alphabetical order
