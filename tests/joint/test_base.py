from itertools import combinations

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal
from sklearn.base import clone

from alignkit.aligners._base import Aligner
from alignkit.aligners._chain import Meeting
from alignkit.aligners._recipe import put_together, take_apart
from alignkit.errors import AlignkitError, DataError, PairingError, ParameterError
from alignkit.joint import JOINT_METHODS
from alignkit.testing import check_aligner

NAMES = JOINT_METHODS.names()


class AsPairwise(Aligner):
    """A joint method of two spaces under the contract of every map between two."""

    def __init__(self, joint=None, *, normalize="unit-center-unit"):
        self.joint = joint
        self.normalize = normalize

    def _fit(self, X, Y, weight, groups):
        rows = np.arange(len(X)) if weight is None else np.repeat(np.arange(len(X)), weight.astype(int))
        self._meet(clone(self.joint).fit([X[rows], Y[rows]]).maps_)

    def _meet(self, maps):
        self.meeting_ = Meeting(*maps)
        self.n_features_in_, self.target_dim_ = (each.n_features_in_ for each in maps)

    def arrays(self):
        return self.meeting_.arrays()

    def _restore(self, arrays):
        any_fit = Meeting(*clone(self.joint).fit([np.eye(3), np.eye(3)]).maps_)
        whole = put_together(take_apart(any_fit), arrays)
        self._meet((whole.source, whole.target))

    def _transform(self, X):
        return self.meeting_.transform(X)

    def _project_source(self, X):
        return self.meeting_.project_source(X)

    def _project_target(self, Y):
        return self.meeting_.project_target(Y)


