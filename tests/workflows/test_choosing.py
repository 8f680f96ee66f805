"""The choice finds a planted relation, says what is luck, and never looks at the test pairs."""

import json

import numpy as np
import pytest

from alignkit.errors import PairingError, ParameterError, UnknownNameError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.tables import text
from alignkit.testing import planted_shear
from alignkit.workflows.choosing import choose


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng([seed, 1]).normal(size=(d, d)))[0]


def shear(n=150, d=6, seed=0):
    X, Y, _ = planted_shear(n, d, seed=seed)
    return Pairs.by_id(Embeddings(X), Embeddings(Y + 0.1 * np.random.default_rng(seed).normal(size=(n, d))))


def world(matrix, *, n=150, noise=0.3, seed=0):
    """Return n pairs joined by a matrix and noise."""
    rng = np.random.default_rng(seed)
    d = len(matrix)
    X = rng.normal(size=(n, d))
    Y = X @ matrix + noise * np.linalg.norm(matrix) / d * rng.normal(size=(n, d))
    return Pairs.by_id(Embeddings(X, name="x"), Embeddings(Y, name="y"))


def without_times(choice):
    found = choice.to_json()
    for trial in found["trials"]:
        trial.pop("cpu_seconds")
    return found


QUICK = ["identity", "procrustes", "least_squares", ("ridge", {"alpha": 1.0})]


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_rotation_is_won_or_tied_by_a_rotation(seed):
    choice = choose(world(rotation(12, seed), noise=1.0, seed=seed), QUICK, seed=seed)
    trials = {trial.name: trial for trial in choice.trials}
    assert trials["procrustes"].as_good
    assert not trials["identity"].as_good
    assert trials["identity"].behind.low > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_shear_is_won_by_ridge_for_certain(seed):
    choice = choose(shear(seed=seed), ["procrustes", ("ridge", {"alpha": 1.0})], seed=seed)
    assert choice.method == "ridge"
    assert choice.params == {"alpha": 1.0}
    loser = choice.trials[1]
    assert loser.method == "procrustes"
    assert loser.p < 0.05
    assert not loser.as_good
    assert "significantly worse: procrustes (p " in "\n".join(choice.sentences())


def test_nothing_to_tell_apart_is_called_luck_and_the_simplest_wins_a_tie():
    same = [("ridge", {"alpha": 1.0}), ("ridge", {"alpha": 1.0 + 1e-9})]
    choice = choose(shear(), same)
    assert choice.params == {"alpha": 1.0}
    assert choice.trials[1].p == 1.0
    noise = Pairs.by_id(*(Embeddings(np.random.default_rng(s).normal(size=(100, 6))) for s in (1, 2)))
    assert all(trial.as_good for trial in choose(noise, QUICK[:3]).trials)


def test_test_pairs_do_not_touch_the_choice():
    """Even a method that learns from rows without partners sees none of them, if they are named."""
    pairs = world(rotation(10), noise=1.2, n=120)
    train, test = pairs.split(0.4, 1)
    poisoned = [side.array().copy() for side in (pairs.source, pairs.target)]
    for rows, column in zip(poisoned, test.links.T, strict=True):
        rows[column] = 40 * np.random.default_rng(5).normal(size=(len(column), 10)) + 9
    other = Pairs(*(Embeddings(rows) for rows in poisoned), pairs.links)
    bad_train, bad_test = other.subset(np.isin(pairs.links[:, 0], train.links[:, 0])), other
    bad_test = other.subset(np.isin(pairs.links[:, 0], test.links[:, 0]))
    methods = ["procrustes", "refinement"]
    clean = without_times(choose(train, methods, held_out=test))
    assert without_times(choose(bad_train, methods, held_out=bad_test)) == clean
    careless = without_times(choose(bad_train, methods))  # refinement may now look at all rows
    assert careless != clean


def test_whole_groups_are_held_out_so_that_memory_is_no_merit():
    """Forty copies of each of a few items: by pair a map that remembers them would be perfect."""
    rng = np.random.default_rng(0)
    items, copies, d = 12, 20, 30
    X, Y = rng.normal(size=(2, items, d))
    sides = [Embeddings(np.repeat(V, copies, axis=0) + 0.1 * rng.normal(size=(items * copies, d)))
             for V in (X, Y)]  # fmt: skip
    rows = np.stack([np.arange(items * copies)] * 2, axis=1)
    apart = Pairs(*sides, rows)
    together = Pairs(*sides, rows, np.repeat(np.arange(items), copies))
    means = [choose(pairs, ["least_squares"], metric="hit@10").trials[0].score.value
             for pairs in (apart, together)]  # fmt: skip
    assert means[0] > 0.9
    assert means[1] < 0.5


def test_what_refuses_is_listed_with_its_sentence():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    pairs = Pairs.by_id(Embeddings(X), Embeddings(X @ rng.normal(size=(5, 7))))
    choice = choose(pairs, ["identity", "ridge"])
    assert choice.method == "ridge"
    assert choice.trials[-1].name == "identity"
    assert choice.trials[-1].score is None
    assert "left out: identity: Identity needs equal dimensions, got 5 and 7" in choice.sentences()[-1]
    with pytest.raises(PairingError, match="no method could be fitted; identity says: Identity needs equal"):
        choose(pairs, ["identity"])


def test_the_defaults_try_every_method_that_needs_pairs():
    choice = choose(world(rotation(6), n=60), folds=2)
    tried = {trial.name for trial in choice.trials}
    assert {"identity", "mean_shift", "procrustes", "ridge", "cca", "rcsls", "asif"} <= tried
    assert {"procrustes (normalize=center)", "ridge (normalize=center)"} <= tried
    assert not {"self_learning", "wasserstein_procrustes", "adversarial"} & tried
    assert len(tried) == len(choice.trials)


def test_report_and_json_hold_the_whole_table():
    choice = choose(shear(80), QUICK, seed=4)
    printed = text(choice.report)
    assert printed.startswith("cross-validation on the training pairs, mean of both directions: mrr")
    assert "how far the best is ahead of each" in printed
    assert all(name in printed for name in ("identity", "procrustes", "least_squares", "ridge (alpha=1.0)"))
    found = json.loads(json.dumps(choice.to_json(), allow_nan=False))
    assert (found["metric"], found["folds"], found["pairs"], found["seed"]) == ("mrr", 5, 80, 4)
    best, *others = found["trials"]
    assert (best["method"], best["behind"], best["p_holm"]) == (found["method"], None, None)
    assert all(0 <= rival["behind"]["p"] <= rival["p_holm"] <= 1 for rival in others)
    assert all(rival["score"]["value"] <= best["score"]["value"] for rival in others)
    assert best["score"]["value"] - others[0]["score"]["value"] == pytest.approx(others[0]["behind"]["value"])


def test_the_same_seed_gives_the_same_choice_and_another_seed_other_folds():
    pairs = world(rotation(8), noise=1.5)
    one, two, other = (without_times(choose(pairs, QUICK[1:3], seed=seed)) for seed in (3, 3, 4))
    assert one == two != other


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"metric": "median_rank"}, ParameterError, "better when it is smaller"),
        ({"metric": "mmr"}, UnknownNameError, "Did you mean 'mrr'"),
        ({"candidates": ["procrusties"]}, UnknownNameError, "Did you mean 'procrustes'"),
        ({"candidates": []}, ParameterError, "there is no candidate"),
        ({"folds": 1}, PairingError, "make no 1 folds"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(options, error, sentence):
    with pytest.raises(error, match=sentence):
        choose(world(rotation(4), n=30), **options)
