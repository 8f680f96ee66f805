"""A space whose items are linear in its rows."""

import numpy as np
import pytest

from alignkit.spaces import Embeddings, Space


@pytest.fixture
def world() -> tuple[Embeddings, np.ndarray]:
    """Return 120 unit rows of a toy space and one 3 x 4 item a row."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    items = (rows @ rng.normal(size=(6, 12)) + 3).reshape(120, 3, 4)
    return Embeddings(rows, space=Space(6, "toy/a")), items
