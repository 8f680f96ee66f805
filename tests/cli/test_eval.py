import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.formats import write_embeddings
from alignkit.spaces import Embeddings
from alignkit.storage import check_record, load_record, load_report, save_joint
from alignkit.workflows import Protocol, evaluate_scores
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


@pytest.fixture
def matrices(tmp_path):
    """Write whole-number scores with ties and graded relevance; return both arrays."""
    rng = np.random.default_rng(0)
    relevance = (rng.random((40, 30)) < 0.1) * rng.integers(1, 4, (40, 30))
    relevance[np.arange(40), np.arange(40) % 30] = 2
    scores = rng.integers(0, 6, (40, 30)) + relevance
    np.save(tmp_path / "s.npy", scores.astype(np.float32))
    np.save(tmp_path / "r.npy", relevance.astype(np.int8))
    np.save(tmp_path / "square.npy", np.eye(20) + rng.random((20, 20)))
    return scores, relevance


def test_a_matrix_of_scores_is_evaluated_with_graded_relevance(alignkit, matrices):
    asked = ("--metrics", "mrr,ndcg@5:exp,map@5:hits,geometric_mean_rank", "--resamples", "200", "--json")
    ran = alignkit("eval", "--scores", "s.npy", "--relevance", "r.npy", *asked)
    assert ran.code == 0, ran.err
    wanted = evaluate_scores(
        *matrices, protocol=Protocol(metrics=asked[1].split(","), resamples=200)
    ).report.to_json()
    assert ran.json["forward"] == wanted["forward"]
    assert ran.json["backward"] == wanted["backward"]
    assert f"{(matrices[1] > 0).sum()} relevant pairs among 40 queries x 30 items" in ran.err


def test_a_square_matrix_is_taken_for_rows_and_columns_in_one_order(alignkit, matrices):
    ran = alignkit("eval", "--scores", "square.npy", "--per-query", "ranks", "--fail-under", "hit@1=0.9")
    assert ran.code == 0, ran.err
    assert "forward: each row of the queries looks for its partners in the gallery" in ran.out
    assert "20 relevant pairs among 20 queries x 20 items, those of the diagonal" in ran.err
    assert pq.read_table("ranks/forward.parquet")["hit@1"].to_pylist() == [1.0] * 20
    alignkit("eval", "--scores", "s.npy").refused("40 x 30", "no relevance is given")


def test_ties_are_broken_as_another_tool_does_it(alignkit, matrices):
    given = ("eval", "--scores", "s.npy", "--relevance", "r.npy", "--resamples", "0", "--json")
    values = {
        ties: alignkit(*given, "--ties", ties).json["forward"]["mrr"]["value"]
        for ties in ("pessimistic", "index", "docid_asc", "docid_desc", "expected", "optimistic")
    }
    assert values["index"] == values["docid_asc"] != values["docid_desc"]
    assert values["pessimistic"] == min(values.values()) < max(values.values()) == values["optimistic"]


@pytest.mark.parametrize(
    "words",
    [
        *(("--similarity", "cosine"), ("--alignment", "a.alignment"), ("--pairs", "p.csv"), ("--center",)),
        *(("--group", "video"), ("--ids", "ids.txt"), ("--trust-pickle",)),
    ],
)
def test_options_about_embeddings_are_refused_beside_scores(alignkit, matrices, words):
    alignkit("eval", "--scores", "square.npy", *words).refused(words[0], "about embeddings", "leave it out")


def test_scores_and_embeddings_are_two_questions(alignkit, matrices, rotated):
    alignkit("eval", rotated[0], "--scores", "square.npy").refused("QUERIES", "leave it out")
    alignkit("eval", *rotated, "--relevance", "r.npy").refused("--relevance", "--scores", "--pairs")
    alignkit("eval", rotated[0]).refused("QUERIES and GALLERY", "--scores")
    alignkit("eval").refused("QUERIES and GALLERY", "--scores")


