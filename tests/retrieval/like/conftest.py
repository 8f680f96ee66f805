"""Stored answers of other tools, and the matrices that tests of several tools share."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alignkit.retrieval.like._base import Tool


@pytest.fixture(scope="session")
def peer_cases(oracles: Path) -> dict[str, dict]:
    """Return the stored cases: scores, relevance, and what each tool answered."""
    return json.loads((oracles / "retrieval_peers.json").read_text())["cases"]


@pytest.fixture(scope="session")
def check_stored(peer_cases: dict[str, dict]) -> Callable[..., int]:
    """Return a check that a tool gives every stored figure to 1e-6; it answers how many there were."""

    def check(tool: Tool, key: str, spelled: Callable[[str], str] = lambda name: name) -> int:
        compared = 0
        for case, content in peer_cases.items():
            stored: Mapping[str, float] = content["outputs"].get(key, {})
            scores, relevance = np.array(content["scores"]), np.array(content["relevance"])
            for name, value in stored.items():
                if isinstance(value, dict) or name == "n_queries":
                    continue
                found = tool.score(scores, relevance, [spelled(name)])[spelled(name)]
                same = math.isnan(found) if math.isnan(value) else abs(found - value) < 1e-6
                assert same, (case, name, found, value)
                compared += 1
        return compared

    return check


@pytest.fixture(scope="session")
def convirt_scores(data: Path) -> NDArray:
    """Return cosines of real pictures and reports after centring: some tie, some of pairs are below 0."""
    sides = np.load(data / "modality_gap" / "features_convirt.npy", allow_pickle=False)
    sides = sides - sides.mean(axis=1, keepdims=True)
    pictures, reports = sides / np.linalg.norm(sides, axis=2, keepdims=True)
    return pictures @ reports.T


def tied_world(seed: int, n_gallery: int) -> tuple[NDArray, NDArray]:
    """Return scores of nine levels, some below 0, and grades 0 to 3; some queries have no positive."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    scores = rng.integers(-3, 6, (n, n_gallery)) / 8
    relevance = (rng.random((n, n_gallery)) < 0.2) * rng.integers(1, 4, (n, n_gallery))
    relevance[0] = 0
    relevance[1, 0] = 1
    return scores, relevance


@pytest.fixture(scope="session")
def tied() -> Callable[[int, int], tuple[NDArray, NDArray]]:
    """Return `tied_world`."""
    return tied_world
