import numpy as np

from alignkit.judges._base import Samples
from alignkit.judges.fad import Fad


def test_its_interval_covers_the_expectation_at_its_own_number_of_rows():
    """The expectation is not 0: at N = 60 two samples of one normal distribution are apart by chance."""
    scores = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(60, 3)), 1.5 * rng.normal(size=(60, 3)) + 1
        scores.append(Fad().judge(Samples(x, y), seed=seed))
    truth = np.mean([score.value for score in scores])
    covered = np.mean([score.low <= truth <= score.high for score in scores])
    assert covered >= 0.85  # 95 % less three standard errors of 60 draws


def test_the_null_level_is_what_one_distribution_gives_at_this_number_of_rows(rng):
    one = [Fad().judge(Samples(rng.normal(size=(40, 30)), rng.normal(size=(30, 30)))) for _ in range(8)]
    inside = [score.chance_low <= score.value <= score.chance_high for score in one]
    assert np.mean(inside) >= 0.6
    assert np.mean([score.value for score in one]) > 10  # far from 0, all of it bias
    other = Fad().judge(Samples(rng.normal(size=(40, 30)), rng.normal(size=(30, 30)) + 1))
    assert other.value > other.chance_high


def test_one_seed_gives_one_answer(rng):
    samples = Samples(rng.normal(size=(30, 4)), rng.normal(size=(25, 4)))
    assert Fad().judge(samples, seed=3) == Fad().judge(samples, seed=3)