def test_files_that_hold_no_usable_scores_are_refused(alignkit, matrices, tmp_path):
    np.save(tmp_path / "objects.npy", np.array([["a", 1]], dtype=object), allow_pickle=True)
    alignkit("eval", "--scores", "objects.npy").refused("objects.npy", "pickled Python objects")
    holed = np.eye(6)
    holed[4, 2] = np.nan
    np.save(tmp_path / "holed.npy", holed)
    alignkit("eval", "--scores", "holed.npy").refused("row 4", "NaN")
    alignkit("eval", "--scores", "square.npy", "--relevance", "holed.npy").refused("(6, 6)", "(20, 20)")
    alignkit("eval", "--scores", "absent.npy").refused("absent.npy does not exist")
    (tmp_path / "text.npy").write_text("1 2 3")
    alignkit("eval", "--scores", "text.npy").refused("text.npy", "not an .npy file")
    np.save(tmp_path / "flat.npy", np.ones(4))
    alignkit("eval", "--scores", "flat.npy").refused("(4,)", "matrix of real numbers")


def test_another_tools_figures_stand_beside_ours_with_the_causes(alignkit, rotated):
    x = np.load(rotated[0])
    np.save("twice.npy", np.concatenate([x[:60], x[:60]]))
    ran = alignkit("eval", rotated[0], "twice.npy", "--like", "clip_benchmark", "--explain")
    assert ran.code == 0, ran.err
    assert "what clip_benchmark makes of these scores, 120 queries" in ran.out
    assert "ties" in ran.out
    found = alignkit("eval", rotated[0], "twice.npy", "--like", "ranx", "--metrics", "mrr", "--json").json
    assert list(found["figures"]) == ["mrr"]
    np.save("s.npy", np.eye(4))
    assert alignkit("eval", "--scores", "s.npy", "--like", "open_clip").code == 0


def test_hubs_are_held_down_by_a_bank(alignkit, rotated):
    np.save("bank.npy", np.random.default_rng(9).normal(size=(90, 16)))
    ran = alignkit(
        "eval", *rotated, "--rescore", "qb-norm", "--with", "beta=5", "--bank", "bank.npy", "--json"
    )
    assert ran.code == 0, ran.err
    assert list(ran.json) == ["schema", "forward", "plain_forward", "context"]
    assert ran.json["context"]["rescoring"]["forward"]["options"]["beta"] == 5


def test_options_of_eval_that_do_not_go_together_are_refused(alignkit, rotated):
    np.save("s.npy", np.eye(4))
    alignkit("eval", *rotated, "--explain").refused("name the tool with --like")
    alignkit("eval", *rotated, "--bank", rotated[0]).refused("--bank belongs to --rescore")
    alignkit("eval", *rotated, "--with", "beta=3").refused("--with belongs to --rescore")
    alignkit("eval", "--scores", "s.npy", "--rescore", "csls").refused("--rescore is about embeddings")
    ran = alignkit("eval", *rotated, "--rescore", "csls", "--bank", rotated[0], "--with", "k")
    assert ran.code == 2
    assert "write NAME=VALUE" in ran.err


def test_intervals_may_be_bca_and_products_on_another_device(alignkit, rotated):
    plain, bca = (
        alignkit("eval", *rotated, "--interval", name, "--json").json for name in ("percentile", "bca")
    )
    assert bca["context"]["protocol"]["interval"].startswith("BCa")
    assert plain["forward"]["mrr"]["value"] == bca["forward"]["mrr"]["value"]
    alignkit("eval", *rotated, "--device", "abacus").refused("device is 'abacus'")


