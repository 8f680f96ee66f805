import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.judges import JUDGES
from alignkit.judges._base import Samples


@pytest.mark.parametrize("name", JUDGES.names())
def test_every_judge_says_how_it_judges_and_answers_the_same_twice(name, rng):
    labels = np.arange(48) % 3
    x = rng.normal(size=(48, 3)) + np.eye(3)[labels]
    samples = Samples(x, x + 0.1, True, labels, labels)
    judge = JUDGES.get(name)()
    assert judge.needs in ("clouds", "pairs", "labels")
    assert judge.better in ("lower", "higher")
    assert judge.interval
    assert judge.chance
    score = judge.judge(samples, seed=1)
    assert score == judge.judge(samples, seed=1)
    assert score.n == 48
    assert score.low <= score.value <= score.high


def test_bad_samples_are_refused():
    x = np.eye(4)
    with pytest.raises(DataError, match="4 dimensions and the generated rows 3"):
        Samples(x, np.eye(3))
    with pytest.raises(DataError, match="generated side has 1 row: a judge needs 2 or more; encode"):
        Samples(x, x[:1])
    with pytest.raises(DataError, match="row 2 of the reference side is not finite"):
        Samples(np.where(np.eye(4) * np.arange(4) == 2, np.nan, x), x)
    with pytest.raises(DataError, match="cannot be paired"):
        Samples(x, x[:2], paired=True)
    with pytest.raises(DataError, match="groups has 3 entries for 4 rows"):
        Samples(x, x, groups=np.arange(3))
