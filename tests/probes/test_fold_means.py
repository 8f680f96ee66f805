import numpy as np
import pytest

from alignkit.probes.fold_means import mean_fold_accuracy
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import ProbeResult
from alignkit.probes.targets import Targets


def result_of(right, labels):
    """Return a probe that calls the right class where told, else the class after it."""
    targets = Targets.of(labels)
    calls = np.where(right, targets.codes, (targets.codes + 1) % len(targets.classes))
    return ProbeResult({}, targets, np.eye(len(targets.classes))[calls])


def test_folds_count_alike_however_unequal_they_are():
    folds = np.repeat([1, 2, 3], [10, 40, 150])
    right = np.r_[np.zeros(10, bool), np.ones(40, bool), np.arange(150) < 75]
    score, by_fold = mean_fold_accuracy(result_of(right, np.arange(200) % 4), folds)
    assert score.value == pytest.approx((0 + 1 + 0.5) / 3)
    assert [one["rows"] for one in by_fold.values()] == [10, 40, 150]
    assert score.chance == pytest.approx(
        np.mean([np.mean(np.arange(200)[folds == f] % 4 >= 0) / 4 for f in (1, 2, 3)])
    )


@pytest.mark.parametrize("seed", range(2))
def test_the_interval_is_that_of_a_loop_over_drawn_groups(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(50), 4)
    folds = groups % 5
    easy = rng.uniform(0.2, 0.9, 50)
    right = rng.random(200) < easy[groups]
    score, _ = mean_fold_accuracy(
        result_of(right, rng.integers(0, 3, 200)), folds, groups=groups, resampling=Resampling(4000)
    )
    drawn = []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(0, 50, 50)])
        drawn.append(np.mean([right[rows][folds[rows] == fold].mean() for fold in np.unique(folds[rows])]))
    assert (score.low, score.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.015)
    assert score.n == 50