def captions(folder, pictures=20):
    """Write pictures and five captions of each, which name their picture, as spaces."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(pictures, 12))
    names = [f"p{i}" for i in range(pictures)]
    owners = [name for name in names for _ in range(5)]
    y = np.repeat(x, 5, axis=0) + 0.3 * rng.normal(size=(5 * pictures, 12))
    write_embeddings(Embeddings(x, ids=names), folder / "pictures.parquet")
    table = pa.table({"image": owners})
    write_embeddings(
        Embeddings(y, ids=[f"c{i}" for i in range(len(y))], items=table), folder / "captions.parquet"
    )


def test_a_named_protocol_scores_its_own_size_alone_unless_asked(alignkit, tmp_path):
    captions(tmp_path)
    words = ("eval", "captions.parquet", "pictures.parquet", "--protocol", "flickr8k")
    alignkit(*words).refused("flickr8k", "1,000", "--any-size")
    ran = alignkit(*words, "--any-size", "--metrics", "hit@1", "--json")
    assert ran.code == 0, ran.err
    assert "not comparable" in ran.err
    named = ran.json["context"]["named_protocol"]
    assert named["comparable"] is False
    assert list(ran.json["forward"]) == ["hit@1"]
    again = alignkit(*words, "--any-size", "--gallery-hash", named["gallery_sha256"]["sorted"])
    assert again.code == 0, again.err
    alignkit(*words, "--any-size", "--gallery-hash", "0" * 64).refused("is not the gallery")
    alignkit(*words, "--any-size", "--center").refused("--center would change the protocol flickr8k")
    alignkit("eval", "captions.parquet", "pictures.parquet", "--any-size").refused("belongs to --protocol")


def test_partners_by_class_without_the_row_itself_or_its_recording(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    recording = np.arange(10).repeat(3)
    items = pa.table({"class": recording % 2, "recording": recording})
    rows = rng.standard_normal((10, 8))[recording] + 0.01 * rng.standard_normal((30, 8))
    path = tmp_path / "clips.space"
    write_embeddings(Embeddings(rows, ids=[f"c{i}" for i in range(30)], items=items), path)
    command = ["eval", path, path, "--match", "class", "--metrics", "hit@1"]
    alone = alignkit(*command, "--exclude", "self", "--json").json
    apart = alignkit(*command, "--exclude", "recording", "--json").json
    assert alone["forward"]["hit@1"]["value"] == 1
    assert apart["forward"]["hit@1"]["value"] < 1
    assert apart["context"]["excluded"] == {"by": "recording", "pairs": 90, "positives": 90}
    assert "90 pairs are not ranked" in alignkit(*command, "--exclude", "recording").err
    for options, sentence in (
        (["--pairs", path], "both say who belongs together"),
        (["--exclude", "singer"], "has no metadata column 'singer'"),
        (["--exclude", "self", "--like", "ranx"], "--exclude does not go with --like"),
    ):
        alignkit(*command, *options).refused(sentence)


def test_copies_of_a_partner_pass_for_it_where_asked(alignkit, tmp_path):
    rows = np.random.default_rng(0).standard_normal((12, 6))
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "twice.npy", np.concatenate([rows, rows]))
    command = ["eval", tmp_path / "x.npy", tmp_path / "twice.npy", "--metrics", "hit@1"]
    for options, value in (([], 0.5), (["--collapse-duplicates"], 1), (["--ties", "index"], 1)):
        assert alignkit(*command, *options, "--json").json["forward"]["hit@1"]["value"] == value


def named(folder, n=60, dtype=np.float32):
    """Write two sides with ids, in two orders."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, 12))
    ids, order = [f"clip{row}" for row in range(n)], rng.permutation(n)
    write_embeddings(Embeddings(x.astype(dtype), ids=ids), folder / "x.parquet")
    y = (x + 1.5 * rng.normal(size=x.shape))[order].astype(dtype)
    write_embeddings(Embeddings(y, ids=[ids[row] for row in order]), folder / "y.parquet")


def test_a_run_and_its_judgements_go_out_and_come_in_with_the_same_scores(alignkit, tmp_path):
    named(tmp_path)
    asked = ("--metrics", "mrr@10,hit@1,hit@5", "--json")
    out = alignkit(
        "eval",
        "x.parquet",
        "y.parquet",
        "--save-run",
        "x.run.gz",
        "--save-qrels",
        "x.qrels",
        "--depth",
        20,
        *asked,
    )
    assert out.code == 0, out.err
    back = alignkit("eval", "--run", "x.run.gz", "--qrels", "x.qrels", "--gallery-size", 60, *asked)
    assert back.json["forward"] == out.json["forward"]
    assert list(back.json) == ["schema", "forward", "context"]
    # with the embeddings beside it neither judgements nor the size need saying
    beside = alignkit("eval", "x.parquet", "y.parquet", "--run", "x.run.gz", *asked)
    assert beside.json["forward"] == out.json["forward"]
    plain = alignkit("eval", "--run", "x.run.gz", "--qrels", "x.qrels", "--per-query", "ranks")
    assert plain.code == 0, plain.err
    assert "mrr@10" in plain.out
    assert pq.read_table(tmp_path / "ranks" / "forward.parquet").num_rows == 60
    alignkit("eval", "x.parquet", "y.parquet", "--save-run", "x.run.gz").refused("x.run.gz exists already")


