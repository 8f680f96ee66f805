import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.like.muse import Muse
from alignkit.retrieval.like.vecmap import Vecmap


def mean_by_repeated_argmax(block: np.ndarray, k: int) -> np.ndarray:
    """Take the greatest k times, each time overwriting it with the least of the whole block."""
    block, least = block.copy(), block.min()
    total = np.zeros(len(block), np.float32)
    for _ in range(k):
        best = block.argmax(axis=1)
        total += block[np.arange(len(block)), best]
        block[np.arange(len(block)), best] = least
    return total / k


def accuracy(scores: np.ndarray, relevance: np.ndarray) -> float:
    words = np.flatnonzero(relevance.any(axis=1))
    return float(np.mean([relevance[w, scores[w].argmax()] > 0 for w in words]))


@pytest.mark.parametrize("neighbourhood", [1, 10, 25])
@pytest.mark.parametrize("n_source", [18, 60])  # fewer than 25 neighbours, and more
def test_the_steps_of_the_tool_give_the_same(n_source: int, neighbourhood: int):
    rng = np.random.default_rng(n_source + neighbourhood)
    scores = (rng.random((n_source, 700)) - 0.2).astype(np.float32)  # two blocks of targets
    relevance = (rng.random((n_source, 700)) < 0.01).astype(int)
    scores += np.float32(0.3) * relevance
    means = np.concatenate(
        [mean_by_repeated_argmax(scores[:, i : i + 500].T, neighbourhood) for i in (0, 500)]
    )
    found = Vecmap(neighbourhood=neighbourhood).score(scores, relevance)
    assert found["accuracy-nn"] == pytest.approx(accuracy(scores, relevance))
    assert found["accuracy-csls"] == pytest.approx(accuracy(2 * scores - means.astype(float), relevance))


def test_a_mean_is_filled_up_with_the_least_cosine_of_the_block():
    scores = np.array([[0.90, 0.80, -1.0], [-0.5, -0.5, -0.5]])
    adjusted = Vecmap(neighbourhood=3).figure("accuracy-csls").convention.adjust
    assert adjusted is not None
    wanted = 2 * scores - (scores.sum(axis=0) + -1.0) / 3
    np.testing.assert_allclose(adjusted(scores), wanted)


@pytest.mark.parametrize("seed", range(3))
def test_its_csls_finds_the_same_word_as_that_of_muse(seed: int):
    rng = np.random.default_rng(seed)
    source = rng.standard_normal((40, 6))
    scores = Muse().cosines(source, source + rng.standard_normal((40, 6)))
    muse = Muse().score(scores)["precision_at_1-csls_knn_10"]
    assert 100 * Vecmap().score(scores)["accuracy-csls"] == pytest.approx(muse)


def test_the_first_of_equal_targets_wins():
    scores = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert Vecmap().score(scores, metrics=["accuracy-nn"]) == {"accuracy-nn": 0.5}
    assert Vecmap().score(scores, np.array([[1, 0], [1, 0]]), ["accuracy-nn"]) == {"accuracy-nn": 1.0}


def test_coverage_is_the_share_of_words_that_can_be_looked_up():
    relevance = np.diag([1, 1, 0, 0])
    found = Vecmap().score(np.eye(4), relevance)
    assert (found["coverage"], found["accuracy-nn"], found.skipped) == (0.5, 1.0, 2)
    assert Vecmap(words=3).score(np.eye(4), relevance, ["coverage"]) == {"coverage": pytest.approx(2 / 3)}
    with pytest.raises(DataError, match="2 words have a translation"):
        Vecmap(words=1).score(np.eye(4), relevance, ["coverage"])


def test_a_neighbourhood_of_nobody_is_refused():
    with pytest.raises(ParameterError, match="at least 1 neighbour"):
        Vecmap(neighbourhood=0)
