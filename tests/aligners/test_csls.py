from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alignkit.aligners._csls import csls


def unit(V):
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    return (V / np.where(lengths > 0, lengths, 1)).astype(np.float32)


ROUNDING = 3e-6  # of a criterion from float32 cosines of unit rows: a dozen units in the last place


def cosines(A, B):
    return A.astype(np.float64) @ B.T.astype(np.float64)


def brute(S, k):
    """Return both means and both criteria, (rows, columns), from the whole matrix in float64."""
    source, target = (-np.sort(-side, axis=1)[:, :k].mean(axis=1) for side in (S, S.T))
    return source, target, 2 * S - target, (2 * S - source[:, None]).T


def are_best(matches, criterion):
    """Say whether every match is the best partner, up to the rounding of float32."""
    reached = criterion[np.arange(len(criterion)), matches.indices]
    return (reached >= criterion.max(axis=1) - ROUNDING).all()


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
    S = cosines(A, B)
    source, target, there, back = brute(S, 10)
    found = csls(A, B, kept=kept, tile=1 << 18)
    for means, wanted in ((found.source_means, source), (found.target_means, target)):
        np.testing.assert_allclose(means, wanted, atol=3e-7)
    assert are_best(found.targets, there)
    assert are_best(found.sources, back)
    for matches, side in ((found.targets, S), (found.sources, S.T)):
        own = side[np.arange(len(side)), matches.indices]
        np.testing.assert_allclose(matches.cosines, own, atol=3e-7)


def test_the_nearest_neighbour_would_not_do():
    A, B = (unit(side) for side in hub_rows(np.random.default_rng(0)))
    nearest = SimpleNamespace(indices=cosines(A, B).argmax(axis=1))
    there = brute(cosines(A, B), 10)[2]
    assert (nearest.indices != there.argmax(axis=1)).mean() > 0.1
    assert not are_best(nearest, there)


def test_few_candidates_are_not_trusted_but_computed_again():
    A, B = (unit(side) for side in hub_rows(np.random.default_rng(0)))
    few, many = csls(A, B, kept=10), csls(A, B, kept=300)
    assert few.targets.recomputed > 0
    assert few.targets.recomputed > many.targets.recomputed


def test_threads_change_no_bit_and_tiles_no_match_that_float32_can_tell():
    rng = np.random.default_rng(5)
    A, B = (unit(rng.normal(size=(n, 30))) for n in (2000, 1500))
    _, _, there, back = brute(cosines(A, B), 10)
    for tile in (1 << 14, 1 << 19):
        with threadpool_limits(1):
            expected = csls(A, B, tile=tile)
        assert are_best(expected.targets, there)
        assert are_best(expected.sources, back)
        for threads in (2, 3):
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
    found = csls(A, B, kept=10)
    assert are_best(found.targets, brute(cosines(A, B), 10)[2])
    assert found.targets.recomputed > 0
    assert are_best(csls(B, A, kept=10).sources, brute(cosines(B, A), 10)[3])
