import numpy as np
import pytest

from alignkit.retrieval.rescoring.inverted_softmax import InvertedSoftmax
from alignkit.retrieval.rescoring.qb_norm import QbNorm


def published(test, bank, beta, k):
    """Return the scores of the authors' code: divided exponentials for activated queries, else cosines."""
    activated = np.unique(np.argsort(-bank, axis=1)[:, :k])
    active = np.isin(test.argmax(axis=1), activated)
    normalised = np.exp(beta * test) / np.exp(beta * bank).sum(axis=0)
    return np.where(active[:, None], normalised, test), active


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("size", "k"), [(12, 1), (12, 3), (600, 1)])
def test_scores_are_those_of_the_paper_but_for_a_logarithm(worlds, seed, size, k):
    queries, gallery, bank = worlds.hubs(seed, n=150, bank=size)
    theirs, active = published(worlds.dense(queries, gallery), worlds.dense(bank, gallery), 20.0, k)
    ours = QbNorm(neighbours=k).fit(bank, gallery).scores(queries)
    assert active.any()
    np.testing.assert_allclose(ours[active], np.log(size * theirs[active]) / 20, atol=1e-6)
    np.testing.assert_allclose(ours[~active], theirs[~active], atol=1e-6)
    np.testing.assert_array_equal(ours.argsort(axis=1), theirs.argsort(axis=1))


def test_a_small_bank_leaves_some_queries_alone_and_a_large_one_none(worlds):
    queries, gallery, bank = worlds.hubs(4)
    cosine = worlds.dense(queries, gallery)
    changed = [
        (np.abs(QbNorm().fit(part, gallery).scores(queries) - cosine) > 1e-6).any(axis=1).mean()
        for part in (bank[:10], bank)
    ]
    assert 0.02 < changed[0] < 0.7
    assert changed[1] > 0.9


def test_copies_are_activated_together():
    gallery = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    near = np.array([[0.1, 1.0]])
    learned = QbNorm().fit(near, gallery).learned_
    assert learned[1].tolist() == [False, True, True]
    scores = QbNorm().fit(near, gallery).scores(np.array([[0.2, 1.0], [1.0, 0.2]]))
    assert scores[0, 1] == scores[0, 2] < scores[1, 0]


def test_a_foreign_bank_hurts_the_inverted_softmax_more(worlds):
    """A bank about one item only: the softmax lowers all its neighbours, QB-Norm sees few queries there."""
    drops = []
    for seed in range(3):
        queries, gallery, _ = worlds.flat(seed)
        foreign = gallery[:1] + 0.3 * np.random.default_rng(seed).normal(size=(500, gallery.shape[1]))
        plain = worlds.hit(worlds.dense(queries, gallery))
        drops.append(
            [
                plain - worlds.hit(kind(beta=20.0).fit(foreign, gallery).scores(queries))
                for kind in (InvertedSoftmax, QbNorm)
            ]
        )
    always, dynamic = np.mean(drops, axis=0)
    assert always > 0.2
    assert dynamic < 0.02
