"""Planted differences are found, planted ties are not, and the correction holds what it says."""

import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.retrieval.answers import Answers
from alignkit.retrieval.comparing import compare_answers
from alignkit.retrieval.protocol import Protocol
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.statistics.power import detectable_difference
from alignkit.statistics.significance import benjamini_hochberg, holm, sign_flip

QUICK = Protocol(metrics=("mrr",), resamples=500)


def answers(values, groups=None, metric="mrr"):
    values = np.asarray(values, float)
    return {"forward": Answers([f"q{i}" for i in range(len(values))], {metric: values}, groups)}


def planted(n=200, seed=0, gain=0.1):
    """Return two methods of equal quality and one that is better by ``gain``."""
    rng = np.random.default_rng(seed)
    base = rng.random(n) * 0.5
    noise = [0.1 * rng.normal(size=n) for _ in range(3)]
    noise = [part - part.mean() for part in noise[:2]] + noise[2:]  # equal to the last bit, by construction
    found = dict(zip("abc", (base + part for part in noise), strict=True))
    found["c"] = found["c"] + gain
    return {name: answers(value, np.arange(n)) for name, value in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_winner_beats_both_and_two_equals_beat_nobody(seed):
    found = compare_answers(planted(seed=seed), protocol=QUICK)
    assert found.beats("forward", "mrr", "c") == ["a", "b"]
    assert found.beats("forward", "mrr", "a") == found.beats("forward", "mrr", "b") == []
    assert found.best("forward", "mrr") == ["c"]


def test_every_number_is_that_of_the_function_it_comes_from():
    given = planted(60)
    found = compare_answers(given, protocol=QUICK)
    values = {name: side["forward"].values["mrr"] for name, side in given.items()}
    order = np.argsort([f"q{i}" for i in range(60)])
    for test in found.tests:
        a, b = values[test.first], values[test.second]
        assert test.difference == sign_flip(a, b, flips=10_000)
        assert test.detectable == pytest.approx(detectable_difference(a, b, level=1 - 0.05 / 3))
    assert [t.p for t in found.tests] == holm([t.difference.p for t in found.tests]).tolist()
    score = found.scores["forward"]["mrr"]["a"]
    ends = bootstrap_interval(values["a"][order][:, None], resamples=500).ravel()
    assert (score.value, score.low, score.high) == pytest.approx((values["a"].mean(), *ends))


def test_the_correction_is_over_the_whole_table_and_can_be_the_milder_one():
    given = planted(80, gain=0.04)
    both = {name: {"forward": side["forward"], "backward": side["forward"]} for name, side in given.items()}
    one, two = (compare_answers(each, protocol=QUICK) for each in (given, both))
    assert (len(one.tests), len(two.tests)) == (3, 6)
    assert two.tests[1].p == pytest.approx(min(1, 6 * two.tests[1].difference.p))
    assert two.tests[1].p > one.tests[1].p
    mild = compare_answers(both, protocol=QUICK, correction="bh")
    assert [t.p for t in mild.tests] == benjamini_hochberg([t.difference.p for t in two.tests]).tolist()
    assert mild.tests[1].p <= two.tests[1].p


def test_a_baseline_leaves_fewer_tests_and_so_more_power():
    given = planted(80, gain=0.04)
    every, against = (compare_answers(given, protocol=QUICK, baseline=name) for name in (None, "a"))
    assert [(t.first, t.second) for t in against.tests] == [("b", "a"), ("c", "a")]
    assert against.tests[1].detectable < every.tests[1].detectable
    assert against.tests[1].p <= every.tests[1].p


def test_false_letters_are_as_rare_as_the_correction_promises():
    """Five equal methods, 10 tests a table: without a correction about 40 % of the tables hold a letter."""
    rng = np.random.default_rng(0)
    tables, raw = 0, 0
    for _ in range(60):
        base = rng.random(60)
        given = {name: answers(base + 0.2 * rng.normal(size=60), np.arange(60)) for name in "abcde"}
        found = compare_answers(given, protocol=Protocol(metrics=("mrr",), resamples=0))
        tables += any(test.winner for test in found.tests)
        raw += any(test.difference.p < 0.05 for test in found.tests)
    assert tables <= 8  # binomial(60, 0.05) exceeds 8 once in 400
    assert raw > 2 * tables


def test_for_ranks_small_is_good_and_a_positive_difference_still_means_better():
    rng = np.random.default_rng(0)
    ranks = 1.0 + rng.integers(0, 20, 100)
    given = {"good": answers(ranks, metric="mean_rank"), "bad": answers(ranks + 2, metric="mean_rank")}
    found = compare_answers(given, protocol=Protocol(metrics=("mean_rank",), resamples=100))
    assert found.tests[0].difference.value == pytest.approx(2)
    assert found.tests[0].difference.wins == 100
    assert found.beats("forward", "mean_rank", "good") == ["bad"]


def test_queries_of_one_group_are_one_observation_for_all_methods():
    """Each query five times over: a test that took copies for evidence would find a difference here."""
    rng = np.random.default_rng(4)
    base, gain = rng.random(20), rng.normal(size=20)
    gain = 0.1 * ((gain - gain.mean()) / gain.std() + 0.3)  # 1.3 standard errors of 20, 3 of 100
    groups = np.repeat(np.arange(20), 5)
    repeated = [np.repeat(values, 5) for values in (base, base + gain)]
    apart = compare_answers({"a": answers(repeated[0]), "b": answers(repeated[1])}, protocol=QUICK)
    together = {"a": answers(repeated[0], groups), "b": answers(repeated[1])}  # one that knows is enough
    found = compare_answers(together, protocol=QUICK)
    assert found.tests[0].difference.groups == 20
    assert found.tests[0].p > 5 * apart.tests[0].p
    assert found.tests[0].p == pytest.approx(sign_flip(base, base + gain).p, abs=0.02)


def test_a_query_asked_in_two_splits_is_one_observation():
    values, runs = np.array([1.0, 0.5, 0.25, 1.0]), np.array([0, 0, 1, 1])
    asked = [Answers(["x", "y", "y", "z"], {"mrr": v}, runs=runs) for v in (values, values / 2)]
    given = {name: {"forward": each} for name, each in zip("ab", asked, strict=True)}
    found = compare_answers(given, protocol=QUICK)
    assert found.context["directions"]["forward"] == {"asked": 4, "queries": 3, "groups": 3}
    assert found.scores["forward"]["mrr"]["a"].n == 3
    assert found.tests[0].difference.groups == 3


def test_few_groups_and_unknown_groups_are_warned_of():
    few = compare_answers(planted(29), protocol=QUICK).warnings()
    assert len(few) == 1
    assert "29 independent groups" in few[0]
    assert compare_answers(planted(30), protocol=QUICK).warnings() == []
    rng = np.random.default_rng(0)
    blind = compare_answers({"a": answers(rng.random(40)), "b": answers(rng.random(40))}, protocol=QUICK)
    assert "which queries belong together" in blind.warnings()[0]


def test_enough_flips_are_drawn_for_a_p_value_that_survives_hundreds_of_tests():
    rng = np.random.default_rng(0)
    base = rng.random(40)
    given = {f"m{i}": answers(base + i + 0.01 * rng.random(40), np.arange(40)) for i in range(24)}
    found = compare_answers(given, protocol=Protocol(metrics=("mrr",), resamples=0))
    assert found.context["tests"] == 276
    assert found.context["flips"] == 11_040
    assert all(test.winner == test.second for test in found.tests)


def test_what_cannot_be_compared_is_refused_with_the_mend():
    given = planted(40)
    with pytest.raises(ParameterError, match="two methods or more, and only 'a' was given"):
        compare_answers({"a": given["a"]}, protocol=QUICK)
    with pytest.raises(UnknownNameError, match=r"baseline 'cc' is not compared. Did you mean 'c'\?"):
        compare_answers(given, protocol=QUICK, baseline="cc")
    with pytest.raises(ParameterError, match="correction is 'none': choose one of holm, bh"):
        compare_answers(given, protocol=QUICK, correction="none")
    with pytest.raises(ParameterError, match=r"median_rank is no mean .* take mean_rank"):
        compare_answers(given, protocol=Protocol(metrics=("median_rank",)))
    with pytest.raises(DataError, match=r"a has no hit@1; it has: mrr. Score it with --metrics hit@1"):
        compare_answers(given, protocol=Protocol(metrics=("hit@1",)))
    lonely = {"a": given["a"], "b": {"backward": given["b"]["forward"]}}
    with pytest.raises(DataError, match="share no direction"):
        compare_answers(lonely, protocol=QUICK)
