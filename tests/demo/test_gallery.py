import numpy as np

from alignkit.demo.gallery import DIGITS, gallery


def test_a_mapped_digit_is_nearer_to_the_truth_than_another_one_and_than_camera_a_alone(tour):
    plan = gallery(tour)
    rows = [int(name.removeprefix("digit-")) for name in plan.ids]
    assert len(rows) == DIGITS
    assert tour.world.held_out[rows].all()
    drawn = {(each.item, each.variant): each.content for each in plan.draw()}
    error = {}
    for variant in ("source", "mapped", "ceiling", "control", "shuffled"):
        own = [np.asarray(drawn[name, variant], float)[3::6, 3::6, 0] / 255 for name in plan.ids]
        error[variant] = float(((np.array(own) - tour.world.images[rows]) ** 2).mean())
    assert error["ceiling"] < error["mapped"] < error["source"]
    assert error["mapped"] < 0.6 * error["shuffled"]
