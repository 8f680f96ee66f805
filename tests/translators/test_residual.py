import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners import METHODS
from alignkit.aligners._frame import NORMALIZE
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners.identity import Identity
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import ParameterError
from alignkit.testing import planted_map, planted_rotation
from alignkit.translators.residual import Residual

ROTATION = {"start": "procrustes", "hidden": 16, "batch": 16}
START = {"epochs": 0, "validation": 0.0}  # before the first step
SHORT = ROTATION | {"epochs": 6, "folds": 1, "refit": False}  # the shortest that shows something


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_before_the_first_step_it_is_procrustes(normalize):
    X, Y, _ = planted_rotation(100, 6, noise=0.2)
    start = Residual(**ROTATION | START, normalize=normalize).fit(X, Y)
    rotation = Procrustes(normalize=normalize).fit(X, Y)
    assert start.start_ == "procrustes"
    assert_allclose(start.transform(X), rotation.transform(X), atol=2e-6)
    assert_allclose(start.project_source(X), rotation.project_source(X), atol=2e-6)


def test_it_starts_as_procrustes_between_unequal_dimensions_too():
    for dims in ((5, 8), (8, 5)):
        X, Y = planted_map(*dims)
        expected = Procrustes().fit(X, Y).transform(X)
        assert_allclose(Residual(**ROTATION | START).fit(X, Y).transform(X), expected, atol=2e-6)


@pytest.mark.parametrize("dims", [(6, 6), (5, 8), (8, 5)])
def test_before_the_first_step_it_is_canonical_correlation_or_the_identity_where_asked(dims):
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(200, 3))
    X, Y = (
        np.hstack([shared, rng.normal(size=(200, dim - 3))]) @ rng.normal(size=(dim, dim)) for dim in dims
    )
    start = Residual(start="cca", hidden=4, **START).fit(X, Y)
    assert start.start_ == "cca"
    chosen = start.choice_
    linear = METHODS.get("cca")(regularization=chosen.share, exponent=chosen.exponent).fit(X, Y)
    P, Q = start.project_source(X), start.project_target(Y)
    expected = linear.project_source(X), linear.project_target(Y)
    assert rank_and_cosine(P, Q, np.ones(200)) == pytest.approx(
        rank_and_cosine(*expected, np.ones(200)), abs=1e-4
    )
    assert_allclose(start.transform(X), linear.transform(X), atol=1e-5)
    assert np.linalg.norm(P, axis=1).mean() == pytest.approx(1, abs=0.1)
    if dims[0] == dims[1]:
        same = Residual(start="identity", hidden=4, **START).fit(X, Y)
        assert_allclose(
            same.transform(X), Identity(normalize="unit-center-unit").fit(X, Y).transform(X), atol=1e-6
        )


def test_where_the_correction_ranks_no_pair_better_the_map_stays_the_rotation():
    """A clean rotation ranks every held-out pair first: nothing can be gained, and nothing is lost."""
    X, Y, _ = planted_rotation(200, 8, noise=0.01)
    wild = {"epochs": 20, "rate": 0.05, "patience": 3}
    for more in ({"refit": True}, {"folds": 5}):
        fitted = Residual(**SHORT | wild | more).fit(X, Y)
        assert fitted.epochs_ == 0
        assert len(fitted.history_) == 3
        assert_allclose(fitted.transform(X), Procrustes().fit(X, Y).transform(X), atol=2e-6)


def test_the_rotation_itself_is_not_trained(bent):
    start, end = (Residual(**SHORT | {"epochs": epochs, "validation": 0.0}).fit(*bent) for epochs in (0, 6))
    assert np.array_equal(start.arrays()["net.skip"], end.arrays()["net.skip"])
    assert np.abs(end.arrays()["net.weight1"]).max() > 1e-3


def test_a_correction_of_a_chosen_start_is_saved_and_leads_to_the_targets_frame(bent):
    """What is learnt in the joint frame of canonical correlations is carried on to the target's own."""
    X, Y = bent
    params = {"start": "cca", "hidden": 64, "epochs": 40, "batch": 32, "rate": 3e-3, "validation": 0.0}
    fitted, linear = Residual(**params).fit(X, Y), Residual(**params | {"epochs": 0}).fit(X, Y)
    assert fitted.score(X, Y) > linear.score(X, Y) + 0.02
    ranks = [
        rank_and_cosine(m.project_source(X), m.project_target(Y), np.ones(len(X)))[0]
        for m in (fitted, linear)
    ]
    assert ranks[0] > ranks[1] + 0.1
    again = Residual.from_state(fitted.get_params(), fitted.arrays())
    assert again.start_ == "cca"
    assert np.array_equal(again.transform(X), fitted.transform(X))
    assert np.array_equal(again.project_target(Y), fitted.project_target(Y))


def test_an_unknown_start_is_refused():
    X, Y, _ = planted_rotation(20, 4)
    with pytest.raises(ParameterError, match="choose one of best, identity, procrustes, cca"):
        Residual(start="ridge").fit(X, Y)
