import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners.gromov import Gromov, coupled
from alignkit.alignment import Alignment
from alignkit.errors import AlignkitError, DataError, MissingExtraError, ParameterError
from alignkit.spaces import Space
from alignkit.storage import load_alignment, save_alignment
from alignkit.testing import check_aligner, planted_rotation


def ot_or_skip():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its sources hold escapes that Python warns of
        return pytest.importorskip("ot", reason="POT, the extra 'ot', is not installed")


@pytest.fixture
def ot():
    return ot_or_skip()


def islands(seed, *, n=200, d=8, noise=0.1):
    """Return two views of clusters of unequal size and place, the second shuffled, and who is who."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(15, d)) * np.linspace(1.5, 0.5, d)
    X = centres[rng.choice(15, n, p=rng.dirichlet(np.full(15, 5.0)))] + 0.6 * rng.normal(size=(n, d))
    Q, order = np.linalg.qr(rng.normal(size=(d, d)))[0], rng.permutation(n)
    return X, (X @ Q + noise * rng.normal(size=(n, d)))[order], np.argsort(order), Q


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def hits(aligner, X, Y, where):
    P, Q = unit(aligner.project_source(X)), unit(aligner.project_target(Y))
    return float(((P @ Q.T).argmax(axis=1) == where).mean())


def test_the_planted_rotation_is_found_without_a_pair_on_most_seeds(ot):
    found = []
    for seed in range(4):
        X, Y, where, _ = islands(seed)
        fitted = Gromov().fit_vocabulary(X, Y)
        found.append(hits(fitted, X, Y, where))
        assert (found[-1] > 0.95) or (found[-1] < 0.3)  # all or nothing
    assert sum(one > 0.95 for one in found) >= 3


def test_round_clouds_of_strangers_are_not_matched(ot):
    """The must-fail half; the verdict on it is held to account where the criterion is tested."""
    X, Y = np.random.default_rng(0).normal(size=(2, 200, 30))
    assert hits(Gromov().fit_vocabulary(X, Y), X, Y, np.arange(200)) < 0.05


def test_the_rotation_is_procrustes_on_the_coupling_of_pot(ot):
    X, Y, _, _ = islands(1)
    fitted = Gromov(rounds=0, epsilon=0.05).fit_vocabulary(X, Y)
    P, Q = fitted.source_frame_.apply(X), fitted.target_frame_.apply(Y)
    coupling = ot.gromov.entropic_gromov_wasserstein(
        P @ P.T, Q @ Q.T, epsilon=0.05, max_iter=200, tol=1e-7, numItermax=100, warn=False
    )
    U, _, Vt = np.linalg.svd(P.T @ coupling @ Q)
    assert np.allclose(fitted.matrix_, U @ Vt, atol=1e-8)


def test_the_coupling_agrees_better_than_the_uniform_one_and_keeps_the_masses(ot):
    X, Y, _, _ = islands(2)
    A, B = unit(X - X.mean(axis=0)), unit(Y - Y.mean(axis=0))
    coupling, changes = coupled(A, B, 0.02)

    def cost(T):
        """Return the Gromov-Wasserstein cost by its definition, expanded."""
        C, D, p, q = A @ A.T, B @ B.T, T.sum(axis=1), T.sum(axis=0)
        return p @ C**2 @ p + q @ D**2 @ q - 2 * np.sum((C @ T @ D) * T)

    assert np.allclose(coupling.sum(axis=0), 1 / 200, atol=1e-5)
    assert cost(coupling) < 0.3 * cost(np.full((200, 200), 1 / 200**2))
    assert changes[-1] < 1e-3


def test_rounds_of_refinement_sharpen_the_coupling(ot):
    X, Y, _, Q = islands(1, noise=0.02)
    blurred, sharp = (Gromov(rounds=rounds, epsilon=0.1).fit_vocabulary(X, Y) for rounds in (0, 5))
    assert np.linalg.norm(sharp.matrix_ - Q) < np.linalg.norm(blurred.matrix_ - Q)
    assert (sharp.history_[-5:, 0] == 1).all()
    assert (blurred.history_[:, 0] == 0).all()


def test_only_some_rows_are_coupled_and_links_are_not_looked_at(ot):
    X, Y, where, _ = islands(1, n=300)
    common = np.argsort(where >= 200, kind="stable")  # the frequent rows of one side are those of the other
    X, where = X[common], where[common]
    few = Gromov(most=200).fit_vocabulary(X, Y)
    assert hits(few, X, Y, where) > 0.9
    wrong = np.stack([np.arange(300), np.roll(where, 7)], axis=1)
    assert np.array_equal(Gromov(most=200).fit_vocabulary(X, Y, wrong).matrix_, few.matrix_)


def test_without_pot_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    X, Y, _ = planted_rotation(n=20)
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[ot\]'"):
        Gromov().fit(X, Y)


def test_every_array_survives_a_file(ot, tmp_path):
    X, Y, _, _ = islands(0, n=100)
    fitted = Gromov().fit_vocabulary(X, Y)
    save_alignment(Alignment("gromov", fitted, Space(8, "x"), Space(8, "y"), {}), tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment").aligner
    assert all(again.arrays()[name].tobytes() == array.tobytes() for name, array in fitted.arrays().items())
    assert again.trust_ == fitted.trust_


def test_it_keeps_the_contract_without_refinement(ot):
    check_aligner(Gromov(rounds=0))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 9), st.integers(1, 9), st.data())
def test_any_shape_gives_a_finite_map_or_one_sentence(n, m, ds, dt, data):
    ot_or_skip()
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
        rows = Gromov().fit_vocabulary(X, Y).transform(X)
    except AlignkitError:
        return
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"epsilon": -1.0}, "epsilon is -1.0"),
        ({"epsilon": 0}, "epsilon is 0: without entropy"),
        ({"most": 1}, "most is 1"),
        ({"rounds": -1}, "rounds is -1"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_parameters_without_meaning_are_refused(params, words):
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(ParameterError, match=words):
        Gromov(**params).fit(X, Y)


def test_a_coupling_that_breaks_down_and_rows_too_long_are_refused_in_one_sentence(ot):
    X, Y, _, _ = islands(0)
    with pytest.raises(DataError, match="the coupling broke down at epsilon 1e-07: give a larger epsilon"):
        Gromov(epsilon=1e-7).fit_vocabulary(X, Y)
    with pytest.raises(DataError, match="scale the rows down"):
        Gromov(normalize="none").fit_vocabulary(1e160 * X, 1e160 * Y)
