import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.formats import open_embeddings, write_embeddings
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.storage import load_alignment, save_alignment
from alignkit.tables import text
from alignkit.workflows import fit
from alignkit.workflows.streaming import Study, fit_stream

QUICK = Study(shards=8, folds=4, replicates=20)


class Unread:
    """Rows that must not be read."""

    def __init__(self, shape):
        self.shape, self.dtype = shape, np.dtype(np.float32)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        raise AssertionError("a row was read")


def world(n=800, d=6, noise=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 0.5
    return X, X @ np.linalg.qr(rng.normal(size=(d, d)))[0] + noise * rng.normal(size=(n, d))


@pytest.mark.parametrize("method", ["procrustes", "least_squares", "cca", "whitened_rotation"])
@pytest.mark.parametrize("normalize", ["center", "unit-center", "unit-center-unit", "whiten"])
def test_the_streamed_map_is_the_map_of_fit(method, normalize):
    X, Y = world()
    bare = Study(shards=8, folds=0, replicates=0)
    options = {"method": method, "params": {"normalize": normalize}}
    streamed = fit_stream(Embeddings(X), Embeddings(Y), study=bare, jobs=1, **options).alignment
    whole = fit(Embeddings(X), Embeddings(Y), test=0, **options).alignment
    assert_allclose(streamed.aligner.transform(X), whole.aligner.transform(X), atol=1e-8)


def test_files_on_disk_are_joined_by_id_whatever_their_order(tmp_path):
    X, Y = world()
    ids = [f"clip {i}" for i in range(len(X))]
    order = np.random.default_rng(1).permutation(len(X))
    write_embeddings(Embeddings(X, ids=ids), tmp_path / "x.space")
    write_embeddings(Embeddings(Y, ids=ids), tmp_path / "y.space")
    write_embeddings(Embeddings(Y[order], ids=[ids[i] for i in order]), tmp_path / "mixed.space")
    x, y, mixed = (open_embeddings(str(tmp_path / f"{name}.space")) for name in ("x", "y", "mixed"))
    one, other = (fit_stream(x, side, study=QUICK, jobs=1) for side in (y, mixed))
    assert_array_equal(one.alignment.aligner.matrix_, other.alignment.aligner.matrix_)
    assert one.report.sections == other.report.sections
    by_row = Pairs.by_id(Embeddings(X), Embeddings(Y[order]))
    wrong = fit_stream(x, Embeddings(Y[order]), pairs=by_row,
                       study=QUICK, jobs=1)  # fmt: skip
    assert wrong.report.sections["folds"]["pooled_cosine"].value < 0.2
    assert one.report.sections["folds"]["pooled_cosine"].value > 0.9


def test_the_report_holds_what_makes_it_repeatable_and_can_be_printed(tmp_path):
    X, Y = world()
    streamed = fit_stream(Embeddings(X), Embeddings(Y), study=QUICK, seed=5, jobs=1)
    context = streamed.report.context
    assert context["shards"] == {
        "count": 8, "smallest": 100, "largest": 100, "dealt_by": "stretch", "parts": "cross"
    }  # fmt: skip
    assert (context["passes"], context["pairs"], context["seed"]) == (2, 800, 5)
    assert context["moments_digest"].startswith("sha256:")
    changed = Y.copy()
    changed[3, 1] += 1e-6
    again = fit_stream(Embeddings(X), Embeddings(changed), study=QUICK, seed=5, jobs=1)
    assert again.report.context["moments_digest"] != context["moments_digest"]
    printed = text(streamed.report)
    words = ("held out in turn", "resampled shards", "pooled_cosine", "angle_in_degrees")
    assert all(word in printed for word in words)
    assert json.loads(json.dumps(streamed.to_json()))["folds"]["pooled_cosine"]["n"] == 8
    save_alignment(streamed.alignment, tmp_path / "a.alignment")
    assert_array_equal(
        load_alignment(tmp_path / "a.alignment").aligner.transform(X),
        streamed.alignment.aligner.transform(X),
    )


def test_the_same_seed_gives_the_same_numbers_for_any_number_of_threads():
    X, Y = world(noise=1.0)
    one, two, other = (
        fit_stream(Embeddings(X), Embeddings(Y), method="ridge", study=QUICK, seed=seed, jobs=jobs)
        for seed, jobs in ((0, 1), (0, 3), (1, 1))
    )
    assert one.report.to_json() == two.report.to_json()
    assert one.report.sections["folds"] != other.report.sections["folds"]
    assert_array_equal(one.alignment.aligner.matrix_, two.alignment.aligner.matrix_)


def test_ridge_takes_its_penalty_from_the_folds():
    X, Y = world(n=200, noise=3.0)
    streamed = fit_stream(Embeddings(X), Embeddings(Y), method="ridge", study=QUICK, jobs=1)
    grid = streamed.report.sections["grid"]
    alpha = streamed.alignment.aligner.alpha
    best = max(grid, key=lambda name: grid[name].value)
    assert 0.0 < alpha == streamed.report.context["params"]["alpha"]
    xx = streamed.shards.shards.total().moments.about_origin()[0]
    assert best == f"alpha={alpha / (np.trace(xx) / len(xx)):.3g}"
    worst = min(grid.values(), key=lambda score: score.value)
    assert streamed.report.sections["folds"]["explained_variance"].value > worst.value + 0.01


def test_neighbours_in_the_file_that_are_alike_widen_the_intervals():
    """Runs of copies of few pairs are worth few pairs, and stretches as shards let that be seen."""
    X, Y = world(n=32, noise=1.0)
    few = fit_stream(
        Embeddings(np.repeat(X, 25, axis=0)), Embeddings(np.repeat(Y, 25, axis=0)), study=QUICK, jobs=1
    )
    many = fit_stream(*(Embeddings(side) for side in world(n=800, noise=1.0)), study=QUICK, jobs=1)
    widths = [one.report.sections["folds"]["pooled_cosine"] for one in (few, many)]
    assert widths[0].high - widths[0].low > 2 * (widths[1].high - widths[1].low)


def test_what_cannot_be_streamed_is_refused_with_what_can():
    X, Y = world()
    source, target = Embeddings(X), Embeddings(Y)
    with pytest.raises(ParameterError, match=r"rcsls needs rows in memory.*procrustes"):
        fit_stream(source, target, method="rcsls")
    with pytest.raises(UnknownNameError):
        fit_stream(source, target, method="procrusties")
    with pytest.raises(ParameterError, match=r"vecmap-supervised is a preset .* its own, whitened_rotation"):
        fit_stream(source, target, method="vecmap-supervised")
    with pytest.raises(
        ParameterError, match="auto compares methods on two spaces alone and not for a stream"
    ):
        fit_stream(source, target, method="auto")
    for study, words in (
        (Study(shards=8, folds=9), "8 shards cannot be dealt into 9 folds"),
        (Study(folds=1), "dealt into 1 folds"),
        (Study(shards=1), "shards is 1"),
        (Study(replicates=-1), "replicates is -1"),
        (Study(criterion="luck"), "choose one of explained_variance"),
    ):
        with pytest.raises(ParameterError, match=words):
            fit_stream(source, target, study=study)
    unread = Embeddings(Unread(X.shape))
    with pytest.raises(ParameterError, match="'cv' ranks held-out pairs"):
        fit_stream(unread, unread, method="cca_cv", study=QUICK)
    with pytest.raises(DataError, match="needs equal dimensions"):
        fit_stream(unread, Embeddings(Unread((800, 5))), method="mean_shift", study=QUICK)
    Y[7] = 0
    with pytest.raises(DataError, match="row 7 is all zeros"):
        fit_stream(source, Embeddings(Y), study=QUICK)


@pytest.mark.parametrize("n", [3, 7, 20])
def test_few_pairs_make_as_many_shards_and_folds_as_they_can(n):
    X, _ = world(n=n, d=2)
    streamed = fit_stream(Embeddings(X), Embeddings(X), jobs=1)
    assert streamed.report.context["shards"]["count"] == n
    assert streamed.report.context["study"]["folds"] == min(5, n)
    assert_allclose(streamed.alignment.aligner.transform(X), fit_whole(X, X), atol=1e-8)
    grouped = replace(Pairs.by_id(Embeddings(X), Embeddings(X)), groups=np.arange(n) % 2)
    two = fit_stream(Embeddings(X), Embeddings(X), pairs=grouped, jobs=1)
    assert two.report.context["shards"]["count"] == two.report.context["study"]["folds"] == 2


def test_targets_that_are_all_alike_are_streamed_as_they_are_fitted():
    X, _ = world(n=100)
    Y = np.full((100, 1), 2.0)
    options = {"method": "least_squares", "params": {"normalize": "center"}}
    streamed = fit_stream(Embeddings(X), Embeddings(Y), study=QUICK, jobs=1, **options)
    assert_allclose(streamed.alignment.aligner.transform(X), Y)
    assert streamed.report.sections["bootstrap"]["angle_in_degrees"].value == 0


def fit_whole(X, Y):
    return fit(Embeddings(X), Embeddings(Y), test=0).alignment.aligner.transform(X)
