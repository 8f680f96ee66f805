import gzip
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import AlignkitError, DataError, OutputError, ParameterError
from alignkit.pairs import Pairs
from alignkit.retrieval.search.runs import Qrels, Run
from alignkit.spaces import Embeddings
from alignkit.storage import load_qrels, load_run, save_qrels, save_run
from alignkit.workflows import Protocol, evaluate_run, make_qrels, make_run

OF_TREC = {  # alignkit's name -> trec_eval's
    "hit@5": "success_5",
    "recall@5": "recall_5",
    "recall@20": "recall_20",
    "precision@5": "P_5",
    "map@10:R": "map_cut_10",
    "ndcg@5": "ndcg_cut_5",
    "ndcg@10": "ndcg_cut_10",
}
OF_RANX = {  # alignkit's name -> ranx's
    "mrr@20": "mrr",
    "hit@5": "hit_rate@5",
    "recall@5": "recall@5",
    "precision@5": "precision@5",
    "map@20:R": "map@20",
    "ndcg@10": "ndcg@10",
    "ndcg@10:exp": "ndcg_burges@10",
}


def graded(seed: int, n: int = 50, g: int = 60, *, ties: bool = False) -> tuple[Run, Qrels]:
    """Return lists of 20 of 60 items and judgements with grades from 0 to 3; every query has a positive."""
    rng = np.random.default_rng(seed)
    grades = (rng.random((n, g)) < 0.08) * rng.integers(1, 4, (n, g))
    grades[np.arange(n), rng.integers(0, g, n)] = 2
    scores = rng.normal(size=(n, g)) + grades
    if ties:
        scores = np.round(scores)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    queries, items = [f"q{i}" for i in range(n)], [f"d{i}" for i in range(g)]
    run = Run.of(
        queries,
        items,
        np.repeat(np.arange(n), 20),
        order.ravel(),
        np.take_along_axis(scores, order, 1).ravel(),
        tag="mine",
    )
    judged = np.argwhere((grades > 0) | (rng.random((n, g)) < 0.1))  # some are judged not relevant
    return run, Qrels(queries, items, judged, grades[judged[:, 0], judged[:, 1]])


def written(folder, run: Run, qrels: Qrels, suffix: str = ".txt"):
    paths = folder / f"run{suffix}", folder / f"qrels{suffix}"
    save_run(run, paths[0])
    save_qrels(qrels, paths[1])
    return paths


def listing(run: Run) -> list[tuple]:
    return [
        (run.queries[q], run.items[i], score)
        for q, i, score in zip(run.owners, run.hits, run.scores, strict=True)
    ]


def judgements(qrels: Qrels) -> set[tuple]:
    return {
        (qrels.queries[q], qrels.items[i], grade)
        for (q, i), grade in zip(qrels.links.tolist(), qrels.grades.tolist(), strict=True)
    }


def parsed(path, width: int) -> dict[str, dict]:
    """Return a file as the dictionaries that pytrec_eval takes, by a reader of our own."""
    kind, at = (float, 4) if width == 6 else (int, 3)
    found: dict[str, dict] = {}
    for line in path.read_text().splitlines():
        parts = line.split(" ")
        assert len(parts) == width
        found.setdefault(parts[0], {})[parts[2]] = kind(parts[at])
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".trec", ".gz"])
def test_what_is_read_is_what_was_written_to_the_last_bit(seed, suffix, tmp_path):
    run, qrels = graded(seed, ties=seed == 0)
    paths = written(tmp_path, run, qrels, suffix)
    again = load_run(paths[0])
    assert listing(again) == listing(run)
    assert (again.tag, again.warnings) == ("mine", ())
    assert judgements(load_qrels(paths[1])) == judgements(qrels)
    assert (paths[0].read_bytes()[:2] == b"\x1f\x8b") == suffix.endswith(".gz")