@pytest.mark.parametrize("name", NAMES)
def test_two_spaces_in_a_joint_frame_keep_the_contract_of_a_map_between_two(name):
    check_aligner(AsPairwise(JOINT_METHODS.get(name)()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dims", [(12, 12, 12), (10, 16, 13, 10)])
def test_all_spaces_of_one_world_meet_in_one_frame(name, dims, views, hits):
    sides = views(dims)
    fitted = JOINT_METHODS.get(name)().fit([side[:200] for side in sides])
    joint = [fitted.project(i, side[200:]) for i, side in enumerate(sides)]
    assert len({rows.shape for rows in joint}) == 1
    for a, b in combinations(range(len(sides)), 2):
        assert hits(joint[a], joint[b]) > 0.9
        raw = min(dims)
        assert hits(sides[a][200:, :raw], sides[b][200:, :raw]) < 0.2  # there was something to find


@pytest.mark.parametrize("name", NAMES)
def test_a_way_by_a_third_space_ends_where_the_direct_way_does(name, views):
    """In one frame the maps are transitive: where nothing is lost, a -> b -> c is a -> c."""
    sides = views((12, 12, 12), latent=12, noise=0.0)
    maps = JOINT_METHODS.get(name)(normalize="center").fit(sides).maps_
    there, on, direct = Meeting(maps[0], maps[1]), Meeting(maps[1], maps[2]), Meeting(maps[0], maps[2])
    detour = on.transform(there.transform(sides[0]))
    spread = np.linalg.norm(sides[2] - sides[2].mean(axis=0))
    assert np.linalg.norm(detour - direct.transform(sides[0])) < 0.05 * spread
    assert np.linalg.norm(detour - sides[2]) < 0.1 * spread


@pytest.mark.parametrize("name", NAMES)
def test_broken_items_are_found_by_chance_only(name, views, hits):
    """The must-fail half: where rows of one item do not belong together, no frame brings them together."""
    sides = views((12, 12, 12))
    rng = np.random.default_rng(5)
    broken = [side[rng.permutation(len(side))] for side in sides]
    fitted = JOINT_METHODS.get(name)().fit([side[:200] for side in broken])
    assert hits(fitted.project(0, sides[0][200:]), fitted.project(1, sides[1][200:])) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_spaces_and_items_changes_nothing_that_counts(name, views, hits):
    sides = views((12, 14, 12))
    options = {"hub": 1} if name == "hub" else {}
    plain = JOINT_METHODS.get(name)(**options).fit([side[:200] for side in sides])
    order, rows = [2, 1, 0], np.random.default_rng(1).permutation(200)
    mixed = JOINT_METHODS.get(name)(**options).fit([sides[i][:200][rows] for i in order])
    for a, b in combinations(range(3), 2):
        cosines = []
        for fitted, place in ((plain, [0, 1, 2]), (mixed, order)):
            P, Q = (fitted.project(place.index(i), sides[i][200:]) for i in (a, b))
            P, Q = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (P, Q))
            cosines.append(P @ Q.T)
        assert np.abs(cosines[0] - cosines[1]).max() < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_an_item_that_a_space_lacks_still_teaches_the_others(name, views, hits):
    sides = views((12, 12, 12), n=630, noise=0.3)
    rows = np.tile(np.arange(300)[:, None], 3)
    rows[np.arange(200), np.arange(200) % 3] = -1
    if name == "hub":
        rows[np.arange(200), 0] = np.arange(200)  # the hub must hold what it is to teach
    # a space holds its rows in an order of its own, and rows that stand in no item
    orders = [np.random.default_rng(i).permutation(630) for i in range(3)]
    mixed = [side[order] for side, order in zip(sides, orders, strict=True)]
    moved = np.stack([np.where(c >= 0, np.argsort(o)[c], -1) for c, o in zip(rows.T, orders, strict=True)], 1)
    whole = rows[(rows >= 0).all(axis=1)]
    fitted, fewer = (JOINT_METHODS.get(name)().fit(*given) for given in ((mixed, moved), (sides, whole)))
    found, without = (
        [hits(each.project(a, sides[a][300:]), each.project(b, sides[b][300:])) for a, b in ((0, 1), (1, 2))]
        for each in (fitted, fewer)
    )
    assert np.mean(found) > 0.8
    assert np.mean(found) >= np.mean(without) - 0.02
    in_order = JOINT_METHODS.get(name)().fit(sides, rows)
    for i, side in enumerate(sides):
        own, theirs = (each.project(i, side).ravel() for each in (in_order, fitted))
        assert abs(np.corrcoef(own, theirs)[0, 1]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_memory_maps_and_half_precision_are_fitted_as_arrays_are(name, views, tmp_path):
    sides = [side.astype(np.float16) for side in views((12, 12, 12))]
    maps = []
    for i, side in enumerate(sides):
        np.save(tmp_path / f"{i}.npy", side)
        maps.append(np.load(tmp_path / f"{i}.npy", mmap_mode="r"))
    one, other = (JOINT_METHODS.get(name)().fit(given) for given in (sides, maps))
    assert one.project(1, sides[1]).dtype == np.float32
    assert_array_equal(one.project(1, sides[1]), other.project(1, maps[1]))


@given(data=st.data(), name=st.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_any_shapes_give_finite_maps_or_one_sentence(data, name):
    dims = data.draw(st.lists(st.integers(1, 7), min_size=2, max_size=4))
    n = data.draw(st.integers(1, 12))
    numbers = st.integers(-3, 3).map(float)  # constant columns, copies and low rank come by themselves
    sides = [data.draw(hnp.arrays(np.float64, (n, d), elements=numbers)) for d in dims]
    held = data.draw(hnp.arrays(bool, (n, len(dims))))
    rows = np.where(held, np.arange(n)[:, None], -1)
    normalize = data.draw(st.sampled_from(["none", "center", "unit-center", "unit-center-unit"]))
    try:
        fitted = JOINT_METHODS.get(name)(normalize=normalize).fit(sides, rows)
    except AlignkitError:
        return
    for i, side in enumerate(sides):
        whole = side[np.abs(side).sum(axis=1) > 0]
        if len(whole):
            joint = fitted.maps_[i].transform(whole)
            assert np.isfinite(joint).all()
            assert np.isfinite(fitted.maps_[i].inverse_transform(joint)).all()


def refused(error, words, sides, rows=None, name="generalized_procrustes", **params):
    with pytest.raises(error, match=words):
        JOINT_METHODS.get(name)(**params).fit(sides, rows)


def test_bad_input_is_refused_in_one_sentence(views):
    sides = views((5, 5, 5), n=20, latent=5)
    bad = sides[1].copy()
    bad[7, 2] = np.nan
    refused(PairingError, "there is 1 space", sides[:1])
    refused(PairingError, "the spaces have 20, 19, 20 rows", [sides[0], sides[1][:19], sides[2]])
    refused(DataError, "space 1, row 7 holds NaN", [sides[0], bad, sides[2]])
    refused(DataError, r"space 0 has shape \(20,\)", [sides[0][:, 0], sides[1], sides[2]])
    refused(PairingError, "item 1 names row 20 of space 2", sides, [[0, 0, 0], [1, 1, 20]])
    refused(PairingError, "give whole numbers, a column for each of 3", sides, [[0.5, 1.0, 2.0]])
    lonely = np.tile(np.arange(20)[:, None], 3)
    lonely[1:, 2] = -1
    refused(PairingError, "space 2 shares 1 items", sides, lonely)
    apart = np.full((20, 4), -1)
    apart[:10, :2] = apart[10:, 2:] = np.arange(10)[:, None]
    refused(PairingError, r"spaces \[2, 3\] share no item with space 0", [*sides, sides[0]], apart)
    refused(ParameterError, "normalize is 'unity'", sides, normalize="unity")
    refused(ParameterError, "rounds is -1", sides, rounds=-1)
    refused(AlignkitError, "all zeros", [np.zeros_like(sides[0]), *sides[1:]])
