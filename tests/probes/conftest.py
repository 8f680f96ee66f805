"""ESC-50 in CLAP's space, ESC-10 in YAMNet's, and planted classes."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass(frozen=True)
class Clips:
    """Embedded clips with class names, folds and the recording that each was cut from."""

    rows: np.ndarray
    labels: list[str]
    folds: np.ndarray
    sources: np.ndarray


@pytest.fixture(scope="session")
def esc50(data: Path) -> Clips:
    """Return CLAP's embeddings of all 2,000 clips."""
    folder = data / "clap_esc50"
    with (folder / "metadata.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    sources = [row["audio_filename"].split("-")[1] for row in table]
    return Clips(
        np.load(folder / "audio_embeddings.npy"),
        [row["class_name"] for row in table],
        np.array([int(row["fold"]) for row in table]),
        np.array(sources),
    )


@pytest.fixture(scope="session")
def esc50_texts(data: Path) -> tuple[np.ndarray, list[str], list[str]]:
    """Return class texts, their names (alphabetical) and the same names in the order of class numbers."""
    folder = data / "clap_esc50"
    with (folder / "metadata.csv").open(newline="") as file:
        number = {row["class_name"]: int(row["target"]) for row in csv.DictReader(file)}
    texts = np.load(folder / "class_text_embeddings.npy")
    return texts, sorted(number), sorted(number, key=lambda name: number[name])


@pytest.fixture(scope="session")
def esc10(data: Path) -> Clips:
    """Return YAMNet's embeddings of 400 clips."""
    held = np.load(data / "precomputed_real_features" / "esc10_yamnet.npz")
    sources = np.array([Path(str(name)).name.split("-")[1] for name in held["files"]])
    return Clips(held["emb"], [str(name) for name in held["labels"]], held["folds"], sources)


@pytest.fixture(scope="session")
def planted() -> Callable[..., Clips]:
    """Return a maker of noisy corners: one direction per class, five folds."""

    def make(seed: int, n: int = 200, classes: int = 4, noise: float = 0.5, d: int = 10) -> Clips:
        rng = np.random.default_rng(seed)
        codes = rng.permutation(np.arange(n) % classes)
        corners = rng.normal(size=(classes, d))
        rows = corners[codes] + noise * rng.normal(size=(n, d))
        labels = [f"class {code}" for code in codes]
        return Clips(rows, labels, np.arange(n) % 5, np.arange(n).astype(str))

    return make
