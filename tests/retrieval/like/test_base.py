"""The contract that every imitated tool keeps: names, ids, counts, directions, refusals, its card."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.like import TOOLS
from alignkit.retrieval.like._base import Tool
from alignkit.retrieval.like._conventions import Convention
from alignkit.retrieval.metrics import per_query

ALL = TOOLS.names()


def made(name: str) -> Tool:
    return TOOLS.get(name)()


def test_the_folder_holds_the_nine_tools():
    images = {"clip_benchmark", "open_clip"}
    text = {"trec_eval", "ranx", "sentence_transformers", "torchmetrics"}
    assert set(ALL) == images | text | {"laion_clap", "muse", "vecmap"}


@pytest.mark.parametrize("name", ALL)
def test_a_tool_is_called_like_its_file_and_its_card_is_json_with_every_field_filled(name: str):
    tool = made(name)
    card = json.loads(json.dumps(dataclasses.asdict(tool.card)))
    assert tool.name == card["tool"] == name
    assert all(card.values())


def test_no_peer_is_imported_by_its_imitation():
    code = (
        "import sys\nfrom alignkit.retrieval.like import TOOLS\n[TOOLS.get(name) for name in TOOLS.names()]\n"
        "import alignkit.retrieval.explain\n"
        "peers = {'ranx', 'torchmetrics', 'pytrec_eval', 'sentence_transformers', 'torch', 'numba'}\n"
        "assert not peers & set(sys.modules), peers & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ALL)
def test_where_nothing_ties_and_pairs_are_parallel_every_tool_says_what_alignkit_says(name: str):
    rng = np.random.default_rng(3)
    scores = rng.permutation(40 * 40).reshape(40, 40) / 1600 + 0.20003 * np.eye(40) + 0.01
    ranks = rank_scores(scores, Positives.diagonal(40))
    tool, compared = made(name), 0
    for pattern, figure in tool.figures.items():
        if figure.same is None:
            continue
        own, ours = pattern.format(k=5), figure.same.format(k=5)
        if ours in ("hit", "recall", "precision"):
            ours += "@40"
        values = per_query(ranks, [ours])[ours]
        wanted = np.floor(np.median(values)) if ours == "median_rank" else values.mean()
        found = tool.score(scores, metrics=[own])[own] / figure.convention.scale
        assert found == pytest.approx(wanted, abs=1e-6), (own, ours)
        assert tool.score(scores, metrics=[figure.same.format(k=5)]) == {
            figure.same.format(k=5): tool.score(scores, metrics=[own])[own]
        }
        compared += 1
    assert compared >= 1


@pytest.mark.parametrize("name", ALL)
def test_the_usual_figures_are_made_without_asking_and_are_among_those_known(name: str):
    tool = made(name)
    found = tool.score(np.random.default_rng(0).random((12, 12)))
    assert list(found) == list(tool.usual)
    assert len(found) >= 3
    assert found.queries == 12


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_figure_is_refused_with_those_there_are(name: str):
    with pytest.raises(UnknownNameError, match=f"{name} has no figure 'nonsense'"):
        made(name).score(np.eye(12), metrics=["nonsense"])
    for wrong in ("hit@0", "hit@-1", "hit@01", "hit@"):
        with pytest.raises(UnknownNameError):
            made(name).score(np.eye(12), metrics=[wrong])


def test_queries_without_a_positive_and_items_nobody_looks_for_are_counted():
    scores = np.random.default_rng(1).random((3, 4))
    relevance = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]])
    kept = made("ranx").score(scores, relevance, ["mrr"])
    assert (kept.queries, kept.without_positive, kept.skipped, kept.without_query) == (3, 1, 0, 0)
    dropped = made("sentence_transformers").score(scores, relevance, ["mrr"])
    assert (dropped.queries, dropped.without_positive, dropped.skipped) == (3, 1, 1)
    assert kept["mrr"] * 3 == pytest.approx(dropped["mrr"] * 2)
    back = made("clip_benchmark").score(scores, relevance, ["text_retrieval_recall@1"])
    assert back.without_query == 1


def test_the_backward_direction_skips_empty_columns():
    scores = np.array([[0.9, 0.1, 0.8], [0.2, 0.7, 0.3]])
    relevance = np.array([[1, 0, 0], [0, 1, 0]])
    found = made("clip_benchmark").score(scores, relevance, ["text_retrieval_recall@1"])
    assert found == {"text_retrieval_recall@1": 1.0}
    assert found.without_query == 1


def test_rows_that_share_an_id_count_once_in_tools_of_dictionaries_and_twice_in_those_of_matrices():
    scores = np.array([[0.9, 0.5, 0.1], [0.1, 0.6, 0.7]])
    relevance = np.array([[1, 0, 0], [0, 1, 0]])
    ids = ["a", "b", "a"]  # the last "a" wins: 0.1 and no positive
    found = made("trec_eval").score(scores, relevance, ["recip_rank"], item_ids=ids)
    assert found.merged == 1
    assert found["recip_rank"] == pytest.approx((0 + 0.5) / 2)
    assert made("torchmetrics").score(scores, relevance, ["mrr"], item_ids=ids) == {"mrr": 0.75}
    lost = made("ranx").score(scores, relevance, ["mrr"], query_ids=["q", "q"])
    assert lost == {"mrr": 0.5}
    assert (lost.queries, lost.merged) == (1, 1)


def test_ids_without_a_name_are_wide_enough_to_sort_like_numbers():
    scores = np.full((1, 1200), 0.5)
    relevance = np.zeros((1, 1200), int)
    relevance[0, 1100] = 1
    assert made("sentence_transformers").score(scores, relevance, ["mrr"])["mrr"] == pytest.approx(1 / 1101)
    assert made("trec_eval").score(scores, relevance, ["mrr"])["mrr"] == pytest.approx(1 / 100)


@pytest.mark.parametrize(
    ("scores", "relevance", "message"),
    [
        (np.ones((2, 3)), None, "give the relevance matrix"),
        (np.ones((2, 3)), np.ones((3, 2), int), "give a cell for each score"),
        (np.ones((2, 2)), np.array([[1, 0], [0, -1]]), "at least 0"),
        (np.ones((2, 2)), np.array([[1, 0], [0, 0.5]]), "whole numbers"),
        (np.ones((2, 2)), np.array([["yes", "no"], ["no", "yes"]]), "whole numbers"),
        (np.array([[0.1, np.nan], [0.2, 0.3]]), None, "row 0 of the scores holds NaN"),
        (np.ones(3), None, "shape"),
        (np.ones((0, 0)), None, "at least one of each"),
        (np.array([["a"]]), None, "real numbers"),
    ],
)
def test_inputs_that_no_tool_could_be_given_are_refused(
    scores: np.ndarray, relevance: np.ndarray | None, message: str
):
    with pytest.raises(DataError, match=message):
        made("ranx").score(scores, relevance)


def test_as_many_ids_as_rows_are_wanted():
    with pytest.raises(DataError, match="1 ids for 2 items"):
        made("ranx").score(np.eye(2), item_ids=["a"])


def test_a_matrix_without_any_positive_has_no_figure_where_such_queries_are_dropped():
    nothing = np.zeros((2, 2), int)
    with pytest.raises(DataError, match="no query has a positive"):
        made("sentence_transformers").score(np.eye(2), nothing)
    assert made("ranx").score(np.eye(2), nothing, ["mrr"]) == {"mrr": 0.0}


def test_an_average_precision_that_depends_on_the_order_of_ties_needs_one():
    with pytest.raises(ParameterError, match="name an order"):
        Convention("map", norm="hits")


@pytest.mark.parametrize("dtype", [np.int64, bool, np.float16, np.float32])
def test_scores_of_any_real_type_are_taken(dtype: type):
    scores = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]).astype(dtype)
    wanted = made("ranx").score(scores.astype(np.float64), metrics=["mrr", "ndcg@2"])
    assert made("ranx").score(scores, metrics=["mrr", "ndcg@2"]) == wanted


def test_blocks_of_queries_do_not_change_a_figure(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(5)
    scores, relevance = rng.integers(0, 4, (30, 40)) / 4, (rng.random((30, 40)) < 0.2).astype(int)
    tools = [made(name) for name in ("ranx", "trec_eval", "torchmetrics", "clip_benchmark")]
    whole = [tool.score(scores, relevance) for tool in tools]
    monkeypatch.setattr("alignkit.retrieval.like._figures.CELLS", 100)
    for tool, wanted in zip(tools, whole, strict=True):
        assert tool.score(scores, relevance) == pytest.approx(wanted, abs=1e-14)
