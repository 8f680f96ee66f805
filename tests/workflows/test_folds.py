import numpy as np
import pytest

from alignkit.errors import PairingError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.workflows._folds import cross_validated, deal


def captions(pictures=30, each=4, d=6, noise=0.3, seed=0):
    """Return pictures with several captions each: more rows on one side than on the other."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(pictures, d))
    target = np.repeat(source, each, axis=0) + noise * rng.normal(size=(pictures * each, d))
    links = np.stack([np.repeat(np.arange(pictures), each), np.arange(pictures * each)], axis=1)
    return Pairs(Embeddings(source), Embeddings(target), links)


@pytest.mark.parametrize("seed", range(3))
def test_no_item_is_asked_about_by_a_map_that_saw_it(seed):
    pairs = captions()
    labels, fold = deal(pairs, 5, seed)
    assert len(set(labels)) == 30
    for number in range(5):
        assert not set(pairs.links[fold == number, 0]) & set(pairs.links[fold != number, 0])
    assert np.bincount(fold).tolist() == [24] * 5


def test_groups_of_unequal_size_make_folds_of_nearly_equal_size():
    rng = np.random.default_rng(0)
    groups = rng.permutation(400) % 60 // rng.integers(1, 3, 400)  # of very different sizes
    rows = np.stack([np.arange(400)] * 2, axis=1)
    pairs = Pairs(Embeddings(rng.normal(size=(400, 3))), Embeddings(rng.normal(size=(400, 3))), rows, groups)
    labels, fold = deal(pairs, 4, 0)
    assert np.ptp(np.bincount(fold)) <= 10
    assert all(len(set(fold[labels == label])) == 1 for label in set(labels))


def test_few_components_make_fewer_folds_and_too_few_none():
    assert deal(captions(pictures=7), 5, 0)[1].max() + 1 == 3
    with pytest.raises(PairingError, match="in 3 groups that stay together make no 5 folds"):
        deal(captions(pictures=3), 5, 0)
    with pytest.raises(PairingError, match="make no 1 folds"):
        deal(captions(), 1, 0)


def test_both_directions_weigh_the_same_however_many_rows_they_have():
    pairs = captions(noise=0.8)
    asked, spent = cross_validated("procrustes", {}, pairs, deal(pairs, 5, 0), "mrr", None)
    forward = np.concatenate([[True] * 6 + [False] * 24] * 5)  # a fold holds 6 pictures and 24 captions
    means = asked.values[forward].mean(), asked.values[~forward].mean()
    assert abs(means[0] - means[1]) > 0.03  # else any weights would do
    assert asked.mean() == pytest.approx(np.mean(means))
    assert asked.mean() != pytest.approx(asked.values.mean(), abs=0.005)
    assert spent > 0


def test_the_chance_level_is_what_a_map_without_knowledge_reaches():
    pairs = captions(pictures=200, each=2, noise=0.1)
    order = np.random.default_rng(1).permutation(200)
    wrong = np.stack([order[pairs.links[:, 0]], pairs.links[:, 1]], axis=1)
    lost = Pairs(pairs.source, pairs.target, wrong)
    asked, _ = cross_validated("procrustes", {}, lost, deal(lost, 5, 0), "mrr", None)
    score = asked.score(0)
    assert score.low < score.chance < score.high
    assert score.n == 200
