from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone

from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.ridge import Ridge
from alignkit.alignment import Alignment
from alignkit.chains import chain_bound, chain_error, cycle_error
from alignkit.errors import NotInvertibleError, PairingError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space


def joined(X, Y, names="ab", aligner=None):
    source, target = (Space(V.shape[1], name) for V, name in zip((X, Y), names, strict=True))
    return Alignment("map", (aligner or Procrustes(normalize="center")).fit(X, Y), source, target)


def views(noise=0.3, n=400, d=8, count=3, seed=0):
    rng = np.random.default_rng(seed)
    things = rng.normal(size=(n, d))
    turns = [np.linalg.qr(rng.normal(size=(d, d)))[0] for _ in range(count)]
    return [things @ turn + noise * rng.normal(size=(n, d)) for turn in turns]


def test_there_and_back_by_the_inverse_loses_nothing_but_lengths():
    X, Y, _ = views()
    assert cycle_error(joined(X, Y), X).distance < 1e-12
    assert cycle_error(joined(X, Y), X).cosine == pytest.approx(0, abs=1e-12)
    found = cycle_error(joined(X, Y, aligner=Procrustes()), X)  # unit rows: the length of each is gone
    assert found.cosine == pytest.approx(0, abs=1e-12)
    assert found.distance > 0.1
    assert found.n == 400


def test_a_row_of_zeros_has_no_cosine_and_spoils_no_mean():
    X, Y, _ = views(n=50)
    X[3] = 0
    found = cycle_error(joined(X, Y, aligner=Procrustes(normalize="none")), X)
    assert found.cosine == pytest.approx(1 / 50, abs=1e-12)
    assert found.distance < 1e-12


def test_a_cycle_says_what_was_lost_on_the_way():
    X, Y, _ = views()
    there = joined(X, Y)
    narrow = joined(X, Y[:, :6], "ac"), joined(Y[:, :6], X, "ca")
    found = cycle_error(narrow[0], X, narrow[1])
    kept = X - X.mean(axis=0)
    U = narrow[0].aligner.matrix_
    lost = kept - kept @ U @ narrow[1].aligner.matrix_
    assert found.distance == pytest.approx(np.linalg.norm(lost) / np.linalg.norm(kept), rel=1e-9)
    assert 0.3 < found.distance < 0.7
    wrong = joined(Y, X[np.random.default_rng(1).permutation(400)], "ba")
    assert cycle_error(there, X, wrong).distance > 0.9
    with pytest.raises(NotInvertibleError):
        cycle_error(narrow[0], X)
    with pytest.raises(SpaceMismatchError, match="needs"):
        cycle_error(there, X, joined(Y, X, "bc"))
    with pytest.raises(SpaceMismatchError, match="the start of this cycle needs a"):
        cycle_error(there, Embeddings(X, space=Space(8, "z")))


@pytest.mark.parametrize("aligner", [Procrustes(), Procrustes(normalize="center"), Ridge(alpha=1.0)])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_of_two_maps_holds_and_is_twice_the_error_where_all_spaces_scatter_alike(aligner, seed):
    X, Y, Z = views(noise=0.5, seed=seed)
    train, rest = slice(0, 200), slice(200, 400)
    legs = (X, Y, "ab"), (Y, Z, "bc")
    parts = [joined(a[train], b[train], names, clone(aligner)) for a, b, names in legs]
    error = chain_error(parts, X[rest], Z[rest])
    found = chain_bound(parts, [(X[rest], Y[rest]), (Y[rest], Z[rest])])
    assert error <= found.bound * (1 + 1e-12)
    assert found.bound == pytest.approx(2 * error, rel=0.1)
    assert found.estimate == pytest.approx(np.sqrt(2) * error, rel=0.1)
    assert found.gains[-1] == 1
    assert sum(found.carried) == pytest.approx(found.bound)


def test_independent_errors_add_as_squares():
    X, Y, Z = views(noise=0, n=4000)
    rng = np.random.default_rng(2)
    parts = [joined(X, Y, "ab"), joined(Y, Z, "bc")]
    X, Z = (V + 0.3 * rng.normal(size=V.shape) for V in (X, Z))  # the middle space is clean
    found, error = chain_bound(parts, [(X, Y), (Y, Z)]), chain_error(parts, X, Z)
    assert found.estimate == pytest.approx(error, rel=0.02)
    assert found.bound == pytest.approx(np.sqrt(2) * error, rel=0.02)


