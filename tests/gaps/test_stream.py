import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import measure_clouds
from alignkit.gaps._stream import GapStream

ADDS_UP = [name for name in MEASURES.names() if MEASURES.get(name).reads != "rows"]


@pytest.fixture(scope="module")
def sides():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 6)) + 0.4
    return x, x + rng.normal(size=x.shape) + 0.5


def streamed(x, y, chunk=30):
    stream = GapStream()
    for start in range(0, len(x), chunk):
        stream.add_pairs(x[start : start + chunk], y[start : start + chunk])
    return stream


def test_streamed_values_equal_those_of_the_rows_in_memory(sides):
    found, held = streamed(*sides).scores(ADDS_UP), measure_clouds(Clouds.paired(*sides), ADDS_UP)
    assert set(found) == set(held)
    for name, score in held.items():
        assert found[name].value == pytest.approx(score.value, abs=1e-9), name
        assert found[name].n == score.n == 1200
        # other blocks and other draws: intervals and null levels agree as estimates do
        widths = [one.high - one.low for one in (found[name], score)]
        assert 0.4 < widths[0] / widths[1] < 2.5, name
        assert found[name].chance == pytest.approx(score.chance, abs=0.1 * abs(score.chance) + 0.01), name


def test_sides_without_pairs_stream_one_by_one_with_the_rows_they_have(sides):
    x, y = sides[0], sides[1][:900]
    stream = GapStream()
    for start in range(0, len(x), 30):
        stream.add_side("x", x[start : start + 30])
    for start in range(0, len(y), 30):
        stream.add_side("y", y[start : start + 30])
    held = measure_clouds(Clouds.unpaired(x, y), ADDS_UP)
    found = stream.scores(ADDS_UP)
    assert set(found) == set(held)
    for name, score in held.items():
        assert found[name].value == pytest.approx(score.value, abs=1e-9), name
        assert found[name].n == 900


def test_a_gap_that_is_not_there_lies_within_the_streamed_band():
    inside = []
    for seed in range(12):
        x, y = np.random.default_rng(seed).normal(size=(2, 800, 5))
        scores = streamed(x, y, chunk=20).scores(ADDS_UP, seed=seed)
        inside += [score.chance_low <= score.value <= score.chance_high for score in scores.values()]
    assert np.mean(inside) > 0.85


def test_too_few_chunks_and_mixed_streams_are_refused(sides):
    x, y = sides
    with pytest.raises(DataError, match="4 chunks of rows are too few: give 20"):
        streamed(x[:120], y[:120]).scores()
    stream = streamed(x[:30], y[:30])
    with pytest.raises(DataError, match="not both"):
        stream.add_side("x", x)
    with pytest.raises(DataError, match="side by side"):
        stream.add_pairs(x[:3], y[:4])
