import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.judges import JUDGES
from alignkit.judges._base import Samples

NAMES = ("clap_score", "clip_score", "clip_score_hessel")


def cosines(x, y):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("clap_score", lambda c: c),
        ("clip_score", lambda c: 100 * c),
        ("clip_score_hessel", lambda c: 2.5 * np.maximum(c, 0)),
    ],
)
def test_the_value_is_the_mean_over_partners_and_chance_that_over_strangers(rng, name, of):
    x = rng.normal(size=(40, 6))
    samples = Samples(x, x + rng.normal(size=(40, 6)), paired=True)
    score = JUDGES.get(name)().judge(samples)
    values = of(cosines(samples.reference, samples.generated))
    assert_allclose(score.value, np.diag(values).mean(), rtol=1e-12)
    assert_allclose(score.chance, values[~np.eye(40, dtype=bool)].mean(), rtol=1e-9)
    assert score.low < score.value < score.high
    assert score.chance < score.low


@pytest.mark.parametrize("name", NAMES)
def test_the_length_of_a_row_counts_for_nothing(rng, name):
    x, y = rng.normal(size=(2, 20, 4))
    judge = JUDGES.get(name)()
    stretched = judge.judge(Samples(2.0 * x, 0.5 * y, paired=True)).value
    assert_allclose(stretched, judge.judge(Samples(x, y, paired=True)).value, rtol=1e-12)


def test_several_items_of_one_group_count_as_one(rng):
    x = np.repeat(rng.normal(size=(10, 4)), 8, axis=0)
    y = np.repeat(rng.normal(size=(10, 4)), 8, axis=0)
    alone = JUDGES.get("clap_score")().judge(Samples(x, y, paired=True))
    grouped = JUDGES.get("clap_score")().judge(Samples(x, y, paired=True, groups=np.repeat(np.arange(10), 8)))
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_rows_without_partners_or_direction_are_refused(rng):
    x = rng.normal(size=(5, 3))
    with pytest.raises(DataError, match="not paired"):
        JUDGES.get("clap_score")().judge(Samples(x, x))
    y = x.copy()
    y[3] = 0
    with pytest.raises(DataError, match="row 3 is all zeros"):
        JUDGES.get("clip_score")().judge(Samples(x, y, paired=True))
