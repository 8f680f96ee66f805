"""Laws that every measure keeps, and what bad input gets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignkit.errors import DataError, PairingError, UnknownNameError
from alignkit.gaps import MEASURES
from alignkit.gaps._measure_all import gap_facts, measure_gap_rows

NAMES = MEASURES.names()
UNPAIRED = ["centroid_distance", "linear_separability", "same_modality_share"]


def all_values(x, y):
    return {name: MEASURES.get(name)().measure(x, y) for name in NAMES}


def test_the_folder_holds_the_first_five_measures_each_with_its_words():
    assert set(NAMES) >= {*UNPAIRED, "mean_paired_cosine", "relative_modality_gap"}
    for name in NAMES:
        assert MEASURES.summary(name)
        assert "References" in (MEASURES.get(name).__doc__ or "")


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_rotation_length_and_joint_order_change_nothing(planted, seed, scale):
    x, y = planted(seed)
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    lengths = rng.uniform(0.5, 2, size=(60, 1)) * scale
    before, after = all_values(x, y), all_values(x @ rotation * lengths, y @ rotation)
    for name in NAMES:
        assert_allclose(after[name], before[name], rtol=1e-9, err_msg=name)
    order = rng.permutation(60)
    shuffled = all_values(x[order], y[order])
    for name in set(NAMES) - {"linear_separability"}:  # its folds are dealt by position
        assert_allclose(shuffled[name], before[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_sides_may_be_exchanged(planted, seed):
    x, y = planted(seed)
    one, other = all_values(x, y), all_values(y, x)
    for name in NAMES:
        assert_allclose(other[name], one[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_every_measure_sees_a_planted_gap_grow(planted, name):
    sign = -1 if name == "mean_paired_cosine" else 1
    values = [sign * MEASURES.get(name)().measure(*planted(3, n=200, gap=gap)) for gap in (0.0, 0.5, 1.0)]
    assert np.all(np.diff(values) > 0)


def test_the_bare_value_and_the_scored_one_agree(planted):
    x, y = planted(5)
    scores = measure_gap_rows(x, y, paired=True)
    assert list(scores) == NAMES
    for name, value in all_values(x, y).items():
        assert_allclose(scores[name].value, value, rtol=1e-12, err_msg=name)


def test_captions_of_one_picture_are_resampled_as_one(planted):
    x, y = planted(4, n=40)
    groups = np.repeat(np.arange(40), 5)
    repeated = measure_gap_rows(np.repeat(x, 5, axis=0), np.repeat(y, 5, axis=0), paired=True, groups=groups)
    single = measure_gap_rows(x, y, paired=True)
    for name in ("centroid_distance", "mean_paired_cosine"):
        assert repeated[name].n == 40
        assert_allclose(repeated[name].value, single[name].value, rtol=1e-12)
        assert_allclose(repeated[name].low, single[name].low, rtol=1e-5)


def test_half_and_single_precision_agree_with_double(planted):
    x, y = planted(6, n=80)
    exact = all_values(x, y)
    for dtype, tolerance in ((np.float16, 2e-2), (np.float32, 2e-5)):
        rounded = all_values(x.astype(dtype), y.astype(dtype))
        for name in NAMES:
            assert_allclose(rounded[name], exact[name], atol=tolerance, err_msg=name)


def test_equal_seeds_give_equal_numbers_and_inputs_stay_as_they_were(planted):
    x, y = planted(7)
    kept = x.copy(), y.copy()
    assert measure_gap_rows(x, y, paired=True, seed=3) == measure_gap_rows(x, y, paired=True, seed=3)
    assert np.array_equal(x, kept[0])
    assert np.array_equal(y, kept[1])


def test_the_facts_say_how_each_number_was_made_and_what_was_sampled():
    facts = gap_facts(3_200, 3_200, paired=True)
    assert facts["sampled"] == {"linear_separability": 3_000, "same_modality_share": 3_000}
    assert set(facts["interval"]) == set(facts["chance"]) == set(facts["range"]) == set(NAMES)
    assert "bootstrap" not in facts["interval"]["same_modality_share"]


def test_unpaired_sets_of_two_sizes_get_the_measures_that_need_no_pairs(planted):
    x, y = planted(9)
    assert list(measure_gap_rows(x, y[:40], paired=False)) == UNPAIRED
    left_out = gap_facts(60, 40, paired=False)["not_measured"]
    assert list(left_out) == ["mean_paired_cosine", "relative_modality_gap"]
    with pytest.raises(PairingError, match="60 rows and y 40"):
        measure_gap_rows(x, y[:40], paired=True)


def test_too_few_rows_leave_a_measure_out_with_the_number(planted):
    x, y = planted(10, n=12)
    assert "same_modality_share" not in measure_gap_rows(x, y, paired=True)
    assert "12" in gap_facts(12, 12, paired=True)["not_measured"]["same_modality_share"]


def test_bad_rows_widths_and_names_are_refused_with_the_place(planted):
    x, y = planted(11)
    x[7] = 0
    with pytest.raises(DataError, match="row 7 is all zeros"):
        measure_gap_rows(x, y, paired=True)
    x[7], x[9, 2] = 1, np.nan
    with pytest.raises(DataError, match="row 9 holds NaN"):
        measure_gap_rows(x, y, paired=True)
    with pytest.raises(DataError, match="48 dimensions and y 8"):
        measure_gap_rows(np.ones((60, 48)), y, paired=True)
    with pytest.raises(UnknownNameError, match="centroid_distance"):
        measure_gap_rows(y, y, paired=True, measures=["centroid_distanse"])
