import numpy as np
import pytest

from alignkit.aligners._kept import Kept, bound, keys_of, scores_of


def test_keys_sort_as_scores_do_and_the_lower_index_first():
    scores = np.array([-np.inf, -2, -1e-30, -0.0, 0.0, 1e-30, 0.5, 3], np.float32)
    keys = keys_of(scores, np.zeros(8, np.int64))
    assert (np.diff(keys.astype(object)) >= 0).all()
    assert keys[3] == keys[4]  # the two zeros are equal scores
    assert np.array_equal(scores_of(keys), scores)
    level = keys_of(np.full(3, 0.5, np.float32), np.array([0, 7, 4_000_000]))
    assert level[0] > level[1] > level[2]


@pytest.mark.parametrize("seed", range(5))
def test_entries_in_any_number_of_portions_leave_the_same_best(seed):
    rng = np.random.default_rng(seed)
    S = rng.integers(0, 30, (40, 300)).astype(np.float32)
    expected = np.argsort(-S, axis=1, kind="stable")[:, :9]
    for portions in (1, 7, 300):
        kept = Kept(40, 9)
        for columns in np.array_split(np.arange(300), portions):
            above = kept.levels()[:, None] < S[:, columns]
            lines, places = np.nonzero(above)
            kept.add(lines, keys_of(S[lines, columns[places]], columns[places]))
            kept.merge()
        indices, scores = kept.sorted()
        assert np.array_equal(indices, expected)
        assert np.array_equal(scores, np.take_along_axis(S, expected, axis=1))


@pytest.mark.parametrize(("width", "k"), [(5, 3), (40, 3), (400, 3), (1000, 10), (10, 10)])
def test_a_bound_is_reached_by_enough_entries_and_not_by_many_more(width, k):
    S = np.random.default_rng(0).normal(size=(200, width)).astype(np.float32)
    above = (bound(S, k)[:, None] < S).sum(axis=1)
    assert above.min() >= k
    assert above.mean() < 1.3 * k + 1


def test_fewer_entries_than_wanted_give_no_bound():
    assert np.isneginf(bound(np.ones((2, 3), np.float32), 4)).all()


def test_a_part_shares_what_is_kept():
    kept = Kept(4, 1)
    part = kept.part(2, 4)
    part.add(np.array([1]), keys_of(np.array([0.5], np.float32), np.array([9])))
    part.merge()
    assert kept.sorted()[0][3, 0] == 9
    assert kept.levels()[3] == 0.5
