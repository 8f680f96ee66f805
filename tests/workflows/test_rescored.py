import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows import Evaluation, Rescoring, evaluate, evaluate_rescored, fit, rescored


def hubs(seed: int, n: int, bank: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return queries, gallery and banks of both, drawn alike; some gallery items are near to every query."""
    rng = np.random.default_rng(seed)
    shift = 2.0 * np.eye(24)[0]
    x = rng.standard_normal((n + bank, 24))
    y = x + 1.2 * rng.standard_normal(x.shape)
    pull = rng.exponential(1.0, (len(y), 1))
    x, y = x + shift, y + pull * shift
    return x[:n], y[:n], x[n:], y[n:]


def value(found: Evaluation, section: str, metric: str = "mrr") -> float:
    return found.report.sections[section][metric].value


@pytest.mark.parametrize("method", ["csls", "qb-norm", "mutual-proximity"])
def test_with_hubs_re_scoring_helps_and_stands_beside_the_plain_cosine(method: str):
    gains = []
    for seed in range(3):
        x, y, bank, other = (Embeddings(side) for side in hubs(seed, 300, 600))
        found = evaluate_rescored(x, y, Rescoring(method, bank, other))
        plain = evaluate(x, y).report.sections
        for direction in ("forward", "backward"):
            assert found.report.sections[f"plain_{direction}"] == plain[direction]
        gains.append(value(found, "forward") - value(found, "plain_forward"))
        assert not found.report.context["protocol"]["warnings"]
    assert min(gains) > 0.02


def test_a_bank_of_the_test_queries_is_warned_of_and_looks_better():
    x, y, bank, _ = (Embeddings(side) for side in hubs(0, 300, 300))
    honest = evaluate_rescored(x, y, Rescoring("inverted-softmax", bank))
    leaked = evaluate_rescored(x, y, Rescoring("inverted-softmax", x))
    assert value(leaked, "forward") > value(honest, "forward") + 0.02
    assert "300 of the test queries stand in the bank" in str(leaked.report.context["protocol"]["warnings"])
    alone = evaluate_rescored(x, y, Rescoring("sinkhorn"))
    assert "learnt from the test queries themselves" in str(alone.report.context["protocol"]["warnings"])


def test_without_a_bank_like_the_gallery_the_gallery_does_not_ask():
    x, y, bank, _ = (Embeddings(side) for side in hubs(0, 50, 100))
    found = evaluate_rescored(x, y, Rescoring("csls", bank))
    assert list(found.report.sections) == ["forward", "plain_forward"]
    assert list(found.tables) == ["forward"]
    assert found.tables["forward"]["id"].to_pylist() == list(range(50))


def test_banks_go_through_the_alignment_as_their_sides_do():
    rng = np.random.default_rng(3)
    rotation = np.linalg.qr(rng.standard_normal((24, 24)))[0]
    x, y, bank, other = hubs(3, 200, 400)
    left, right, near, far = (Embeddings(side) for side in (x, y @ rotation, bank, other @ rotation))
    fitted = fit(near, far, method="procrustes", test=0).alignment
    protocol = Protocol(metrics=("mrr",), resamples=0)
    found = evaluate_rescored(left, right, Rescoring("csls", near, far), alignment=fitted, protocol=protocol)
    plain = evaluate(left, right, alignment=fitted, protocol=protocol).report.sections
    for direction in ("forward", "backward"):
        assert value(found, f"plain_{direction}") == plain[direction]["mrr"].value
        assert value(found, direction) > 0.5


def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch):
    x, y, bank, other = (Embeddings(side) for side in hubs(0, 30, 40))
    with pytest.raises(ParameterError, match="made for cosines, not for dot"):
        evaluate_rescored(x, y, Rescoring("csls", bank), protocol=Protocol(similarity="dot"))
    with pytest.raises(ParameterError, match="serves no direction alone"):
        evaluate_rescored(x, y, Rescoring("csls", None, other))
    with pytest.raises(ParameterError, match="csls needs a bank"):
        evaluate_rescored(x, y, Rescoring("csls"))
    with pytest.raises(ParameterError, match="beta is 'high': give a number"):
        evaluate_rescored(x, y, Rescoring("qb-norm", bank, options={"beta": "high"}))
    monkeypatch.setattr(rescored, "LARGEST", 100)
    with pytest.raises(DataError, match="900 scores"):
        evaluate_rescored(x, y, Rescoring("csls", bank))
