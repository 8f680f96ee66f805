"""Answers meet by the ids of their queries, and what does not fit is named."""

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.answers import Answers, same_queries


def asked(ids, values, **more):
    return Answers(ids, {"mrr": np.array(values, float)}, **more)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_queries_were_asked_changes_nothing(seed):
    ids, values = [f"q{i}" for i in range(50)], np.random.default_rng(seed).random(50)
    order = np.random.default_rng([seed, 1]).permutation(50)
    groups = np.arange(50) // 5
    shuffled = asked([ids[i] for i in order], values[order], groups=groups[order])
    straight, back = same_queries({"a": asked(ids, values, groups=groups), "b": shuffled}, "forward").values()
    assert straight.queries == back.queries
    assert np.array_equal(straight.values["mrr"], back.values["mrr"])
    assert np.array_equal(straight.groups, back.groups)


def test_the_first_query_that_one_method_lacks_is_named_with_the_mend():
    ids = ["a", "b", "c", "d"]
    with pytest.raises(
        DataError, match=r"forward: mine was asked for query 'b' and theirs was not .*--per-query"
    ):
        same_queries({"mine": asked(ids, [1] * 4), "theirs": asked(["a", "c", "d"], [1] * 3)}, "forward")
    with pytest.raises(DataError, match="theirs was asked for query 'b' and mine was not"):
        same_queries(
            {"mine": asked(["a", "c"], [1, 1]), "theirs": asked(["a", "b", "c"], [1] * 3)}, "forward"
        )


def test_a_query_that_is_answered_twice_is_refused_unless_in_two_splits():
    with pytest.raises(DataError, match=r"mine, forward: query 'a' is answered twice"):
        same_queries({"mine": asked(["a", "a"], [1, 0])}, "forward")
    runs = np.array([1, 0])
    found = same_queries({"mine": asked(["a", "a"], [1, 0.5], runs=runs)}, "forward")["mine"]
    assert found.values["mrr"].tolist() == [0.5, 1.0]


def test_queries_without_a_positive_are_left_out_only_if_they_are_so_for_all():
    lost = [1.0, np.nan, 0.5]
    found = same_queries({"a": asked("xyz", lost), "b": asked("xyz", lost)}, "forward")
    assert [a.queries for a in found.values()] == [["x", "z"]] * 2
    with pytest.raises(DataError, match="query 'y' has a value from only one of a and b"):
        same_queries({"a": asked("xyz", lost), "b": asked("xyz", [1, 1, 1])}, "forward")
    with pytest.raises(DataError, match="no query has a value"):
        same_queries({"a": asked("x", [np.nan]), "b": asked("x", [np.nan])}, "forward")


def test_numbers_and_texts_that_read_the_same_are_the_same_query():
    found = same_queries({"a": asked([2, 10], [1, 0]), "b": asked(["10", "2"], [0, 1])}, "forward")
    assert found["a"].values["mrr"].tolist() == found["b"].values["mrr"].tolist()
