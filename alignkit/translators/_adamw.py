"""AdamW as its paper has it, without what torch's own loads first: five seconds of compiler."""

from typing import Any

Tensor = Any  # torch is imported where it is used, and may be absent
BETAS, EPS = (0.9, 0.999), 1e-8  # torch's own


class AdamW:
    """Step tensors down their gradients, each coordinate by its own scale, and decay them beside.

    ``decays`` says by how much each tensor decays. The moments are plain tensors by name, so that a
    checkpoint can hold them.

    References
    ----------
    Loshchilov and Hutter (2019), *Decoupled weight decay regularization*, algorithm 2.
    """

    def __init__(self, torch: Any, leaves: dict[str, Tensor], decays: dict[str, float]) -> None:
        self.torch, self.leaves, self.decays = torch, leaves, decays
        self.first = {name: torch.zeros_like(leaf.detach()) for name, leaf in leaves.items()}
        self.second = {name: torch.zeros_like(leaf.detach()) for name, leaf in leaves.items()}

    def forget(self) -> None:
        """Drop the gradients."""
        for leaf in self.leaves.values():
            leaf.grad = None

    def step(self, rate: float, count: int) -> None:
        """Take step number ``count``, from 1; a tensor without a gradient stays."""
        beta1, beta2 = BETAS
        with self.torch.no_grad():
            for name, leaf in self.leaves.items():
                if leaf.grad is None:
                    continue
                first, second = self.first[name], self.second[name]
                leaf.mul_(1 - rate * self.decays[name])
                first.lerp_(leaf.grad, 1 - beta1)
                second.mul_(beta2).addcmul_(leaf.grad, leaf.grad, value=1 - beta2)
                scale = (second / (1 - beta2**count)).sqrt_().add_(EPS)
                leaf.addcdiv_(first, scale, value=-rate / (1 - beta1**count))