def test_scores_that_differ_in_the_last_bit_keep_their_order_and_equal_ones_their_tie(tmp_path):
    scores = np.array([1 / 3, np.nextafter(1 / 3, 1), 1 / 3, 1e-300, -1e-300, 5e-324, 1e22, 0.1 + 0.2])
    run = Run.of(["q"], list("abcdefgh"), np.zeros(8, int), np.arange(8), scores)
    save_run(run, tmp_path / "run")
    again = load_run(tmp_path / "run")
    assert listing(again) == listing(run)
    assert len(np.unique(again.scores)) == 7


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", [False, True])
def test_trec_eval_finds_the_same_numbers_in_the_files(seed, ties, tmp_path):
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec_eval-terrier is of the extra test")
    paths = written(tmp_path, *graded(seed, ties=ties))
    evaluator = pytrec_eval.RelevanceEvaluator(parsed(paths[1], 4), set(OF_TREC.values()))
    theirs = evaluator.evaluate(parsed(paths[0], 6))
    protocol = Protocol(metrics=tuple(OF_TREC), ties="docid_desc", resamples=0)
    ours = evaluate_run(load_run(paths[0]), load_qrels(paths[1]), protocol=protocol).tables["forward"]
    assert len(ours) == len(theirs) == 50
    for name, other in OF_TREC.items():
        wanted = [theirs[query][other] for query in ours["id"].to_pylist()]
        np.testing.assert_allclose(ours[name].to_numpy(), wanted, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("suffix", [".txt", ".gz"])
@pytest.mark.filterwarnings("ignore")  # numba's, when ranx compiles
def test_ranx_finds_the_same_numbers_in_the_files(seed, suffix, tmp_path):
    ranx = pytest.importorskip("ranx", reason="ranx is of the extra test")
    paths = written(tmp_path, *graded(seed), suffix)
    theirs = ranx.evaluate(
        ranx.Qrels.from_file(str(paths[1])), ranx.Run.from_file(str(paths[0])), list(OF_RANX.values())
    )
    protocol = Protocol(metrics=tuple(OF_RANX), resamples=0)
    ours = evaluate_run(load_run(paths[0]), load_qrels(paths[1]), protocol=protocol).report
    for name, other in OF_RANX.items():
        assert ours.sections["forward"][name].value == pytest.approx(theirs[other], abs=1e-12), name


def test_other_tools_numbers_hang_on_names_where_scores_tie_and_ours_do_not(tmp_path):
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec_eval-terrier is of the extra test")
    run, qrels = graded(0, ties=True)
    turned = [f"d{59 - i}" for i in range(60)]
    found = []
    for number, items in enumerate((run.items, turned)):
        folder = tmp_path / str(number)
        folder.mkdir()
        renamed = Run(run.queries, items, run.indptr, run.hits, run.scores, run.tag)
        paths = written(folder, renamed, Qrels(qrels.queries, items, qrels.links, qrels.grades))
        evaluator = pytrec_eval.RelevanceEvaluator(parsed(paths[1], 4), {"ndcg_cut_5"})
        theirs = evaluator.evaluate(parsed(paths[0], 6))
        ours = evaluate_run(load_run(paths[0]), load_qrels(paths[1]), metrics=["ndcg@5"]).report
        found.append(
            (
                np.mean([values["ndcg_cut_5"] for values in theirs.values()]),
                ours.sections["forward"]["ndcg@5"].value,
            )
        )
    assert abs(found[0][0] - found[1][0]) > 1e-3
    assert found[0][1] == pytest.approx(found[1][1], abs=1e-14)


def test_embeddings_go_through_files_without_a_change(tmp_path):
    rng = np.random.default_rng(0)
    gallery = Embeddings(rng.normal(size=(80, 6)).astype(np.float32), ids=[f"d{i}" for i in range(80)])
    queries = Embeddings(gallery.array() + rng.normal(size=(80, 6)), ids=gallery.ids, name="queries")
    run, qrels = make_run(queries, gallery, k=15), make_qrels(Pairs.by_id(queries, gallery))
    paths = written(tmp_path, run, qrels)
    again = load_run(paths[0], queries, gallery), load_qrels(paths[1], queries, gallery)
    straight, through = (evaluate_run(*both, n_gallery=80).report.sections for both in ((run, qrels), again))
    assert straight == through


def test_integer_ids_are_written_as_texts(tmp_path):
    rows = Embeddings(np.eye(3), ids=[10, 9, 8])
    save_run(make_run(rows, rows, k=1), tmp_path / "run")
    assert (tmp_path / "run").read_text().splitlines()[0] == "10 Q0 10 1 1.0 alignkit"
    assert load_run(tmp_path / "run", rows, rows).queries == ["10", "9", "8"]


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_equal_runs_are_equal_files(suffix, tmp_path):
    run, _ = graded(0)
    for name in ("a", "b"):
        save_run(run, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("name", ["a dog", "a\tdog", " dog", "dog\u00a0", "a\x1cdog", ""])
def test_an_id_with_white_space_is_refused_and_nothing_is_written(name, tmp_path):
    run = Run.of([name], ["d"], np.zeros(1, int), np.zeros(1, int), np.ones(1))
    with pytest.raises(DataError, match=r"the query id .*rename it"):
        save_run(run, tmp_path / "run")
    run = Run.of(["q"], [name], np.zeros(1, int), np.zeros(1, int), np.ones(1))
    with pytest.raises(DataError, match="the item id"):
        save_run(run, tmp_path / "run")
    qrels = Qrels(["q"], [name], np.zeros((1, 2), int), np.ones(1, int))
    with pytest.raises(DataError, match="the item id"):
        save_qrels(qrels, tmp_path / "qrels")
    assert list(tmp_path.iterdir()) == []


def test_an_item_that_no_list_names_may_be_called_anything(tmp_path):
    run = Run.of(["q"], ["d", "a dog"], np.zeros(1, int), np.zeros(1, int), np.ones(1))
    save_run(run, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "q Q0 d 1 1.0 alignkit\n"


@pytest.mark.parametrize("tag", ["", "two words", "end\n"])
def test_a_tag_is_one_word(tag, tmp_path):
    run = Run.of(["q"], ["d"], np.zeros(1, int), np.zeros(1, int), np.ones(1), tag=tag)
    with pytest.raises(ParameterError, match="no single word"):
        save_run(run, tmp_path / "run")


def test_nothing_is_overwritten_without_force(tmp_path):
    run, qrels = graded(0)
    paths = written(tmp_path, run, qrels)
    before = paths[0].read_bytes()
    for save, value, path in ((save_run, graded(1)[0], paths[0]), (save_qrels, graded(1)[1], paths[1])):
        with pytest.raises(OutputError, match="--force"):
            save(value, path)
    assert paths[0].read_bytes() == before
    save_run(graded(1)[0], paths[0], force=True)
    assert paths[0].read_bytes() != before


RUNS = {
    "five fields": ("q Q0 d 1 0.5\n", "line 1: 5 fields where a line of a run file has 6: write 'query Q0"),
    "a name in two words": ("q Q0 d 1 0.5 t\nq Q0 a dog 2 0.4 t\n", "line 2: 7 fields"),
    "a word for a score": ("q Q0 d 1 high t\n", "line 1: the score 'high' is no number"),
    "a word for a rank": ("q Q0 d first 0.5 t\n", "line 1: the rank 'first' is no number"),
    "NaN": ("q Q0 d 1 0.5 t\n\nq Q0 e 2 nan t\n", "line 3: the score is nan, which orders nothing"),
    "infinity": ("q Q0 d 1 -inf t\n", "the score is -inf"),
    "twice": (
        "q Q0 d 1 0.5 t\nq Q0 e 2 0.4 t\nq Q0 d 3 0.3 t\n",
        r"line 3: query 'q' names item 'd' again \(first in line 1; 1 such lines\): keep one",
    ),
    "an unknown item": (
        "q Q0 d 1 0.5 t\nq Q0 x 2 0.4 t\nq Q0 y 3 0.3 t\n",
        r"line 2: gallery has no item 'x', and 2 of 3 names are unknown to it \(its first id is 'd'\)",
    ),
    "an unknown query": ("p Q0 d 1 0.5 t\n", "line 1: queries has no query 'p', and 1 of 1"),
}
QRELS = {
    "a run": ("q Q0 d 1 0.5 t\n", "line 1: 6 fields where a line of a qrels file has 4"),
    "a share for a grade": ("q 0 d 0.5\n", "line 1: the grade '0.5' is no whole number"),
    "a huge grade": (f"q 0 d {10**30}\n", "is no whole number"),
    "twice": ("q 0 d 1\nq 0 d 2\n", "line 2: query 'q' names item 'd' again"),
    "an unknown item": ("q 0 x 1\n", "line 1: gallery has no item 'x'"),
}


@pytest.mark.parametrize(
    ("load", "content", "words"),
    [(load_run, *case) for case in RUNS.values()] + [(load_qrels, *case) for case in QRELS.values()],
    ids=[f"run-{name}" for name in RUNS] + [f"qrels-{name}" for name in QRELS],
)
def test_a_fault_is_one_sentence_that_names_the_file_and_the_line(load, content, words, tmp_path):
    path = tmp_path / "file.txt"
    path.write_text(content)
    queries = Embeddings(np.eye(2), ids=["q", "r"], name="queries")
    gallery = Embeddings(np.eye(2), ids=["d", "e"], name="gallery")
    with pytest.raises(DataError, match=words) as caught:
        load(path, queries, gallery)
    assert str(caught.value).startswith(f"{path}, line")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_damage_is_one_sentence(suffix, tmp_path):
    path = tmp_path / f"run{suffix}"
    with pytest.raises(DataError, match="cannot be read: No such file"):
        load_run(path)
    save_run(graded(0)[0], path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 - 3])
    words = "no whole gzip file" if suffix == ".gz" else "fields where a line|no number"
    with pytest.raises(AlignkitError, match=words):
        load_run(path)
    raw = b"q Q0 \xff 1 0.5 t\n"
    path.write_bytes(gzip.compress(raw) if suffix == ".gz" else raw)
    with pytest.raises(DataError, match="no text in UTF-8"):
        load_run(path)
    if suffix == ".gz":
        path.write_bytes(raw)
        with pytest.raises(DataError, match="no whole gzip file"):
            load_run(path)


def test_ranks_that_contradict_the_scores_are_ignored_with_a_warning(tmp_path):
    path = tmp_path / "run.txt"
    path.write_text(
        "a Q0 d 1 0.1 t\na Q0 e 2 0.9 t\nb Q0 d 2 0.1 t\nb Q0 e 1 0.9 t\nc Q0 d 1 1 t\nc Q0 e 1 2 t\n"
    )
    run = load_run(path)
    (sentence,) = run.warnings
    assert re.search("ranks of 1 queries contradict their scores .the first is 'a'.", sentence)
    assert [run.items[hit] for hit in run.hits] == ["e", "d"] * 3
    qrels = Qrels(["a", "b", "c"], ["e"], np.array([[0, 0], [1, 0], [2, 0]]), np.ones(3, int))
    found = evaluate_run(run, qrels, metrics=["hit@1"]).report
    assert found.sections["forward"]["hit@1"].value == 1.0
    assert sentence in found.context["protocol"]["warnings"]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_contradict_scores_exactly_where_some_pair_does(seed, tmp_path):
    rng = np.random.default_rng(seed)
    lines, wanted = [], 0
    for query in range(60):
        ranks, scores = rng.integers(1, 4, 3), rng.integers(0, 3, 3)
        lines += [f"q{query} Q0 d{i} {ranks[i]} {scores[i]} t\n" for i in range(3)]
        wanted += any(ranks[i] < ranks[j] and scores[i] < scores[j] for i in range(3) for j in range(3))
    (tmp_path / "run").write_text("".join(lines))
    (sentence,) = load_run(tmp_path / "run").warnings
    assert f"ranks of {wanted} queries" in sentence
    assert 0 < wanted < 60


def test_tabs_blanks_empty_lines_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "run.txt"
    path.write_bytes("\ufeffq\tQ0\td\t1\t0.5\tt\r\n\r\n  q  Q0  é  2  0.25  t".encode())
    assert listing(load_run(path)) == [("q", "d", 0.5), ("q", "é", 0.25)]


def test_grades_below_one_are_not_relevant(tmp_path):
    path = tmp_path / "qrels.txt"
    path.write_text("q 0 d 0\nq 0 e -1\nq 0 f 2\n")
    qrels = load_qrels(path)
    assert_array_equal(qrels.relevant(), [False, False, True])
