"""Embeddings with everything that a format may keep or lose, and a check that nothing was lost."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from alignkit.spaces import Embeddings, Space

ROWS, DIM = 53, 7


@pytest.fixture(params=["float16", "float32", "float64"])
def planted(request: pytest.FixtureRequest) -> Embeddings:
    """Return rows with string ids that hold spaces and accents, metadata, a space and a modality."""
    rng = np.random.default_rng(7)
    return Embeddings(
        rng.normal(size=(ROWS, DIM)).astype(request.param),
        ids=[f"new york é {row}" for row in range(ROWS)],
        items=pa.table({"caption": [f"no. {row}" for row in range(ROWS)], "fold": np.arange(ROWS) % 5}),
        space=Space(DIM, "toy/model", "raw", "r1"),
        modality="audio",
        name="planted",
    )


@pytest.fixture
def same_rows() -> Callable[[Embeddings, Embeddings], None]:
    """Return a check that two embeddings hold the same numbers, to the bit, and the same ids."""

    def check(found: Embeddings, wanted: Embeddings) -> None:
        assert found.vectors.dtype == wanted.vectors.dtype
        np.testing.assert_array_equal(found.vectors[:], wanted.vectors[:])
        assert found.ids.to_pylist() == wanted.ids.to_pylist()

    return check
