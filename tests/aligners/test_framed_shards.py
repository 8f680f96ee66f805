from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners import METHODS
from alignkit.aligners._frame import NORMALIZE, Frame
from alignkit.aligners._framed_shards import (
    FramedShards,
    deal_shards,
    pool_frames,
    stream_frames,
    stream_shards,
)
from alignkit.aligners._from_shards import fit_shards, parts_needed
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners.least_squares import LeastSquares
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import AlignkitError, DataError, ParameterError
from alignkit.moments import Moments

LINEAR = [name for name in METHODS.names() if issubclass(METHODS.get(name), LinearAligner)]


def pairs(n=700, ds=7, dt=5, seed=0, weighted=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, ds)) * rng.uniform(0.5, 4, (n, 1)) + 0.7
    Y = X @ rng.normal(size=(ds, dt)) + rng.normal(size=(n, dt)) - 1
    return X, Y, rng.uniform(0, 2, n) if weighted else None


def reader(X, Y, w, shards=6, size=97):
    """Return what reads shard i of a cut into equal stretches, in blocks of odd sizes."""
    bounds = np.linspace(0, len(X), shards + 1).astype(int)

    def read(shard):
        for start in range(bounds[shard], bounds[shard + 1], size):
            part = slice(start, min(start + size, bounds[shard + 1]))
            yield start, X[part], Y[part], None if w is None else w[part]

    return read


def framed(X, Y, w, steps, parts="all", shards=6, jobs=1):
    read = reader(X, Y, w, shards)
    frames = stream_frames(read, range(shards), jobs=jobs)[0] if steps == "unit-center-unit" else None
    dims = X.shape[1], Y.shape[1]
    return stream_shards(read, range(shards), dims, steps, parts, frames=frames, jobs=jobs)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("steps", NORMALIZE)
def test_shards_hold_the_frames_and_the_moments_of_all_framed_rows(steps, weighted):
    X, Y, w = pairs(weighted=weighted)
    ours = framed(X, Y, w, steps)
    expected = [Frame.fit(side, steps, w) for side in (X, Y)]
    for mine, other in zip(ours.frames(), expected, strict=True):
        assert_allclose(mine.mean, other.mean, atol=1e-13)
        assert mine.length == pytest.approx(other.length, rel=1e-13)
    rows = [frame.apply(side) for frame, side in zip(expected, (X, Y), strict=True)]
    textbook = Moments.from_arrays(*rows, w)
    joint = ours.joint(ours.shards.total(), ours.frames())
    scale = np.abs(textbook.xx).max()
    for one, other in zip(joint.moments.about_origin(), textbook.about_origin(), strict=True):
        assert_allclose(one, other, atol=1e-12 * scale)
    assert_allclose(joint.spreads, [np.trace(textbook.xx), np.trace(textbook.yy)], rtol=1e-10)
    fewer = framed(X, Y, w, steps, parts="cross")
    if steps not in ("per-dim", "whiten"):
        joint = fewer.joint(fewer.shards.total(), fewer.frames())
        assert_allclose(joint.moments.cross_about_origin(), textbook.cross_about_origin(), atol=1e-12 * scale)
        assert_allclose(joint.spreads, [np.trace(textbook.xx), np.trace(textbook.yy)], rtol=1e-10)


@pytest.mark.parametrize("name", [name for name in LINEAR if name not in ("ridge", "cca_cv")])
def test_a_map_from_shards_is_the_map_of_the_rows(name):
    X, Y, w = pairs(dt=7, weighted=True)
    aligner = METHODS.get(name)()
    ours = framed(X, Y, w, aligner.normalize, parts_needed(aligner, 7, 7))
    fit_shards(aligner, ours)
    expected = METHODS.get(name)().fit(X, Y, w)
    assert_allclose(aligner.transform(X), expected.transform(X), rtol=1e-8, atol=1e-9)
    assert_allclose(aligner.project_source(X), expected.project_source(X), rtol=1e-7, atol=1e-8)


def test_half_precision_rows_are_read_as_they_are():
    X, Y, _ = pairs()
    X, Y = X.astype(np.float16), Y.astype(np.float16)
    ours = framed(X, Y, None, "unit-center")
    wide = framed(X.astype(float), Y.astype(float), None, "unit-center")
    assert_array_equal(ours.shards.products, wide.shards.products)


@pytest.mark.parametrize("steps", ["center", "unit-center-unit"])
def test_the_number_of_threads_changes_no_bit(steps):
    X, Y, w = pairs(weighted=True)
    one, three = (framed(X, Y, w, steps, jobs=jobs) for jobs in (1, 3))
    for name, array in one.shards.arrays().items():
        assert_array_equal(array, three.shards.arrays()[name], err_msg=name)


