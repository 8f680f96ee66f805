import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.pairs import Pairs
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.two_way import two_way_interval
from alignkit.spaces import Embeddings
from alignkit.workflows import Protocol, evaluate, evaluate_two_way

QUICK = Protocol(metrics=("mrr", "hit@1"), resamples=500)


def sides(seed=0, n=150, d=6, noise=0.8):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return Embeddings(x), Embeddings(x + noise * rng.standard_normal((n, d)))


def test_ends_are_those_of_the_library_on_plain_cosines():
    left, right = sides()
    found = evaluate_two_way(left, right, protocol=QUICK).report
    units = [side.array() / np.linalg.norm(side.array(), axis=1, keepdims=True) for side in (left, right)]
    scores = units[0] @ units[1].T
    for direction, table in (("forward", scores), ("backward", scores.T)):
        near = np.argsort(-table, axis=1, kind="stable")[:, :100]
        wanted = two_way_interval(
            rank_scores(table, Positives.diagonal(150)), QUICK.metrics, near, resamples=500
        )
        for name, score in found.sections[direction].items():
            assert score.value == pytest.approx(wanted[name].value)
            assert (score.low, score.high) == pytest.approx((wanted[name].low, wanted[name].high), abs=0.02)
            assert found.context["two_way"][direction][name]["error"] == pytest.approx(wanted[name].error)


def test_shared_distractors_make_the_interval_wider_than_a_fixed_gallery_does():
    left, right = sides(n=120)
    rng = np.random.default_rng(3)
    hubs = left.array().mean(axis=0) + 0.4 * rng.standard_normal((40, 6))
    crowd = Embeddings(np.vstack([right.array(), hubs]))
    pairs = Pairs(left, crowd, np.stack([np.arange(120)] * 2, axis=1))
    plain, both = (
        verb(left, crowd, pairs=pairs, protocol=QUICK).report for verb in (evaluate, evaluate_two_way)
    )
    fixed, free = plain.sections["forward"]["mrr"], both.sections["forward"]["mrr"]
    assert free.value == fixed.value
    assert free.high - free.low > fixed.high - fixed.low
    assert "the gallery is held fixed" in plain.context["protocol"]["interval"]
    assert both.context["protocol"]["interval"].startswith("two-way bootstrap")
    assert both.context["protocol"]["resamples"] == 500
    # distractors that nobody asks for are units of their own, whatever their numbers
    assert both.sections["backward"]["mrr"].n == 120


def test_few_groups_are_warned_of_and_what_has_no_influence_is_refused():
    left, right = sides(n=12)
    found = evaluate_two_way(left, right, protocol=QUICK).report
    assert any("12 independent groups" in line for line in found.context["protocol"]["warnings"])
    for metric in ("median_rank", "geometric_mean_rank"):
        with pytest.raises(ParameterError, match=f"{metric} is no mean"):
            evaluate_two_way(left, right, protocol=Protocol(metrics=[metric]))
    with pytest.raises(ParameterError, match="by expectation"):
        evaluate_two_way(left, right, protocol=Protocol(ties="optimistic"))
    with pytest.raises(ParameterError, match="choose skip"):
        evaluate_two_way(left, right, protocol=Protocol(without_positive="zero"))
    whole = evaluate_two_way(left, right, protocol=Protocol(metrics=["mean_rank"], resamples=100)).report
    assert whole.sections["forward"]["mean_rank"].low >= 1
