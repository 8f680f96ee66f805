import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps.linear_separability import BLOCKS, FOLDS, SHRINKAGE, LinearSeparability


class Shrunk:
    """A covariance estimator for the peer: the pooled covariance, shrunk as this package shrinks it."""

    def __init__(self, within):
        self.within = within

    def get_params(self, deep=True):
        return {"within": self.within}

    def fit(self, _rows):
        level = np.trace(self.within) / len(self.within)
        self.covariance_ = (1 - SHRINKAGE) * self.within + SHRINKAGE * level * np.eye(len(self.within))
        return self


@pytest.mark.parametrize("d", [6, 300])  # the rows are more than the dimensions, and fewer
def test_it_agrees_with_scikit_learns_discriminant_on_the_same_folds(d):
    rng = np.random.default_rng(1)
    clouds = Clouds.unpaired(rng.normal(size=(100, d)) + 0.3, rng.normal(size=(100, d)) - 0.1)
    folds = np.concatenate(item_blocks(clouds, BLOCKS, seed=0)) % FOLDS
    rows, side = np.concatenate([clouds.x, clouds.y]), np.repeat([0, 1], 100)
    right = np.zeros(len(rows))
    for fold in range(FOLDS):
        train = folds != fold
        within = sum(np.cov(rows[train & (side == s)].T, bias=True) for s in (0, 1)) / 2
        peer = LinearDiscriminantAnalysis(
            solver="lsqr", covariance_estimator=Shrunk(within), priors=[0.5, 0.5]
        )
        right[~train] = peer.fit(rows[train], side[train]).predict(rows[~train]) == side[~train]
    assert_allclose(LinearSeparability().score(clouds).value, right.mean(), atol=1e-12)


def test_it_saturates_for_every_stored_model_trained_or_random(stored):
    for name in ("clip", "clip_random", "convirt"):
        assert LinearSeparability().measure(*stored(name)) > 0.995
    score = LinearSeparability().score(Clouds.paired(*stored("videoclip")))
    assert score.low < score.value  # all right in so many tries still is not certainty
    assert score.chance == 0.5


def test_few_rows_of_many_dimensions_do_not_look_separable():
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found.append(LinearSeparability().measure(rng.normal(size=(40, 200)), rng.normal(size=(40, 200))))
    assert abs(np.mean(found) - 0.5) < 0.05


def test_where_there_is_no_gap_the_interval_covers_a_coin(coverage):
    assert coverage("linear_separability").of_null(paired=False) >= 0.85


def test_a_collapsed_space_is_a_coin():
    assert LinearSeparability().measure(np.ones((40, 5)), np.ones((30, 5))) == 0.5


def test_sides_of_unequal_size_count_alike():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1000, 5)), rng.normal(size=(50, 5))
    assert abs(LinearSeparability().measure(x, y) - 0.5) < 0.15  # plain accuracy would be 0.95
