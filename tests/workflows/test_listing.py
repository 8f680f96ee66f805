import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError, SpaceMismatchError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings, Space
from alignkit.testing import planted_rotation
from alignkit.workflows import Protocol, evaluate, evaluate_run, fit, make_qrels, make_run


def sides(seed: int = 0, noise: float = 0.3) -> tuple[Embeddings, Embeddings]:
    X, Y, _ = planted_rotation(seed=seed, noise=noise)
    ids = [f"clip {i}" for i in range(len(X))]
    return Embeddings(X, ids=ids, name="left"), Embeddings(Y, ids=ids, name="right")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("through", [False, True])
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_a_run_scores_to_the_last_bit_as_the_embeddings_do(seed, through, similarity):
    queries, gallery = sides(seed)
    fitted = Procrustes().fit(queries.vectors, gallery.vectors)
    dims = Space(queries.dim), Space(gallery.dim)
    alignment = Alignment("procrustes", fitted, *dims) if through else None
    metrics = ("mrr@10", "hit@1", "recall@10", "map@10", "ndcg@10", "precision@5", "rprecision")
    protocol = Protocol(metrics=metrics, similarity=similarity, resamples=200)
    whole = evaluate(queries, gallery, alignment=alignment, protocol=protocol)
    run = make_run(queries, gallery, k=11, alignment=alignment, similarity=similarity)
    found = evaluate_run(
        run, make_qrels(Pairs.by_id(queries, gallery)), n_gallery=len(gallery), protocol=protocol
    )
    for name, score in found.report.sections["forward"].items():
        wanted = whole.report.sections["forward"][name]
        assert (score.value, score.low, score.high, score.n, score.chance) == (
            wanted.value,
            wanted.low,
            wanted.high,
            wanted.n,
            wanted.chance,
        ), name


def test_a_cut_that_splits_a_tie_is_said_with_the_number_of_queries():
    rows = np.eye(4)[[0, 0, 0, 1]]
    run = make_run(Embeddings(np.eye(4)[:2]), Embeddings(rows), k=2)
    # the second query's list ends in an item of cosine 0, of which there are three
    assert run.warnings == (
        "the cut at 2 splits a tie of 2 of 2 queries, where the order of the gallery's rows decides what is "
        "listed: figures cut at 2 can differ from those of the whole gallery.",
    )
    assert make_run(Embeddings(np.eye(4)[:1]), Embeddings(rows), k=3).warnings == ()


def test_a_row_that_the_map_sends_to_the_origin_ties_with_everything():
    rows = Embeddings(np.eye(6))
    some = Pairs(rows, rows, np.stack([np.arange(3)] * 2, axis=1))
    options = {"pairs": some, "test": 0, "params": {"normalize": "unit"}}
    alignment = fit(rows, rows, method="least_squares", **options).alignment
    run = make_run(rows, rows, k=6, alignment=alignment)
    assert run.tied_ends().tolist()[3:] == [6, 6, 6]
    hits = evaluate_run(run, make_qrels(Pairs.by_id(rows, rows)), n_gallery=6, metrics=["hit@1"])
    assert hits.tables["forward"]["hit@1"].to_pylist() == pytest.approx([1, 1, 1, 1 / 6, 1 / 6, 1 / 6])


def test_what_cannot_be_listed_is_refused():
    queries, gallery = sides()
    with pytest.raises(ParameterError, match="at least one item"):
        make_run(queries, gallery, k=0)
    with pytest.raises(DataError, match="fit a map"):
        make_run(queries, Embeddings(np.eye(3)))
    other = Embeddings(gallery.vectors, space=Space(gallery.dim, "b"))
    with pytest.raises(SpaceMismatchError):
        make_run(Embeddings(queries.vectors, space=Space(queries.dim, "a")), other)
    with pytest.raises(DataError, match="NaN"):
        make_run(Embeddings(np.full((2, gallery.dim), np.nan)), gallery)


def test_judgements_name_ids_and_grades():
    queries, gallery = sides()
    pairs = Pairs.by_id(queries, gallery).subset(np.arange(3))
    qrels = make_qrels(pairs, np.array([1, 3, 0]))
    named = [(qrels.queries[q], qrels.items[i]) for q, i in qrels.links]
    assert named == [("clip 0", "clip 0"), ("clip 1", "clip 1"), ("clip 2", "clip 2")]
    assert qrels.grades.tolist() == [1, 3, 0]
    assert make_qrels(pairs).grades.tolist() == [1, 1, 1]
    with pytest.raises(ParameterError, match="one whole number for each of the 3 links"):
        make_qrels(pairs, np.array([0.5, 1.0, 1.0]))
