import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval._unit import Block, UnitRows, cosines, unit_sides


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
def test_rows_of_any_scale_get_unit_length(scale):
    rows = np.random.default_rng(0).normal(size=(20, 7))
    np.testing.assert_allclose(UnitRows(rows * scale, "queries")[:], UnitRows(rows, "queries")[:], rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(UnitRows(rows, "queries")[3:9], axis=1), 1, rtol=1e-14)


def test_reading_changes_no_stored_row():
    rows = np.random.default_rng(1).normal(size=(5, 3))
    before = rows.copy()
    UnitRows(rows, "queries")[0:5]
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_have_equal_cosines_in_any_block(seed):
    rng = np.random.default_rng(seed)
    gallery = rng.normal(size=(97, 513))
    gallery[[50, 96]] = gallery[3]
    queries, gallery = unit_sides(rng.normal(size=(31, 513)), gallery, names=("queries", "gallery"))
    whole = cosines(queries[:], gallery[:])
    for row in (3, 50, 96):
        alone = [cosines(queries[i : i + 1], gallery[row : row + 1])[0, 0] for i in range(31)]
        np.testing.assert_array_equal(alone, whole[:, 3])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_without_a_direction_is_named(value):
    rows = np.ones((6000, 4))
    rows[5000, 2] = value
    with pytest.raises(DataError, match="row 5000 of the gallery holds NaN or infinity"):
        UnitRows(rows, "gallery")
    rows[5000] = 0
    with pytest.raises(DataError, match="row 5000 of the gallery is all zeros"):
        UnitRows(rows, "gallery")
    with pytest.raises(DataError, match="there are no gallery"):
        UnitRows(rows[:0], "gallery")


def test_sides_of_different_width_are_refused():
    with pytest.raises(DataError, match="have 3 and 4 dimensions"):
        unit_sides(np.ones((2, 3)), np.ones((2, 4)), names=("queries", "gallery"))


def test_an_empty_block_is_refused():
    with pytest.raises(ParameterError, match="0 queries and 5 items"):
        Block(0, 5)
