import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners.mini_vec2vec import MiniVec2vec
from alignkit.alignment import Alignment
from alignkit.errors import AlignkitError, DataError, ParameterError
from alignkit.spaces import Space
from alignkit.storage import load_alignment, save_alignment
from alignkit.testing import check_aligner, planted_rotation

QUICK = {"restarts": 12, "rounds": 30}


def islands(seed, *, n=400, d=10, noise=0.1):
    """Return two views of clusters of unequal size and place, the second shuffled, and who is who."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(15, d)) * np.linspace(1.5, 0.5, d)
    X = centres[rng.choice(15, n, p=rng.dirichlet(np.full(15, 5.0)))] + 0.6 * rng.normal(size=(n, d))
    Q, order = np.linalg.qr(rng.normal(size=(d, d)))[0], rng.permutation(n)
    return X, (X @ Q + noise * rng.normal(size=(n, d)))[order], np.argsort(order), Q


def hits(aligner, X, Y, where):
    P, Q = (
        V / np.linalg.norm(V, axis=1, keepdims=True)
        for V in (aligner.project_source(X), aligner.project_target(Y))
    )
    return float(((P @ Q.T).argmax(axis=1) == where).mean())


@pytest.mark.parametrize("seed", range(4))
def test_the_planted_rotation_is_found_without_a_pair(seed):
    X, Y, where, Q = islands(seed)
    fitted = MiniVec2vec(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, where) > 0.95
    assert np.linalg.norm(fitted.matrix_ - Q) < 0.15 * np.linalg.norm(Q)


@pytest.mark.parametrize("seed", range(2))
def test_round_clouds_of_strangers_have_no_anchors_and_trust_says_so(seed):
    """The must-fail half: two clouds of strangers without a shape of their own."""
    X, Y = np.random.default_rng(seed).normal(size=(2, 400, 30))
    fitted = MiniVec2vec(**QUICK).fit_vocabulary(X, Y)
    assert hits(fitted, X, Y, np.arange(400)) < 0.05
    assert fitted.trust_.failed


def test_refinement_sharpens_what_the_anchors_begin():
    X, Y, _, Q = islands(1, d=20, noise=0.3)
    errors = [
        np.linalg.norm(MiniVec2vec(restarts=6, rounds=rounds).fit_vocabulary(X, Y).matrix_ - Q)
        for rounds in (0, 60)
    ]
    assert errors[1] <= errors[0] + 0.05
    history = MiniVec2vec(restarts=6, rounds=60).fit_vocabulary(X, Y).history_
    assert history.shape == (70, 2)
    assert history[59, 0] > history[0, 0]  # images come nearer to the rows around them


def test_links_are_not_looked_at():
    X, Y, where, _ = islands(2, n=200)
    wrong = np.stack([np.arange(200), np.roll(where, 7)], axis=1)
    blind, told = (MiniVec2vec(**QUICK).fit_vocabulary(X, Y, links) for links in (None, wrong))
    assert np.array_equal(blind.matrix_, told.matrix_)


def test_jobs_and_a_second_run_change_no_bit():
    X, Y, _, _ = islands(3, n=200)
    one, two = (MiniVec2vec(**QUICK, jobs=jobs).fit_vocabulary(X, Y).arrays() for jobs in (1, 3))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_every_array_survives_a_file(tmp_path):
    X, Y, _, _ = islands(0, n=150)
    fitted = MiniVec2vec(**QUICK).fit_vocabulary(X, Y)
    joined = Alignment("mini_vec2vec", fitted, Space(10, "x"), Space(10, "y"), {})
    save_alignment(joined, tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment").aligner
    assert all(again.arrays()[name].tobytes() == array.tobytes() for name, array in fitted.arrays().items())
    assert again.trust_ == fitted.trust_


def test_it_keeps_the_contract_with_few_rounds():
    check_aligner(MiniVec2vec(rounds=2, restarts=2, clusters=6))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 9), st.integers(1, 9), st.data())
def test_any_shape_gives_a_finite_map_or_one_sentence(n, m, ds, dt, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    X, Y = rng.normal(size=(n, ds)), rng.normal(size=(m, dt))
    kind = data.draw(st.sampled_from(["plain", "constant column", "rank one", "repeated rows"]))
    if kind == "constant column":
        X[:, 0] = 1
    elif kind == "rank one":
        X = X[:, :1] * rng.normal(size=ds)
    elif kind == "repeated rows":
        X = X[rng.integers(2, size=n)]
    try:
        rows = MiniVec2vec(restarts=2, rounds=2).fit_vocabulary(X, Y).transform(X)
    except AlignkitError:
        return
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"clusters": 1}, "clusters is 1"),
        ({"restarts": 0}, "restarts is 0"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"rounds": -1}, "rounds is -1"),
        ({"jobs": 1.5}, "jobs is 1.5"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_parameters_without_meaning_are_refused(params, words):
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(ParameterError, match=words):
        MiniVec2vec(**params).fit(X, Y)


def test_rows_without_a_difference_are_refused_and_long_ones_are_not():
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(DataError, match="all rows of one side are equal"):
        MiniVec2vec(normalize="unit").fit_vocabulary(np.ones_like(X), Y)
    plain, long = (MiniVec2vec(normalize="none").fit_vocabulary(scale * X, Y) for scale in (1.0, 2.0**600))
    assert np.array_equal(plain.matrix_, long.matrix_)
