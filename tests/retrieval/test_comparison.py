"""What follows from the scores and tests of a comparison: letters, winners, the best."""

import json
import string

import pytest

from alignkit.reports import Score
from alignkit.retrieval.comparison import Comparison, Contender, PairedTest
from alignkit.statistics.significance import Difference


def judged(value, p, *, metric="mrr", names=("x", "y")):
    gained = Difference(value, value - 0.1, value + 0.1, p, 50, 40, 20, 10, 10, False)
    return PairedTest("forward", metric, *names, gained, p, 0.05)


def comparison(values, tests=(), metric="mrr"):
    scores = {name: Score(value, n=50) for name, value in values.items()}
    return Comparison([Contender(name) for name in values], {"forward": {metric: scores}}, list(tests))


def test_the_winner_is_the_better_one_only_where_the_difference_is_real():
    assert (judged(0.2, 0.01).winner, judged(0.2, 0.01).loser) == ("x", "y")
    assert (judged(-0.2, 0.01).winner, judged(-0.2, 0.01).loser) == ("y", "x")
    assert (judged(0.2, 0.05).winner, judged(0.2, 0.05).loser) == (None, None)


def test_a_method_bears_the_letters_of_those_that_it_beats_and_only_for_that_metric():
    found = comparison(
        {"x": 0.9, "y": 0.5, "z": 0.4}, [judged(0.4, 0.01), judged(0.1, 0.6, names=("y", "z"))]
    )
    assert found.beats("forward", "mrr", "x") == ["y"]
    assert found.beats("forward", "mrr", "y") == []
    assert found.beats("backward", "mrr", "x") == []


def test_the_best_value_is_the_smallest_where_ranks_are_counted():
    values = {"x": 3.0, "y": 7.0}
    assert comparison(values, metric="mean_rank").best("forward", "mean_rank") == ["x"]
    assert comparison(values, metric="mrr").best("forward", "mrr") == ["y"]


def test_values_that_print_alike_are_tied_for_the_best():
    found = comparison({"x": 0.97121, "y": 0.97124, "z": 0.9711})
    assert found.best("forward", "mrr") == ["x", "y"]


def test_letters_go_on_behind_z():
    found = comparison({str(i): 0.0 for i in range(54)})
    letters = list(found.letters.values())
    assert letters[:26] == list(string.ascii_lowercase)
    assert (letters[26], letters[51], letters[52]) == ("aa", "az", "ba")
    assert len(set(letters)) == 54


def test_the_object_is_plain_json_with_documented_fields():
    whole = comparison({"x": 0.9, "y": 0.5}, [judged(0.4, 0.01)]).to_json()
    assert whole == json.loads(json.dumps(whole))
    assert list(whole) == ["schema", "methods", "scores", "tests", "context"]
    assert whole["schema"] == "alignkit.compare/1"
    assert whole["methods"][1]["letter"] == "b"
    assert whole["tests"][0]["p_corrected"] == pytest.approx(0.01)
