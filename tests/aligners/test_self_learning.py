import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.self_learning import SelfLearning
from alignkit.aligners.whitened_rotation import WhitenedRotation
from alignkit.errors import AlignkitError, ParameterError
from alignkit.testing import check_aligner, planted_rotation


def world(seed, *, n=500, d=12, noise=0.2):
    """Return two noisy views of one cloud of topics, rows of the second in another order, and that order."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(40, d))[rng.choice(40, n, p=np.arange(40, 0, -1) / 820)]
    Z = (0.6 * topics + 0.8 * rng.normal(size=(n, d))) * np.linspace(1.5, 0.6, d)
    order = rng.permutation(n)
    X, Y = (Z + noise * rng.normal(size=(n, d)) for _ in range(2))
    return X, (Y @ np.linalg.qr(rng.normal(size=(d, d)))[0])[order], np.argsort(order)


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def hits(fitted, X, Y, partners):
    S = unit(fitted.project_source(X)) @ unit(fitted.project_target(Y)).T
    return float(((2 * S - np.sort(S, axis=0)[-10:].mean(axis=0)).argmax(axis=1) == partners).mean())


def links_of(partners, count):
    return np.stack([np.arange(count), partners[:count]], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_rotation_is_found_without_a_single_pair(seed):
    X, Y, partners = world(seed)
    supervised = Procrustes().fit(X, Y[partners])
    fitted = SelfLearning().fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, partners) > hits(supervised, X, Y, partners) - 0.03
    assert not fitted.trust_.failed


@pytest.mark.parametrize("seed", range(2))
def test_clouds_with_nothing_in_common_are_reported_and_not_raised(seed):
    """The must-fail half: two worlds of the same kind, but no row of one is a row of the other."""
    X, _, partners = world(seed)
    _, Y, _ = world(seed + 100)
    fitted = SelfLearning(restarts=1).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, partners) < 0.05
    assert fitted.trust_.failed
    assert np.isfinite(fitted.matrix_).all()


def test_round_clouds_have_no_rotation_to_be_found():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20))
    Y = X @ np.linalg.qr(rng.normal(size=(20, 20)))[0] + 0.8 * rng.normal(size=(400, 20))
    fitted = SelfLearning(restarts=1).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, np.arange(400)) < 0.05
    assert fitted.trust_.failed


@pytest.mark.parametrize("seed", range(3))
def test_the_published_schedule_grows_a_few_pairs_into_the_rotation(seed):
    X, Y, partners = world(seed, n=300)
    few = links_of(partners, 10)
    fitted = SelfLearning(search="stochastic", patience=2, restarts=1).fit_vocabulary(X, Y, few)
    assert hits(fitted, X, Y, partners) > 0.9 > hits(Procrustes().fit(X[:10], Y[few[:, 1]]), X, Y, partners)
    keep = fitted.history_[:, 1]
    assert keep[0] == 0.1
    assert keep[-1] == 1
    assert set(np.diff(np.unique(keep)).round(9)) <= {0.1, 0.2, 0.4}  # it doubles, and ends at 1


def test_the_published_search_needs_no_pair_either():
    X, Y, partners = world(0, n=300, d=4, noise=0.02)
    fitted = SelfLearning(search="stochastic", patience=2).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, partners) > 0.9


def test_few_pairs_decide_where_the_clouds_alone_cannot():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 20))  # round: without pairs hopeless
    Y = X @ np.linalg.qr(rng.normal(size=(20, 20)))[0] + 0.3 * rng.normal(size=(400, 20))
    few = links_of(np.arange(400), 15)
    fitted = SelfLearning().fit_vocabulary(X, Y, few)
    assert hits(fitted, X, Y, np.arange(400)) > 0.9
    assert hits(Procrustes().fit(X[:15], Y[:15]), X, Y, np.arange(400)) < 0.6


def test_linked_rows_keep_the_partners_that_they_are_given():
    """Wrong links for every row outvote what the rows themselves say."""
    X, Y, partners = world(1)
    wrong = np.stack([np.arange(500), np.roll(partners, 7)], axis=1)
    fitted = SelfLearning().fit_vocabulary(X, Y, wrong)
    expected = WhitenedRotation(regularization="auto").fit(X, Y[wrong[:, 1]])
    assert np.allclose(fitted.matrix_, expected.matrix_, atol=1e-6)
    assert hits(fitted, X, Y, partners) < 0.1


def test_the_order_of_the_rows_gives_nothing_away():
    X, Y, partners = world(2)
    order = np.random.default_rng(5).permutation(500)
    shuffled, straight = (SelfLearning().fit_vocabulary(X, rows) for rows in (Y[order], Y[partners]))
    assert hits(shuffled, X, Y, partners) == pytest.approx(hits(straight, X, Y, partners), abs=0.02)


def test_the_plain_rotation_is_orthogonal_and_the_reweighted_map_is_not():
    X, Y, _ = world(3)
    plain, weighted = (SelfLearning(reweight=reweight).fit_vocabulary(X, Y) for reweight in (False, True))
    assert np.allclose(plain.matrix_ @ plain.matrix_.T, np.eye(12), atol=1e-10)
    assert np.array_equal(plain.project_target(Y), plain.target_frame_.apply(Y))
    assert not np.allclose(weighted.matrix_ @ weighted.matrix_.T, np.eye(12), atol=1e-3)
    assert np.array_equal(plain.history_, weighted.history_)


def test_the_same_seed_gives_the_same_bits_and_another_one_another_path():
    X, Y, partners = world(4, n=200)
    few = links_of(partners, 20)
    runs = [
        SelfLearning(search="stochastic", patience=1, restarts=1, seed=seed).fit_vocabulary(X, Y, few)
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(runs[0].matrix_, runs[1].matrix_)
    assert not np.array_equal(runs[0].history_, runs[2].history_)


def test_unequal_sizes_and_dimensions_are_fitted():
    X, Y, partners = world(0)
    fitted = SelfLearning().fit_vocabulary(X[:, :10], Y, links_of(partners, 60))
    assert hits(fitted, X[:, :10], Y, partners) > 0.5
    fitted = SelfLearning().fit_vocabulary(X[:450], Y)
    assert hits(fitted, X[:450], Y, partners[:450]) > 0.9


@pytest.mark.parametrize("params", [{}, {"reweight": False}, {"search": "stochastic", "patience": 1}])
def test_it_keeps_the_contract(params):
    if params.get("search") == "stochastic":  # links only start it, so on easy clouds pairs hardly matter
        X, Y, _ = planted_rotation(noise=0.02)
        fitted = SelfLearning(**params).fit(X, Y)
        again = SelfLearning.from_state(fitted.get_params(deep=False), fitted.arrays())
        assert np.array_equal(again.transform(X), fitted.transform(X))
        assert again.trust_ == fitted.trust_
        return
    check_aligner(SelfLearning(**params))


KINDS = ["plain", "rank one", "constant column", "twice"]
SIZES, DIMENSIONS = st.integers(2, 30), st.integers(1, 9)


@given(
    st.tuples(SIZES, SIZES, DIMENSIONS, DIMENSIONS),
    st.integers(0, 4),
    st.sampled_from(KINDS),
    st.sampled_from(["annealed", "stochastic"]),
)
@settings(max_examples=25, deadline=None)
def test_every_shape_gives_a_finite_map_or_one_sentence(shape, links, kind, search):
    n, m, ds, dt = shape
    rng = np.random.default_rng(n * 31 + m)
    X, Y = rng.normal(size=(n, ds)), rng.normal(size=(m, dt))
    if kind == "rank one":
        X = np.outer(X[:, 0], X[0])
    elif kind == "constant column":
        X[:, 0] = 1
    elif kind == "twice":
        X[n // 2 :] = X[: n - n // 2]
    pairs = np.stack([rng.integers(0, n, links), rng.integers(0, m, links)], axis=1)
    try:
        fitted = SelfLearning(search=search, patience=0, restarts=1).fit_vocabulary(X, Y, pairs)
    except AlignkitError:
        return
    assert np.isfinite(fitted.transform(X)).all()
    assert 0 <= fitted.trust_.probability <= 1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"search": "greedy"}, "search is 'greedy'; choose one of annealed, stochastic"),
        ({"keep": 0}, "keep is 0; give a share above 0"),
        ({"keep": 1.5}, "keep is 1.5"),
        ({"restarts": 0}, "restarts is 0"),
        ({"start_rows": 1}, "start_rows is 1"),
        ({"cutoff": 1.5}, "cutoff is 1.5"),
        ({"patience": -1}, "patience is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"reweight": "yes"}, "reweight is 'yes'"),
    ],
)
def test_nonsense_parameters_are_refused_in_one_sentence(params, words):
    X, Y, _ = world(0, n=40)
    with pytest.raises(ParameterError, match=words):
        SelfLearning(**params).fit_vocabulary(X, Y)
