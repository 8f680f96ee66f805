import json
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_both
from alignkit.retrieval.metrics import per_query
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import score_retrieval
from alignkit.rows import ShardedRows
from alignkit.statistics.intervals import bootstrap_interval

ALL = (
    "mrr",
    "hit@1",
    "hit@10",
    "recall@5",
    "precision@5",
    "map",
    "map@10",
    "ndcg@10",
    "map@10:hits",
    "rprecision",
    "ndcg@10:exp",
    "mean_rank",
    "median_rank",
    "median_rank:floor",
    "geometric_mean_rank",
)


def world(seed: int = 0, n: int = 150, noise: float = 1.5):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 24)).astype(np.float32)
    return x, x + noise * rng.standard_normal((n, 24)).astype(np.float32)


def test_scores_summarise_the_per_query_tables():
    x, y = world()
    result = score_retrieval(x, y, Positives.diagonal(150), Protocol(metrics=ALL))
    for scores, table in ((result.forward, result.forward_table), (result.backward, result.backward_table)):
        assert list(scores) == list(ALL)
        for name, score in scores.items():
            column = table[name].to_numpy()
            if name == "geometric_mean_rank":
                centre = np.exp(np.log(column).mean())
            elif name == "median_rank:floor":
                centre = np.floor(np.median(column - 1)) + 1
            else:
                centre = np.median(column) if name == "median_rank" else column.mean()
            assert score.value == pytest.approx(centre)
            assert score.low <= score.value <= score.high
            assert score.low < score.high or name.startswith("median_rank")
            assert score.n == 150


def test_both_directions_are_the_two_rankings():
    x, y = world(1)
    links = np.stack([np.arange(150), np.arange(150) % 90], axis=1)
    positives = Positives.from_links(links, 150, 150)
    result = score_retrieval(x, y, positives, Protocol(metrics=ALL))
    forward, backward = rank_both(x, y, positives)
    for name in ALL:
        assert np.array_equal(result.forward_table[name], per_query(forward, ALL)[name])
        there = result.backward_table[name].to_numpy(zero_copy_only=False)
        assert np.array_equal(there, per_query(backward, ALL)[name], equal_nan=True)


def test_tables_hold_rank_intervals():
    x, _ = world(2)
    y = np.concatenate([x, x[:30]])  # thirty items are stored twice
    links = np.stack([np.arange(150)] * 2, axis=1)
    table = score_retrieval(x, y, Positives.from_links(links, 150, 180)).forward_table
    assert table["best_rank"].to_pylist() == [1] * 150
    assert table["worst_rank"].to_pylist() == [2] * 30 + [1] * 120
    assert table["expected_rank"].to_pylist() == [1.5] * 30 + [1.0] * 120
    assert table["query"].to_pylist() == list(range(150))


