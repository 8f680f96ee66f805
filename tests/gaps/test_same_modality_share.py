import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.gaps import same_modality_share as module
from alignkit.gaps._clouds import Clouds
from alignkit.gaps.same_modality_share import SameModalityShare


def sorted_share(x, y):
    rows = np.concatenate([x, y])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    side = np.arange(len(rows)) >= len(x)
    nearest = np.argsort(-cosines, axis=1)[:, :10]
    return (side[nearest] == side[:, None]).mean()


@pytest.mark.parametrize("tile", [16, 50, 4096])
def test_it_equals_a_sort_of_the_whole_matrix_in_tiles_of_any_size(monkeypatch, tile):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(70, 3)) + 0.4, rng.normal(size=(40, 3))
    monkeypatch.setattr(module, "TILE", tile)
    assert_allclose(SameModalityShare().measure(x, y), sorted_share(x, y), rtol=1e-12)


@pytest.mark.parametrize(("name", "expected"), [("clip", 1.0), ("convirt", 0.997), ("videoclip", 1.0)])
def test_stored_features_give_the_known_figures(stored, name, expected):
    assert_allclose(SameModalityShare().measure(*stored(name)), expected, atol=5e-4)


def test_a_collapsed_space_scores_at_the_null_level():
    score = SameModalityShare().score(Clouds.unpaired(np.ones((40, 5)), np.ones((30, 5))))
    assert_allclose(score.value, score.chance, rtol=1e-12)


def test_the_closed_null_level_is_that_of_random_splits():
    rng = np.random.default_rng(0)
    pooled, values = rng.normal(size=(90, 4)), []
    for _ in range(200):
        order = rng.permutation(90)
        values.append(sorted_share(pooled[order[:60]], pooled[order[60:]]))
    score = SameModalityShare().score(Clouds.unpaired(pooled[:60], pooled[60:]))
    assert_allclose(score.chance, np.mean(values), atol=0.01)


def test_where_there_is_no_gap_the_interval_covers_the_null_level(coverage):
    assert coverage("same_modality_share").of_null(paired=False) >= 0.85


def test_beyond_the_stated_size_a_seeded_sample_is_measured(planted, monkeypatch):
    monkeypatch.setattr(SameModalityShare, "most", 100)
    clouds = Clouds.paired(*planted(8, n=300))
    first, again, other = (SameModalityShare().score(clouds, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.n == 100
    assert first.value != other.value


def test_too_few_rows_are_refused_with_the_number(planted):
    with pytest.raises(DataError, match="needs 20 independent rows a side, and has 12"):
        SameModalityShare().measure(*planted(0, n=12))