def test_a_run_of_other_ids_or_without_judgements_is_one_sentence(alignkit, tmp_path):
    named(tmp_path)
    (tmp_path / "a.run").write_text("clip1 Q0 clip1 1 0.9 us\nclip2 Q0 stranger 1 0.5 us\n")
    (tmp_path / "b.qrels").write_text("other 0 clip1 1\n")
    sides = ("eval", "x.parquet", "y.parquet")
    alignkit(*sides, "--run", "a.run").refused("a.run", "line 2", "y.parquet has no item 'stranger'")
    alignkit("eval", "--run", "a.run").refused("--run lists answers", "add --qrels")
    alignkit("eval", "--run", "a.run", "--qrels", "b.qrels", "--metrics", "hit@1").refused(
        "no query of the run", "'other'"
    )
    alignkit("eval", "--run", "none.run", "--qrels", "b.qrels").refused("none.run cannot be read")
    alignkit(*sides, "--qrels", "b.qrels").refused("--qrels belongs to --run")
    alignkit(*sides, "--run", "a.run", "--similarity", "dot").refused("--similarity has no say", "--run")
    alignkit(*sides, "--depth", 5).refused("--depth belongs to --save-run")
    alignkit(*sides, "--center", "--save-run", "c.run").refused("--save-run lists items as they are")
    np.save(tmp_path / "s.npy", np.eye(4))
    alignkit("eval", "--scores", "s.npy", "--save-qrels", "c.qrels").refused("does not go with --scores")


def test_a_record_names_the_digest_of_every_input_and_finds_a_changed_one(alignkit, tmp_path):
    named(tmp_path)
    (tmp_path / "pairs.csv").write_text("source,target\n" + "".join(f"clip{i},clip{i}\n" for i in range(60)))
    words = ("eval", "x.parquet", "y.parquet", "--pairs", "pairs.csv", "--resamples", 50, "--seed", 3)
    ran = alignkit(
        *words, "--out", "x.report.json", "--save-run", "x.run", "--record", "x.report.record.json", "--json"
    )
    assert ran.code == 0, ran.err
    assert load_report("x.report.json").to_json() == ran.json
    record = load_record("x.report.record.json")
    assert set(record["inputs"]) == {"queries", "gallery", "pairs"}
    assert set(record["outputs"]) == {"report", "run"}
    digest = hashlib.sha256((tmp_path / "y.parquet").read_bytes()).hexdigest()
    assert record["inputs"]["gallery"]["sha256"] == digest
    assert record["inputs"]["gallery"]["facts"]["rows"] == 60
    assert record["command"][:4] == ["alignkit", "eval", "x.parquet", "y.parquet"]
    assert record["command"][4:8] == ["--save-run", "x.run", "--pairs", "pairs.csv"]
    assert record["seed"] == 3
    assert len(record["gallery_sha256"]) == 64
    assert check_record("x.report.record.json") == []
    (tmp_path / "pairs.csv").write_text("source,target\nclip1,clip1\n")
    assert [change.name for change in check_record("x.report.record.json")] == ["pairs"]


def test_an_interval_may_speak_of_another_gallery_and_the_usual_one_says_that_it_does_not(alignkit, rotated):
    plain = alignkit("eval", *rotated, "--metrics", "mrr", "--json")
    assert "the gallery is held fixed" in plain.err
    both = alignkit("eval", *rotated, "--metrics", "mrr", "--interval", "two-way", "--json")
    assert both.code == 0, both.err
    assert "held fixed" not in both.err
    assert both.json["context"]["protocol"]["interval"].startswith("two-way bootstrap")
    fixed, free = (ran.json["forward"]["mrr"] for ran in (plain, both))
    assert fixed["value"] == free["value"]
    assert free["low"] < free["value"] < free["high"]
    assert both.json["context"]["two_way"]["forward"]["mrr"]["error"] > 0
    alignkit("eval", *rotated, "--interval", "two-way", "--metrics", "median_rank").refused("take mean_rank")
    np.save("s.npy", np.eye(4))
    alignkit("eval", "--scores", "s.npy", "--interval", "two-way").refused("--interval two-way does not go")


