import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.cca_cv import CrossValidatedCorrelation
from alignkit.aligners.refined_cca import RefinedCorrelation
from alignkit.errors import AlignkitError, ParameterError
from alignkit.testing import check_aligner, planted_rotation


def world(seed, *, n=500, d=24):
    """Return two noisy views of one cloud, row i beside row i, whose axes were scaled apart."""
    rng = np.random.default_rng(seed)
    Z, Q = rng.normal(size=(n, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
    X = Z * np.geomspace(1.5, 0.5, d) + 0.4 * rng.normal(size=(n, d))
    return X, (Z + 0.4 * rng.normal(size=(n, d))) @ Q


def seeds(count):
    return np.stack([np.arange(count)] * 2, axis=1)


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def hits(aligner, X, Y):
    S = unit(aligner.project_source(X)) @ unit(aligner.project_target(Y)).T
    return float((S.argmax(axis=1) == np.arange(len(X))).mean())


@pytest.mark.parametrize("seed", range(3))
def test_few_pairs_grow_by_the_rows_that_nobody_paired(seed):
    X, Y = world(seed)
    start, grown = (RefinedCorrelation(rounds=rounds).fit_vocabulary(X, Y, seeds(25)) for rounds in (0, 5))
    assert hits(start, X, Y) < 0.8
    assert hits(grown, X, Y) > hits(start, X, Y) + 0.2


def test_strangers_teach_nothing():
    """The must-fail half: without a common shape the matches are noise, and held-out pairs stay unfound."""
    X, Y = world(0)
    strangers = np.random.default_rng(9).normal(size=Y.shape)
    strangers[:25] = Y[:25]
    start, grown = (
        RefinedCorrelation(rounds=rounds).fit_vocabulary(X, strangers, seeds(25)) for rounds in (0, 5)
    )
    assert hits(grown, X, Y) < hits(start, X, Y) + 0.1


def test_no_round_is_cca_with_the_numbers_that_were_chosen():
    X, Y, _ = planted_rotation(noise=0.2)
    ours = RefinedCorrelation(rounds=0).fit_vocabulary(X, Y, seeds(200))
    numbers = {"regularization": ours.regularization_, "exponent": ours.exponent_}
    theirs = CrossValidatedCorrelation(**numbers).fit(X, Y)
    assert ours.score(X, Y) > CrossValidatedCorrelation(regularization=100, exponent=0).fit(X, Y).score(X, Y)
    assert np.allclose(ours.source_projection_, theirs.source_projection_, atol=1e-9)
    assert np.allclose(ours.transform(X), theirs.transform(X), atol=1e-9)
    assert ours.history_.shape == (0, 2)


@pytest.mark.parametrize("max_rank", [None, 120])
def test_a_round_is_cca_on_the_pairs_and_the_brute_force_matches(max_rank):
    X, Y = world(1, n=200)
    numbers = {"regularization": 0.5, "exponent": 1.0, "normalize": "none"}
    ours = RefinedCorrelation(rounds=1, trust=0.4, max_rank=max_rank, **numbers).fit_vocabulary(
        X, Y, seeds(40)
    )
    start = CanonicalCorrelation(**numbers).fit(X[:40], Y[:40])
    S = unit(start.project_source(X)) @ unit(start.project_target(Y)).T
    r_source, r_target = (-np.sort(-M, axis=1)[:, :10].mean(axis=1) for M in (S, S.T))
    criterion = 2 * S - r_source[:, None] - r_target
    there, back = criterion.argmax(axis=1), criterion.argmax(axis=0)
    rows = np.array([i for i in range(200) if back[there[i]] == i and max(i, there[i]) < (max_rank or 200)])
    weights = np.concatenate([np.ones(40), np.full(len(rows), 0.4)])
    pairs = np.concatenate([X[:40], X[rows]]), np.concatenate([Y[:40], Y[there[rows]]])
    theirs = CanonicalCorrelation(**numbers).fit(*pairs, sample_weight=weights)
    assert np.allclose(ours.source_projection_, theirs.source_projection_, atol=1e-6)
    scale = np.linalg.norm(theirs.matrix_) / np.linalg.norm(ours.matrix_)
    assert np.allclose(scale * ours.matrix_, theirs.matrix_, atol=1e-6)
    assert ours.history_[0, 1] == len(rows)


def test_weights_and_groups_reach_the_choice():
    X, Y = world(2, n=120)
    copies = np.concatenate([seeds(40)] * 3)
    weighted = RefinedCorrelation(rounds=2).fit_vocabulary(X, Y, seeds(40), np.full(40, 3.0))
    repeated = RefinedCorrelation(rounds=2).fit_vocabulary(X, Y, copies)
    assert np.allclose(weighted.matrix_, repeated.matrix_, atol=1e-8)
    with pytest.raises(ParameterError, match="regularization='cv' must hold out"):
        RefinedCorrelation().fit_vocabulary(X, Y, seeds(40), groups=np.zeros(40))


def test_it_keeps_the_contract_with_given_numbers():
    check_aligner(RefinedCorrelation(regularization=0.1, exponent=1.0, rounds=2))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rounds": -1}, "rounds is -1"),
        ({"trust": -0.5}, "trust is -0.5"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"max_rank": 0}, "max_rank is 0"),
        ({"max_rank": 9}, "pairs have no such order: use fit_vocabulary"),
        ({"regularization": "auto"}, "regularization is 'auto'; give a number >= 0, or 'cv'"),
        ({"normalize": "l2"}, "normalize is 'l2'"),
    ],
)
def test_parameters_without_meaning_are_refused(params, words):
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(ParameterError, match=words):
        RefinedCorrelation(**params).fit(X, Y)


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(2, 20),
    ds=st.integers(1, 9),
    dt=st.integers(1, 9),
    links=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_shapes_of_every_kind_give_a_finite_map_or_a_sentence(n, ds, dt, links, seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, 2)) @ rng.normal(size=(2, ds)), rng.normal(size=(n, dt))
    Y[:, 0] = 2.0
    Y[n // 2 :] = Y[0]
    try:
        fitted = RefinedCorrelation(rounds=2).fit_vocabulary(X, Y, rng.integers(0, n, (links, 2)))
    except AlignkitError:
        return
    assert np.isfinite(fitted.transform(X)).all()
    assert np.isfinite(fitted.project_target(Y)).all()
