import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.translators import training
from alignkit.translators._search import best_epoch
from alignkit.translators.mlp import MLP

SHORT = {"hidden": 16, "epochs": 3, "batch": 32, "rate": 3e-3, "dropout": 0.0}


def test_an_epoch_must_be_better_than_the_start_by_more_than_chance():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=(5, 40))
    rising = np.linspace(0, 0.1, 40) + noise
    assert best_epoch(rising) > 30
    falling = -rising
    assert best_epoch(falling) == 0
    assert best_epoch(np.array([[0.5, 0.9], [0.5, 0.3], [0.5, 0.45]])) == 0  # one lucky fold
    assert best_epoch(np.array([[0.5, 0.6, 0.4]])) == 1


def test_every_fold_is_trained_and_kept_and_the_last_training_has_all_pairs(bent, tmp_path):
    X, Y = bent
    seen = []
    with training(checkpoints=tmp_path, watch=lambda done, total, *_: seen.append((done, total))):
        fitted = MLP(**SHORT, folds=3).fit(X, Y)
    assert {path.stem for path in tmp_path.iterdir()} == {"search", "search2", "search3", "refit"}
    assert seen[:9] == [(1, 3), (2, 3), (3, 3)] * 3
    assert fitted.history_.shape == (3, 3)
    whole = MLP(**SHORT | {"epochs": fitted.epochs_}, validation=0.0).fit(X, Y)
    assert np.array_equal(whole.transform(X), fitted.transform(X))


def test_folds_hold_out_whole_groups_or_refuse(bent):
    X, Y = bent
    with pytest.raises(ParameterError, match="all of them share a row or a group"):
        MLP(**SHORT, folds=3).fit(X, Y, groups=np.zeros(len(X)))