def test_hubs_are_measured_in_both_directions_beside_the_scores(alignkit, rotated):
    ran = alignkit("eval", *rotated, "--hubness", 10, "--fail-under", "mrr=0.01")
    assert ran.code == 0, ran.err
    assert "y.npy: how unevenly the rows of " in ran.out
    found = alignkit("eval", *rotated, "--hubness", 10, "--json").json
    forward = found["hubness_forward"]
    assert set(forward) == {"skewness", "antihub_share", "gini", "robin_hood", "largest_share"}
    assert forward["gini"]["chance"] > 0
    assert len(found["context"]["hubness"]["backward"]) == 5
    alignkit("eval", *rotated, "--hubness", 120).refused("k is 120", "120 items")


def test_few_groups_and_ties_of_half_precision_are_warned_of_below_the_scores(alignkit, tmp_path):
    named(tmp_path, n=12)
    few = alignkit("eval", "x.parquet", "y.parquet", "--resamples", 50)
    assert "warning: forward: 12 independent groups of queries, where an interval takes about 30" in few.out
    rng = np.random.default_rng(0)
    narrow = 1 + 0.002 * rng.normal(size=(300, 4))  # a cone: half precision tells few of its rows apart
    for name, dtype in (("half", np.float16), ("full", np.float32)):
        np.save(tmp_path / f"{name}.npy", narrow.astype(dtype))
    half = alignkit("eval", "half.npy", "half.npy", "--resamples", 50)
    assert "half.npy" in half.out
    assert "are stored in float16, which makes ties: store float32" in half.out
    assert "float16" not in alignkit("eval", "full.npy", "full.npy", "--resamples", 50).out
    assert "warning" not in alignkit("eval", "full.npy", "full.npy", "--resamples", 50).out


def test_a_protocol_of_events_is_a_probe_and_names_the_file_it_lacks(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    on = np.kron(np.eye(10), np.ones((10, 1)))
    items = {"clip": np.repeat(list("abcd"), 100).tolist(), "fold": np.repeat([1, 1, 2, 2], 100).tolist()}
    items["onset"] = np.tile(np.arange(100) / 10, 4).tolist()
    rows = np.vstack([on] * 4) + 0.3 * rng.normal(size=(400, 10))
    write_embeddings(Embeddings(rows, items=pa.table(items)), tmp_path / "frames.parquet")
    lines = [f"{clip}\t{code}.0\t{code + 1}.0\te{code}" for clip in "abcd" for code in range(10)]
    (tmp_path / "e.tsv").write_text("\n".join(["filename\tonset\toffset\tevent_label", *lines]) + "\n")
    words = ("eval", "frames.parquet", "--protocol", "desed-events")
    alignkit(*words).refused("desed-events lacks GALLERY (annotated events")
    alignkit("eval", "--protocol", "desed-events").refused("lacks QUERIES (frames", "and GALLERY")
    alignkit("eval", "frames.parquet", "no.tsv", "--protocol", "desed-events").refused("no.tsv is no file")
    asked = ("eval", "frames.parquet", "e.tsv", "--protocol", "desed-events", "--resamples", 50, "--json")
    ran = alignkit(*asked)
    assert ran.code == 0, ran.err
    assert ran.json["schema"] == "alignkit.probe/1"
    assert ran.json["event"]["macro_f1"]["value"] > ran.json["event"]["macro_f1"]["chance"]
    assert ran.json["context"]["named_protocol"]["comparable"]
    alignkit(*asked, "--ties", "optimistic").refused("--ties is about ranks", "ranks nothing")
    lacking = alignkit("eval", "frames.parquet", "--protocol", "esc50-5fold")
    lacking.refused("lacks GALLERY (50 class texts)", "`alignkit probe --protocol esc50-5fold`")
