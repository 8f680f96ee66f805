import numpy as np
import pyarrow.parquet as pq
import pytest

from alignkit.spaces import Embeddings
from alignkit.storage import save_joint
from alignkit.workflows.joining import join


def test_eval_prints_every_metric_with_interval_chance_and_count(alignkit, rotated):
    ran = alignkit("eval", rotated[0], rotated[0], "--metrics", "mrr,hit@1,recall@5,median_rank", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["schema"] == "alignkit.eval/1"
    for direction in ("forward", "backward"):
        scores = ran.json[direction]
        assert [scores[name]["value"] for name in ("mrr", "hit@1", "recall@5", "median_rank")] == [1, 1, 1, 1]
        assert scores["hit@1"]["chance"] == pytest.approx(1 / 120)
        assert scores["mrr"]["n"] == 120


def test_unrelated_rows_score_at_chance(alignkit, tmp_path):
    rng = np.random.default_rng(5)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(400, 24)))
    score = alignkit("eval", "a.npy", "b.npy", "--json").json["forward"]["hit@10"]
    assert score["low"] <= score["chance"] <= score["high"]


def test_a_map_is_needed_where_dimensions_differ(alignkit, rotated, tmp_path):
    np.save(tmp_path / "wide.npy", np.random.default_rng(0).normal(size=(120, 20)))
    alignkit("eval", rotated[0], "wide.npy").refused("x.npy", "16 dimensions", "20", "--alignment")


def test_eval_through_a_map_beats_the_unaligned_baseline_beside_it(alignkit, rotated):
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    score = alignkit("eval", *rotated, "--alignment", "a.alignment", "--json").json
    assert score["context"]["frame"] == "joint"
    assert score["forward"]["mrr"]["value"] > 0.99
    assert score["forward"]["mrr"]["unaligned"] < 0.3


def test_quality_gate_exits_with_six_after_printing(alignkit, rotated):
    ran = alignkit("eval", *rotated, "--fail-under", "mrr=0.9", "--json")
    assert ran.code == 6
    assert ran.json["forward"]["mrr"]["value"] < 0.9
    assert "below the gate" in ran.err
    assert alignkit("eval", rotated[0], rotated[0], "--fail-under", "mrr=0.9").code == 0
    alignkit("eval", *rotated, "--fail-under", "mrr").refused("METRIC=LEVEL")
    alignkit("eval", *rotated, "--fail-under", "map=0.3").refused("'map' is not measured")
    for rank in ("mean_rank", "median_rank:floor", "geometric_mean_rank"):
        alignkit("eval", *rotated, "--metrics", rank, "--fail-under", f"{rank}=3").refused(rank, "small")


def test_per_query_ranks_are_kept_as_a_table(alignkit, rotated, tmp_path):
    ran = alignkit("eval", *rotated, "--per-query", "ranks", "--json")
    assert ran.code == 0, ran.err
    table = pq.read_table(tmp_path / "ranks" / "forward.parquet")
    assert table.num_rows == 120
    assert np.mean(table["mrr"].to_numpy()) == pytest.approx(ran.json["forward"]["mrr"]["value"])
    alignkit("eval", *rotated, "--per-query", "ranks").refused("ranks exists already")
    assert alignkit("eval", *rotated, "--per-query", "ranks", "--force").code == 0
    alignkit("eval", *rotated, "--per-query", "x.npy", "--force").refused("x.npy is a file")


def test_a_query_without_a_partner_is_refused_unless_a_policy_says_otherwise(alignkit, rotated, tmp_path):
    np.save(tmp_path / "short.npy", np.load(rotated[0])[:100])
    alignkit("eval", rotated[0], "short.npy").refused("20")
    skipped = alignkit("eval", rotated[0], "short.npy", "--without-positive", "skip", "--json").json
    assert skipped["forward"]["hit@1"]["n"] == 100
    assert skipped["forward"]["hit@1"]["value"] == 1
    zero = alignkit("eval", rotated[0], "short.npy", "--without-positive", "zero", "--json").json
    assert zero["forward"]["hit@1"]["value"] == pytest.approx(100 / 120)


def test_unknown_metric_gets_a_suggestion(alignkit, rotated):
    alignkit("eval", *rotated, "--metrics", "mmr").refused("mmr", "mrr")
    alignkit("eval", *rotated, "--metrics", "hit@0").refused("hit@0")


def test_a_joint_alignment_scores_any_two_of_its_spaces(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    things = rng.normal(size=(80, 6))
    names = ("text", "image", "audio")
    sides = [Embeddings(things @ np.linalg.qr(rng.normal(size=(6, 6)))[0], name=name) for name in names]
    for side in sides:
        np.save(tmp_path / f"{side.name}.npy", side.array())
    save_joint(join(sides, hub="gcca", test=0).alignment, tmp_path / "x.joint")

    def asked(queries, alignment):
        ran = alignkit("eval", queries, "audio.npy", "--alignment", alignment, "--metrics", "mrr", "--json")
        assert ran.json["context"]["frame"] == "joint"
        return ran.json["forward"]["mrr"]["value"]

    assert asked("image.npy", "x.joint") > 0.99
    assert asked("text.npy", "x.joint::0:2") > 0.99
    assert asked("text.npy", "x.joint::1:2") < 0.2  # the wrong space's map
    refused = alignkit("eval", "text.npy", "audio.npy", "--alignment", "x.joint::0:7")
    refused.refused("0 text, 1 image, 2 audio")
