import pytest
import torch

from alignkit.translators._schedule import Average, rate_factor


def test_the_rate_rises_and_then_stays_or_falls_along_half_a_cosine():
    assert [rate_factor("constant", 0.2, step, 10) for step in range(4)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 1]
    )
    falling = [rate_factor("cosine", 0.2, step, 10) for step in range(2, 10)]
    assert falling[0] == 1
    assert falling[4] == pytest.approx(0.5)
    assert falling == sorted(falling, reverse=True)
    assert 0 < falling[-1] < 0.05


def test_the_average_forgets_its_start_and_is_the_weights_themselves_at_decay_0():
    weights = {"a": torch.zeros(3)}
    slow, none = Average(weights, 0.9), Average(weights, 0.0)
    weights["a"] += 1
    for step in range(30):
        slow.update(weights, step)
    none.update(weights, 0)
    by_hand = 1.0
    for step in range(30):
        by_hand *= min(0.9, (1 + step) / (10 + step))
    assert slow.tensors["a"].tolist() == pytest.approx([1 - by_hand] * 3, abs=1e-6)
    assert none.tensors["a"].tolist() == [1, 1, 1]
    assert weights["a"].tolist() == [1, 1, 1]
