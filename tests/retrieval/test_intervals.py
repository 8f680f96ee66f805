import numpy as np
import pytest
from scipy.stats import bootstrap

from alignkit.errors import ParameterError
from alignkit.retrieval.intervals import bootstrap_interval


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("seed", range(3))
def test_ends_agree_with_scipy_within_the_noise_of_resampling(statistic: str, seed: int):
    rng = np.random.default_rng(seed)
    values = 1 / rng.integers(1, 60, (400, 1)) + (seed == 0) * rng.random((400, 1))
    low, high = bootstrap_interval(values, statistic=statistic, seed=seed)
    peer = bootstrap(
        (values[:, 0],),
        getattr(np, statistic),
        method="percentile",
        n_resamples=10_000,
        rng=rng,
        vectorized=True,
    )
    spread = peer.standard_error
    assert abs(low[0] - peer.confidence_interval.low) < 0.12 * spread
    assert abs(high[0] - peer.confidence_interval.high) < 0.12 * spread


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = []
    for trial in range(400):
        values = (rng.random((150, 1)) < 0.3).astype(float)
        low, high = bootstrap_interval(values, resamples=500, seed=trial)
        covered.append(low[0] <= 0.3 <= high[0])
    assert 0.91 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_five_copies_of_a_query_widen_the_interval_only_if_they_form_a_group(statistic: str):
    """Five captions of one picture: as one cluster they say as much as one, apart they feign five."""
    values = np.random.default_rng(0).normal(size=(300, 1))
    groups = np.repeat(np.arange(300), 5)
    alone = np.ptp(bootstrap_interval(values, statistic=statistic))
    grouped = np.ptp(bootstrap_interval(np.repeat(values, 5, axis=0), groups, statistic=statistic))
    apart = np.ptp(bootstrap_interval(np.repeat(values, 5, axis=0), statistic=statistic))
    assert grouped == pytest.approx(alone, rel=0.06)
    assert apart == pytest.approx(alone / np.sqrt(5), rel=0.2)


def test_groups_of_unequal_size_are_weighted_by_their_queries():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(80), rng.integers(1, 9, 80))
    values = rng.normal(size=80)[groups, None] + 0.1 * rng.normal(size=(len(groups), 1))
    drawn = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(0, 80, 80)])
        drawn.append([values[rows].mean(), np.median(values[rows])])
    spread = np.std(drawn, axis=0)
    for column, statistic in enumerate(("mean", "median")):
        ends = bootstrap_interval(values, groups, statistic=statistic)[:, 0]
        wanted = np.quantile([pair[column] for pair in drawn], [0.025, 0.975])
        assert np.abs(ends - wanted).max() < 0.2 * spread[column]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    values = np.random.default_rng(0).random((500, 3))
    one, again, other = (bootstrap_interval(values, seed=seed) for seed in (7, 7, 8))
    assert one.tobytes() == again.tobytes()
    assert (one != other).all()
    np.testing.assert_allclose(one, other, atol=0.01)


def test_group_labels_may_be_words_and_their_names_do_not_matter():
    values = np.random.default_rng(0).random((60, 1))
    numbers = np.repeat(np.arange(20), 3)
    words = np.array([f"clip {n:02d}" for n in numbers])
    assert np.array_equal(bootstrap_interval(values, numbers), bootstrap_interval(values, words))


def test_where_nothing_varies_there_is_no_width_and_one_group_has_no_interval():
    assert bootstrap_interval(np.full((30, 1), 0.25)).tolist() == [[0.25], [0.25]]
    assert np.isnan(bootstrap_interval(np.random.default_rng(0).random((30, 2)), np.zeros(30))).all()
    assert np.isnan(bootstrap_interval(np.random.default_rng(0).random((30, 2)), resamples=0)).all()


def test_draws_with_and_without_copies_are_one_distribution():
    """Kinds with many copies are drawn by a multinomial, others one by one: the split must not show."""
    rng = np.random.default_rng(3)
    values = np.r_[np.zeros(150), np.ones(150), rng.random(100)][:, None]
    nudged = values + 1e-9 * rng.random((400, 1))
    np.testing.assert_allclose(bootstrap_interval(values), bootstrap_interval(nudged), atol=0.004)


@pytest.mark.parametrize("options", [{"resamples": -1}, {"level": 1.0}, {"level": 0.0}])
def test_options_without_sense_are_refused(options: dict):
    with pytest.raises(ParameterError, match="level"):
        bootstrap_interval(np.zeros((9, 1)), **options)
