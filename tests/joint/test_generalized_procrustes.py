import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners._chain import Meeting
from alignkit.aligners.procrustes import Procrustes
from alignkit.joint.gcca import GeneralizedCCA
from alignkit.joint.generalized_procrustes import GeneralizedProcrustes


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


@pytest.mark.parametrize("dims", [(12, 12), (10, 14), (14, 10)])
def test_two_spaces_are_orthogonal_procrustes_up_to_a_turn_of_the_frame(dims, views):
    X, Y = views(dims)
    joint, pairwise = GeneralizedProcrustes().fit([X, Y]), Procrustes().fit(X, Y)
    matrices = [joint.maps_[i].matrix_ for i in (0, 1)]
    assert_allclose(matrices[0] @ matrices[1].T, pairwise.matrix_, atol=1e-8)
    assert_allclose(Meeting(*joint.maps_).transform(X), pairwise.transform(X), atol=1e-8)
    for matrix in matrices:  # nothing is stretched
        assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-10)
    if dims[0] <= dims[1]:  # into the larger space Procrustes loses nothing either: the same cosines
        ours = unit(joint.project(0, X)) @ unit(joint.project(1, Y)).T
        theirs = unit(pairwise.project_source(X)) @ unit(pairwise.project_target(Y)).T
        assert_allclose(ours, theirs, atol=1e-8)


def test_planted_turns_are_undone_exactly():
    rng = np.random.default_rng(0)
    things = rng.normal(size=(80, 6))
    turns = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(4)]
    fitted = GeneralizedProcrustes(normalize="none").fit([things @ turn for turn in turns])
    for turn, found in zip(turns, fitted.maps_, strict=True):
        assert_allclose(turn @ found.matrix_, turns[0] @ fitted.maps_[0].matrix_, atol=1e-10)
    assert fitted.history_[-1] == pytest.approx((things**2).sum() / 80)


def test_no_round_lowers_the_agreement_and_the_distances_to_the_mean_are_at_rest(views):
    sides = views((10, 12, 12, 9), noise=1.0)
    fitted = GeneralizedProcrustes().fit(sides)
    assert (np.diff(fitted.history_) > -1e-12).all()
    assert fitted.history_[-1] > fitted.history_[0]
    placed = [fitted.project(i, side) for i, side in enumerate(sides)]
    mean = sum(placed) / len(placed)
    for i, rows in enumerate(placed):  # Gower's own step, the turn onto the mean, finds nothing to gain
        framed = fitted.maps_[i].source_frame_.apply(sides[i])
        U, _, Vt = np.linalg.svd(framed.T @ mean, full_matrices=False)
        gain = np.sum((framed @ U @ Vt) * mean) / np.sum(rows * mean)
        assert gain < 1 + 1e-4


def test_an_unrelated_space_stays_at_chance_and_hardly_harms_the_others(views, hits):
    """The must-fail half: what has no common shape is not found, here or by `gcca`."""
    sides = views((12, 12), noise=0.4)
    stranger = np.random.default_rng(7).normal(size=(300, 12))
    train, rest = slice(0, 200), slice(200, 300)
    for joint in (GeneralizedProcrustes, GeneralizedCCA):
        pair = joint().fit([side[train] for side in sides])
        three = joint().fit([side[train] for side in (*sides, stranger)])
        before = hits(*(pair.project(i, sides[i][rest]) for i in (0, 1)))
        after = hits(*(three.project(i, sides[i][rest]) for i in (0, 1)))
        assert before > 0.7
        assert after > before - 0.05
        assert hits(three.project(0, sides[0][rest]), three.project(2, stranger[rest])) < 0.05


def test_lengths_and_angles_are_kept_and_the_way_out_undoes_the_way_in(views):
    sides = views((9, 12, 12))
    fitted = GeneralizedProcrustes(normalize="center").fit(sides)
    for placement, side in zip(fitted.maps_, sides, strict=True):
        centred = side - side.mean(axis=0)
        joint = placement.transform(side)
        assert_allclose(joint @ joint.T, centred @ centred.T, atol=1e-8)
        assert_allclose(placement.inverse_transform(joint), side, atol=1e-8)
