import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners._chain import Composed, Inverse, Meeting, TwoWay
from alignkit.aligners._recipe import method_name, put_together, take_apart
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.ridge import Ridge
from alignkit.errors import DataError, NotInvertibleError, ParameterError, UnknownNameError
from alignkit.testing import planted_map, planted_rotation


def chain():
    X, Y, _ = planted_rotation()
    _, Z, _ = planted_rotation(seed=0, d=12)
    Z = np.roll(Z, 1, axis=1)
    return X, Y, Z, Procrustes().fit(X, Y), Ridge(alpha=1e-6).fit(Y, Z)


def test_a_chain_maps_as_its_links_one_after_the_other():
    X, _, Z, first, second = chain()
    both = Composed(first, second)
    assert_allclose(both.transform(X), second.transform(first.transform(X)))
    assert_allclose(both.transform(X), Z, atol=1e-3)
    assert both.score(X, Z) > 0.99
    assert_allclose(both.inverse_transform(both.transform(X)), X, atol=1e-6)
    assert both.transform(X.astype(np.float16)).dtype == np.float16


def test_the_way_back_swaps_the_sides_of_one_joint_frame():
    X, Y, _, first, _ = chain()
    back = Inverse(first)
    assert_allclose(back.transform(Y), X, atol=1e-8)
    assert_array_equal(back.project_source(Y), first.project_target(Y))
    assert_array_equal(back.project_target(X), first.project_source(X))
    assert_allclose(back.inverse_transform(X), first.transform(X))


def test_recipes_of_chains_are_put_together_without_pickle():
    X, _, _, first, second = chain()
    whole = Composed(Inverse(Inverse(first)), second)
    recipe = take_apart(whole)
    assert method_name(recipe) == "inverse(inverse(procrustes))+ridge"
    again = put_together(recipe, whole.arrays())
    assert_array_equal(again.transform(X), whole.transform(X))


def test_two_ways_go_there_by_one_map_and_back_by_the_other():
    X, Y, _, first, _ = chain()
    back = Ridge(alpha=0.1).fit(Y, X)
    both = TwoWay(first, back)
    assert_array_equal(both.transform(X), first.transform(X))
    assert_array_equal(both.inverse_transform(Y), back.transform(Y))
    assert_array_equal(both.project_source(X), first.project_source(X))
    assert_array_equal(Inverse(both).transform(Y), back.transform(Y))
    assert Inverse(both).answers_unit_rows == back.answers_unit_rows


def test_two_that_meet_are_compared_where_both_are_placed():
    X, Y, _, first, second = chain()
    met = Meeting(Composed(first, second), second)
    assert_array_equal(met.project_source(X), second.project_source(first.transform(X)))
    assert_array_equal(met.project_target(Y), second.project_source(Y))
    assert met.score(X, Y) > 0.99
    assert_allclose(met.transform(X), Y, atol=1e-5)
    assert_allclose(np.linalg.norm(met.transform(X), axis=1), 1)
    assert met.answers_unit_rows
    assert met.transform(X.astype(np.float16)).dtype == np.float16
    with pytest.raises(NotInvertibleError, match="cannot be taken back"):
        met.inverse_transform(Y)


def test_recipes_of_two_ways_and_meetings_are_put_together():
    X, Y, _, first, _ = chain()
    back = Ridge(alpha=0.1).fit(Y, X)
    whole = Meeting(TwoWay(first, back), TwoWay(back, first))
    recipe = take_apart(whole)
    again = put_together(recipe, whole.arrays())
    assert_array_equal(again.transform(X), whole.transform(X))
    assert method_name(take_apart(TwoWay(first, back))) == "procrustes"
    assert method_name({"method": "inverse", "parts": {}}) == "inverse"


def test_chains_are_not_fitted_and_lossy_ones_not_inverted():
    X, Y, _, first, second = chain()
    for joined in (Composed(first, second), Inverse(first), TwoWay(first, second), Meeting(first, first)):
        with pytest.raises(ParameterError, match="made of fitted maps"):
            joined.fit(X, Y)
    down = Procrustes().fit(*planted_map(12, 8))
    with pytest.raises(NotInvertibleError):
        Composed(first, down).inverse_transform(np.ones((2, 8)))


def test_what_cannot_be_put_together_is_refused():
    _, _, _, first, _ = chain()
    recipe, arrays = take_apart(first), first.arrays()
    with pytest.raises(DataError, match="lacks the array 'matrix'"):
        put_together(recipe, {name: array for name, array in arrays.items() if name != "matrix"})
    with pytest.raises(DataError, match="do not fit this version"):
        put_together({**recipe, "params": {"speed": 3}}, arrays)
    with pytest.raises(DataError, match="lacks its part 'inner'"):
        put_together({"method": "inverse", "parts": {}}, arrays)
    with pytest.raises(UnknownNameError, match="Did you mean 'procrustes'"):
        put_together({"method": "procustes", "params": {}}, arrays)

    class Mine(Procrustes):
        pass

    with pytest.raises(UnknownNameError, match="Mine is no registered method"):
        take_apart(Mine().fit(*planted_map(8, 8)))
