"""Planted worlds of several spaces, and what it means to be found in a joint frame."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def views() -> Callable[..., list[np.ndarray]]:
    """Return a function that makes noisy views of one latent cloud in spaces of the given dimensions."""

    def make(
        dims: tuple[int, ...] = (12, 12, 12),
        *,
        n: int = 300,
        latent: int = 10,
        noise: float = 0.2,
        seed: int = 0,
    ) -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        things = rng.normal(size=(n, latent)) * np.linspace(1.5, 0.7, latent)
        sides = []
        for d in dims:
            turn = np.linalg.qr(rng.normal(size=(max(d, latent), max(d, latent))))[0][:latent, :d]
            sides.append(things @ turn + noise * rng.normal(size=(n, d)) + rng.normal(size=d))
        return sides

    return make


@pytest.fixture
def hits() -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a function that says how often a row's nearest row by cosine is its partner, both ways."""

    def of(P: np.ndarray, Q: np.ndarray) -> float:
        P, Q = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (P, Q))
        scores = P @ Q.T
        own = np.arange(len(scores))
        return float(((scores.argmax(axis=1) == own).mean() + (scores.argmax(axis=0) == own).mean()) / 2)

    return of