def test_a_gain_is_at_most_the_norm_of_the_maps_behind():
    rng = np.random.default_rng(3)
    X, Y, Z = views()
    W = Z @ (rng.normal(size=(8, 8)) + 2 * np.eye(8))
    parts = [joined(X, Y, "ab"), joined(Y, W, "bc", Ridge(alpha=0.01, normalize="center"))]
    found = chain_bound(parts, [(X, Y), (Y, W)])
    norm = np.linalg.norm(parts[1].aligner.matrix_, 2)
    assert 0.3 * norm < found.gains[0] <= norm
    turns = chain_bound([parts[0], joined(Y, Z, "bc")], [(X, Y), (Y, Z)])
    assert turns.gains[0] == pytest.approx(1)


def test_errors_that_cancel_leave_the_bound_far_above():
    """The must-fail half of tightness: a map and its inverse err not at all, whatever each one does."""
    X, Y, _ = views(noise=1.0)
    there = joined(X, Y)
    parts = [there, there.inverse()]
    found = chain_bound(parts, [(X, Y), (Y, X)])
    assert chain_error(parts, X, X) < 1e-12
    assert found.bound > 1


def test_three_maps_are_bound_as_two_are():
    A, B, C, D = views(noise=0.3, count=4)
    parts = [joined(A, B, "ab"), joined(B, C, "bc"), joined(C, D, "cd")]
    found = chain_bound(parts, [(A, B), (B, C), (C, D)])
    assert len(found.carried) == 3
    error = chain_error(parts, A, D)
    assert found.bound == pytest.approx(3 * error, rel=0.05)


def test_what_does_not_meet_is_refused():
    X, Y, Z = views()
    parts = [joined(X, Y, "ab"), joined(Y, Z, "bc")]
    with pytest.raises(PairingError, match="there are 1 sets of pairs for 2 maps"):
        chain_bound(parts, [(X, Y)])
    with pytest.raises(PairingError, match="part 1 of the chain has pairs of 400 and 399 rows"):
        chain_bound(parts, [(X, Y), (Y, Z[1:])])
    with pytest.raises(SpaceMismatchError, match="the next map of the chain"):
        chain_bound(parts[::-1], [(Y, Z), (X, Y)])
    with pytest.raises(SpaceMismatchError, match="the next map of the chain"):
        chain_error(parts[::-1], Y, Y)
    with pytest.raises(PairingError, match="400 rows to map and 399 partners"):
        chain_error(parts, X, Z[1:])
    for measure in (chain_error([], X, Z) for _ in range(1)), (chain_bound([], []) for _ in range(1)):
        with pytest.raises(PairingError, match="the chain has no part"):
            next(measure)


@pytest.mark.parametrize("method", [Procrustes, CanonicalCorrelation])
def test_on_real_classes_the_bound_holds_and_lies_within_twice_the_error(data, method):
    """Names of 1,203 classes in two models and pictures of them: two chains of two maps each."""
    folder = data / "clip_lvis_text"
    names = ("rn50_text", "vitb32_text", "vitb32_image_exemplars_avg5", "vitb32_text_gpt3desc")
    rn50, text, image, long = (np.load(folder / f"lvis_{name}.npy").astype(np.float64) for name in names)
    order = np.random.default_rng(0).permutation(len(text))
    train, rest = order[:842], order[842:]
    for chain in ((rn50, text, image), (long, text, rn50)):
        parts = [
            joined(a[train], b[train], ends, method())
            for (a, b), ends in zip(pairwise(chain), ("ab", "bc"), strict=True)
        ]
        pairs = [(a[rest], b[rest]) for a, b in pairwise(chain)]
        found = chain_bound(parts, pairs)
        error = chain_error(parts, chain[0][rest], chain[-1][rest])
        assert error <= found.bound <= 2 * error
        assert abs(found.estimate / error - 1) < 0.25
        # and up to sampling where each part is judged on rows of its own
        half = len(rest) // 2
        apart = chain_bound(parts, [tuple(V[:half] for V in pairs[0]), tuple(V[half:] for V in pairs[1])])
        assert apart.bound == pytest.approx(found.bound, rel=0.1)
