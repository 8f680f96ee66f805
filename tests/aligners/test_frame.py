import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler

from alignkit.aligners._frame import NORMALIZE, SPREADS, Frame, FrameFit
from alignkit.errors import DataError, ParameterError


def cloud(n=100, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) + 1.5) * rng.uniform(0.5, 4, (n, 1))


@pytest.mark.parametrize("steps", NORMALIZE)
def test_restoring_takes_every_step_back_but_the_single_length(steps):
    X = cloud()
    frame = Frame.fit(X, steps)
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    expected = X / lengths * lengths.mean() if frame.unit_first else X
    assert_allclose(frame.restore(frame.apply(X)), expected, rtol=1e-10)


@pytest.mark.parametrize("steps", NORMALIZE)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_any_joint_row_survives_the_way_there_and_back(steps, seed):
    X, V = cloud(seed=seed), np.random.default_rng(seed).normal(size=(20, 6))
    frame = Frame.fit(X, steps)
    back = frame.unrestore(frame.restore(V))
    expected = V / np.linalg.norm(V, axis=1, keepdims=True) if frame.ends_unit else V
    assert_allclose(back, expected, rtol=1e-7, atol=1e-9)


def test_unit_center_unit_is_the_textbook_sequence():
    X = cloud()
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    frame = Frame.fit(X, "unit-center-unit")
    assert_allclose(frame.apply(X), centred / np.linalg.norm(centred, axis=1, keepdims=True), rtol=1e-12)
    assert frame.length == pytest.approx(np.linalg.norm(X, axis=1).mean())
    assert not frame.restores_unit_rows
    assert Frame.fit(unit, "unit-center-unit").restores_unit_rows


def test_weights_move_the_mean_as_copies_do():
    X, times = cloud(), np.arange(100) % 4
    weighted = Frame.fit(X, "unit-center", times.astype(float))
    copied = Frame.fit(np.repeat(X, times, axis=0), "unit-center")
    assert_allclose(weighted.mean, copied.mean)
    assert weighted.length == pytest.approx(copied.length)


def test_half_precision_is_computed_in_single_and_the_input_is_untouched():
    X = cloud().astype(np.float16)
    before = X.copy()
    V = Frame.fit(X, "unit-center-unit").apply(X)
    assert V.dtype == np.float32
    assert np.array_equal(X, before)


def test_a_row_without_direction_is_named():
    X = cloud(n=10_000)
    X[9000] = 0
    with pytest.raises(DataError, match="row 9000 is all zeros"):
        Frame.fit(X, "unit")
    with pytest.raises(DataError, match="row 7 is all zeros"):
        Frame.fit(X[:10], "unit").apply(np.zeros((1, 6)), first_row=7)


def test_lengths_beyond_the_square_root_of_the_range_are_still_lengths():
    frame = Frame.fit(np.eye(3), "unit")
    for scale in (1e-200, 1e200):
        assert_allclose(frame.apply(np.array([[3.0, 4.0, 0.0]]) * scale), [[0.6, 0.8, 0]], rtol=1e-12)


def test_a_collapsed_cloud_gives_zeros_and_not_amplified_rounding():
    X = np.repeat([[0.1, 0.7, 0.3]], 50, axis=0)
    assert np.array_equal(Frame.fit(X, "unit-center-unit").apply(X), np.zeros((50, 3)))


def test_an_unknown_normalisation_lists_the_known_ones():
    with pytest.raises(ParameterError, match="choose one of none, center"):
        Frame.fit(cloud(), "zca")


@pytest.mark.parametrize("size", [1e-40, 1e-30, 1e30, 1.7e38])
def test_single_precision_rows_at_the_ends_of_its_range_keep_their_direction(size):
    signs = np.sign(np.random.default_rng(0).normal(size=(9, 16)))
    rows = (signs * size).astype(np.float32)
    assert_allclose(Frame("unit", np.zeros(16)).apply(rows), signs / 4, rtol=1e-4)


def test_per_dim_is_scikit_learns_standard_scaler():
    X = cloud()
    X[:, 2] = 7.3  # never changes
    frame, scaler = Frame.fit(X, "per-dim"), StandardScaler().fit(X)
    assert_allclose(frame.apply(X), scaler.transform(X), atol=1e-10)
    assert frame.spread.stretch[2] == 1
    assert_allclose(frame.restore(frame.apply(X)), X, rtol=1e-12)


def test_whitening_gives_the_identity_and_turns_nothing():
    X = cloud(n=500)
    frame = Frame.fit(X, "whiten")
    assert_allclose(np.cov(frame.apply(X).T, bias=True), np.eye(6), atol=1e-10)
    assert_allclose(frame.spread.squeeze, frame.spread.squeeze.T, atol=1e-12)  # ZCA: the symmetric root
    assert (np.linalg.eigvalsh(frame.spread.squeeze) > 0).all()
    assert frame.spread.dropped == 0


def test_no_spread_hides_another_shape_but_whitening_hides_every_linear_one():
    """The must-fail half: a shear shows after scaling column by column, and not after whitening."""
    X = cloud(n=300)
    shear = np.triu(np.ones((6, 6)))
    grams = {}
    for steps in ("per-dim", "whiten"):
        plain, sheared = (Frame.fit(V, steps).apply(V) for V in (X, X @ shear))
        grams[steps] = np.abs(plain @ plain.T - sheared @ sheared.T).max()
    assert grams["whiten"] < 1e-9
    assert grams["per-dim"] > 1


def test_directions_without_variance_are_dropped_and_not_blown_up():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 8)) + 4
    for rows in (X, X.astype(np.float32)):
        frame = Frame.fit(rows, "whiten")
        assert frame.spread.dropped == 5
        V = frame.apply(rows)
        assert_allclose(np.linalg.norm(V, axis=1).mean(), np.sqrt(3), rtol=0.1)
        assert_allclose(frame.restore(V), rows, rtol=1e-4)
    same = Frame.fit(np.full((9, 4), 0.1), "whiten")
    assert same.spread.dropped == 4
    assert np.array_equal(same.apply(np.full((9, 4), 0.1)), np.zeros((9, 4)))


@pytest.mark.parametrize("steps", SPREADS)
def test_a_spread_is_the_same_in_blocks_with_weights_and_far_from_the_origin(steps):
    X, times = cloud(n=400), np.arange(400) % 3
    whole = Frame.fit(np.repeat(X, times, axis=0), steps)
    fit = FrameFit(steps)
    for start in range(0, 400, 37):
        fit.update(X[start : start + 37], times[start : start + 37].astype(float))
    assert_allclose(fit.frame().spread.stretch, whole.spread.stretch, atol=1e-12)
    far = Frame.fit(X + 1e6, steps)
    assert_allclose(far.spread.stretch, Frame.fit(X, steps).spread.stretch, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("steps", NORMALIZE)
def test_a_frame_is_its_arrays(steps):
    X = cloud()
    frame = Frame.fit(X, steps)
    again = Frame.from_arrays(steps, frame.arrays())
    assert np.array_equal(frame.apply(X), again.apply(X))
    assert np.array_equal(frame.restore(X), again.restore(X))


def test_frames_saved_before_there_were_spreads_still_load():
    X = cloud()
    saved = {"mean": X.mean(axis=0), "length": np.array([1.0])}
    assert_allclose(Frame.from_arrays("center", saved).apply(X), X - X.mean(axis=0))


@pytest.mark.parametrize("steps", SPREADS)
def test_squares_beyond_the_range_are_refused(steps):
    with pytest.raises(DataError, match="leave the range of float64"):
        Frame.fit(np.array([[1e200, 0.0], [-1e200, 1.0]]), steps)
