import numpy as np
import pytest
from scipy.stats import hypergeom

from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.metrics import per_query

NAMES = [
    *("mrr", "mrr@7", "hit@1", "hit@5", "hit@40", "recall@5", "precision@5", "map", "map@5", "map@5:R"),
    *("map@5:hits", "rprecision", "ndcg", "ndcg@5", "ndcg@5:exp"),
    *("mean_rank", "median_rank", "median_rank:floor", "geometric_mean_rank"),
]


def relation(seed: int, n: int, g: int) -> Positives:
    rng = np.random.default_rng(seed)
    return Positives.from_links(np.argwhere(rng.random((n, g)) < rng.random((n, 1)) * 0.4), n, g)


def summary(name: str, values: np.ndarray) -> float:
    """Return what a metric reports for its queries, written out once more."""
    if name == "geometric_mean_rank":
        return float(np.exp(np.nanmean(np.log(values))))
    if name.startswith("median_rank"):
        median = float(np.nanmedian(values))
        return np.floor(median - 1) + 1 if name.endswith(":floor") else median
    return float(np.nanmean(values))


@pytest.mark.parametrize("seed", range(4))
def test_a_collapsed_space_scores_at_chance(seed: int):
    positives = relation(seed, 37, 60)
    found = per_query(rank_scores(np.zeros((37, 60)), positives), NAMES)
    chance = chance_levels(positives.counts, 60, NAMES)
    for name in NAMES:
        assert summary(name, found[name]) == pytest.approx(chance[name], abs=1e-12), name


@pytest.mark.parametrize("seed", range(4))
def test_a_collapsed_space_scores_at_chance_whatever_the_grades(seed: int):
    plain = relation(seed, 37, 60)
    grades = np.random.default_rng(seed).integers(1, 5, len(plain))
    links = np.stack([plain.queries, plain.indices], axis=1)
    positives = Positives.from_links(links, 37, 60, grades=grades)
    found = per_query(rank_scores(np.zeros((37, 60)), positives), NAMES)
    chance = chance_levels(positives.counts, 60, NAMES, grades=positives.grades)
    for name in NAMES:
        assert summary(name, found[name]) == pytest.approx(chance[name], abs=1e-12), name
    bare = chance_levels(positives.counts, 60, NAMES)
    for name in NAMES:
        same = chance[name] == pytest.approx(bare[name], abs=1e-12)
        assert same != name.startswith("ndcg"), name


def test_random_scores_average_to_chance():
    rng = np.random.default_rng(0)
    positives = relation(1, 40, 50)
    means = {name: [] for name in NAMES if not name.startswith("median_rank")}
    for _ in range(300):
        found = per_query(rank_scores(rng.random((40, 50)), positives), list(means))
        for name, drawn in means.items():
            values = np.log(found[name]) if name.startswith("geometric") else found[name]
            drawn.append(np.nanmean(values))
    chance = chance_levels(positives.counts, 50, NAMES)
    chance["geometric_mean_rank"] = np.log(chance["geometric_mean_rank"])
    for name, drawn in means.items():
        assert abs(np.mean(drawn) - chance[name]) < 4.5 * np.std(drawn) / np.sqrt(300), name


@pytest.mark.parametrize(("n", "r", "k"), [(100, 1, 1), (100, 5, 10), (5000, 5, 10), (60, 40, 30), (9, 9, 1)])
def test_hits_are_hypergeometric(n: int, r: int, k: int):
    chance = chance_levels(np.array([r]), n, [f"hit@{k}", f"recall@{k}", f"precision@{k}"])
    assert chance[f"hit@{k}"] == pytest.approx(1 - hypergeom(n, r, k).pmf(0), abs=1e-12)
    assert chance[f"recall@{k}"] == pytest.approx(k / n)
    assert chance[f"precision@{k}"] == pytest.approx(r / n)


@pytest.mark.parametrize(
    ("n", "r", "mrr"),
    [
        (15446, 1, 0.00066),
        (5000, 1, 0.00182),
        (1545, 1, 0.00513),
        (975, 1, 0.00765),
        (25000, 5, 0.00172),
        (5225, 5, 0.00676),
    ],
)
def test_chance_mrr_of_known_galleries(n: int, r: int, mrr: float):
    """Values computed independently for VGGSound, COCO, Clotho and AudioCaps galleries."""
    assert round(chance_levels(np.array([r]), n, ["mrr"])["mrr"], 5) == mrr


def test_queries_without_positives_are_left_out_or_find_nothing():
    assert chance_levels(np.array([0, 2, 0]), 10, NAMES) == chance_levels(np.array([2]), 10, NAMES)
    zero = chance_levels(np.array([0, 2, 0]), 10, ["hit@3", "mean_rank", "median_rank"], zero=True)
    alone = chance_levels(np.array([2]), 10, ["hit@3", "mean_rank"])
    assert zero["hit@3"] == pytest.approx(alone["hit@3"] / 3)
    assert zero["mean_rank"] == pytest.approx((alone["mean_rank"] + 22) / 3)
    assert zero["median_rank"] == 11
