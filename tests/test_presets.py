import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alignkit.aligners import METHODS
from alignkit.aligners._both_nearest import nearest
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import UnknownNameError
from alignkit.presets import OTHER_NAMES, PRESETS, names, preset, summary

GENERATOR = Path(__file__).parents[2] / "shared" / "benchmarks" / "make_word_pair.py"
ASKED_FOR = {
    "muse-supervised",
    "muse-unsupervised",
    "vecmap-supervised",
    "vecmap-unsupervised",
    "vecmap-aaai18",
    "rcsls-published",
    *(f"clip2clap-{size}{end}" for size in ("linear", "2layer", "4layer") for end in ("", "-faithful")),
}


def test_the_recipes_of_the_field_are_there():
    assert set(names()) >= ASKED_FOR
    assert names() == sorted(PRESETS)


@pytest.mark.parametrize("name", names())
def test_every_preset_is_a_method_with_parameters_that_it_has(name):
    recipe = preset(name)
    made = recipe.make()
    assert type(made) is METHODS.get(recipe.method)
    assert made.get_params() == METHODS.get(recipe.method)().get_params() | dict(recipe.params)
    made._check_params()
    assert recipe.frames in ("pairs", "all")


@pytest.mark.parametrize("name", names())
def test_every_preset_names_its_paper_and_its_differences_in_one_line_each(name):
    recipe = preset(name)
    assert summary(name) == recipe.paper
    for text in (recipe.paper, recipe.differences):
        assert 20 < len(text) <= 150
        assert "\n" not in text


def test_names_are_written_with_either_dash_and_a_wrong_one_gets_a_suggestion():
    assert preset("VECMAP_supervised") is preset("vecmap-supervised")
    with pytest.raises(
        UnknownNameError, match=r"no preset named 'muse-supervized'. Did you mean 'muse-super"
    ):
        preset("muse-supervized")


def test_a_preset_called_like_a_method_has_another_name():
    """Where methods are accepted too, the method has the name."""
    shadowed = {name for name in names() if name.replace("-", "_") in METHODS.names()}
    assert shadowed <= set(OTHER_NAMES.values())
    assert preset("rcsls-published") is preset("rcsls")
    assert not set(OTHER_NAMES) & set(PRESETS)


def test_nobody_can_change_a_preset():
    with pytest.raises(TypeError):
        preset("rcsls").params["rate"] = 1.0
    with pytest.raises(TypeError):
        PRESETS["mine"] = preset("rcsls")
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset("rcsls").method = "procrustes"


def vecmap(X, Y, links, powers):
    """Whiten, rotate, re-weight, de-whiten as vecmap does, from SVDs of the rows; return both sides."""
    x, y = X[links[:, 0]], Y[links[:, 1]]

    def whitening(m):
        _, s, vt = np.linalg.svd(m, full_matrices=False)
        return vt.T @ np.diag(1 / s) @ vt

    wx, wy = whitening(x), whitening(y)
    u, s, vt = np.linalg.svd((x @ wx).T @ (y @ wy))
    left, right = X @ wx @ u @ np.diag(s ** powers[0]), Y @ wy @ vt.T @ np.diag(s ** powers[1])
    return left @ u.T @ np.linalg.inv(wx) @ u, right @ vt @ np.linalg.inv(wy) @ vt.T


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


@pytest.mark.parametrize(("name", "powers"), [("vecmap-supervised", (0.5, 0.5)), ("vecmap-aaai18", (0, 1))])
def test_the_vecmap_presets_are_its_steps_with_the_frames_of_all_rows(name, powers):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(400, 8)) + 0.5, rng.normal(size=(300, 8)) - 0.3
    Y[:120] += X[:120]
    links = np.stack([np.arange(120)] * 2, axis=1)
    fitted = preset(name).make().fit_vocabulary(X, Y, links)
    framed = []
    for side in (X, Y):
        rows = unit(side)
        rows = rows - rows.mean(axis=0)
        framed.append(unit(rows) if name == "vecmap-supervised" else rows)
    P, Q = (unit(side) for side in vecmap(*framed, links, powers))
    ours = unit(fitted.project_source(X)) @ unit(fitted.project_target(Y)).T
    assert np.allclose(ours, P @ Q.T, atol=1e-8)
    pairs_only = preset(name).make().fit(X[:120], Y[:120])  # the frames of the pairs are other frames
    theirs = unit(pairs_only.project_source(X)) @ unit(pairs_only.project_target(Y)).T
    assert not np.allclose(theirs, P @ Q.T, atol=1e-3)


