import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners._frame import NORMALIZE, Frame
from alignkit.aligners._placement import Placement
from alignkit.aligners._recipe import method_name, put_together, take_apart
from alignkit.errors import ParameterError
from alignkit.testing import planted_rotation


def placed(normalize="unit-center-unit", **matrices):
    X, _, Q = planted_rotation()
    return X, Q, Placement.of("gcca", Frame.fit(X, normalize), **matrices)


def test_in_by_one_matrix_and_out_by_the_other():
    X, Q, _ = placed()
    X, _, placement = placed(matrix=Q[:, :5], back=Q[:, :5].T)
    joint = placement.transform(X)
    assert_allclose(joint, placement.source_frame_.apply(X) @ Q[:, :5])
    assert_array_equal(placement.project_source(X), joint)
    assert_array_equal(placement.project_target(joint), joint)
    assert_allclose(placement.inverse_transform(joint), placement.source_frame_.restore(joint @ Q[:, :5].T))


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_without_matrices_rows_come_back_as_they_went(normalize):
    X, _, placement = placed(normalize)
    assert_allclose(placement.inverse_transform(placement.transform(X)), X, atol=1e-8)


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_recipe_and_arrays_are_all_there_is(normalize):
    X, Q, _ = placed()
    for matrices in ({}, {"matrix": Q[:, :5], "back": Q[:, :5].T}):
        X, _, placement = placed(normalize, **matrices)
        recipe = take_apart(placement)
        assert method_name(recipe) == "gcca"
        again = put_together(recipe, placement.arrays())
        assert_array_equal(again.transform(X), placement.transform(X))


def test_it_is_found_with_other_spaces_and_not_fitted_alone():
    X, _, placement = placed()
    with pytest.raises(ParameterError, match="fit a joint method"):
        placement.fit(X, X)
