import numpy as np
import pytest
from scipy.stats import bootstrap

from alignkit.errors import ParameterError
from alignkit.statistics.intervals import bootstrap_interval


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
@pytest.mark.parametrize("seed", range(3))
def test_bca_ends_agree_with_scipy_within_the_noise_of_resampling(statistic: str, seed: int):
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=(100, 1))
    low, high = bootstrap_interval(values, statistic=statistic, method="bca", seed=seed, resamples=30_000)
    peer = bootstrap(
        (values[:, 0],), getattr(np, statistic), method="BCa", n_resamples=30_000, rng=rng, vectorized=True
    )
    plain = bootstrap_interval(values, statistic=statistic, resamples=30_000)[:, 0]
    spread = peer.standard_error
    assert abs(low[0] - peer.confidence_interval.low) < 0.12 * spread
    assert abs(high[0] - peer.confidence_interval.high) < 0.12 * spread
    if statistic == "mean":  # the skew moves both ends up, by more than noise
        assert low[0] - plain[0] > 0.06 * spread
        assert high[0] - plain[1] > 0.12 * spread


def skewed_clusters(seed: int, hard: float) -> tuple[np.ndarray, np.ndarray]:
    """Return reciprocal ranks of 40 pictures, up to 2000 and more often high the smaller ``hard`` is.

    Three captions of a picture do equally well.
    """
    ranks = (2000 ** np.random.default_rng(seed).random(40) ** hard).astype(int)
    return 1 / np.repeat(ranks, 3)[:, None], np.repeat(np.arange(40), 3)


def missed(hard: float, trials: int) -> dict[str, tuple[float, float]]:
    """Return for each method how often the truth lies below and above its interval."""
    ranks = np.arange(1, 2000)
    up_to = (np.log(np.arange(1, 2001)) / np.log(2000)) ** (1 / hard)
    truth = (np.diff(up_to) / ranks).sum()
    sides = {}
    for method in ("percentile", "bca"):
        ends = np.array(
            [
                bootstrap_interval(*skewed_clusters(seed, hard), method=method, resamples=600, seed=seed)
                for seed in range(trials)
            ]
        )
        sides[method] = ((truth < ends[:, 0, 0]).mean(), (truth > ends[:, 1, 0]).mean())
    return sides


def test_bca_covers_skewed_ranks_nearer_to_nominal_than_percentiles_do():
    """40 clusters, 95 % asked for; 800 trials leave an uncertainty of 0.8 % on each coverage.

    3000 trials gave 91.6 % and 94.6 %.
    """
    sides = missed(hard=1, trials=800)
    plain, better = (1 - sum(sides[method]) for method in ("percentile", "bca"))
    assert plain < 0.935
    assert plain + 0.01 < better
    assert abs(better - 0.95) < 0.025
    # percentiles miss where the truth lies above, twice as often as they may
    assert sides["percentile"][1] > 0.045
    assert sides["bca"][1] < 0.6 * sides["percentile"][1]


def test_where_a_handful_of_pictures_carries_the_mean_both_methods_fall_short():
    """What no resampling of 40 pictures can mend: two or three of them have all the hits."""
    sides = missed(hard=0.5, trials=300)
    assert all(1 - sum(side) < 0.9 for side in sides.values())
    assert sides["bca"][1] < sides["percentile"][1]


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_bca_changes_nothing_where_there_is_no_skew_and_no_width_where_nothing_varies(statistic: str):
    half = np.random.default_rng(0).normal(size=(200, 1))
    even = np.concatenate([half, -half])
    plain, bca = (bootstrap_interval(even, statistic=statistic, method=m) for m in ("percentile", "bca"))
    assert np.abs(plain - bca).max() < 0.08 * np.ptp(plain)
    flat = np.full((30, 1), 0.1)
    assert bootstrap_interval(flat, statistic=statistic, method="bca") == pytest.approx(0.1, abs=1e-15)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_permuting_queries_with_their_groups_changes_no_bit(method: str, statistic: str):
    rng = np.random.default_rng(4)
    values, groups, order = 1 / rng.integers(1, 30, (300, 2)), rng.integers(0, 60, 300), rng.permutation(300)
    options = {"method": method, "statistic": statistic, "resamples": 500}
    there = bootstrap_interval(values, groups, **options)
    assert there.tobytes() == bootstrap_interval(values[order], groups[order], **options).tobytes()
    alone = bootstrap_interval(values, **options)
    assert alone.tobytes() == bootstrap_interval(values[order], **options).tobytes()


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


def test_values_and_resamples_of_one_seed_have_nothing_in_common():
    """Were both drawn from one stream, the mean of the resamples would lean with the values."""
    lean = []
    for seed in range(300):
        values = np.random.default_rng(seed).random((40, 1))
        ends = bootstrap_interval(values, level=0.02, resamples=200, seed=seed)
        lean.append((ends.mean() - values.mean()) / (values.std() / np.sqrt(40)))
    assert abs(np.mean(lean)) < 4 * np.std(lean) / np.sqrt(300)
    assert np.std(lean) < 2 * 1.25 / np.sqrt(200)


def test_an_unknown_method_is_refused_with_those_that_there_are():
    with pytest.raises(ParameterError, match="'studentized': choose one of percentile, bca"):
        bootstrap_interval(np.zeros((9, 1)), method="studentized")


@pytest.mark.parametrize("options", [{"resamples": -1}, {"level": 1.0}, {"level": 0.0}])
def test_options_without_sense_are_refused(options: dict):
    with pytest.raises(ParameterError, match="level"):
        bootstrap_interval(np.zeros((9, 1)), **options)
