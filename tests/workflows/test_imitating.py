import numpy as np
import pytest

from alignkit.errors import DataError, UnknownNameError
from alignkit.pairs import Pairs
from alignkit.retrieval.exact.vectors import SIMILARITIES, Similarity
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows import dense_scores, evaluate, fit, imitate, imitating


def sides(seed: int, n: int = 60, g: int = 60) -> tuple[Embeddings, Embeddings]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((max(n, g), 12))
    return Embeddings(x[:n]), Embeddings((x + rng.standard_normal(x.shape))[:g])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_without_ties_a_tool_that_means_the_same_says_the_same(seed: int, similarity: Similarity):
    left, right = sides(seed)
    protocol = Protocol(metrics=("mrr", "hit@5"), similarity=similarity, resamples=0)
    found = imitate(*dense_scores(left, right, protocol=protocol), "trec_eval", metrics=["mrr", "hit@5"])
    ours = evaluate(left, right, protocol=protocol).report.sections["forward"]
    for name, value in found.figures.items():
        assert value == pytest.approx(ours[name].value, abs=1e-12)
        assert found.ours[name] == pytest.approx(value, abs=1e-12)
    assert not found.findings


def test_the_steps_lead_from_our_figure_to_theirs():
    left, right = sides(0)
    vectors = np.concatenate([np.asarray(right.vectors)[:30]] * 2)  # every item twice: ties
    found = imitate(*dense_scores(left, Embeddings(vectors)), "open_clip")
    assert found.findings
    for name, value in found.figures.items():
        steps = sum(finding.step for finding in found.findings if finding.metric == name)
        assert found.ours[name] + steps == pytest.approx(value, abs=1e-9)


def test_an_alignment_and_pairs_are_those_of_the_evaluation():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((80, 10))
    left = Embeddings(x, ids=[f"a{i}" for i in range(80)])
    right = Embeddings(x @ np.linalg.qr(rng.standard_normal((10, 10)))[0], ids=[f"b{i}" for i in range(80)])
    pairs = Pairs(left, right, np.stack([np.arange(80)] * 2, axis=1))
    fitted = fit(left, right, pairs=pairs, method="procrustes", test=0).alignment
    scores, relevance = dense_scores(left, right, pairs=pairs, alignment=fitted)
    assert imitate(scores, relevance, "ranx", metrics=["mrr"]).figures["mrr"] == 1
    assert relevance.sum() == 80
    plain, _ = dense_scores(left, right, pairs=pairs)
    assert imitate(plain, relevance, "ranx", metrics=["mrr"]).figures["mrr"] < 0.3


def test_nothing_in_json_is_no_number():
    scores = np.array([[0.5, 0.5, 0.1], [0.1, 0.9, 0.2]])
    found = imitate(scores, np.array([[1, 0, 0], [0, 0, 0]]), "clip_benchmark", metrics=["recall@1"])
    assert found.to_json()["schema"] == "alignkit.like/1"
    assert np.isnan(found.figures["recall@1"])
    text = str(found.to_json())
    assert "nan" not in text
    assert "inf" not in text.replace("info", "")


def test_what_cannot_be_done_is_refused(monkeypatch: pytest.MonkeyPatch):
    left, right = sides(0)
    with pytest.raises(UnknownNameError, match="Did you mean 'ranx'"):
        imitate(np.eye(3), None, "rankx")
    monkeypatch.setattr(imitating, "LARGEST", 100)
    with pytest.raises(DataError, match="60 queries x 60 items are 3,600 scores"):
        dense_scores(left, right)
