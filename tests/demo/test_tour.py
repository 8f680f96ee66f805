import numpy as np
from numpy.testing import assert_allclose

from alignkit.demo.tour import METHODS, METRICS, padded_pair
from alignkit.pairs import Pairs
from alignkit.workflows import evaluate, fit


def test_every_map_beats_chance_and_no_map_by_far_in_both_directions(tour):
    assert tuple(tour.scores) == METHODS
    for report in tour.scores.values():
        assert set(report.sections) == {"forward", "backward"}
        for scores in report.sections.values():
            assert tuple(scores) == METRICS
            mrr = scores["mrr"]
            assert mrr.low < mrr.value < mrr.high
            assert mrr.n == 539
            assert mrr.low > 0.5 > 20 * mrr.chance
            assert mrr.unaligned < 2 * mrr.chance


def test_a_map_fitted_on_pairs_that_do_not_belong_together_finds_nothing(tour):
    world = tour.world
    links = world.train.links.copy()
    links[:, 1] = np.random.default_rng(0).permutation(links[:, 1])
    wrong = Pairs(world.source, world.target, links)
    alignment = fit(world.source, world.target, method="procrustes", pairs=wrong, test=0).alignment
    pairs = world.test.restricted()
    scores = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=alignment).report.sections
    assert scores["forward"]["mrr"].value < 3 * scores["forward"]["mrr"].chance


def test_the_gap_is_wide_before_and_closed_after_every_map(tour):
    before = tour.gaps["before"].sections["measures"]["centroid_distance"]
    assert before.low > 1
    assert tuple(tour.gaps) == ("before", *METHODS)
    for method in METHODS:
        after = tour.gaps[method].sections["measures"]
        assert after["centroid_distance"].high < 0.1
        assert after["mean_paired_cosine"].low > after["mean_paired_cosine"].chance


def test_scores_come_from_held_out_digits_alone(tour):
    held_out = {f"digit-{row:04d}" for row in np.flatnonzero(tour.world.held_out)}
    for table in tour.ranks.values():
        assert set(table["id"].to_pylist()) == held_out


def test_the_report_holds_every_section_and_the_cards_their_scores(tour):
    report = tour.report()
    expected = {f"{method}.{way}" for method in METHODS for way in ("forward", "backward")}
    expected |= {f"gap.{stage}" for stage in ("before", *METHODS)}
    assert set(report.sections) == expected | {"audition.pixel_error", "audition.recognised"}
    for method, alignment in tour.alignments.items():
        written = alignment.info["report"]["forward"]["mrr"]["value"]
        assert_allclose(written, tour.scores[method].sections["forward"]["mrr"].value)


def test_padding_changes_no_length_and_no_cosine_within_a_side(tour):
    padded, target = padded_pair(tour.world.test)
    plain, _ = tour.world.test.vectors()
    assert padded.shape == target.shape
    assert_allclose(padded @ padded.T, plain @ plain.T, atol=1e-6)
