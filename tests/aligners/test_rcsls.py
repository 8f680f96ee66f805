import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.rcsls import Rcsls
from alignkit.errors import ParameterError
from alignkit.testing import check_aligner, planted_rotation, planted_shear


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def loss_by_hand(fitted, matrix, X, Y):
    """Return the loss from the whole matrices of products, with sorts."""
    P, Q = unit(fitted.source_frame_.apply(X)), unit(fitted.target_frame_.apply(Y))
    S = P @ matrix @ Q.T
    k = fitted.neighbours
    ahead, back = (-np.sort(-M, axis=1)[:, :k].mean(axis=1) for M in (S, S.T))
    return float(np.mean(ahead + back - 2 * np.diag(S)))


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize("rate", [0.02, 0.3, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_objective_never_increases_however_large_the_step(spectral, rate, seed):
    X, Y, _ = planted_shear(seed=seed)
    fitted = Rcsls(steps=12, rate=rate, spectral=spectral).fit(X, Y)
    losses, tried = fitted.history_.T
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < losses[0]
    taken = np.diff(losses) < 0
    assert np.allclose(tried[2:], np.where(taken, tried[1:], tried[1:] / 2)[:-1])  # halved where dropped
    if rate == 10:
        assert not taken.all()  # there was something to take back


@pytest.mark.parametrize("spectral", [True, False])
def test_a_dropped_step_leaves_the_very_matrix_that_was_there(spectral):
    X, Y, _ = planted_shear()
    fitted = Rcsls(steps=3, rate=1e6, spectral=spectral, normalize="unit").fit(X, Y)
    losses = fitted.history_[:, 0]
    if (np.diff(losses) == 0).all():
        start = Rcsls(steps=0, normalize="unit").fit(X, Y)
        assert np.array_equal(fitted.matrix_, start.matrix_)
    matrix = fitted.matrix_ / np.linalg.norm(fitted.matrix_)
    scale = loss_by_hand(fitted, matrix, X, Y) / losses[-1]  # the loss is as long as the matrix
    assert scale > 0
    assert loss_by_hand(fitted, matrix / scale, X, Y) == pytest.approx(losses[-1])


def test_the_loss_is_that_of_whole_matrices_and_sorts():
    X, Y, _ = planted_rotation(noise=0.2)
    start = Rcsls(steps=0).fit(X, Y)
    rotation = Procrustes().fit(X, Y).matrix_
    assert start.history_[0, 0] == pytest.approx(loss_by_hand(start, rotation, X, Y), abs=1e-7)
    assert np.allclose(
        unit(start.project_source(X)), unit(Procrustes().fit(X, Y).project_source(X)), atol=1e-9
    )


def test_the_first_step_goes_down_the_numerical_gradient():
    X, Y, _ = planted_rotation(n=60, d=5, noise=0.2)
    small = Rcsls(steps=1, rate=1e-6, spectral=False).fit(X, Y)
    start = Rcsls(steps=0, spectral=False).fit(X, Y)
    matrix, numeric = Procrustes().fit(X, Y).matrix_, np.zeros((5, 5))
    for entry in np.ndindex(5, 5):
        moved = np.zeros((5, 5))
        moved[entry] = 1e-6
        ends = (loss_by_hand(start, matrix + sign * moved, X, Y) for sign in (1, -1))
        numeric[entry] = (next(ends) - next(ends)) / 2e-6
    fall = (small.history_[1, 0] - small.history_[0, 0]) / small.history_[1, 1]
    assert fall == pytest.approx(-np.sum(numeric**2), rel=1e-3)


def test_singular_values_stay_at_most_one_only_with_the_projection():
    X, Y, _ = planted_shear()
    held, free = (Rcsls(spectral=spectral, rate=0.2).fit(X, Y) for spectral in (True, False))
    # the last factor fits lengths, so the matrix of the loss is known up to it
    loss = loss_by_hand(held, held.matrix_, X, Y)
    largest = np.linalg.svd(held.matrix_, compute_uv=False)[0] * held.history_[-1, 0] / loss
    assert largest <= 1 + 1e-5
    loss = loss_by_hand(free, free.matrix_, X, Y)
    assert np.linalg.svd(free.matrix_, compute_uv=False)[0] * free.history_[-1, 0] / loss > 1.1


def csls_hits(fitted, X, Y):
    S = unit(fitted.project_source(X)) @ unit(fitted.project_target(Y)).T
    r = -np.sort(-S.T, axis=1)[:, :10].mean(axis=1)
    return float(((2 * S - r).argmax(axis=1) == np.arange(len(X))).mean())


def noisy_axes(seed, *, n=900, d=24):
    """Return two views of one cloud in which half of the axes are mostly noise: no rotation can mute them."""
    rng = np.random.default_rng(seed)
    Z, noise = rng.normal(size=(n, d)), np.repeat([0.4, 2.5], d // 2)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X, Y = (Z + noise * rng.normal(size=Z.shape) for _ in range(2))
    return X, Y @ Q


@pytest.mark.parametrize("seed", range(3))
def test_noisy_axes_that_no_rotation_can_mute_are_muted(seed):
    X, Y = noisy_axes(seed)
    links = np.stack([np.arange(600)] * 2, axis=1)
    fitted, rotation = (Rcsls(steps=steps).fit_vocabulary(X, Y, links) for steps in (20, 0))
    X, Y = X[600:], Y[600:]
    assert csls_hits(fitted, X, Y) > csls_hits(rotation, X, Y) + 0.05


def test_wrong_pairs_teach_nothing():
    """The must-fail half: on shuffled pairs the loss falls as well, and held-out pairs stay unfound."""
    X, Y, _ = planted_rotation(n=300)
    order = np.random.default_rng(0).permutation(200)
    links = np.stack([np.arange(200), order], axis=1)
    fitted = Rcsls(steps=20).fit_vocabulary(X, Y, links)
    assert fitted.history_[-1, 0] < fitted.history_[0, 0]
    assert csls_hits(fitted, X[200:], Y[200:]) < 0.1


def test_rows_beyond_the_pairs_are_neighbours_too():
    X, Y, _ = planted_rotation(n=300, noise=0.3)
    links = np.stack([np.arange(100)] * 2, axis=1)
    whole = Rcsls(steps=0).fit_vocabulary(X, Y, links)
    pairs = Rcsls(steps=0).fit(X[:100], Y[:100])
    assert whole.history_[0, 0] > pairs.history_[0, 0] + 0.05  # more rows, nearer neighbours


def test_it_keeps_the_contract_without_the_projection():
    check_aligner(Rcsls(spectral=False, steps=4))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"rate": 0}, "rate is 0: no step"),
        ({"rate": -1}, "rate is -1"),
        ({"spectral": 2}, "spectral is 2; it is a switch"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"normalize": "l2"}, "normalize is 'l2'"),
    ],
)
def test_parameters_without_meaning_are_refused(params, words):
    X, Y, _ = planted_rotation(n=40)
    with pytest.raises(ParameterError, match=words):
        Rcsls(**params).fit(X, Y)
