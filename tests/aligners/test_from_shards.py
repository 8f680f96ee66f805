import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners import METHODS
from alignkit.aligners._frame import Frame
from alignkit.aligners._framed_shards import FramedShards
from alignkit.aligners._from_shards import (
    GRID,
    best_penalty,
    fit_shards,
    interval_scores,
    resample,
    score_folds,
    score_grid,
)
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.ridge import Ridge
from alignkit.errors import ParameterError
from alignkit.shards import ShardMoments

SHARDS = 10


def rows(n=1000, ds=6, noise=0.3, seed=0, shear=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, ds)) * np.linspace(2, 0.5, ds)
    Q = np.linalg.qr(rng.normal(size=(ds, ds)))[0]
    return X + 1, X @ (Q + shear * rng.normal(size=(ds, ds))) + noise * rng.normal(size=(n, ds))


def framed(X, Y, steps="center"):
    labels = np.arange(len(X)) * SHARDS // len(X)
    return FramedShards(steps, ShardMoments.from_arrays(X, Y, labels=labels))


def test_held_out_scores_are_those_of_the_rows_themselves():
    """The same maps, fitted to framed rows and scored on framed rows, without one moment."""
    X, Y = rows(shear=0.3)
    for method in ("procrustes", "ridge", "cca", "whitened_rotation"):
        options = {"alpha": 50.0} if method == "ridge" else {}
        aligner = METHODS.get(method)(normalize="center", **options)
        shards = framed(X, Y)
        fit_shards(aligner, shards)
        found = score_folds(aligner, shards, 5, seed=1)
        x, y = (Frame.fit(side, "center").apply(side) for side in (X, Y))
        fold_of = np.repeat(shards.shards.deal(5, seed=1), len(X) // SHARDS)
        sums, similar = np.zeros(5), []
        for fold in range(5):
            rest, held = fold_of != fold, fold_of == fold
            scaled = {"alpha": 50.0 * rest.mean()} if method == "ridge" else {}
            theirs = METHODS.get(method)(normalize="none", **scaled).fit(x[rest], y[rest])
            mapped, A, B = (
                x[held] @ theirs.matrix_,
                theirs.project_source(x[held]),
                theirs.project_target(y[held]),
            )
            sums += [
                np.sum((y[held] - mapped) ** 2), np.sum((y[held] - y[rest].mean(axis=0)) ** 2),
                np.sum(A * B), np.sum(A * A), np.sum(B * B),
            ]  # fmt: skip
            A, B = A - A.mean(axis=0), B - B.mean(axis=0)
            similar.append((np.mean(np.sum(A * B, axis=1)), np.mean((A @ B.T) ** 2)))
        assert found["explained_variance"].value == pytest.approx(1 - sums[0] / sums[1], abs=1e-9)
        assert found["pooled_cosine"].value == pytest.approx(sums[2] / np.sqrt(sums[3] * sums[4]), abs=1e-9)
        excess, square = np.mean(similar, axis=0)
        assert found["separation"].value == pytest.approx(excess / np.sqrt(square), abs=1e-9)


def test_cross_products_alone_give_a_rotation_the_same_scores():
    X, Y = rows()
    whole = framed(X, Y)
    arrays = whole.shards.arrays()
    cross = arrays | {"products": np.ascontiguousarray(arrays["products"][:, :6, 6:])}
    facts = whole.shards.facts | {"parts": "cross"}
    less = FramedShards("center", ShardMoments.from_state(facts, cross))
    both = [score_folds(fit_shards(Procrustes(normalize="center"), one), one, 5, 0) for one in (whole, less)]
    assert "separation" in both[0]
    assert "separation" not in both[1]
    for name, score in both[1].items():
        assert score.value == pytest.approx(both[0][name].value, abs=1e-10)
        assert score.low == pytest.approx(both[0][name].low, abs=1e-10)
    reports = [
        interval_scores(aligner, one, resample(aligner, one, 20, 0, 1))
        for one in (whole, less)
        for aligner in [fit_shards(Procrustes(normalize="center"), one)]
    ]
    for name, score in reports[0].items():
        assert_allclose([score.value, score.low], [reports[1][name].value, reports[1][name].low], atol=1e-9)


def test_a_shear_is_explained_by_ridge_and_not_by_a_rotation():
    X, Y = rows(noise=0.01, shear=0.8)
    shards = framed(X, Y)
    rotation = score_folds(fit_shards(Procrustes(normalize="center"), shards), shards, 5, 0)
    ridge = score_folds(fit_shards(Ridge(alpha=1e-3, normalize="center"), shards), shards, 5, 0)
    assert ridge["explained_variance"].value > 0.99
    assert rotation["explained_variance"].high < 0.9


def test_where_there_is_nothing_to_learn_the_scores_are_at_chance():
    X, _ = rows()
    Y = np.random.default_rng(9).normal(size=X.shape)
    shards = framed(X, Y)
    scores = score_folds(fit_shards(Ridge(alpha=1e4, normalize="center"), shards), shards, 5, 0)
    assert abs(scores["explained_variance"].value) < 0.02
    for name in ("pooled_cosine", "separation"):
        assert scores[name].chance == 0
        assert scores[name].low < 0.05


def test_every_penalty_of_the_grid_scores_as_the_map_it_stands_for():
    X, Y = rows(n=300, noise=2.0)
    shards = framed(X, Y)
    grid = np.array([1e-6, 1e-2, 1.0, 30.0])
    scores = score_grid(shards, 5, 0, grid)
    xx = shards.joint(shards.shards.total(), shards.frames()).moments.xx
    for index, penalty in enumerate(grid):
        aligner = Ridge(alpha=penalty * np.trace(xx) / len(xx), normalize="center")
        single = score_folds(fit_shards(aligner, shards), shards, 5, 0)
        for name, score in single.items():
            # the penalty follows the eigenvalues of each fold there, the weight of the pairs here
            assert scores[name][index].value == pytest.approx(score.value, abs=2e-3)


def test_the_penalty_is_large_where_noise_is_and_small_where_it_is_not():
    penalties = []
    for noise in (0.05, 8.0):
        X, Y = rows(n=120, noise=noise)
        shards = framed(X, Y)
        penalties.append(best_penalty(shards, score_grid(shards, 5, 0), "explained_variance"))
    assert penalties[1] > 30 * penalties[0]
    X, Y = rows(n=120, noise=8.0)
    fresh = rows(n=3000, noise=8.0)
    errors = []
    for penalty in (penalties[1], 0.0):
        aligner = fit_shards(Ridge(alpha=penalty, normalize="center"), framed(X, Y))
        errors.append(np.mean((aligner.transform(fresh[0]) - fresh[1]) ** 2))
    assert errors[0] < errors[1]
    with pytest.raises(ParameterError, match="choose one of explained_variance"):
        best_penalty(shards, score_grid(shards, 5, 0), "luck")
    assert len(GRID) == 41


def test_bootstrap_intervals_hold_the_truth_about_as_often_as_they_say():
    """Singular values of fresh worlds against those of a very large one; a shard is an honest unit."""
    X, Y = rows(n=60_000, seed=77)
    truth = framed(X, Y)
    aligner = fit_shards(Procrustes(normalize="center"), truth)
    expected = interval_scores(aligner, truth, resample(aligner, truth, 5, 0, 1))["singular_value_1"].value
    inside, angles = [], []
    for n, worlds in ((1000, 30), (4000, 5)):
        for seed in range(worlds):
            some = np.random.default_rng(seed).choice(len(X), n, replace=False)
            shards = framed(X[some], Y[some])
            aligner = fit_shards(Procrustes(normalize="center"), shards)
            found = interval_scores(aligner, shards, resample(aligner, shards, 60, seed, 1))
            inside.append(found["singular_value_1"].low <= expected <= found["singular_value_1"].high)
            angles.append(found["angle_in_degrees"].value)
    assert 0.75 < np.mean(inside) <= 1.0  # ten shards make percentile intervals a little short
    assert np.mean(angles[30:]) < 0.7 * np.mean(angles[:30])  # about half: four times the pairs


def test_replicates_follow_their_seed_and_not_the_number_of_threads():
    X, Y = rows()
    shards = framed(X, Y)
    aligner = fit_shards(Procrustes(normalize="center"), shards)
    one, three, other = (resample(aligner, shards, 20, seed, jobs) for seed, jobs in ((0, 1), (0, 3), (1, 1)))
    assert_array_equal(one.singular_values, three.singular_values)
    assert_array_equal(one.angle, three.angle)
    assert (one.angle != other.angle).all()
