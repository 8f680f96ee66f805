import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import MissingExtraError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import split_clouds, without_blocks
from alignkit.gaps.centroid_distance import centroid_distance
from alignkit.gaps.exact_wasserstein import (
    ExactWasserstein,
    _cheapest,
    _costs,
    exact_wasserstein,
    without_partners,
)
from alignkit.gaps.sliced_wasserstein import SlicedWasserstein


def test_pot_agrees_for_sides_of_one_size_and_solves_those_of_two(planted, monkeypatch):
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):  # none is needed, and each takes seconds
        monkeypatch.setenv(f"POT_BACKEND_DISABLE_{backend}", "1")
    ot = pytest.importorskip("ot")
    x, y = planted(0)
    clouds = Clouds.paired(x, y)
    costs = _costs(clouds.x, clouds.y)
    assert_allclose(exact_wasserstein(x, y) ** 2, ot.emd2([], [], costs), rtol=1e-10)
    assert_allclose(_cheapest(costs[:40]), ot.emd2([], [], costs[:40]), rtol=1e-10)
    # every row of one side twice: the same distance, now between sides of two sizes
    assert_allclose(exact_wasserstein(x, np.repeat(y, 2, axis=0)), exact_wasserstein(x, y), rtol=1e-9)


def test_sides_of_two_sizes_without_pot_say_what_to_install(planted, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    x, y = planted(0)
    assert exact_wasserstein(x, y) > 0
    assert ExactWasserstein().score(Clouds.paired(x[:57], y[:57])).value > 0  # an odd number of pairs
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[ot\]'"):
        exact_wasserstein(x, y[:40])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_lies_above_the_centroids_distance_and_the_shadows(planted, seed):
    x, y = planted(seed)
    value = exact_wasserstein(x, y)
    assert centroid_distance(x, y) < value
    assert SlicedWasserstein().measure_parts(x, y)["scaled"] < value


def test_replicas_read_off_costs_are_those_of_the_rows_themselves(planted):
    x, y = planted(3)
    clouds = Clouds.unpaired(x, y[:50])
    replicas = ExactWasserstein()._replicas(clouds, 3)
    for found, rows in (
        *zip(list(replicas.left_out)[:3], without_blocks(clouds, 3), strict=False),
        *zip(list(replicas.nulls)[:3], split_clouds(clouds, 3), strict=False),
    ):
        assert_allclose(found, _costs(rows.x, rows.y), rtol=1e-12, atol=1e-12)


def test_near_partners_do_not_hide_a_gap():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 20))
    y = x + 0.1 * rng.normal(size=(200, 20))
    y[:, 0] += 3
    paired, unpaired = (ExactWasserstein().score(make(x, y)) for make in (Clouds.paired, Clouds.unpaired))
    assert paired.low > paired.chance_high
    assert unpaired.value < paired.value  # partners lie nearer than any two samples


def test_no_item_is_on_both_sides_of_a_paired_set(planted):
    x, y = planted(5, n=31)
    links = np.stack([np.repeat(np.arange(31), 2), np.arange(62)], axis=1)
    clouds = Clouds.paired(x, np.repeat(y, 2, axis=0), links)
    apart = without_partners(clouds)
    assert (len(apart.x), len(apart.y)) == (15, 30)
    kept = [(clouds.x[:, None] == apart.x).all(axis=2).any(axis=1)]
    kept.append((clouds.y[:, None] == apart.y).all(axis=2).any(axis=1))
    assert not np.any(kept[0][links[:, 0]] & kept[1][links[:, 1]])
