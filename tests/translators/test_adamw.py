import pytest
import torch

from alignkit.translators._adamw import AdamW

# of torch.optim.AdamW 2.14.1 on the same gradients; to build it loads a compiler for seconds
GOLDEN = [1.0679585215105598, -2.045311981704619, 0.5792817009028762]


def test_the_steps_are_those_of_torchs_own():
    leaf = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    still = torch.ones(2, requires_grad=True)
    optimiser = AdamW(torch, {"leaf": leaf, "still": still}, {"leaf": 0.1, "still": 0.5})
    for count in range(1, 6):
        leaf.grad = torch.tensor([1.0, -3.0, 0.01], dtype=torch.float64) * (-1) ** count * count
        optimiser.step(0.1 / count, count)
    assert leaf.tolist() == pytest.approx(GOLDEN, rel=1e-12)
    assert still.tolist() == [1, 1]  # what has no gradient stays
    optimiser.forget()
    assert leaf.grad is None
