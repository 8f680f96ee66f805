"""Clouds with a planted gap, and the peers' answers on inputs that anyone can rebuild."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import measure_clouds
from alignkit.reports import Score


def seeded_pair(seed: int, n: int, d: int, gap: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Repeat the generator that the oracle's README gives."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, d))
    direction = rng.standard_normal(d)
    direction /= np.linalg.norm(direction)
    x = latent / np.sqrt(d) + noise * rng.standard_normal((n, d)) / np.sqrt(d) + gap * direction
    y = latent / np.sqrt(d) + noise * rng.standard_normal((n, d)) / np.sqrt(d) - gap * direction
    return x / np.linalg.norm(x, axis=1, keepdims=True), y / np.linalg.norm(y, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def peers(oracles: Path) -> list[tuple[np.ndarray, np.ndarray, dict[str, float]]]:
    """Return the cases of other tools' gap functions: both sides and what the tools answered."""
    cases = []
    for text, outputs in json.loads((oracles / "gap_peers.json").read_text())["cases"].items():
        seed, n, d, gap, noise = (float(part.partition("=")[2]) for part in text.split(","))
        cases.append((*seeded_pair(int(seed), int(n), int(d), gap, noise), outputs))
    assert len(cases) == 2
    return cases


@pytest.fixture(scope="session")
def stored(data: Path) -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """Return a function that reads a pair of features stored with Mind the Gap."""

    def read(name: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = np.load(data / "modality_gap" / f"features_{name}.npy")
        return x, y

    return read


@pytest.fixture(scope="session")
def planted() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a maker of linked rows whose means lie ``gap`` (times the square root of d) apart."""

    def make(seed: int, n: int = 60, d: int = 8, gap: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, d))
        y = x + 0.5 * rng.normal(size=(n, d))
        y[:, 0] += gap * np.sqrt(d)
        return x, y

    return make


@dataclass(frozen=True)
class Coverage:
    """How often a measure's interval holds what it should, over many seeds."""

    name: str

    def of_null(self, *, paired: bool, shift: float = 0.0, seeds: int = 60) -> float:
        """Return the share of samples of two clouds without a link whose interval holds the null level."""
        scores = (self._score(*sides, paired, seed) for seed, sides in self._independent(shift, seeds))
        return float(np.mean([score.low <= score.chance <= score.high for score in scores]))

    def of_population(self, x: np.ndarray, y: np.ndarray, *, draw: int = 250, seeds: int = 60) -> float:
        """Return the share of samples of linked rows whose interval holds the value of all rows."""
        truth = MEASURES.get(self.name)().measure(x, y)
        covered = []
        for seed in range(seeds):
            rows = np.random.default_rng(seed).integers(0, len(x), draw)
            score = self._score(x[rows], y[rows], True, seed)
            covered.append(score.low <= truth <= score.high)
        return float(np.mean(covered))

    def of_zero(self, *, paired: bool = False, seeds: int = 60) -> float:
        """Return the share of samples of two clouds without a gap whose interval holds 0."""
        scores = (self._score(*sides, paired, seed) for seed, sides in self._independent(0.0, seeds))
        return float(np.mean([score.low <= 0 <= score.high for score in scores]))

    @staticmethod
    def _independent(shift: float, seeds: int) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            yield seed, (rng.normal(size=(80, 12)) + 0.5, rng.normal(size=(80, 12)) + 0.5 - shift)

    def _score(self, x: np.ndarray, y: np.ndarray, paired: bool, seed: int) -> Score:
        clouds = (Clouds.paired if paired else Clouds.unpaired)(x, y)
        return measure_clouds(clouds, [self.name], seed=seed)[self.name]


@pytest.fixture(scope="session")
def coverage() -> type[Coverage]:
    """Return the class that counts how often an interval holds what it should."""
    return Coverage
