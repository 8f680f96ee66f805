"""From which cosine on the leak guard may call two rows near-duplicates: what it finds, and false alarms."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from _worlds import FOLDER, worlds
from scipy.fft import dct, idct

from alignkit import Embeddings, Pairs
from alignkit.leaks import check_split
from alignkit.near_duplicates import near_matches

HELD_OUT = 0.3
THRESHOLDS = (0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
World = tuple[Embeddings, Embeddings, np.ndarray]


def at_random(pairs: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """Split links one by one: what `Pairs.split` never does."""
    order = np.random.default_rng(seed).permutation(len(pairs))
    test = np.zeros(len(pairs), bool)
    test[order[: round(HELD_OUT * len(pairs))]] = True
    return pairs.subset(~test), pairs.subset(test)


def real_rows() -> dict[str, np.ndarray]:
    names = {
        "LVIS RN50 text": "clip_lvis_text/lvis_rn50_text.npy",
        "LVIS ViT-B/32 images": "clip_lvis_text/lvis_vitb32_image_exemplars_avg5.npy",
        "ESC-50 CLAP audio": "clap_esc50/audio_embeddings.npy",
        "Flickr8k CLIP text": "clip_flickr8k/text_embeddings.npy",
    }
    return {title: np.load(FOLDER / name).astype(np.float32) for title, name in names.items()}


def changes() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return what may happen to a row that is encoded twice; rows come with length 1."""
    rng = np.random.default_rng(0)

    def noise(share: float) -> Callable[[np.ndarray], np.ndarray]:
        def moved(unit: np.ndarray) -> np.ndarray:
            spread = np.linalg.norm(unit - unit.mean(axis=0), axis=1).mean()
            step = rng.normal(size=unit.shape)
            return unit + share * spread * step / np.linalg.norm(step, axis=1, keepdims=True)

        return moved

    def compressed(unit: np.ndarray) -> np.ndarray:
        parts = dct(unit, norm="ortho", axis=1)
        step = 0.3 * (parts - parts.mean(axis=0)).std()
        return idct(np.round(parts / step) * step, norm="ortho", axis=1)

    return {
        "half precision": lambda unit: unit.astype(np.float16),
        "8 bits a dimension": lambda unit: (
            np.round(unit / np.abs(unit).max(axis=0) * 127) * np.abs(unit).max(axis=0)
        ),
        "coarse cosine transform": compressed,
        "noise of 5 %": noise(0.05),
        "noise of 10 %": noise(0.1),
        "noise of 20 %": noise(0.2),
    }


def detection(real: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the smallest share, over the sets, of planted near-duplicates found at each threshold."""
    found = {}
    for change, apply in changes().items():
        shares = []
        for rows in real.values():
            unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            again = apply(unit)
            shares.append([len(near_matches(again, unit, threshold=t).rows) / len(rows) for t in THRESHOLDS])
        found[change] = dict(
            zip(map(str, THRESHOLDS), np.round(np.min(shares, axis=0), 4).tolist(), strict=True)
        )
    return found


def by_position(world: World) -> Callable[[int], tuple[Pairs, Pairs]]:
    captions, images, image = world
    rows = np.arange(0, len(captions), 5)
    pairs = Pairs(captions.select(rows), images, np.stack([np.arange(len(rows)), image[rows]], axis=1))
    return lambda seed: at_random(pairs, seed)


def clean_splits() -> dict[str, Callable[[int], tuple[Pairs, Pairs]]]:
    """Return splits of real sets that hold nothing twice: what is found there is a false alarm."""
    every = worlds(FOLDER)
    kept = (
        "LVIS RN50 text -> ViT-B/32 images",
        "LVIS ViT-B/32 images -> text",
        "COCO-80 names ViT-B/32 -> RN50",
    )
    splits: dict[str, Callable[[int], tuple[Pairs, Pairs]]] = {
        title: partial(at_random, every[title]()) for title in kept
    }
    rows = Embeddings(np.load(FOLDER / "clap_esc50" / "audio_embeddings.npy"), name="ESC-50")
    lines = (FOLDER / "clap_esc50" / "metadata.csv").read_text().splitlines()[1:]
    fold = np.array([int(line.rpartition(",")[2]) for line in lines])
    clips = Pairs(rows, rows, np.stack([np.arange(len(rows))] * 2, axis=1))
    splits["ESC-50 by its five folds"] = lambda seed: (
        clips.subset(fold != seed % 5 + 1),
        clips.subset(fold == seed % 5 + 1),
    )
    return splits


def false_alarms(clean: dict[str, Callable[[int], tuple[Pairs, Pairs]]], seeds: int) -> dict[str, Any]:
    """Return how many held-out rows of clean sets are called near-duplicates at each threshold."""
    found = {}
    for title, draw in clean.items():
        counts = dict.fromkeys(map(str, THRESHOLDS), 0)
        for seed in range(min(seeds, 5)):
            train, test = draw(seed)
            for threshold in THRESHOLDS:
                leaks = check_split(train, test, threshold=threshold, refuse=False)
                counts[str(threshold)] += leaks.source.near + leaks.target.near
        found[title] = counts
    return found