def test_a_collapsed_space_scores_at_chance_in_both_directions():
    x = np.ones((60, 8), np.float32)
    positives = Positives.from_links(np.stack([np.arange(60), np.arange(60) // 3], 1), 60, 20)
    result = score_retrieval(x, x[:20], positives, Protocol(metrics=ALL))
    for scores in (result.forward, result.backward):
        for score in scores.values():
            assert score.value == pytest.approx(score.chance)


def test_optimistic_ties_would_call_a_collapsed_space_perfect():
    x = np.ones((60, 8), np.float32)
    result = score_retrieval(x, x, Positives.diagonal(60), Protocol(ties="optimistic"))
    assert result.forward["mrr"].value == 1
    assert (
        score_retrieval(x, x, Positives.diagonal(60), Protocol(ties="pessimistic")).forward["hit@10"].value
        == 0
    )


def test_an_unrelated_space_scores_near_chance_and_its_interval_says_so():
    x, y = world(3)[0], world(4)[1]
    score = score_retrieval(x, y, Positives.diagonal(150)).forward["mrr"]
    assert score.low - 0.02 < score.chance < score.high + 0.02
    assert score.value < 0.08


def test_permuting_rows_changes_no_number():
    x, y = world(5)
    y[10:40] = y[50:80]
    links = np.stack([np.arange(150), np.random.default_rng(0).permutation(150)], axis=1)
    wanted = score_retrieval(x, y, Positives.from_links(links, 150, 150), Protocol(metrics=ALL))
    rows, items = (np.random.default_rng(seed).permutation(150) for seed in (1, 2))
    moved = np.stack([np.argsort(rows)[links[:, 0]], np.argsort(items)[links[:, 1]]], axis=1)
    found = score_retrieval(x[rows], y[items], Positives.from_links(moved, 150, 150), Protocol(metrics=ALL))
    assert found.forward == wanted.forward
    assert found.backward == wanted.backward


def test_permuting_grouped_rows_changes_no_number():
    x, y = world(15)
    groups = np.random.default_rng(3).integers(0, 40, 150)
    there = np.random.default_rng(4).permutation(150)
    protocol = Protocol(metrics=ALL)
    wanted = score_retrieval(x, y, Positives.diagonal(150), protocol, groups=(groups, None))
    found = score_retrieval(
        x[there], y[there], Positives.diagonal(150), protocol, groups=(groups[there], None)
    )
    assert found.forward == wanted.forward


def lonely(n: int = 60) -> tuple:
    x, y = world(6, n)
    return x, y, Positives.from_links(np.stack([np.arange(40)] * 2, axis=1), n, n)


def test_a_query_without_a_positive_is_an_error_unless_a_policy_says_otherwise():
    with pytest.raises(DataError, match=r"query 40 has no positive \(20 of 60 have none\)"):
        score_retrieval(*lonely())
    skipped = score_retrieval(*lonely(), Protocol(metrics=ALL, without_positive="skip"))
    zeroed = score_retrieval(*lonely(), Protocol(metrics=ALL, without_positive="zero"))
    for one, other in ((skipped.forward, zeroed.forward), (skipped.backward, zeroed.backward)):
        assert one["mrr"].n == 40
        assert other["mrr"].n == 60
        assert other["hit@10"].value == pytest.approx(one["hit@10"].value * 40 / 60)
        assert other["mean_rank"].value == pytest.approx((one["mean_rank"].value * 40 + 61 * 20) / 60)
        assert other["hit@10"].chance == pytest.approx(one["hit@10"].chance * 40 / 60)
        assert other["mean_rank"].chance == pytest.approx((one["mean_rank"].chance * 40 + 61 * 20) / 60)
    for result in (skipped, zeroed):
        assert result.facts["forward"]["without_positive"] == 20
        assert result.facts["backward"]["without_positive"] == 20
    assert skipped.forward_table["mrr"].null_count == 20
    assert skipped.forward_table["best_rank"].null_count == 20


def test_gallery_items_that_nobody_wants_are_distractors_not_errors():
    x, y = world(7, 60)
    positives = Positives.from_links(np.stack([np.arange(40)] * 2, axis=1), 40, 60)
    result = score_retrieval(x[:40], y, positives)
    assert result.forward["mrr"].n == result.backward["mrr"].n == 40
    assert result.facts["backward"]["without_positive"] == 20


def test_without_any_positive_there_is_nothing_to_score():
    x, y = world(8, 20)
    nothing = Positives.from_links(np.empty((0, 2), int), 20, 20)
    with pytest.raises(DataError, match="no query has a positive"):
        score_retrieval(x, y, nothing, Protocol(without_positive="skip"))


def test_captions_of_one_picture_form_a_cluster():
    rng = np.random.default_rng(9)
    pictures = rng.standard_normal((60, 16))
    captions = np.repeat(pictures + 0.9 * rng.standard_normal((60, 16)), 5, axis=0)
    positives = Positives.from_links(np.stack([np.arange(300), np.repeat(np.arange(60), 5)], 1), 300, 60)
    apart = score_retrieval(captions, pictures, positives)
    together = score_retrieval(captions, pictures, positives, groups=(np.repeat(np.arange(60), 5), None))
    assert together.forward["mrr"].value == apart.forward["mrr"].value
    width = [s.forward["mrr"].high - s.forward["mrr"].low for s in (apart, together)]
    assert width[1] == pytest.approx(width[0] * np.sqrt(5), rel=0.1)
    assert together.facts["forward"]["n_groups"] == 60
    assert together.backward == apart.backward


def test_group_labels_must_be_one_per_row():
    x, y = world(10, 30)
    with pytest.raises(DataError, match="29 group labels for 30 rows"):
        score_retrieval(x, y, Positives.diagonal(30), groups=(np.arange(29), None))


def test_one_group_has_no_interval():
    x, y = world(11, 30)
    score = score_retrieval(x, y, Positives.diagonal(30), groups=(np.zeros(30, int), None)).forward["mrr"]
    assert (score.low, score.high) == (None, None)


def test_facts_say_how_the_numbers_came_about_and_fit_into_json():
    x, y = world(12)
    y[100:110] = y[0]
    result = score_retrieval(x, y, Positives.diagonal(150), Protocol(metrics=("map@5", "map", "ndcg@5:exp")))
    facts = json.loads(json.dumps(result.facts))
    assert facts["n_queries"] == facts["n_gallery"] == 150
    assert facts["forward"]["duplicate_gallery_rows"] == 10
    assert facts["backward"]["duplicate_gallery_rows"] == 0
    assert facts["forward"]["tied_queries"] == 11
    assert facts["forward"]["positives_per_query"] == {"min": 1, "mean": 1.0, "max": 1}
    assert facts["map_norm"] == {"map@5": "min(k,R)", "map": "min(k,R)"}
    assert facts["ndcg_gain"] == {"ndcg@5:exp": "exp"}
    assert facts["dtype"] == {"queries": "float32", "gallery": "float32", "computed": "float32"}
    assert "held fixed" in facts["interval"]


def test_the_same_seed_gives_the_same_result_and_the_seed_moves_only_the_interval():
    x, y = world(13)
    one, again, other = (
        score_retrieval(x, y, Positives.diagonal(150), Protocol(seed=seed)) for seed in (1, 1, 2)
    )
    assert one.forward == again.forward
    assert one.forward["mrr"].value == other.forward["mrr"].value
    assert one.forward["mrr"].low != other.forward["mrr"].low


def test_sharded_rows_and_memory_maps_are_scored_as_arrays_are(tmp_path: Path):
    x, y = world(14)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    wanted = score_retrieval(x, y, Positives.diagonal(150))
    found = score_retrieval(mapped, ShardedRows([y[:31], y[31:]]), Positives.diagonal(150))
    assert found.forward == wanted.forward
    assert found.backward == wanted.backward
    assert found.facts == wanted.facts


def test_options_without_sense_are_refused_before_anything_is_computed():
    for options, error in (
        ({"metrics": ("mrrr",)}, UnknownNameError),
        ({"metrics": ()}, ParameterError),
        ({"ties": "lucky"}, ParameterError),
        ({"without_positive": "ignore"}, ParameterError),
        ({"similarity": "manhattan"}, ParameterError),
        ({"resamples": -1}, ParameterError),
        ({"level": 95.0}, ParameterError),
    ):
        with pytest.raises(error):
            Protocol(**options).parsed()


def test_few_groups_are_a_warning_and_thirty_are_none():
    x, y = world(16, 60)
    for groups, said in ((29, 1), (30, 0)):
        labels = np.arange(60) % groups
        facts = score_retrieval(x, y, Positives.diagonal(60), groups=(labels, None)).facts
        assert len(facts["warnings"]) == said
        if said:
            assert facts["warnings"][0].startswith(
                "forward: 29 independent groups of queries, where an inter"
            )
            assert "wider" in facts["warnings"][0]
    one = score_retrieval(x, y, Positives.diagonal(60), groups=(None, np.zeros(60))).facts["warnings"]
    assert [sentence.endswith("there is none.") for sentence in one] == [True]
    assert one[0].startswith("backward: 1 independent group of")
    bare = score_retrieval(x[:9], y[:9], Positives.diagonal(9), Protocol(resamples=0)).facts
    assert bare["warnings"] == []


def test_half_precision_that_makes_ties_is_a_warning_that_names_their_share():
    """Rows in a narrow cone: float16 leaves few digits to tell their cosines apart."""
    rng = np.random.default_rng(17)
    x = rng.standard_normal((400, 16)) + 12
    y = x + 0.3 * rng.standard_normal((400, 16))
    y[:40] = y[40:80]
    pairs = Positives.diagonal(400)
    whole, half = (
        score_retrieval(x.astype(t), y.astype(t), pairs, Protocol(resamples=0)).facts
        for t in (np.float32, np.float16)
    )
    assert whole["forward"]["tied_queries"] > 0.1 * 400  # copies tie in any precision: nothing to warn of
    assert whole["warnings"] == []
    share = half["forward"]["tied_queries"] / 400
    assert f"forward: {share:.1%} of the queries" in half["warnings"][0]
    assert "queries and gallery are stored in float16" in half["warnings"][0]


def test_the_protocol_passes_the_method_of_its_intervals_on():
    x, y = world(18, 40)
    plain, bca = (
        score_retrieval(x, y, Positives.diagonal(40), Protocol(interval=method))
        for method in ("percentile", "bca")
    )
    values = bca.forward_table["mrr"].to_numpy()[:, None]
    wanted = bootstrap_interval(values, method="bca")[:, 0]
    assert [bca.forward["mrr"].low, bca.forward["mrr"].high] == pytest.approx(wanted.tolist(), rel=1e-12)
    assert plain.forward["mrr"].low != bca.forward["mrr"].low
    assert bca.facts["interval"].startswith("BCa bootstrap")
    assert plain.facts["interval"].startswith("percentile bootstrap")
    assert all("held fixed" in result.facts["interval"] for result in (plain, bca))
    with pytest.raises(ParameterError, match="choose one of percentile, bca"):
        Protocol(interval="t").parsed()


def test_clap_on_audiocaps_repeats_the_known_numbers(data: Path):
    """All 497 rows without a map; 74 clips are stored twice, so the tie rule decides the second digit."""
    folder = data / "clap_audiocaps497"
    audio, text = (np.load(folder / f"{name}_embeddings.npy") for name in ("audio", "text"))
    expected = score_retrieval(audio, text, Positives.diagonal(497))
    optimistic = score_retrieval(audio, text, Positives.diagonal(497), Protocol(ties="optimistic"))
    assert expected.forward["hit@1"].value == pytest.approx(0.264, abs=5e-4)
    assert expected.backward["hit@1"].value == pytest.approx(0.299, abs=5e-4)
    assert expected.backward["mrr"].value == pytest.approx(0.468, abs=5e-4)
    assert optimistic.backward["hit@1"].value == pytest.approx(0.344, abs=5e-4)
    assert optimistic.backward["mrr"].value == pytest.approx(0.497, abs=5e-4)
    assert expected.facts["backward"]["duplicate_gallery_rows"] == 74