@pytest.mark.parametrize("steps", ["none", "unit-center", "unit-center-unit"])
def test_machines_that_saw_a_part_each_agree_in_any_order(steps):
    X, Y, w = pairs(weighted=True)
    halves = [slice(None, 250), slice(250, 300), slice(300, None)]
    frames = None
    if steps == "unit-center-unit":
        frames, _ = pool_frames(stream_frames(reader(X[h], Y[h], w[h], 2), range(2), jobs=1) for h in halves)
    parts = [
        stream_shards(
            lambda label, h=h, m=m: reader(X[h], Y[h], w[h], 2)(label - 2 * m),
            range(2 * m, 2 * m + 2), (7, 5), steps, "all", frames=frames, jobs=1,
        )
        for m, h in enumerate(halves)
    ]  # fmt: skip
    maps = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        whole = reduce(FramedShards.merge, [parts[index] for index in order])
        maps.append(fit_shards(Procrustes(normalize=steps), whole).matrix_)
    assert_array_equal(maps[0], maps[1])
    assert_array_equal(maps[0], maps[2])
    assert_allclose(maps[0], Procrustes(normalize=steps).fit(X, Y, w).matrix_, atol=1e-10)


def test_scattered_pairs_are_dealt_into_the_same_shards():
    X, Y, w = pairs(weighted=True)
    shard_of = np.random.default_rng(0).integers(0, 5, len(X))
    dealt = deal_shards(reader(X, Y, w, 1)(0), shard_of, "unit-center", "all")
    order = np.argsort(shard_of, kind="stable")
    ends = np.cumsum(np.bincount(shard_of))

    def read(shard):
        rows = order[ends[shard] - (shard_of == shard).sum() : ends[shard]]
        yield 0, X[rows], Y[rows], w[rows]

    sorted_out = stream_shards(read, range(5), (7, 5), "unit-center", "all", jobs=1)
    for name, array in dealt.shards.arrays().items():
        assert_allclose(array, sorted_out.shards.arrays()[name], atol=1e-10, err_msg=name)


def test_rows_at_the_mean_count_for_nothing_as_in_the_frame():
    X, Y, _ = pairs()
    X[::2] = X[0]  # half the rows have one direction, so the mean is near it, and a few lie on it
    frames = Frame.fit(X, "unit-center-unit"), Frame.fit(Y, "unit-center-unit")
    X[5] = frames[0].mean
    X[6] = frames[0].mean * (1 + 1e-9) + 1e-9
    ours = stream_shards(
        reader(X, Y, None), range(6), (7, 5), "unit-center-unit", "all", frames=frames, jobs=1
    )
    framed_rows = [frame.apply(side) for frame, side in zip(frames, (X, Y), strict=True)]
    expected = Moments.from_arrays(*framed_rows)
    assert_allclose(ours.shards.total().moments.xx, expected.xx, atol=1e-9 * np.abs(expected.xx).max())


@pytest.mark.parametrize(
    ("steps", "value", "words"),
    [("none", np.nan, "target row 321 holds NaN"), ("none", np.inf, "target row 321 holds an infinite"),
     ("unit", np.nan, "target row 321 holds NaN"), ("unit-center", 0, "target row 321 is all zeros"),
     ("unit-center-unit", 0, "target row 321 is all zeros")],
)  # fmt: skip
def test_the_row_that_cannot_be_used_is_named(steps, value, words):
    X, Y, _ = pairs()
    Y[321] = value
    with pytest.raises(DataError, match=words):
        framed(X, Y, None, steps)


def test_frames_and_steps_that_do_not_belong_together_are_refused():
    X, Y, _ = pairs()
    read = reader(X, Y, None)
    with pytest.raises(ParameterError, match="frames belong to 'unit-center-unit'"):
        stream_shards(read, range(6), (7, 5), "unit-center-unit", "all")
    with pytest.raises(ParameterError, match="do not add"):
        framed(X, Y, None, "unit").merge(framed(X, Y, None, "center"))
    with pytest.raises(ParameterError, match="in other frames"):
        framed(X, Y, None, "unit-center-unit").merge(framed(X + 1, Y, None, "unit-center-unit"))
    with pytest.raises(ParameterError, match="do not fit a map with normalize='unit-center-unit'"):
        fit_shards(LeastSquares(), framed(X, Y, None, "unit"))
    with pytest.raises(DataError, match="shard 6 has no pairs"):
        stream_shards(lambda _: iter(()), [6], (7, 5), "none", "all")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 40), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3),
    st.sampled_from(["none", "center", "unit-center", "unit-center-unit"]),
    st.sampled_from(["procrustes", "least_squares", "cca"]),
)  # fmt: skip
def test_rows_of_any_shape_give_a_finite_map_or_a_sentence(n, ds, dt, kind, steps, method):
    rng = np.random.default_rng(n * 100 + ds * 10 + dt)
    X, Y = rng.normal(size=(n, ds)), rng.normal(size=(n, dt))
    if kind == 1:
        X[:, 0] = 3.0  # a constant column
    elif kind == 2:
        X[1:] = X[0]  # one row again and again
    elif kind == 3:
        Y = Y[:, :1] @ np.ones((1, dt))  # rank one
    aligner = METHODS.get(method)(normalize=steps)
    try:
        fit_shards(aligner, framed(X, Y, None, steps, parts_needed(aligner, ds, dt), shards=2))
    except AlignkitError:
        return
    assert np.isfinite(aligner.transform(X)).all()
