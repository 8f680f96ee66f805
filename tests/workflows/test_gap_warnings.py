import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.workflows import measure_gap


@pytest.fixture
def sides():
    return np.random.default_rng(0).normal(size=(2, 60, 8))


def test_one_modality_given_twice_is_refused(sides):
    x, _ = sides
    with pytest.raises(DataError, match="hold the same numbers"):
        measure_gap(x, x.copy())
    measure_gap(x, x + 1e-3, measures=["centroid_distance"])


def test_copies_constant_dimensions_and_half_precision_are_said(sides):
    x, y = (side.copy() for side in sides)
    x[10:13], y[:, 2] = x[9], 1.0
    report = measure_gap(x, y.astype(np.float16), measures=["centroid_distance"])
    said = " ".join(report.context["protocol"]["warnings"])
    assert "3 of 60 rows are copies of others" in said
    assert "of 8 dimensions, 1 never varies" in said
    assert "half precision" in said


def test_sound_sides_are_not_warned_of(sides):
    assert measure_gap(*sides, measures=["centroid_distance"]).context["protocol"]["warnings"] == []


def test_rows_in_half_precision_are_measured_at_length_one(sides):
    x, y = sides
    half = measure_gap(
        x.astype(np.float16), y.astype(np.float16), measures=["relative_modality_gap"], pairs=True
    )
    exact = measure_gap(x, y, measures=["relative_modality_gap"], pairs=True)
    values = [one.sections["measures"]["relative_modality_gap"].value for one in (half, exact)]
    assert values[0] == pytest.approx(values[1], abs=1e-4)
