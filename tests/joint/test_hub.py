import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners._chain import Meeting
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import FailedFitError, PairingError, ParameterError, UnknownNameError
from alignkit.joint.hub import Hub


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def test_every_space_is_mapped_as_its_pairwise_method_maps_it(views):
    sides = views((10, 12, 12))
    fitted = Hub(hub=2).fit(sides)
    for i in (0, 1):
        there, back = Procrustes().fit(sides[i], sides[2]), Procrustes().fit(sides[2], sides[i])
        assert_allclose(unit(fitted.project(i, sides[i])), unit(there.project_source(sides[i])), atol=1e-8)
        to_hub, from_hub = (Meeting(fitted.maps_[a], fitted.maps_[b]) for a, b in ((i, 2), (2, i)))
        assert_allclose(to_hub.transform(sides[i]), there.transform(sides[i]), atol=1e-8)
        assert_allclose(from_hub.transform(sides[2]), back.transform(sides[2]), atol=1e-8)


def test_frames_of_methods_that_learn_from_pairs_alone_are_those_of_the_pairs(views):
    sides = views((10, 12), n=200)
    sides[0][150:] += 5  # rows without a partner, far off
    paired = [side[:150] for side in sides]
    rows = np.tile(np.arange(150)[:, None], 2)
    few, all_ = Hub(hub=1).fit(paired), Hub(hub=1).fit(sides, rows)
    assert_allclose(all_.project(0, sides[0]), few.project(0, sides[0]), atol=1e-10)


def test_two_spaces_that_share_no_item_meet_by_way_of_the_hub(views, hits):
    sides = views((12, 12, 12), n=500)
    rows = np.tile(np.arange(400)[:, None], 3)
    rows[:200, 2], rows[200:, 1] = -1, -1
    fitted = Hub(hub=0, method="ridge").fit(sides, rows)
    assert hits(fitted.project(1, sides[1][400:]), fitted.project(2, sides[2][400:])) > 0.9


def test_methods_that_learn_from_unpaired_rows_see_them(views, hits):
    sides = views((12, 12, 12), n=700, latent=12, noise=0.3)
    rows = np.tile(np.arange(9)[:, None], 3)
    few, grown = (Hub(method="refinement", params={"rounds": rounds}).fit(sides, rows) for rounds in (0, 20))
    found = [hits(fitted.project(1, sides[1]), fitted.project(2, sides[2])) for fitted in (few, grown)]
    assert found[0] < 0.4
    assert found[1] > 0.8


def test_a_map_that_says_that_it_failed_is_not_kept(views, monkeypatch):
    class Trust:
        failed = True

        def sentence(self):
            return "this run failed"

    monkeypatch.setattr(Procrustes, "trust_", Trust(), raising=False)
    with pytest.raises(FailedFitError, match="this run failed"):
        Hub().fit(views())


def test_a_hub_that_does_not_exist_or_shares_too_little_is_refused(views):
    sides = views((5, 5, 5), n=20, latent=5)
    with pytest.raises(ParameterError, match="hub is 3, but there are 3 spaces"):
        Hub(hub=3).fit(sides)
    with pytest.raises(ParameterError, match="hub is -1"):
        Hub(hub=-1).fit(sides)
    with pytest.raises(UnknownNameError, match="procrustes"):
        Hub(method="procrusties").fit(sides)
    rows = np.tile(np.arange(20)[:, None], 3)
    rows[1:, 2] = -1
    rows[10:, 2], rows[10:, 0] = np.arange(10, 20), -1
    with pytest.raises(PairingError, match="space 2 shares 1 items with the hub, space 0"):
        Hub(hub=0).fit(sides, rows)
