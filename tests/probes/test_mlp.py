"""An MLP probe reads what no plane divides, repeats itself, and scores noise at chance."""

import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.probes.mlp import MlpRecipe, mlp_probe
from alignkit.probes.resampling import Resampling

QUICK = Resampling(resamples=100)
SMALL = MlpRecipe(hidden=(32,), penalties=(1e-2,), scale="standard", rate=0.02, epochs=150)


def crossed(seed, n=300):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 2, (n, 2))
    return corners - 0.5 + 0.1 * rng.normal(size=(n, 2)), corners


@pytest.mark.parametrize("seed", range(2))
def test_it_reads_the_exclusive_or_that_a_linear_probe_cannot(seed):
    rows, corners = crossed(seed)
    result = mlp_probe(
        rows, corners[:, 0] ^ corners[:, 1], np.arange(300) % 3, recipe=SMALL, resampling=QUICK
    )
    assert result.scores["accuracy"].value > 0.98
    assert (result.facts["probe"], result.facts["hidden"]) == ("mlp", [32])


def test_several_classes_a_row_are_read_together():
    rows, corners = crossed(0)
    truth = np.stack([corners[:, 0], corners[:, 0] ^ corners[:, 1]], axis=1)
    result = mlp_probe(rows, truth, np.arange(300) % 3, classes=["a", "b"], recipe=SMALL, resampling=QUICK)
    assert result.scores["macro_f1"].value > 0.95
    one = mlp_probe(rows, truth[:, 1:], np.arange(300) % 3, classes=["b"], recipe=SMALL, resampling=QUICK)
    assert one.scores["macro_f1"].value > 0.95


def test_yamnet_on_esc10_is_as_legible_as_to_a_linear_probe(esc10):
    recipe = MlpRecipe(hidden=(64,), penalties=(0.01,))
    result = mlp_probe(
        esc10.rows, esc10.labels, esc10.folds, groups=esc10.sources, recipe=recipe, resampling=QUICK
    )
    assert result.scores["accuracy"].value > 0.96


def test_noise_scores_at_chance_and_the_same_seed_gives_the_same_numbers():
    rng = np.random.default_rng(0)
    rows, labels, folds = rng.normal(size=(200, 8)), np.arange(200) % 2, np.arange(200) // 2 % 4
    first, second = (mlp_probe(rows, labels, folds, recipe=SMALL, resampling=QUICK) for _ in range(2))
    assert abs(first.scores["accuracy"].value - 0.5) < 0.12
    assert np.array_equal(first.class_scores, second.class_scores)


def test_the_penalty_is_chosen_on_inner_folds():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(120, 20)), np.arange(120)[:, None] % 2
    recipe = MlpRecipe(hidden=(32,), penalties=(1e-4, 300.0), scale="standard", epochs=60)
    result = mlp_probe(rows, labels, np.arange(120) // 2 % 4, classes=["x"], recipe=recipe, resampling=QUICK)
    assert result.facts["chosen"] == [300.0] * 4  # noise is best left alone


@pytest.mark.parametrize("settings", [{"hidden": ()}, {"hidden": (0,)}, {"rate": 0.0}, {"epochs": 0}])
def test_senseless_networks_are_refused(settings):
    with pytest.raises(ParameterError, match="all are positive"):
        MlpRecipe(**settings)
