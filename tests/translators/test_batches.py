import numpy as np
import torch
from numpy.testing import assert_array_equal

from alignkit.testing import planted_rotation
from alignkit.translators._batches import Batches
from alignkit.translators._pair_table import PairTable
from alignkit.translators._plan import Plan
from alignkit.translators.mlp import MLP


def batches(links, groups=None, learn=None, batch=16):
    X, Y, _ = planted_rotation(60, 5)
    table = PairTable.of(X, Y, np.asarray(links), None, groups, "unit-center-unit")
    plan = Plan.of(MLP(batch=batch, seed=3).get_params())
    return Batches(torch, "cpu", table, np.arange(len(table)) if learn is None else learn, plan)


def test_pairs_share_by_source_target_or_group():
    links = np.array([[0, 0], [0, 1], [2, 1], [3, 3], [4, 4]])
    whole = batches(links, np.array([0, 1, 2, 3, 3]))
    place = {tuple(link): number for number, link in enumerate(whole.table.links.tolist())}
    rows = np.array([place[tuple(link)] for link in links.tolist()])
    expected = np.zeros((5, 5), bool)
    for a, b in ((0, 1), (1, 2), (3, 4)):
        expected[a, b] = expected[b, a] = True
    assert_array_equal(whole.same(rows).numpy(), expected)


def test_an_epoch_deals_every_pair_once_into_batches_of_nearly_one_size_and_the_next_deals_anew():
    learn = np.arange(5, 55)
    whole = batches([(i, i) for i in range(60)], learn=learn)
    epochs = [[whole.rows(epoch, place) for place in range(whole.count)] for epoch in (0, 1, 0)]
    for dealt in epochs:
        assert sorted(len(rows) for rows in dealt) == [12, 12, 13, 13]
        assert_array_equal(np.sort(np.concatenate(dealt)), learn)
    assert_array_equal(np.concatenate(epochs[0]), np.concatenate(epochs[2]))
    assert (np.concatenate(epochs[0]) != np.concatenate(epochs[1])).mean() > 0.5
    assert not whole.same(whole.rows(0, 0)).any()
