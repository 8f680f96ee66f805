"""Clouds with a planted gap, and the paper's own CLIP features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def clouds(n: int = 300, d: int = 12, gap: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two noisy views of the same rows, pushed apart along one axis."""
    rng = np.random.default_rng(seed)
    meaning, apart = rng.normal(size=(n, d)), gap * np.eye(d)[0]
    x, y = (meaning + 0.3 * rng.normal(size=(n, d)) + sign * apart for sign in (1, -1))
    return x, y


@pytest.fixture
def planted() -> tuple[np.ndarray, np.ndarray]:
    return clouds()


@pytest.fixture(scope="session")
def clip(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images and captions of CLIP ViT-B/16, stored with Mind the Gap, in double precision."""
    images, captions = np.load(data / "modality_gap" / "features_clip.npy").astype(np.float64)
    return images, captions


def gap_of(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)))


def hits(x: np.ndarray, y: np.ndarray) -> float:
    """Return how often row i of x is nearest to row i of y, by a product that nobody else uses here."""
    return float(((x @ y.T).argmax(axis=1) == np.arange(len(x))).mean())


@pytest.fixture
def judge() -> Callable[[np.ndarray, np.ndarray], tuple[float, float]]:
    """Return a function that answers with the distance of the means and hit@1 of unit rows."""
    return lambda x, y: (gap_of(x, y), hits(x, y))
