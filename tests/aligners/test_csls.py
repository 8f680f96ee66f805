import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alignkit.aligners._both_nearest import tiles
from alignkit.aligners._csls import csls


def unit(V):
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    return (V / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def brute(S, k):
    """Return both means and both argmaxes from the whole matrix of float32 cosines."""
    source = -np.sort(-S, axis=1)[:, :k].mean(axis=1, dtype=np.float64)
    target = -np.sort(-S.T, axis=1)[:, :k].mean(axis=1, dtype=np.float64)
    wide = 2 * S.astype(np.float64)
    return source, target, (wide - target).argmax(axis=1), (wide - source[:, None]).argmax(axis=0)


def scores_of(A, B):
    """Return the cosines to the last bit as the sweep computes them (see test_both_nearest)."""
    S = np.empty((len(A), len(B)), np.float32)
    for start, left, scores in tiles(A, B):
        S[start : start + len(scores), left : left + scores.shape[1]] = scores
    return S


def random_rows(rng):
    return rng.normal(size=(700, 20)), rng.normal(size=(900, 20))


def clustered_rows(rng):
    centres = rng.normal(size=(12, 20))
    return tuple(centres[rng.integers(0, 12, n)] + 0.05 * rng.normal(size=(n, 20)) for n in (700, 900))


def tied_rows(rng):
    return rng.integers(-1, 2, (700, 4)).astype(float), rng.integers(-1, 2, (900, 4)).astype(float)


def duplicated_rows(rng):
    A = rng.normal(size=(100, 20))
    return np.repeat(A, 7, axis=0), np.repeat(A + 0.2 * rng.normal(size=A.shape), 9, axis=0)


def hub_rows(rng):
    A, B = random_rows(rng)
    B[:40] = B[40:80] + 3 * A.mean(axis=0) + A[:40] * 0.5
    return A, B + 2


WORLDS = (random_rows, clustered_rows, tied_rows, duplicated_rows, hub_rows)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kept", [10, 32])
def test_matches_are_those_of_the_whole_matrix(world, seed, kept):
    A, B = (unit(side) for side in world(np.random.default_rng(seed)))
    source, target, there, back = brute(scores_of(A, B), 10)
    found = csls(A, B, kept=kept, tile=1 << 18)
    assert np.array_equal(found.source_means, source)
    assert np.array_equal(found.target_means, target)
    assert np.array_equal(found.targets.indices, there)
    assert np.array_equal(found.sources.indices, back)
    S = scores_of(A, B)
    assert np.array_equal(found.targets.cosines, S[np.arange(len(A)), there])
    assert np.array_equal(found.sources.cosines, S[back, np.arange(len(B))])


def test_few_candidates_are_not_trusted_but_computed_again():
    A, B = (unit(side) for side in hub_rows(np.random.default_rng(0)))
    few, many = csls(A, B, kept=10), csls(A, B, kept=300)
    assert few.targets.recomputed > 0
    assert few.targets.recomputed > many.targets.recomputed
    doubtful = brute(scores_of(A, B), 10)[2] != scores_of(A, B).argmax(axis=1)
    assert doubtful.mean() > 0.1  # CSLS and cosine disagree here: the nearest neighbour would not do


def test_threads_and_tiles_change_no_bit():
    rng = np.random.default_rng(5)
    A, B = (unit(rng.normal(size=(n, 30))) for n in (2000, 1500))
    with threadpool_limits(1):
        expected = csls(A, B)
    for threads, tile in ((1, 1 << 14), (2, 1 << 19), (3, 1 << 14)):
        with threadpool_limits(threads):
            found = csls(A, B, tile=tile)
        for side in ("targets", "sources"):
            assert np.array_equal(getattr(found, side).indices, getattr(expected, side).indices)
            assert np.array_equal(getattr(found, side).cosines, getattr(expected, side).cosines)
        assert np.array_equal(found.target_means, expected.target_means)


def test_fewer_rows_than_neighbours_and_rows_of_zeros_have_an_answer():
    A, B = unit(np.array([[1.0, 0], [0, 1], [0, 0]])), unit(np.array([[0.0, 2], [3, 0]]))
    found = csls(A, B)
    assert found.targets.indices[:2].tolist() == [1, 0]
    assert found.targets.cosines[2] == 0
    assert found.source_means.tolist() == [0.5, 0.5, 0]


def test_more_columns_than_one_panel_holds_make_no_difference():
    rng = np.random.default_rng(0)
    A, B = (unit(rng.normal(size=(n, 6))) for n in (60, 33_000))
    there = brute(scores_of(A, B), 10)[2]
    found = csls(A, B, kept=10)
    assert np.array_equal(found.targets.indices, there)
    assert found.targets.recomputed > 0
    mirrored = csls(B, A, kept=10)
    assert np.array_equal(mirrored.sources.indices, brute(scores_of(B, A), 10)[3])
