import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners._tempering import Tempering
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.wasserstein_procrustes import WassersteinProcrustes
from alignkit.errors import AlignkitError, DataError, ParameterError
from alignkit.spaces import Space
from alignkit.testing import check_aligner, planted_rotation

QUICK = {"restarts": 12, "rounds": 12}


def islands(seed, *, n=360, d=10, noise=0.1):
    """Return two views of clusters of unequal size and place, the second shuffled, and who is who."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(15, d)) * np.linspace(1.5, 0.5, d)
    X = centres[rng.choice(15, n, p=rng.dirichlet(np.full(15, 5.0)))] + 0.6 * rng.normal(size=(n, d))
    Q, order = np.linalg.qr(rng.normal(size=(d, d)))[0], rng.permutation(n)
    Y = X @ Q + noise * rng.normal(size=(n, d))
    return X, Y[order], np.argsort(order), Q


def hits(aligner, X, Y, where):
    P, Q = (
        V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12)
        for V in (aligner.project_source(X), aligner.project_target(Y))
    )
    return float(((P @ Q.T).argmax(axis=1) == where).mean())


def links_of(where, rows):
    return np.stack([rows, where[rows]], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_the_planted_rotation_is_found_without_a_pair(seed):
    X, Y, where, Q = islands(seed)
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, where) > 0.95
    assert np.linalg.norm(fitted.matrix_ - Q) < 0.1 * np.linalg.norm(Q)


@pytest.mark.parametrize("seed", range(2))
def test_two_round_clouds_have_no_rotation_and_trust_says_so(seed):
    """The must-fail half: two clouds of strangers without a shape of their own."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(2, 360, 30))
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, np.arange(360)) < 0.05
    assert fitted.trust_.failed


def test_a_planted_rotation_that_was_found_is_trusted():
    X, Y, where, _ = islands(0)
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, where) > 0.95
    assert not fitted.trust_.failed


