import numpy as np
import pytest
from scipy import stats

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.hubness import (
    Hubness,
    count_occurrences,
    measure_hubness,
    measure_hubness_both,
    random_levels,
)

MEASURES = ("skewness", "antihub_share", "gini", "robin_hood", "largest_share")


def loops(counts):
    """Return every measure from its definition, pair by pair."""
    counts = [int(c) for c in counts]
    g, total = len(counts), sum(counts)
    mean = total / g
    return {
        "skewness": float(stats.skew(counts)) if len(set(counts)) > 1 else 0.0,
        "antihub_share": sum(c == 0 for c in counts) / g,
        "gini": sum(abs(a - b) for a in counts for b in counts) / (2 * g * total),
        "robin_hood": sum(c - mean for c in counts if c > mean) / total,  # what the rich have too much
        "largest_share": max(counts) / total,
    }


def random_search(rng, q, g, k):
    return np.argsort(rng.random((q, g)), axis=1)[:, :k]


@pytest.mark.parametrize(("seed", "q", "g", "k"), [(0, 40, 25, 3), (1, 200, 60, 10), (2, 5, 90, 1)])
def test_measures_are_their_definitions(seed, q, g, k):
    rng = np.random.default_rng(seed)
    nearest = np.argsort(rng.random((q, g)) + rng.gamma(1, size=g), axis=1)[:, :k]
    hubs = count_occurrences(nearest, g)
    np.testing.assert_array_equal(hubs.occurrences, [(nearest == item).sum() for item in range(g)])
    for name, value in loops(hubs.occurrences).items():
        assert getattr(hubs, name) == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("seed", range(3))
def test_occurrences_are_those_of_a_full_sort(seed):
    rng = np.random.default_rng(seed)
    queries, gallery = rng.normal(size=(150, 20)), rng.normal(size=(80, 20)) + 0.5
    cosine = (queries / np.linalg.norm(queries, axis=1)[:, None]) @ (
        gallery / np.linalg.norm(gallery, axis=1)[:, None]
    ).T
    forward = np.bincount(np.argsort(-cosine, axis=1)[:, :7].ravel(), minlength=80)
    backward = np.bincount(np.argsort(-cosine.T, axis=1)[:, :7].ravel(), minlength=150)
    one, other = measure_hubness_both(queries, gallery, k=7)
    np.testing.assert_array_equal(one.occurrences, forward)
    np.testing.assert_array_equal(other.occurrences, backward)
    np.testing.assert_array_equal(measure_hubness(5 * queries, gallery, k=7).occurrences, forward)
    assert (one.n_queries, other.n_queries) == (150, 80)


def test_one_item_that_all_find_reaches_the_ends_of_the_ranges():
    hubs = count_occurrences(np.zeros((30, 1), int), 10)
    assert hubs.robin_hood == hubs.gini == hubs.antihub_share == pytest.approx(0.9)
    assert hubs.largest_share == 1.0
    assert hubs.skewness == pytest.approx(8 / 3)


def test_constant_occurrences_have_no_skewness_and_no_inequality():
    hubs = count_occurrences(np.arange(12)[:, None], 12)
    assert [getattr(hubs, name) for name in MEASURES] == [0.0, 0.0, 0.0, 0.0, pytest.approx(1 / 12)]


@pytest.mark.parametrize(("q", "g", "k"), [(20, 10, 3), (50, 60, 1), (7, 5, 4), (400, 200, 10)])
def test_random_retrieval_reaches_its_closed_form(q, g, k):
    rng = np.random.default_rng(q)
    levels = random_levels(q, g, k)
    found = [count_occurrences(random_search(rng, q, g, k), g) for _ in range(500)]
    assert levels["robin_hood"] > 0.05  # far above the tolerance
    for name in ("antihub_share", "gini", "robin_hood"):
        values = np.array([getattr(hubs, name) for hubs in found])
        error = values.std() / np.sqrt(len(values))
        assert values.mean() == pytest.approx(levels[name], abs=max(4 * error, 1e-3)), name


