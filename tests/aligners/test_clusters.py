import numpy as np
import pytest

from alignkit.aligners._clusters import centroids_of, grown_from, nearest_centroid
from alignkit.errors import DataError


def islands(seed, *, count=8, rows=30, d=5):
    rng = np.random.default_rng(seed)
    centres = 10 * rng.normal(size=(count, d))
    labels = rng.permutation(np.repeat(np.arange(count), rows))
    return centres[labels] + 0.1 * rng.normal(size=(len(labels), d)), labels


@pytest.mark.parametrize("seed", range(4))
def test_planted_islands_are_found_from_one_row_of_each(seed):
    V, labels = islands(seed)
    first = np.unique(labels, return_index=True)[1]
    means, found = grown_from(V, V[first])
    assert np.array_equal(found, labels)
    assert np.allclose(means, [V[labels == label].mean(axis=0) for label in range(8)])


def test_drawn_starts_find_the_islands_nearly_always():
    right = 0
    for seed in range(10):
        V, labels = islands(seed)
        _, found = centroids_of(V, 8, np.random.default_rng(seed))
        right += len({(a, b) for a, b in zip(labels, found, strict=True)}) == 8
    assert right >= 8  # rows drawn without regard to distance hit all eight in 1 of 400 seeds


def test_every_row_is_nearest_to_its_own_mean_and_every_mean_is_its_rows():
    V = np.random.default_rng(0).normal(size=(400, 6))
    means, labels = centroids_of(V, 12, np.random.default_rng(0))
    distances = ((V[:, None] - means) ** 2).sum(axis=2)
    assert np.array_equal(labels, distances.argmin(axis=1))
    assert np.array_equal(labels, nearest_centroid(V, means))
    for label in range(12):
        assert np.allclose(means[label], V[labels == label].mean(axis=0))


def test_there_are_no_more_clusters_than_distinct_rows():
    V = np.repeat(np.eye(3), 5, axis=0)
    means, labels = centroids_of(V, 10, np.random.default_rng(0))
    assert sorted(means.tolist()) == sorted(np.eye(3).tolist())
    assert np.array_equal(means[labels], V)


def test_a_mean_that_nobody_is_near_stays_and_has_no_row():
    V, _ = islands(0, count=2)
    start = np.concatenate([V[:1], V[:1] + 1e6])
    means, labels = grown_from(V, start)
    assert set(labels) == {0}
    assert np.array_equal(means[1], start[1])


def test_rows_too_long_to_square_are_refused():
    with pytest.raises(DataError, match="scale the rows down"):
        centroids_of(np.full((4, 2), 1e200), 2, np.random.default_rng(0))
