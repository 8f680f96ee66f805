import json

import pytest

from alignkit.closing._sweep import AS_IS, Effect, Point, Remaining, Spread, Sweep
from alignkit.reports import Score
from alignkit.statistics.significance import Difference

CHANGE = Difference(-0.1, -0.2, 0.0, 0.03, 40, 40, 5, 20, 15, False)


@pytest.fixture
def sweep() -> Sweep:
    spread = Spread.of([0.4, 0.6])
    before = Effect(Score(0.5, 0.4, 0.6, 40, 0.1), spread)
    after = Effect(Score(0.4, 0.3, 0.5, 40, 0.1, 0.5), spread, CHANGE, 0.06, Spread.of([-0.2, 0.0]))
    gap = {"centroid_distance": Remaining.of([Score(v, v - 0.1, v + 0.1, 40, 0.05) for v in (0.4, 0.6)], 0.9)}
    points = [
        Point(AS_IS, 0.0, gap, {"forward": {"mrr": before}}),
        *(Point("shift", s, gap, {"forward": {"mrr": after}}, {"delta": s}) for s in (0.5, -0.5)),
    ]
    return Sweep(points, {"protocol": {}})


def test_points_are_found_by_fix_and_strength(sweep):
    assert sweep.as_is.fix == AS_IS
    assert sweep.fixes == ["shift"]
    assert [point.strength for point in sweep.of("shift")] == [-0.5, 0.5]
    assert sweep.at("shift", 0.5).published == {"delta": 0.5}
    with pytest.raises(KeyError, match=r"no point of shift at strength 0\.3"):
        sweep.at("shift", 0.3)


def test_the_object_holds_every_number_and_is_json(sweep):
    found = json.loads(json.dumps(sweep.to_json(), allow_nan=False))
    assert found["schema"] == "alignkit.sweep/1"
    first, second, _ = found["points"]
    assert first["forward"]["mrr"]["change"] is None
    change = second["forward"]["mrr"]["change"]
    assert (change["value"], change["p"], change["p_corrected"]) == (-0.1, 0.03, 0.06)
    assert (change["lowest"], change["highest"]) == (-0.2, 0.0)
    left = second["gap"]["centroid_distance"]
    assert (left["value"], left["lowest"], left["highest"], left["unaligned"]) == (0.5, 0.4, 0.6, 0.9)
    assert (left["low"], left["high"], left["chance"]) == pytest.approx((0.4, 0.6, 0.05))
    assert second["forward"]["mrr"]["unaligned"] == 0.5