def test_muse_supervised_starts_from_procrustes_on_raw_rows():
    rng = np.random.default_rng(1)
    X, Q = rng.normal(size=(200, 8)) + 1, np.linalg.qr(rng.normal(size=(8, 8)))[0]
    Y = X @ Q + 0.3 * rng.normal(size=(200, 8))
    links = np.stack([np.arange(50)] * 2, axis=1)
    recipe = preset("muse-supervised")
    start = recipe.make().set_params(rounds=0).fit_vocabulary(X, Y, links)
    assert np.allclose(start.matrix_, Procrustes(normalize="none").fit(X[:50], Y[:50]).matrix_, atol=1e-10)
    assert len(recipe.make().fit_vocabulary(X, Y, links).history_) > 0


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Return both vocabularies, the training and the test links that the published tools were measured on."""
    if not GENERATOR.is_file():
        pytest.skip(f"{GENERATOR} is absent")
    folder = tmp_path_factory.mktemp("words")
    make = [sys.executable, str(GENERATOR), "--out", str(folder), "--text", "0"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    with np.load(folder / "pair.npz") as made:
        return tuple(made[part] for part in ("X", "Y", "train", "test"))


def share_right(fitted, X, Y, test, *, csls):
    """Return the share of test words, in per cent, whose best target is one of their translations."""
    queries, place = np.unique(test[:, 0], return_inverse=True)
    right = np.zeros((len(queries), len(Y)), bool)
    right[place, test[:, 1]] = True
    P, Q = (unit(rows).astype(np.float32) for rows in (fitted.project_source(X), fitted.project_target(Y)))
    scores = P[queries] @ Q.T
    if csls:
        scores = 2 * scores - nearest(Q, P, 10).scores.mean(axis=1)
    return round(100 * float(right[np.arange(len(queries)), scores.argmax(axis=1)].mean()), 2)


def test_vecmap_supervised_gives_what_vecmap_gives(words):
    X, Y, train, test = words
    fitted = preset("vecmap-supervised").make().fit_vocabulary(X, Y, train)
    assert share_right(fitted, X, Y, test, csls=False) == 79.00
    assert share_right(fitted, X, Y, test, csls=True) == 82.40


def test_muse_supervised_starts_where_muse_starts(words):
    X, Y, train, test = words
    fitted = preset("muse-supervised").make().set_params(rounds=0).fit_vocabulary(X, Y, train)
    assert share_right(fitted, X, Y, test, csls=False) == 75.07
    assert share_right(fitted, X, Y, test, csls=True) == 79.80


def test_our_preset_finds_more_words_than_the_best_published_tool(words):
    """By nearest neighbour alone, which is cheap: 82.0 is RCSLS with a working line search."""
    X, Y, train, test = words
    numbers = {"regularization": 0.1, "exponent": 0.5}  # what is chosen on the training pairs
    fitted = preset("alignkit-supervised").make().set_params(**numbers, rounds=0).fit_vocabulary(X, Y, train)
    assert share_right(fitted, X, Y, test, csls=False) > 90


@pytest.fixture(scope="module")
def texts():
    """Return pairs whose source rows have many lengths, as raw CLIP rows have, and unit targets."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8)) * rng.uniform(2, 9, size=(60, 1))
    return X, unit(X @ np.linalg.qr(rng.normal(size=(8, 8)))[0])


@pytest.mark.parametrize("size", ["linear", "2layer", "4layer"])
def test_clip2clap_has_its_networks_and_its_defects_where_it_is_faithful(size, texts):
    """Raw rows in, so lengths matter; answers cut and not unit; nothing held out. Its loss: test_losses."""
    X, Y = texts
    faithful, repaired = (preset(f"clip2clap-{size}{end}").make() for end in ("-faithful", ""))
    for made in (faithful, repaired):
        made.set_params(epochs=1)
        made.fit(X, Y)
        layers = {"linear": 1, "2layer": 2, "4layer": 4}[size]
        assert made.network_.widths == (8,) * (layers + 1)
        assert made.network_.activation == "tanh"
    cut = {"linear": 0.3, "2layer": 0.3, "4layer": 0.2}[size]
    assert np.abs(faithful.transform(50 * X)).max() == pytest.approx(cut)
    lengths = [np.linalg.norm(made.transform(X), axis=1) for made in (faithful, repaired)]
    assert np.abs(lengths[0] - 1).max() > 0.1
    assert np.abs(lengths[1] - 1).max() < 1e-6
    moved = [np.abs(made.transform(2 * X) - made.transform(X)).max() for made in (faithful, repaired)]
    assert moved[0] > 0.01
    assert moved[1] < 1e-6
    assert faithful.get_params()["loss"] == "inverse_distance_published"
    assert repaired.get_params()["loss"] == "inverse_distance"
    assert np.isnan(faithful.history_[0, 1])  # nothing is held out
    assert np.isfinite(repaired.history_[0, 1])


def test_the_repaired_recipe_learns_more_of_what_can_be_learnt_than_the_faithful_one(texts):
    X, Y = texts
    scores = {}
    for end in ("", "-faithful"):
        made = preset(f"clip2clap-linear{end}").make().set_params(batch=8, epochs=80, validation=0.0)
        scores[end] = made.fit(X[:40], Y[:40]).score(X[40:], Y[40:])
    assert scores[""] > scores["-faithful"] + 0.1
