"""One small world that no linear map can follow."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def bent() -> tuple[np.ndarray, np.ndarray]:
    """Return rows and what a rotation followed by a bend makes of them."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(240, 6))
    Q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    return X, X @ Q + 2 * np.abs(X) + 0.02 * rng.normal(size=X.shape)
