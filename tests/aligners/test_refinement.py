import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.refinement import Refinement
from alignkit.errors import AlignkitError, DataError, PairingError, ParameterError
from alignkit.testing import check_aligner, planted_rotation


def world(seed, *, n=600, d=16, noise=0.35):
    """Return two noisy views of one cloud, row i beside row i, and the rotation between them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(1.5, 0.5, d)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return X, X @ Q + noise * rng.normal(size=(n, d)), Q


def seeds(count):
    return np.stack([np.arange(count)] * 2, axis=1)


def hits(aligner, X, Y):
    P, Q = (
        V / np.linalg.norm(V, axis=1, keepdims=True)
        for V in (aligner.project_source(X), aligner.project_target(Y))
    )
    return float(((P @ Q.T).argmax(axis=1) == np.arange(len(X))).mean())


@pytest.mark.parametrize("seed", range(3))
def test_few_seed_pairs_grow_into_the_planted_rotation(seed):
    X, Y, Q = world(seed)
    few, grown = (Refinement(rounds=rounds).fit_vocabulary(X, Y, seeds(8)) for rounds in (0, 20))
    assert hits(few, X, Y) < 0.35
    assert hits(grown, X, Y) > 0.95
    assert np.linalg.norm(grown.matrix_ - Q) < np.linalg.norm(few.matrix_ - Q) / 3


def test_without_a_common_shape_no_round_helps():
    """The must-fail half: where the unpaired rows are strangers, nothing can be learnt from them."""
    X, Y, _ = world(0)
    strangers = np.random.default_rng(9).normal(size=Y.shape)
    strangers[:8] = Y[:8]
    grown = Refinement(rounds=20).fit_vocabulary(X, strangers, seeds(8))
    assert hits(grown, X, Y) < 0.35


def test_no_round_is_procrustes_and_whole_links_equal_pairs():
    X, Y, _ = planted_rotation(noise=0.1)
    expected = Procrustes().fit(X, Y)
    for fitted in (Refinement(rounds=0).fit(X, Y), Refinement(rounds=0).fit_vocabulary(X, Y, seeds(len(X)))):
        assert np.allclose(fitted.matrix_, expected.matrix_, atol=1e-10)
        assert np.allclose(fitted.transform(X), expected.transform(X), atol=1e-10)
        assert fitted.history_.shape == (0, 2)


@pytest.mark.parametrize("dictionary", ["mutual", "forward", "either"])
def test_each_round_is_one_rotation_onto_the_brute_force_dictionary(dictionary):
    X, Y, _ = world(1, n=300)
    fitted = Refinement(rounds=1, dictionary=dictionary).fit_vocabulary(X, Y, seeds(40))
    P, Q = fitted.source_frame_.apply(X), fitted.target_frame_.apply(Y)
    start = Refinement(rounds=0).fit_vocabulary(X, Y, seeds(40)).matrix_
    S = (P @ start) @ Q.T
    r_source, r_target = (-np.sort(-M, axis=1)[:, :10].mean(axis=1) for M in (S, S.T))
    criterion = 2 * S - r_source[:, None] - r_target
    forward = {(i, j) for i, j in enumerate(criterion.argmax(axis=1))}
    backward = {(i, j) for j, i in enumerate(criterion.argmax(axis=0))}
    pairs = {"mutual": forward & backward, "forward": forward, "either": forward | backward}[dictionary]
    rows, columns = np.array(sorted(pairs)).T
    U, _, Vt = np.linalg.svd(P[rows].T @ Q[columns])
    assert np.allclose(fitted.matrix_, U @ Vt, atol=1e-8)
    assert fitted.history_[0, 1] == len(pairs)
    assert fitted.history_[0, 0] == pytest.approx(
        S[np.arange(300), criterion.argmax(axis=1)].mean(), abs=1e-6
    )


def test_the_criterion_rises_until_it_stops_and_the_better_map_is_kept():
    X, Y, _ = world(2)
    fitted = Refinement(rounds=50).fit_vocabulary(X, Y, seeds(8))
    criterion = fitted.history_[:, 0]
    assert len(criterion) < 50  # it came to rest by itself
    assert (np.diff(criterion[:-1]) > 0).all()
    assert criterion[-1] <= criterion[-2] + 1e-6
    kept = len(criterion) - 2  # rounds behind the best map judged
    again = Refinement(rounds=kept).fit_vocabulary(X, Y, seeds(8))
    assert np.array_equal(fitted.matrix_, again.matrix_)


def test_the_rank_cut_admits_frequent_rows_only():
    X, Y, _ = world(3)
    full, cut = (Refinement(rounds=1, max_rank=rank).fit_vocabulary(X, Y, seeds(30)) for rank in (None, 100))
    assert cut.history_[0, 1] <= 100 < full.history_[0, 1]
    with pytest.raises(ParameterError, match="pairs have no such order: use fit_vocabulary"):
        Refinement(max_rank=100).fit(X, Y)


def test_a_round_without_mutual_neighbours_is_named():
    """The first row of the source matches the last row of the target: a cut at one row leaves nothing."""
    X, Y, _ = world(4, n=60, noise=0)
    Y = np.roll(Y, 1, axis=0)
    links = np.stack([np.arange(59), np.arange(1, 60)], axis=1)
    with pytest.raises(DataError, match="round 1 found no pair among the first 1 rows to learn from"):
        Refinement(max_rank=1).fit_vocabulary(X, Y, links)


def test_rare_rows_without_a_partner_do_no_harm():
    X, Y, _ = world(5)
    more = np.concatenate([X, np.random.default_rng(1).normal(size=(150, 16))])
    grown = Refinement(rounds=20).fit_vocabulary(more, Y, seeds(20))
    assert hits(grown, X, Y) > 0.9


def test_unequal_dimensions_and_whole_numbers_are_fitted():
    X, Y, _ = world(6)
    fitted = Refinement().fit_vocabulary(X[:, :10], Y, seeds(100))
    assert np.allclose(fitted.matrix_ @ fitted.matrix_.T, np.eye(10), atol=1e-10)
    whole = Refinement().fit_vocabulary(np.rint(100 * X).astype(int), Y, seeds(100))
    assert hits(whole, X, Y) > 0.9


def test_float32_and_float64_vocabularies_give_one_map():
    X, Y, _ = world(7)
    wide, narrow = (
        Refinement().fit_vocabulary(X.astype(dtype), Y.astype(dtype), seeds(60)) for dtype in ("f8", "f4")
    )
    assert np.allclose(wide.matrix_, narrow.matrix_, atol=1e-4)


@pytest.mark.parametrize("dictionary", ["forward", "either"])
def test_it_keeps_the_contract_with_every_dictionary(dictionary):
    check_aligner(Refinement(dictionary=dictionary))


def refused(error, words, *arguments, **params):
    with pytest.raises(error, match=words):
        Refinement(**params).fit_vocabulary(*arguments)


def test_bad_input_is_refused_in_one_sentence():
    X, Y, _ = world(0, n=50)
    bad = Y.copy()
    bad[7, 3] = np.nan
    refused(DataError, "Y: row 7 holds NaN", X, bad, seeds(9))
    refused(DataError, r"X has shape \(50,\)", X[:, 0], Y, seeds(9))
    refused(PairingError, "link 1 joins rows 3 and 50", X, Y, [[0, 0], [3, 50]])
    refused(PairingError, "there are 1 links: give 2 or more", X, Y, [[0, 0]])
    refused(PairingError, "give whole numbers", X, Y, [[0.5, 1.0], [0, 1]])
    refused(ParameterError, "rounds is -1", X, Y, seeds(9), rounds=-1)
    refused(ParameterError, "dictionary is 'S2T'; choose one of mutual", X, Y, seeds(9), dictionary="S2T")
    refused(ParameterError, "neighbours is 0", X, Y, seeds(9), neighbours=0)
    refused(ParameterError, "max_rank is 0", X, Y, seeds(9), max_rank=0)
    with pytest.raises(AlignkitError, match="row 0 is all zeros"):
        Refinement().fit_vocabulary(np.zeros_like(X), Y, seeds(9))
