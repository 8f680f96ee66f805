import json

import numpy as np
import pytest

from alignkit.closing.shift import Shift, from_delta, to_delta
from alignkit.gaps import MEASURES
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_both
from alignkit.retrieval.metrics import per_query


def test_real_clip_moves_as_in_the_papers_own_code(clip, oracles):
    """The oracle's gaps and hits, for every delta it holds; hits agree to the last query."""
    sweep = json.loads((oracles / "shift_sweep_real_clip.json").read_text())["sweep"]
    fix = Shift().fit(*clip)
    length = float(np.linalg.norm(fix.gap_vector))
    distance = MEASURES.get("centroid_distance")()
    assert len(sweep) == 17
    for delta, (gap, image_1, text_1, image_5, text_5) in sweep.items():
        strength = from_delta(float(delta), length)
        assert fix.published(strength)["delta"] == pytest.approx(float(delta), abs=1e-12)
        x, y = fix.apply_source(clip[0], strength), fix.apply_target(clip[1], strength)
        assert distance.measure(x, y) == pytest.approx(gap, abs=1e-9)
        text, image = (
            per_query(ranks, ["hit@1", "hit@5"]) for ranks in rank_both(x, y, Positives.diagonal(500))
        )
        found = [side[f"hit@{k}"].mean() for k in (1, 5) for side in (image, text)]
        assert found == pytest.approx([image_1, text_1, image_5, text_5], abs=1e-9)


def test_half_the_gap_vector_brings_the_means_together_and_less_than_none_apart(planted, judge):
    fix = Shift().fit(*planted)
    gaps = {s: judge(fix.apply_source(planted[0], s), fix.apply_target(planted[1], s))[0]
            for s in (-0.5, 0.0, 0.25, 0.5, 1.0)}  # fmt: skip
    assert gaps[-0.5] > gaps[0.0] > gaps[0.25] > 4 * gaps[0.5]
    assert gaps[1.0] == pytest.approx(gaps[0.0], rel=0.1)  # the clouds have changed sides


def test_the_two_ways_to_say_how_far_are_one_another_taken_back():
    assert to_delta(from_delta(-1.25, 0.85), 0.85) == pytest.approx(-1.25)
    assert from_delta(0.85, 0.85) == 0.5
