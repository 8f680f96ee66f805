"""Laws that every measure keeps, and what bad input gets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignkit.errors import DataError, PairingError, UnknownNameError
from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import full_name, gap_facts, measure_clouds

NAMES = MEASURES.names()
DEFAULT = [n for n in NAMES if MEASURES.get(n).default and not MEASURES.get(n).needs_labels]
UNPAIRED = [name for name in DEFAULT if not MEASURES.get(name).needs_pairs]
# which way a growing distance between the means drives each measure that must see it
GROWS = {
    "alignment_loss": 1,
    "centroid_distance": 1,
    "frechet_distance": 1,
    "linear_separability": 1,
    "mean_paired_cosine": -1,
    "mean_paired_distance": 1,
    "relative_modality_gap": 1,
    "same_modality_share": 1,
    "exact_wasserstein": 1,
    "gap_and_noise": 1,
    "mmd": 1,
    "sliced_wasserstein": 1,
    "squared_centroid_distance": 1,
}
DEALT_BY_POSITION = {"linear_separability", "exact_wasserstein"}
SEEN_FROM_LINES = {"sliced_wasserstein"}  # lines are fixed, so a rotation shows other shadows
ONE_WAY = {
    "cknna",  # as published: of the neighbours that i has on both sides, i need not be a neighbour
    "exact_wasserstein",  # of paired items one half stands for x, the other for y
}


def clouds_of(x, y, links=None):
    """Return paired clouds with two columns of labels, which every measure can bear."""
    rows = np.arange(len(x))
    return replace(Clouds.paired(x, y, links), labels=(rows % 3, rows % 5))


def all_values(clouds, names=NAMES):
    return {
        full_name(name, part): value
        for name in names
        for part, value in MEASURES.get(name)().values_of(clouds).items()
    }


def exchanged(name):
    """Return the name of a part after the sides were exchanged."""
    measure, _, part = name.partition(".")
    ends = {"source": "target", "target": "source"}
    return full_name(measure, "_".join(ends.get(word, word) for word in part.split("_")))


def test_every_measure_stands_in_the_folder_with_its_words():
    for name in NAMES:
        assert MEASURES.summary(name)
        assert "References" in (MEASURES.get(name).__doc__ or "")


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_rotation_length_and_joint_order_change_nothing(planted, seed, scale):
    x, y = planted(seed)
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    lengths = rng.uniform(0.5, 2, size=(60, 1)) * scale
    before = all_values(clouds_of(x, y))
    after = all_values(clouds_of(x @ rotation * lengths, y @ rotation))
    for name, value in before.items():
        if name.partition(".")[0] not in SEEN_FROM_LINES:
            assert_allclose(after[name], value, rtol=1e-8, atol=1e-9, err_msg=name)
    order = rng.permutation(60)
    moved = clouds_of(x[order], y[order])
    shuffled = all_values(replace(moved, labels=tuple(column[order] for column in moved.labels)))
    for name, value in before.items():
        if name not in DEALT_BY_POSITION:
            assert_allclose(shuffled[name], value, rtol=1e-8, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_sides_may_be_exchanged(planted, seed):
    x, y = planted(seed)
    names = [name for name in NAMES if not MEASURES.get(name).needs_labels and name not in ONE_WAY]
    one, other = all_values(clouds_of(x, y), names), all_values(clouds_of(y, x), names)
    for name, value in one.items():
        assert_allclose(other[exchanged(name)], value, rtol=1e-8, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", sorted(GROWS))
def test_a_measure_of_the_gap_sees_a_planted_one_grow(planted, name):
    pairs = (planted(3, n=200, gap=gap) for gap in (0.0, 0.5, 1.0))
    assert np.all(np.diff([GROWS[name] * MEASURES.get(name)().measure(*pair) for pair in pairs]) > 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_null_band_holds_samples_of_one_cloud_and_the_interval_its_value(name):
    inside, values = [], []
    for seed in range(24):
        x, y = np.random.default_rng(seed).normal(size=(2, 60, 12))
        for score in MEASURES.get(name)().scores(clouds_of(x, y), seed=seed).values():
            inside.append(score.chance_low - 1e-9 <= score.value <= score.chance_high + 1e-9)
            values.append(score.low <= score.value <= score.high)
    assert all(values)
    assert np.mean(inside) > 0.8  # of 24 draws 95 % are meant: fewer than 20 are as rare as one in 1,000


def test_the_bare_value_and_the_scored_one_agree(planted):
    clouds = clouds_of(*planted(5))
    values, scores = all_values(clouds), measure_clouds(clouds, NAMES)
    assert list(scores) == list(values)
    for name, value in values.items():
        assert_allclose(scores[name].value, value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_captions_of_one_picture_are_resampled_as_one(planted):
    x, y = planted(4, n=40)
    rows = np.repeat(np.arange(40), 5)
    many = Clouds.paired(np.repeat(x, 5, axis=0), np.repeat(y, 5, axis=0), groups=rows)
    names = ["centroid_distance", "mean_paired_cosine", "mean_paired_distance", "cone", "frechet_distance"]
    repeated, single = measure_clouds(many, names), measure_clouds(Clouds.paired(x, y), names)
    for name in ("centroid_distance", "mean_paired_cosine", "mean_paired_distance", "cone.source_to_mean"):
        assert repeated[name].n == 40
        assert_allclose(repeated[name].value, single[name].value, rtol=1e-12, err_msg=name)
        assert_allclose(repeated[name].low, single[name].low, rtol=1e-5, err_msg=name)


def test_half_and_single_precision_agree_with_double(planted):
    x, y = planted(6, n=80)
    exact = all_values(clouds_of(x, y))
    for dtype, tolerance in ((np.float16, 2e-2), (np.float32, 1e-4)):
        rounded = all_values(clouds_of(x.astype(dtype), y.astype(dtype)))
        for name, value in exact.items():
            assert_allclose(rounded[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


def test_equal_seeds_give_equal_numbers_and_inputs_stay_as_they_were(planted):
    x, y = planted(7)
    kept = x.copy(), y.copy()
    one, other = (measure_clouds(clouds_of(x, y), NAMES, seed=3) for _ in range(2))
    assert one == other
    assert np.array_equal(x, kept[0])
    assert np.array_equal(y, kept[1])


def test_the_facts_say_how_each_number_was_made_and_what_was_sampled():
    rows = np.random.default_rng(0).normal(size=(3_200, 2))
    facts = gap_facts(Clouds.paired(rows, rows))
    assert facts["sampled"].items() >= {"linear_separability": 3_000, "same_modality_share": 3_000}.items()
    unlabelled = {name for name in DEFAULT if not MEASURES.get(name).needs_labels}
    assert set(facts["interval"]) == set(facts["chance"]) == unlabelled
    assert {"frechet_distance", "frechet_distance.mean"} <= set(facts["range"])
    assert "bootstrap" not in facts["interval"]["same_modality_share"]
    assert gap_facts(Clouds.paired(rows, rows), most=100)["sampled"]["same_modality_share"] == 100


def test_unpaired_sets_of_two_sizes_get_the_measures_that_need_no_pairs(planted):
    x, y = planted(9)
    clouds = Clouds.unpaired(x, y[:40])
    found = measure_clouds(clouds)
    assert {name.partition(".")[0] for name in found} == set(UNPAIRED)
    left_out = gap_facts(clouds)["not_measured"]
    assert set(left_out) == set(DEFAULT) - set(UNPAIRED)
    assert "partners" in left_out["mean_paired_cosine"]
    with pytest.raises(PairingError, match="60 rows and y 40"):
        Clouds.paired(x, y[:40])


def test_too_few_rows_leave_a_measure_out_with_the_number(planted):
    clouds = Clouds.paired(*planted(10, n=12))
    assert "same_modality_share" not in measure_clouds(clouds)
    assert "12" in gap_facts(clouds)["not_measured"]["same_modality_share"]
    with pytest.raises(DataError, match="20 independent rows a side, and has 12"):
        MEASURES.get("same_modality_share")().scores(clouds)


def test_labels_that_are_missing_are_said_and_not_guessed(planted):
    clouds = Clouds.paired(*planted(12))
    for name in NAMES:
        wanted = MEASURES.get(name).needs_labels
        assert (name in gap_facts(clouds, [name])["not_measured"]) == (wanted > 0)


def test_bad_rows_widths_and_names_are_refused_with_the_place(planted):
    x, y = planted(11)
    x[7] = 0
    with pytest.raises(DataError, match="row 7 is all zeros"):
        Clouds.paired(x, y)
    x[7], x[9, 2] = 1, np.nan
    with pytest.raises(DataError, match="row 9 holds NaN"):
        Clouds.paired(x, y)
    with pytest.raises(DataError, match="48 dimensions and y 8"):
        Clouds.paired(np.ones((60, 48)), y)
    with pytest.raises(UnknownNameError, match="centroid_distance"):
        measure_clouds(Clouds.paired(y, y), ["centroid_distanse"])
