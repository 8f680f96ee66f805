import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.like.muse import Muse


def vocabularies(seed: int, n: int = 60, d: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return two noisy copies of one cloud, a dictionary of half of it, and some second translations."""
    rng = np.random.default_rng(seed)
    source = rng.standard_normal((n, d))
    relevance = np.eye(n, dtype=int)
    relevance[n // 2 :] = 0
    relevance[np.arange(5), rng.integers(0, n, 5)] = 1
    return source, source + 0.9 * rng.standard_normal((n, d)), relevance


def by_its_steps(source: np.ndarray, target: np.ndarray, relevance: np.ndarray, csls: bool) -> list[float]:
    """Follow MUSE: cosines, the ten nearest of both vocabularies, topk(10), any translation counts."""
    torch = pytest.importorskip("torch")
    left, right = (
        torch.nn.functional.normalize(torch.from_numpy(x).float(), dim=1) for x in (source, target)
    )
    pairs = torch.from_numpy(np.argwhere(relevance))
    scores = left[pairs[:, 0]] @ right.T
    if csls:
        own, other = ((a @ b.T).topk(10, dim=1)[0].mean(1) for a, b in ((left, right), (right, left)))
        scores = 2 * scores - own[pairs[:, 0]][:, None] - other[None]
    top = scores.topk(10, 1, True)[1]
    found = []
    for k in (1, 5, 10):
        hit = {}
        for i, (word, translation) in enumerate(pairs.tolist()):
            hit[word] = min(hit.get(word, 0) + int((top[i, :k] == translation).sum()), 1)
        found.append(100 * float(np.mean(list(hit.values()))))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_steps_of_the_tool_give_the_same_from_embeddings(seed: int):
    source, target, relevance = vocabularies(seed)
    found = Muse().score_vectors(source, target, relevance)
    for method, csls in (("nn", False), ("csls_knn_10", True)):
        values = [found[f"precision_at_{k}-{method}"] for k in (1, 5, 10)]
        assert values == pytest.approx(by_its_steps(source, target, relevance, csls), abs=1e-6)
    assert found.skipped == 30  # words outside the dictionary


def test_csls_demotes_a_hub_that_is_everyones_nearest():
    n = 12
    scores = np.full((n, n), 0.1) + 0.4 * np.eye(n)
    scores[:, 0] = 0.6  # a target that is close to all
    found = Muse().score(scores)
    assert found["precision_at_1-nn"] == pytest.approx(100 / n)
    assert found["precision_at_1-csls_knn_10"] > 90


def test_leaving_out_source_words_changes_csls_and_not_the_nearest_neighbours():
    source, target, relevance = vocabularies(1)
    scores = Muse().cosines(source, target)
    whole, part = Muse().score(scores, relevance), Muse().score(scores[:30], relevance[:30])
    assert whole["precision_at_5-nn"] == part["precision_at_5-nn"]
    csls = [f"precision_at_{k}-csls_knn_10" for k in (1, 5, 10)]
    assert [whole[name] for name in csls] != [part[name] for name in csls]


def test_ties_are_those_of_a_list_of_ten_whatever_k():
    scores, relevance = np.full((1, 12), 0.5), np.zeros((1, 12), int)
    hits = []
    for item in range(12):
        relevance[:] = 0
        relevance[0, item] = 1
        hits.append(Muse().score(scores, relevance, ["precision_at_1-nn"])["precision_at_1-nn"])
    torch = pytest.importorskip("torch")
    assert np.argmax(hits) == torch.topk(torch.full((12,), 0.5), 10)[1][0]
    assert sorted(hits) == [0.0] * 11 + [100.0]


def test_too_few_words_and_too_long_lists_fail_as_they_do_there():
    with pytest.raises(ParameterError, match="10 of 9 items"):
        Muse().score(np.eye(9), metrics=["precision_at_1-nn"])
    with pytest.raises(ParameterError, match="10 nearest of 3 source words"):
        Muse().score(np.ones((3, 12)), np.eye(3, 12, dtype=int), ["precision_at_1-csls_knn_10"])
    with pytest.raises(ParameterError, match="lists 10 targets"):
        Muse().score(np.eye(30), metrics=["precision_at_20-nn"])


def test_embeddings_that_have_no_cosine_are_refused():
    with pytest.raises(DataError, match="source words have 3 dimensions and target words 4"):
        Muse().score_vectors(np.ones((2, 3)), np.ones((2, 4)), np.eye(2, dtype=int))
    with pytest.raises(DataError, match="row 1 of the target words has no direction"):
        Muse().score_vectors(np.ones((2, 3)), np.array([[1.0, 0, 0], [0, 0, 0]]), np.eye(2, dtype=int))
