"""No row is scored by a fit that saw it, penalties are chosen beside it, and recordings stay together."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.probes.cross_fit import Fit, Recipe, cross_fit, fold_codes, log_loss, scaler
from alignkit.probes.linear import logistic_path
from alignkit.probes.targets import Targets


def recorder(seen):
    """Return a path whose fits note the rows (their first dimension is their number) they see and score."""

    def path(rows, truth, exclusive, penalties):
        numbers = frozenset(np.asarray(rows)[:, 0].astype(int).tolist())
        for penalty in penalties:

            def probabilities(held, numbers=numbers, penalty=penalty):
                seen.append((numbers, frozenset(held[:, 0].astype(int).tolist()), penalty))
                return np.full((len(held), truth.shape[1]), 1 / truth.shape[1])

            yield Fit(probabilities, True)

    return path


def numbered(n):
    return np.stack([np.arange(n, dtype=float), np.ones(n)], axis=1)


def test_no_row_is_ever_scored_by_a_fit_that_saw_it_and_every_row_is_scored_once():
    seen, folds = [], np.arange(60) % 5
    cross_fit(
        numbered(60), Targets.of(np.arange(60) % 3), folds, recorder(seen), Recipe((1.0, 2.0), scale="none")
    )
    assert all(not fitted & scored for fitted, scored, _ in seen)
    outer = [scored for fitted, scored, _ in seen if len(fitted | scored) == 60]
    assert sorted(row for scored in outer for row in scored) == list(range(60))


def test_inner_folds_are_whole_outer_folds_and_never_touch_the_row_held_out():
    seen, folds = [], np.arange(60) % 5
    cross_fit(
        numbered(60), Targets.of(np.arange(60) % 3), folds, recorder(seen), Recipe((1.0, 2.0), scale="none")
    )
    inner = [(fitted, scored) for fitted, scored, _ in seen if len(fitted | scored) == 48]
    assert len(inner) == 5 * 3 * 2  # outer folds, inner folds, penalties
    for fitted, scored in inner:
        assert not {row % 5 for row in fitted} & {row % 5 for row in scored}


@pytest.mark.parametrize("seed", range(3))
def test_with_two_folds_inner_folds_are_whole_groups(seed):
    seen, groups = [], np.arange(60) // 4
    cross_fit(
        numbered(60), Targets.of(np.arange(60) % 3), np.arange(60) // 32, recorder(seen),
        Recipe((1.0, 2.0), scale="none", seed=seed), groups=groups,
    )  # fmt: skip
    inner = [(fitted, scored) for fitted, scored, _ in seen if len(fitted | scored) < 60]
    assert inner
    for fitted, scored in inner:
        assert not {row // 4 for row in fitted} & {row // 4 for row in scored}


def test_equal_penalties_by_loss_go_to_the_strongest_and_one_penalty_is_not_judged():
    seen = []
    found = cross_fit(
        numbered(20),
        Targets.of(np.arange(20) // 4 % 2),
        np.arange(20) % 4,
        recorder(seen),
        Recipe((0.1, 9.0, 1.0)),
    )
    assert found.facts["chosen"] == [9.0] * 4
    assert found.facts["chosen_at_edge"] == 4
    seen.clear()
    cross_fit(numbered(20), Targets.of(np.arange(20) % 2), np.arange(20) % 4, recorder(seen), Recipe((0.1,)))
    assert len(seen) == 4


def test_noise_asks_for_a_strong_penalty_and_clean_rows_for_a_weak_one():
    rng = np.random.default_rng(0)
    codes, folds = np.arange(150) % 3, np.arange(150) // 3 % 5
    clean = np.eye(3, 40)[codes] + 0.05 * rng.normal(size=(150, 40))
    recipe = Recipe(tuple(10.0**p for p in range(3, -4, -1)), scale="standard")
    chosen = [
        np.median(cross_fit(rows, Targets.of(codes), folds, logistic_path, recipe).facts["chosen"])
        for rows in (rng.normal(size=(150, 40)), clean)
    ]
    assert chosen[0] >= 100
    assert chosen[1] <= 10


def test_permuting_rows_changes_no_probability(planted):
    clips = planted(0, n=100)
    order = np.random.default_rng(1).permutation(100)
    labels = np.array(clips.labels)
    one = cross_fit(clips.rows, Targets.of(labels), clips.folds, logistic_path, Recipe())
    other = cross_fit(
        clips.rows[order], Targets.of(labels[order]), clips.folds[order], logistic_path, Recipe()
    )
    assert np.array_equal(one.probabilities[order], other.probabilities)


def test_recordings_in_several_folds_are_counted():
    found = cross_fit(
        numbered(20), Targets.of(np.arange(20) % 2), np.arange(20) % 4, recorder([]), Recipe((1.0,)),
        groups=np.r_[0, 0, 1, 1, np.arange(2, 18)],
    )  # fmt: skip
    assert found.facts["groups_across_folds"] == 2


def test_scaling_uses_the_numbers_of_the_training_rows():
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 5, (200, 4)), rng.normal(0, 1, (10, 4))
    train[:, 3] = 7.0
    standard = scaler(train, "standard")
    assert_allclose(standard(train)[:, :3].mean(axis=0), 0, atol=1e-12)
    assert_allclose(standard(train)[:, :3].std(axis=0), 1)
    assert_allclose(standard(test)[:, 0], (test[:, 0] - train[:, 0].mean()) / train[:, 0].std())
    assert_allclose(
        standard(test)[:, 3], (test[:, 3] - 7) / 7
    )  # constant in training: kept small, not blown up
    assert_allclose(np.linalg.norm(scaler(train, "unit")(test), axis=1), 1)
    assert_allclose(scaler(train, "none")(test), test)
    rooted = scaler(train, "root-unit")(np.array([[4.0, -9.0, 0.0]]))
    assert_allclose(rooted, np.array([[2.0, -3.0, 0.0]]) / np.sqrt(13))


def test_the_log_loss_is_that_of_scikit_learn():
    from sklearn.metrics import log_loss as peer

    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 30)
    codes = rng.integers(0, 4, 30)
    truth = np.eye(4, dtype=bool)[codes]
    assert_allclose(
        log_loss(truth, probabilities, exclusive=True) / 30, peer(codes, probabilities, labels=range(4))
    )
    several = rng.random((30, 4)) < 0.4
    expected = sum(peer(several[:, c], probabilities[:, c], labels=[False, True]) for c in range(4))
    assert_allclose(log_loss(several, probabilities, exclusive=False) / 30, expected)


def test_folds_that_cannot_be_held_out_are_refused():
    with pytest.raises(DataError, match="folds have shape"):
        fold_codes(np.arange(3), 4)
    with pytest.raises(DataError, match="all rows are in fold 1"):
        fold_codes(np.ones(4, int), 4)
    with pytest.raises(DataError, match="training rows of a fold have a single class"):
        cross_fit(numbered(8), Targets.of([0] * 4 + [1] * 4), np.arange(8) // 4, logistic_path, Recipe())


@pytest.mark.parametrize(
    "settings", [{"penalties": ()}, {"penalties": (0.0,)}, {"inner_folds": 1}, {"scale": "z"}]
)
def test_senseless_recipes_are_refused(settings):
    with pytest.raises(ParameterError):
        Recipe(**settings)
