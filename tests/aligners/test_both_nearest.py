import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alignkit.aligners._both_nearest import nearest, nearest_both, nearest_exactly, tiles


def unit(V):
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    return (V / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def brute(S, k):
    """Return the k best of every row by a full stable sort: the lower index first where scores are equal."""
    order = np.argsort(-S, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(S, order, axis=1)


def whole_numbers(n, m, d, seed, *, values=3):
    """Return small whole numbers: every product is exact, and many are equal."""
    rng = np.random.default_rng(seed)
    return tuple(rng.integers(-values, values + 1, (rows, d)).astype(np.float32) for rows in (n, m))


@pytest.mark.parametrize(
    ("n", "m", "d", "k"),
    [(700, 900, 8, 10), (900, 350, 3, 32), (5, 4, 2, 10), (1, 1, 1, 1), (60, 40_000, 4, 5)],
)
@pytest.mark.parametrize("values", [1, 50])
def test_it_is_a_full_sort_in_both_directions_also_among_ties(n, m, d, k, values):
    A, B = whole_numbers(n, m, d, seed=n + k, values=values)
    S = A @ B.T
    rows, columns = nearest_both(A, B, k, tile=1 << 16)
    for found, expected in ((rows, brute(S, k)), (columns, brute(S.T, k))):
        assert np.array_equal(found.indices, expected[0])
        assert np.array_equal(found.scores, expected[1])
    alone = nearest(A, B, k, tile=1 << 16)
    assert np.array_equal(alone.indices, rows.indices)


def test_lines_whose_scores_are_all_equal_keep_the_lowest_indices():
    A, B = np.ones((300, 4), np.float32), np.ones((500, 4), np.float32)
    rows, columns = nearest_both(A, B, 7)
    assert (rows.indices == np.arange(7)).all()
    assert (columns.indices == np.arange(7)).all()


def test_ascending_and_descending_scores_are_the_worst_cases_and_right():
    A = np.linspace(1, 2, 1500, dtype=np.float32)[:, None]
    for left in (A, A[::-1]):
        rows, columns = nearest_both(left, A, 12, tile=1 << 15)
        S = left @ A.T
        assert np.array_equal(rows.indices, brute(S, 12)[0])
        assert np.array_equal(columns.indices, brute(S.T, 12)[0])


def test_threads_change_no_bit_and_tiles_the_last_one_at_most():
    rng = np.random.default_rng(0)
    A, B = (unit(rng.normal(size=(n, 40))) for n in (3000, 2500))
    exact = A.astype(np.float64) @ B.T.astype(np.float64)
    for tile in (1 << 12, 1 << 18, 1 << 20):
        with threadpool_limits(1):
            expected = nearest_both(A, B, 10, tile=tile)
        for side, scores in zip(expected, (exact, exact.T), strict=True):
            own = np.take_along_axis(scores, side.indices, axis=1)
            np.testing.assert_allclose(side.scores, own, atol=3e-7)
            assert (own >= brute(scores, 10)[1] - 6e-7).all()
        for threads in (2, 3):
            with threadpool_limits(threads):
                found = nearest_both(A, B, 10, tile=tile)
            for ours, theirs in zip(found, expected, strict=True):
                assert np.array_equal(ours.indices, theirs.indices)
                assert np.array_equal(ours.scores, theirs.scores)


def test_random_rows_agree_with_float64_to_rounding():
    rng = np.random.default_rng(1)
    A, B = (unit(rng.normal(size=(n, 25))) for n in (800, 1200))
    exact = brute(A.astype(np.float64) @ B.astype(np.float64).T, 10)
    found = nearest_both(A, B, 10)[0]
    assert np.allclose(found.scores, exact[1], atol=5e-7)
    assert (found.indices == exact[0]).mean() > 0.999  # two scores may differ by less than float32 tells


def test_tiles_computed_again_hold_the_same_entries_to_rounding():
    rng = np.random.default_rng(2)
    A, B = (unit(rng.normal(size=(n, 30))) for n in (400, 700))
    rows = nearest_both(A, B, 700)[0]
    S = np.empty((400, 700), np.float32)
    np.put_along_axis(S, rows.indices, rows.scores, axis=1)
    again = np.array([3, 399, 57])
    for start, left, scores in tiles(A[again], B, tile=1 << 14):
        lines = again[start : start + len(scores)]
        np.testing.assert_allclose(scores, S[lines, left : left + scores.shape[1]], atol=3e-7)
    for start, left, scores in tiles(A, B[again], tile=1 << 14):
        seen = S[start : start + len(scores)][:, again[left : left + scores.shape[1]]]
        np.testing.assert_allclose(scores, seen, atol=3e-7)


def test_float64_decides_what_float32_cannot_tell_apart():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(600, 6))
    base = rng.normal(size=(40, 6))
    B = np.repeat(base, 5, axis=0) + 1e-9 * rng.normal(size=(200, 6))  # five at a time, nearly equal
    expected = brute(A @ B.T, 7)
    assert (nearest(A, B, 7).indices != expected[0]).any(axis=1).mean() > 0.5
    found = nearest_exactly(A, B, 7)
    assert np.array_equal(found.indices, expected[0])
    assert np.allclose(found.scores, expected[1], atol=1e-12)


def test_float64_leaves_ties_to_the_lower_index_and_few_columns_whole():
    A, B = whole_numbers(700, 900, 8, seed=1)
    assert np.array_equal(nearest_exactly(A, B, 300).scores, brute(A @ B.T, 300)[1])
    A, B = whole_numbers(50, 9, 4, seed=1)
    assert np.array_equal(nearest_exactly(A, B, 7).indices, brute(A @ B.T, 7)[0])
