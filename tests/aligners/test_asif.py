import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners import asif
from alignkit.aligners.asif import Asif
from alignkit.errors import ParameterError
from alignkit.testing import check_aligner, planted_rotation


def by_the_letter(V, anchors, k, p):
    """The paper's recipe, one row at a time: similarities, top k, power, unit length."""
    rows = []
    for v in V:
        s = anchors @ v / np.linalg.norm(v)
        kept = np.zeros(len(s))
        top = np.argsort(-s)[:k]
        kept[top] = np.clip(s[top], 0, None) ** p
        rows.append(kept / np.linalg.norm(kept))
    return np.array(rows)


def found(fitted, X, Y):
    return float(
        ((fitted.project_source(X) @ fitted.project_target(Y).T).argmax(axis=1) == range(len(X))).mean()
    )


@pytest.mark.parametrize(("k", "p"), [(10, 8), (10, 1), (3, 2.5), (800, 8)])
def test_coordinates_equal_the_paper_by_the_letter(k, p):
    X, Y, _ = planted_rotation(noise=0.1)
    fitted = Asif(k=k, exponent=p, center=False, normalize="unit").fit(X[:80], Y[:80])
    assert_allclose(fitted.project_source(X), by_the_letter(X, fitted.source_anchors_, k, p), atol=1e-12)
    assert_allclose(fitted.project_target(Y), by_the_letter(Y, fitted.target_anchors_, k, p), atol=1e-12)


def test_a_rotated_world_has_the_same_coordinates_and_new_pairs_find_each_other():
    for seed in range(5):
        X, Y, _ = planted_rotation(n=400, seed=seed)
        fitted = Asif(k=50).fit(X[:300], Y[:300])
        assert_allclose(fitted.project_source(X), fitted.project_target(Y), atol=1e-7)
        assert found(fitted, X[300:], Y[300:]) == 1
        strangers = Asif(k=50).fit(X[:300], Y[np.random.default_rng(seed).permutation(300)])
        assert found(strangers, X[300:], Y[300:]) < 0.1


def test_too_few_anchors_do_not_tell_rows_apart():
    for seed in range(5):
        X, Y, _ = planted_rotation(n=600, noise=0.03, seed=seed)
        few, many = (Asif(n_anchors=m, seed=seed).fit(X[:500], Y[:500]) for m in (3, 500))
        assert found(many, X[500:], Y[500:]) > found(few, X[500:], Y[500:]) + 0.4


def test_no_more_than_k_cosines_are_kept_and_those_tied_with_the_last():
    X, Y, _ = planted_rotation(noise=0.1)
    counts = (Asif(k=7).fit(X, Y).project_source(X) > 0).sum(axis=1)
    assert counts.max() == 7
    five_captions = np.repeat(X, 5, axis=0)
    others = np.random.default_rng(0).normal(size=five_captions.shape)
    tied = (Asif(k=7).fit(five_captions, others).project_source(X) > 0).sum(axis=1)
    assert set(tied) == {10}  # two pictures with five captions each: none of the five comes before another


def test_an_opposite_is_no_neighbour():
    X = np.array([[1.0, 0.0], [-1.0, 0.1], [0.2, 1.0], [0.1, -1.0]])
    fitted = Asif(exponent=2, center=False, normalize="none").fit(X, X)
    joint = fitted.project_source(X)
    assert joint[[0, 1], :].max(axis=0).min() >= 0
    assert (joint[0] > 0).sum() < 4
    assert_allclose(fitted.project_source(np.zeros((1, 2))), 0)  # near nothing


def test_sharp_powers_stay_in_range():
    X, Y, _ = planted_rotation(noise=0.1)
    fitted = Asif(exponent=500).fit(X.astype(np.float32), Y.astype(np.float32))
    assert_allclose(np.linalg.norm(fitted.project_source(X.astype(np.float32)), axis=1), 1, rtol=1e-5)


def test_sparse_rows_are_the_dense_ones_block_by_block(monkeypatch):
    X, Y, _ = planted_rotation(noise=0.1)
    whole = Asif(k=9).fit(X, Y)
    dense = whole.project_source(X), whole.project_target(Y), whole.transform(X)
    monkeypatch.setattr(asif, "ENTRIES", 1000)  # five rows at a time
    monkeypatch.setattr(asif, "BLOCK", 64)
    for ours, theirs in zip((whole.sparse_source(X), whole.sparse_target(Y)), dense, strict=False):
        assert ours.nnz == 200 * 9
        assert_allclose(ours.toarray(), theirs, atol=1e-12)
    assert_allclose(whole.transform(X), dense[2], atol=1e-12)


def test_memory_follows_k_and_not_the_number_of_anchors(monkeypatch):
    monkeypatch.setattr(asif, "ENTRIES", 1 << 19)
    X = np.random.default_rng(0).normal(size=(3000, 8)).astype(np.float32)
    fitted = Asif(k=10).fit(X, X)
    dense = 3000 * 3000 * 4
    for call in (fitted.sparse_source, fitted.transform):
        tracemalloc.start()
        call(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < dense / 2
    tracemalloc.start()
    fitted.project_source(X)
    assert tracemalloc.get_traced_memory()[1] > dense, "the measure sees what it should"
    tracemalloc.stop()


def test_transform_is_the_weighted_mean_of_the_neighbours_targets():
    X, Y, _ = planted_rotation(noise=0.1)
    Y = 3 * Y + 1
    fitted = Asif(k=5, exponent=4, normalize="center").fit(X, Y)
    weights = fitted.project_source(X)
    expected = (weights / weights.sum(axis=1, keepdims=True)) @ (fitted.target_rows_ + Y.mean(axis=0))
    assert_allclose(fitted.transform(X), expected, atol=1e-10)


@pytest.mark.parametrize("normalize", ["none", "center", "unit", "unit-center", "unit-center-unit"])
@pytest.mark.parametrize("k", [10, 800])
def test_the_contract_is_kept_in_every_frame(normalize, k):
    check_aligner(Asif(normalize=normalize, k=k))


def test_state_comes_back_to_the_last_bit():
    X, Y, _ = planted_rotation(noise=0.1)
    fitted = Asif(k=5, n_anchors=50).fit(X.astype(np.float32), Y)
    assert (fitted.source_anchors_.dtype, fitted.target_anchors_.dtype) == (np.float32, np.float64)
    again = Asif.from_state(fitted.get_params(), fitted.arrays())
    for name, rows in (("transform", X), ("project_source", X), ("project_target", Y)):
        assert_array_equal(getattr(again, name)(rows), getattr(fitted, name)(rows))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"k": 0}, "k is 0"),
        ({"exponent": -1}, "exponent is -1"),
        ({"center": "yes"}, "center is 'yes'"),
        ({"n_anchors": 500}, "n_anchors is 500, but there are 200 distinct pairs"),
    ],
)
def test_what_makes_no_sense_is_refused(params, words):
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match=words):
        Asif(**params).fit(X, Y)