@pytest.mark.parametrize("g", [200, 2000])
def test_the_skewness_of_random_retrieval_approaches_the_binomial(g):
    rng = np.random.default_rng(g)
    values = [count_occurrences(random_search(rng, 100, g, 5), g).skewness for _ in range(60)]
    level = random_levels(100, g, 5)["skewness"]
    assert level == pytest.approx(float(stats.binom.stats(100, 5 / g, moments="s")))
    assert np.mean(values) == pytest.approx(level, rel=0.12 if g == 200 else 0.04)


@pytest.mark.parametrize("seed", range(3))
def test_a_shared_direction_makes_hubs_and_its_absence_none(seed):
    rng = np.random.default_rng(seed)
    queries, gallery = rng.normal(size=(400, 48)), rng.normal(size=(400, 48))
    even, skew = (
        measure_hubness(queries + shift, gallery + shift * rng.normal(size=(400, 1))) for shift in (0, 0.5)
    )
    level = random_levels(400, 400, 10)
    assert even.robin_hood < level["robin_hood"] + 0.05
    assert skew.robin_hood > 2.5 * level["robin_hood"]
    assert skew.gini > 2.5 * level["gini"]
    assert skew.skewness > 1.2
    assert even.skewness < 0.7
    assert skew.antihub_share > 0.05 > even.antihub_share


def test_a_collapsed_space_looks_like_one_of_hubs_which_ties_are_to_blame_for():
    hubs = measure_hubness(np.ones((30, 4)), np.ones((50, 4)), k=5)
    assert np.flatnonzero(hubs.occurrences).tolist() == [0, 1, 2, 3, 4]
    assert hubs.largest_share == 1 / 5


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_the_rows_changes_nothing_but_the_order(seed):
    rng = np.random.default_rng(seed)
    queries, gallery = rng.normal(size=(90, 12)), rng.normal(size=(60, 12))
    order = rng.permutation(60)
    plain, shuffled = (
        measure_hubness(queries, gallery),
        measure_hubness(rng.permutation(queries), gallery[order]),
    )
    np.testing.assert_array_equal(shuffled.occurrences, plain.occurrences[order])


def test_scores_stand_beside_their_chance_level():
    rng = np.random.default_rng(0)
    scores = measure_hubness(rng.normal(size=(100, 8)), rng.normal(size=(70, 8))).scores()
    assert tuple(scores) == MEASURES
    assert {
        name: score.chance for name, score in scores.items() if score.chance is not None
    } == random_levels(100, 70, 10)
    assert {score.n for score in scores.values()} == {100}
    assert scores["largest_share"].chance is None


def test_skewness_is_a_number_where_the_counts_are_huge():
    counts = np.full(1000, 10**9)
    counts[0] += 1
    assert Hubness(counts, 10**9, 1000).skewness == pytest.approx(
        float(stats.skew([1] + [0] * 999)), rel=1e-6
    )


@pytest.mark.parametrize("k", [0, 5, 6])
def test_a_k_that_leaves_no_choice_is_refused(k):
    with pytest.raises(ParameterError, match=f"k is {k} and the gallery has 5 items"):
        measure_hubness(np.ones((3, 2)), np.ones((5, 2)), k=k)


def test_widths_that_differ_are_refused():
    with pytest.raises(DataError, match="dimensions"):
        measure_hubness(np.ones((3, 2)), np.ones((50, 3)))


def test_real_text_finds_images_far_less_evenly_than_chance(data):
    texts = np.load(data / "clip_lvis_text" / "lvis_vitb32_text.npy")
    images = np.load(data / "clip_lvis_text" / "lvis_vitb32_image_exemplars_avg5.npy")
    for hubs in measure_hubness_both(texts, images):
        scores = hubs.scores()
        assert scores["skewness"].value > 2
        assert scores["skewness"].chance < 0.5
        assert scores["robin_hood"].value > 2.5 * scores["robin_hood"].chance
