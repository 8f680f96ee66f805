import numpy as np
import pytest

from alignkit.aligners._held_out_links import best_on_held_out_links, reciprocal_ranks
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._vocabulary import Vocabulary


def vocabulary(links, *, seed=0, n=80, d=6, noise=0.1, groups=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = X @ np.linalg.qr(rng.normal(size=(d, d)))[0] + noise * rng.normal(size=(n, d))
    known = np.stack([np.arange(links)] * 2, axis=1)
    return Vocabulary(X, Y, known, np.ones(links), groups)


def rotation_or_nothing(rest):
    matrix = rotation_of(rest.source, rest.target, rest.links)
    return lambda rotate: (rest.source @ matrix if rotate else rest.source, rest.target)


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_the_map_that_finds_held_out_links_is_chosen_wherever_it_stands(order):
    contest = best_on_held_out_links(vocabulary(40), order, rotation_or_nothing, 5)
    assert order[contest.chosen]
    assert contest.scores[order.index(True)] > 0.9
    assert contest.scores[order.index(False)] < 0.3


def test_no_link_is_held_out_and_learnt_from_at_once():
    seen = []

    def watch(rest):
        seen.append({tuple(link) for link in rest.links})
        return rotation_or_nothing(rest)

    known = vocabulary(23)
    best_on_held_out_links(known, [True], watch, 5)
    everyone = {tuple(link) for link in known.links}
    held = [everyone - one for one in seen]
    assert sorted(link for one in held for link in one) == sorted(everyone)  # each is held out once
    assert all(4 <= len(one) <= 5 for one in held)


def test_a_group_is_held_out_whole():
    groups = np.arange(24) // 4
    known, seen = vocabulary(24, groups=groups), []

    def watch(rest):
        seen.append(set(rest.groups))
        return rotation_or_nothing(rest)

    best_on_held_out_links(known, [True], watch, 3)
    assert all(len(one) == 4 for one in seen)


def test_the_first_stands_where_the_lead_is_luck():
    """Under noise alone the best of many candidates leads by chance, hardly ever by its error."""
    changed = 0
    for seed in range(20):
        known = vocabulary(10, seed=seed, noise=30)
        contest = best_on_held_out_links(known, [True, False], rotation_or_nothing, 5)
        changed += contest.chosen != 0
    assert changed <= 8


def test_too_few_links_choose_nothing():
    assert best_on_held_out_links(vocabulary(4), [True, False], rotation_or_nothing, 5) is None


def test_jobs_do_not_change_the_choice():
    one, two = (
        best_on_held_out_links(vocabulary(30, noise=1), [True, False], rotation_or_nothing, 5, jobs)
        for jobs in (1, 3)
    )
    assert np.array_equal(one.scores, two.scores)


def test_ranks_are_those_of_whole_matrices_and_ties_count_half():
    rng = np.random.default_rng(0)
    P, Q = rng.normal(size=(30, 4)), rng.normal(size=(25, 4))
    links = np.stack([rng.integers(30, size=12), rng.integers(25, size=12)], axis=1)
    S = (P / np.linalg.norm(P, axis=1)[:, None]) @ (Q / np.linalg.norm(Q, axis=1)[:, None]).T
    i, j = links.T
    there = 1 + (S[i] > S[i, j][:, None] + 1e-12).sum(axis=1)
    back = 1 + (S[:, j] > S[i, j] + 1e-12).sum(axis=0)
    assert np.allclose(reciprocal_ranks(P, Q, links), (1 / there + 1 / back) / 2)
    flat = reciprocal_ranks(np.ones((5, 2)), np.ones((5, 2)), np.array([[0, 0]]))
    assert flat == pytest.approx(1 / 3)  # the middle of five
