import numpy as np
import pytest

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.mean_paired_distance import MeanPairedDistance, mean_paired_distance


def test_it_equals_the_authors_figure(peers):
    for x, y, answers in peers:
        assert mean_paired_distance(x, y) == pytest.approx(answers["l2i"], abs=1e-6)


def test_the_interval_is_that_of_a_t_test_where_each_item_is_a_block():
    x, y = np.random.default_rng(0).normal(size=(2, 20, 6))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y)]
    distances = np.linalg.norm(unit[0] - unit[1], axis=1)
    score = MeanPairedDistance().scores(Clouds.paired(x, y))[""]
    half = 2.093024 * distances.std(ddof=1) / np.sqrt(20)
    assert score.high - score.value == pytest.approx(half, rel=1e-5)


def test_the_null_level_is_that_of_strangers():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 5))
    score = MeanPairedDistance().scores(Clouds.paired(x, x + 0.1 * rng.normal(size=x.shape)))[""]
    assert score.value < 0.2 < score.chance_low
    strangers = mean_paired_distance(x, np.roll(x, 1, axis=0))
    assert score.chance == pytest.approx(strangers, abs=0.1)
