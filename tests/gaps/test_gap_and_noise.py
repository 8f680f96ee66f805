import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._replicas import without_blocks
from alignkit.gaps.gap_and_noise import GapAndNoise, gap_and_noise


def published(x, y, rng):
    """Repeat the checks of the authors' notebook: groups of 100 shuffled pairs, differences of neighbours."""

    def cosines(a, b):
        return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))

    order = rng.permutation(len(x) // 100 * 100)
    gaps = (x - y)[order].reshape(-1, 100, x.shape[1]).mean(axis=1)
    centre = gaps.mean(axis=0, keepdims=True)
    orthogonality = [cosines(rows[1:] - rows[:-1], centre) for rows in (x, y)]
    return {
        "gap_length": np.linalg.norm(gaps, axis=1).mean(),
        "direction_cosine": cosines(gaps[1:], gaps[:-1]).mean(),
        "along_gap": np.mean([np.sqrt((one**2).mean()) for one in orthogonality]),
    }


@pytest.mark.parametrize("gap", [0.1, 0.4])
def test_each_part_is_what_the_published_check_shows(planted, gap):
    x, y = (unit_rows(rows) for rows in planted(0, n=6_000, d=24, gap=gap))
    expected, found = published(x, y, np.random.default_rng(0)), GapAndNoise().measure_parts(x, y)
    assert_allclose(found["direction_cosine"], expected["direction_cosine"], rtol=0.02)
    assert_allclose(found["along_gap"], expected["along_gap"], rtol=0.05)
    of_groups = np.sqrt(found["gap_length"] ** 2 + found["noise"] ** 2 * 24 / 100)  # noise is left in a mean
    assert_allclose(of_groups, expected["gap_length"], rtol=0.02)


def test_gap_and_noise_add_up_to_the_distance_of_partners(planted):
    x, y = (unit_rows(rows) for rows in planted(1))
    parts, apart = GapAndNoise().measure_parts(x, y), x - y
    assert_allclose(parts["noise"] ** 2, apart.var(axis=0, ddof=1).mean(), rtol=1e-10)
    total = (apart**2).sum(axis=1).mean()
    assert_allclose(parts["gap_length"] ** 2 + parts["noise"] ** 2 * 8 * 59 / 60, total, rtol=1e-10)
    assert_allclose(parts[""] * total, parts["gap_length"] ** 2 - parts["noise"] ** 2 * 8 / 60, rtol=1e-10)


def test_a_planted_gap_of_its_own_direction_is_told_from_noise():
    rng = np.random.default_rng(2)
    x = np.pad(unit_rows(rng.normal(size=(400, 12))), ((0, 0), (0, 1)))
    y = x + 0.05 * rng.normal(size=(400, 13))
    y[:, 12] += 0.5
    x[:, 12] -= 0.5
    scores = GapAndNoise().scores(Clouds.paired(x, y))
    assert scores[""].low > 0.9 > scores[""].chance_high
    assert scores["direction_cosine"].low > 0.99
    assert scores["along_gap"].high < 0.1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_partners_without_a_gap_lie_in_the_null_bands(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 10))
    y = x + rng.normal(size=(200, 10))
    x = x + rng.normal(size=(200, 10))
    score = GapAndNoise().score(Clouds.paired(x, y), seed=seed)
    assert score.chance_low <= score.value <= score.chance_high
    assert abs(score.value) < 0.02


def test_replicas_are_those_of_the_rows_themselves(planted):
    clouds, measure = Clouds.paired(*planted(3, n=53)), GapAndNoise()
    replicas = measure._replicas(clouds, 3)
    for found, rows in zip(replicas.left_out, without_blocks(clouds, 3), strict=True):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, atol=1e-12, err_msg=part)
    for draw, found in enumerate(replicas.nulls):
        stays = np.random.default_rng([3, 5, draw]).choice([-1.0, 1.0], size=(53,))[:, None] > 0
        sides = np.where(stays, clouds.x, clouds.y), np.where(stays, clouds.y, clouds.x)
        expected = measure.measure_parts(*sides)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, atol=1e-12, err_msg=part)


def test_partners_that_are_equal_leave_nothing_to_explain(planted):
    x, _ = planted(4)
    assert gap_and_noise(x, x) == 0
    assert set(GapAndNoise().measure_parts(np.ones((9, 3)), np.ones((9, 3))).values()) == {0.0}
