"""Class texts are joined by name, ties come in every order, and CLAP on ESC-50 scores what it scores."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.probes.resampling import Resampling
from alignkit.probes.targets import Targets
from alignkit.probes.zero_shot import class_rows, expected_hits, zero_shot

QUICK = Resampling(resamples=200)


def test_clap_on_esc50_scores_915_by_name_and_chance_by_position(esc50, esc50_texts):
    texts, names, by_number = esc50_texts
    by_name = zero_shot(esc50.rows, esc50.labels, texts, names, groups=esc50.sources, resampling=QUICK)
    top1 = by_name.scores["top1_accuracy"]
    assert_allclose(top1.value, 0.915, atol=1e-9)
    assert_allclose(by_name.scores["top5_accuracy"].value, 0.9935, atol=1e-9)
    assert (top1.n, top1.chance) == (1524, 0.02)
    assert 0.89 < top1.low < 0.905
    assert 0.925 < top1.high < 0.94
    by_position = zero_shot(esc50.rows, esc50.labels, texts, by_number, resampling=QUICK)
    assert_allclose(by_position.scores["top1_accuracy"].value, 0.0405, atol=1e-9)


def test_the_order_of_texts_classes_and_rows_changes_no_number(esc50, esc50_texts):
    texts, names, _ = esc50_texts
    rng = np.random.default_rng(0)
    mixed, order = rng.permutation(50), rng.permutation(2000)[:600]
    labels = np.array(esc50.labels)
    one = zero_shot(esc50.rows[np.sort(order)], labels[np.sort(order)], texts, names, resampling=QUICK)
    other = zero_shot(
        esc50.rows[order], labels[order], texts[mixed], np.array(names)[mixed], resampling=QUICK
    )
    for name, score in one.scores.items():
        assert_allclose(
            [score.value, score.low, score.high],
            [other.scores[name].value, other.scores[name].low, other.scores[name].high],
            atol=1e-12,
        )


@pytest.mark.parametrize("seed", range(3))
def test_an_ensemble_is_the_unit_mean_of_unit_texts(seed):
    rng = np.random.default_rng(seed)
    texts, codes = rng.normal(size=(12, 6)) * rng.uniform(0.1, 9, (12, 1)), np.arange(12) % 3
    names = np.array(["b", "c", "a"])[codes]
    units = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    for row, name in zip(class_rows(texts, names, ["a", "b", "c"]), "abc", strict=True):
        mean = units[names == name].mean(axis=0)
        assert_allclose(row, mean / np.linalg.norm(mean))


def test_an_ensemble_of_noisy_texts_beats_one_of_them():
    better = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        corners = rng.normal(size=(10, 30))
        rows = np.repeat(corners, 20, axis=0) + 1.5 * rng.normal(size=(200, 30))
        labels, texts = np.repeat(np.arange(10), 20), corners[None] + 2 * rng.normal(size=(8, 10, 30))
        one = zero_shot(rows, labels, texts[0], np.arange(10), resampling=QUICK)
        all_eight = zero_shot(
            rows, labels, texts.reshape(80, 30), np.tile(np.arange(10), 8), resampling=QUICK
        )
        better.append(all_eight.scores["top1_accuracy"].value - one.scores["top1_accuracy"].value)
    assert min(better) > 0.05


def test_a_collapsed_space_scores_at_chance_exactly():
    result = zero_shot(
        np.ones((40, 7)), np.arange(40) % 8, np.ones((8, 7)), np.arange(8), top=[1, 3, 8], resampling=QUICK
    )
    for name in ("top1_accuracy", "top3_accuracy", "top8_accuracy", "balanced_accuracy", "map"):
        score = result.scores[name]
        assert_allclose(score.value, score.chance, atol=1e-12)
    assert_allclose(result.scores["top3_accuracy"].value, 3 / 8)


def test_hits_are_the_mean_over_every_order_of_tied_classes():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (30, 5)).astype(float)
    targets = Targets.of(rng.integers(0, 5, 30), np.arange(5))
    for k in range(1, 6):
        every = [
            [targets.codes[row] in sorted(order, key=lambda c: -scores[row, c])[:k] for row in range(30)]
            for order in itertools.permutations(range(5))
        ]
        assert_allclose(expected_hits(scores, targets, k), np.mean(every, axis=0))


@pytest.mark.parametrize("n", [1, 3, 40])
def test_classes_of_one_text_tie_to_the_last_bit(n):
    rng = np.random.default_rng(n)
    texts = rng.normal(size=(6, 33)).astype(np.float32)
    texts[4] = texts[1]
    rows = texts[1] + 0.1 * rng.normal(size=(n, 33))
    result = zero_shot(rows, ["1"] * n, texts, list("012345"), top=[1, 2], resampling=QUICK)
    assert result.scores["top1_accuracy"].value == 0.5
    assert result.scores["top2_accuracy"].value == 1.0


def test_several_classes_a_row_are_scored_by_their_ranking():
    rng = np.random.default_rng(0)
    labels = rng.random((200, 4)) < 0.3
    rows = labels @ np.eye(4, 6) + 0.2 * rng.normal(size=(200, 6))
    result = zero_shot(rows, labels, np.eye(4, 6), list("abcd"), resampling=QUICK)
    assert list(result.scores) == ["map"]
    assert result.scores["map"].value > 0.9
    assert result.scores["map"].chance < 0.4


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(DataError, match="row 0 has class 'owl'"):
        zero_shot(np.eye(2), ["owl", "cat"], np.eye(2), ["cat", "dog"], top=[1])
    with pytest.raises(DataError, match="give one name each"):
        zero_shot(np.eye(2), ["cat", "dog"], np.eye(2), ["cat", "dog", "owl"], top=[1])
    with pytest.raises(DataError, match="rows have 3 dimensions and class texts 2"):
        zero_shot(np.eye(3), ["cat", "dog", "cat"], np.eye(2), ["cat", "dog"], top=[1])
    with pytest.raises(DataError, match="row 1 is zero or not finite"):
        zero_shot(np.diag([1.0, 0.0]), ["cat", "dog"], np.eye(2), ["cat", "dog"], top=[1])
    with pytest.raises(DataError, match="mean text of class 0 is zero"):
        zero_shot(
            np.eye(2), ["cat", "dog"], np.array([[1.0, 0], [-1, 0], [0, 1]]), ["cat", "cat", "dog"], top=[1]
        )
    with pytest.raises(DataError, match="class 'c' has no text"):
        class_rows(np.eye(2), ["a", "b"], ["a", "b", "c"])


@pytest.mark.parametrize("top", [[0], [3], [1.5], []])
def test_a_top_beyond_the_classes_is_refused(top):
    with pytest.raises(ParameterError, match="whole numbers from 1 to 2"):
        zero_shot(np.eye(2), ["cat", "dog"], np.eye(2), ["cat", "dog"], top=top)