def test_the_order_of_the_rows_tells_nothing():
    """Rows side by side must not be found any better than shuffled ones."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    Y = X @ np.linalg.qr(rng.normal(size=(20, 20)))[0] + 2 * rng.normal(size=(200, 20))
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, np.arange(200)) < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_few_links_and_many_rows_beat_procrustes_on_the_links(seed):
    X, Y, where, _ = islands(seed, d=24, noise=0.4)
    links = links_of(where, np.random.default_rng(seed).permutation(len(X))[:8])
    ours = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y, links)
    theirs = Procrustes().fit(X[links[:, 0]], Y[links[:, 1]])
    assert hits(ours, X, Y, where) > hits(theirs, X, Y, where) + 0.2
    assert ours.trust_ is None


@pytest.mark.parametrize("count", [6, 60])
def test_wrong_links_are_believed(count):
    """The other must-fail half: links are terms of the objective, so lies about a cloud do harm."""
    X, Y, where, _ = islands(0, d=24, noise=0.4)
    right = links_of(where, np.arange(count))
    wrong = np.stack([right[:, 0], np.roll(right[:, 1], 1)], axis=1)
    found = [
        hits(WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y, one), X, Y, where) for one in (right, wrong)
    ]
    assert found[0] > found[1] + 0.05


@pytest.mark.parametrize("seed", range(2))
def test_with_all_pairs_it_is_as_good_as_procrustes_on_fresh_rows(seed):
    X, Y, _ = planted_rotation(n=500, noise=0.15, seed=seed)
    fitted, floor = WassersteinProcrustes().fit(X[:300], Y[:300]), Procrustes().fit(X[:300], Y[:300])
    ours, theirs = (hits(one, X[300:], Y[300:], np.arange(200)) for one in (fitted, floor))
    assert ours > theirs - 0.03
    exact = planted_rotation(n=300)
    fitted = WassersteinProcrustes().fit(*exact[:2])
    assert np.allclose(fitted.transform(exact[0]), exact[1], atol=1e-8)


def test_noisy_directions_are_tempered_where_links_can_tell():
    rng = np.random.default_rng(0)
    Z, noise = rng.normal(size=(700, 24)), np.repeat([0.4, 2.5], 12)
    X, Y = (Z + noise * rng.normal(size=Z.shape) for _ in range(2))
    fitted, floor = WassersteinProcrustes().fit(X[:400], Y[:400]), Procrustes().fit(X[:400], Y[:400])
    ours, theirs = (hits(one, X[400:], Y[400:], np.arange(300)) for one in (fitted, floor))
    assert fitted.form_[1] > 0
    assert ours > theirs + 0.05


def test_the_joint_frame_of_the_plain_form_is_the_svd_of_the_tempered_links():
    X, Y, _ = planted_rotation(n=6, noise=0.1)
    fitted = WassersteinProcrustes(normalize="none").fit(X[:4], Y[:4])
    A, B = (Tempering.of(V[:4], 0.25).matrix for V in (X, Y))
    U, s, Vt = np.linalg.svd(A @ X[:4].T @ Y[:4] @ B)
    inner = fitted.project_source(X) @ fitted.project_target(Y).T
    assert fitted.form_ == (True, 0.25, 0.5)
    assert np.allclose(inner, X @ A @ U[:, :4] @ np.diag((s[:4] / s[0]) ** 0.5) @ Vt[:4] @ B @ Y.T)


@pytest.mark.parametrize("count", [0, 8])
def test_jobs_and_a_second_run_change_no_bit(count):
    X, Y, where, _ = islands(1, n=200)
    links = links_of(where, np.arange(count))
    one, two = (
        WassersteinProcrustes(**QUICK, jobs=jobs).fit_vocabulary(X, Y, links).arrays() for jobs in (1, 3)
    )
    assert one.keys() == two.keys()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_clouds_larger_than_a_block_and_of_unequal_size_are_matched():
    X, Y, where, _ = islands(2, n=500)
    fitted = WassersteinProcrustes(**QUICK, block=150).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, where) > 0.95
    part = np.flatnonzero(where < 420)
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y[:420])
    assert hits(fitted, X[part], Y[:420], where[part]) > 0.9


def test_other_dimensions_are_found_without_a_pair():
    X, Y, where, _ = islands(3, noise=0.02)
    wide = np.concatenate([Y, np.zeros((len(Y), 3))], axis=1)
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, wide)
    assert hits(fitted, X, wide, where) > 0.95
    assert np.allclose(fitted.matrix_ @ fitted.matrix_.T, np.eye(10), atol=1e-10)


def test_a_link_of_weight_three_is_three_links():
    X, Y, where, _ = islands(4, n=150)
    links = links_of(where, np.arange(20))
    weights = np.arange(20) % 3
    model = WassersteinProcrustes(**QUICK)
    weighted = model.fit_vocabulary(X, Y, links, weights).transform(X)
    repeated = model.fit_vocabulary(X, Y, np.repeat(links, weights, axis=0)).transform(X)
    assert np.allclose(weighted, repeated, atol=1e-8)


@pytest.mark.parametrize("count", [0, 30])
def test_every_array_survives_a_file(count, tmp_path):
    from alignkit.alignment import Alignment
    from alignkit.storage import load_alignment, save_alignment

    X, Y, where, _ = islands(0, n=200)
    fitted = WassersteinProcrustes(**QUICK).fit_vocabulary(X, Y, links_of(where, np.arange(count)))
    joined = Alignment("wasserstein_procrustes", fitted, Space(10, "x"), Space(10, "y"), {})
    save_alignment(joined, tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment").aligner
    assert all(again.arrays()[name].tobytes() == array.tobytes() for name, array in fitted.arrays().items())
    assert again.trust_ == fitted.trust_
    assert again.form_ == fitted.form_
    assert np.array_equal(again.project_source(X), fitted.project_source(X))


def test_it_keeps_the_contract_in_another_frame():
    check_aligner(WassersteinProcrustes(normalize="center"))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(2, 30), st.integers(2, 30), st.integers(1, 9), st.integers(1, 9), st.integers(0, 8), st.data()
)
def test_any_shape_gives_a_finite_map_or_one_sentence(n, m, ds, dt, count, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    X, Y = rng.normal(size=(n, ds)), rng.normal(size=(m, dt))
    kind = data.draw(st.sampled_from(["plain", "constant column", "rank one", "repeated rows"]))
    if kind == "constant column":
        X[:, 0] = 1
    elif kind == "rank one":
        X = X[:, :1] * rng.normal(size=ds)
    elif kind == "repeated rows":
        X = X[rng.integers(2, size=n)]
    links = np.stack([rng.integers(n, size=count), rng.integers(m, size=count)], axis=1)
    try:
        fitted = WassersteinProcrustes(restarts=2, rounds=4).fit_vocabulary(X, Y, links)
        rows = fitted.transform(X), fitted.project_source(X), fitted.project_target(Y)
    except AlignkitError:
        return
    assert all(np.isfinite(one).all() for one in rows)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"clusters": 1}, "clusters is 1"),
        ({"restarts": 0}, "restarts is 0"),
        ({"block": 1}, "block is 1"),
        ({"rounds": -1}, "rounds is -1"),
        ({"jobs": 0}, "jobs is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"normalize": "l2"}, "normalize is 'l2'"),
    ],
)
def test_parameters_without_meaning_are_refused(params, words):
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(ParameterError, match=words):
        WassersteinProcrustes(**params).fit(X, Y)


def test_rows_without_a_difference_and_rows_too_long_are_refused_in_one_sentence():
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(DataError, match="all rows of one side are equal"):
        WassersteinProcrustes(normalize="unit").fit_vocabulary(np.ones_like(X), Y)
    with pytest.raises(DataError, match="scale the rows down"):
        WassersteinProcrustes(normalize="none").fit_vocabulary(1e200 * X, Y)
