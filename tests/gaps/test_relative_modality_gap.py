import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.relative_modality_gap import SMALLEST, RelativeModalityGap


def double_loop(x, y, links):
    """Compute it as it is written in the paper, pair by pair."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    between = np.mean([(1 - x[i] @ y[j]) / 2 for i, j in links])
    within = [
        np.mean([(1 - side[i] @ side[j]) / 2 for i in range(len(side)) for j in range(len(side)) if i != j])
        for side in (x, y)
    ]
    return between / (between + sum(within) / 2)


def test_it_equals_the_authors_own_function(peers):
    for x, y, outputs in peers:
        assert_allclose(
            RelativeModalityGap().measure(x, y), outputs["rmg_paired(coco path,1 caption)"], rtol=1e-12
        )


def test_five_captions_a_picture_equal_the_authors_coco_table(peers):
    for x, y, outputs in peers:
        n = len(x) // 5
        links = np.stack([np.repeat(np.arange(n), 5), np.arange(5 * n)], axis=1)
        score = RelativeModalityGap().score(Clouds.paired(x[:n], y[: 5 * n], links))
        assert score.n == n
        assert_allclose(score.value, outputs["rmg_coco_5captions(x[:n//5], y[:5*(n//5)])"], rtol=1e-12)


def test_class_texts_of_labelled_pictures_equal_the_authors_imagenet_table(peers):
    for x, y, outputs in peers:
        rows = np.arange(len(x))
        found = RelativeModalityGap().values_of(Clouds.paired(x, y[:4], np.stack([rows, rows % 4], axis=1)))
        assert_allclose(found[""], outputs["rmg_imagenet(labels=i%4, texts=y[:4])"], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("clip", 0.5915), ("convirt", 0.5743), ("videoclip", 0.69), ("clip_random", 0.7478)],
)
def test_stored_features_give_the_known_figures(stored, name, expected):
    score = RelativeModalityGap().score(Clouds.paired(*stored(name)))
    assert_allclose(score.value, expected, atol=5e-5)
    assert score.low < score.value < score.high


def test_centring_each_side_of_clip_leaves_most_of_it(stored):
    x, y = (side.astype(np.float64) for side in stored("clip"))
    assert_allclose(RelativeModalityGap().measure(x - x.mean(axis=0), y - y.mean(axis=0)), 0.406, atol=5e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_closed_form_equals_the_double_loop_for_any_links(planted, seed):
    x, y = planted(seed, n=25)
    rng = np.random.default_rng(seed)
    links = np.unique(rng.integers(0, 25, size=(40, 2)), axis=0)
    found = RelativeModalityGap().score(Clouds.paired(x, y, links), resamples=10).value
    assert_allclose(found, double_loop(x, y, links), rtol=1e-12)


def test_partners_that_meet_stop_at_the_authors_floor(planted):
    x, _ = planted(4)
    spread = double_loop(x, -x, [(0, 0)])  # the first pair is opposite: m = 1, so value = 1 / (1 + spread)
    expected = SMALLEST / (SMALLEST + 1 / spread - 1)
    assert_allclose(RelativeModalityGap().measure(x, x), expected, rtol=1e-9)


def test_pairs_that_do_not_belong_together_score_at_the_null_level(coverage):
    assert coverage("relative_modality_gap").of_null(paired=True, shift=0.7) >= 0.85


def test_the_interval_covers_the_value_of_the_whole_population(coverage, planted):
    assert coverage("relative_modality_gap").of_population(*planted(0, n=20_000)) >= 0.85
