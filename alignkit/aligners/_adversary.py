"""The game between a matrix and a discriminator: one epoch after the other, seeded, on any torch device."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.aligners._discriminator import Discriminator, Shape
from alignkit.devices import import_torch, torch_device
from alignkit.shapes import SourceRows, TargetRows

AT_ONCE = 64  # rounds whose rows are drawn together


@dataclass(frozen=True, slots=True)
class Rules:
    """How long an epoch is, what the discriminator is, and how the matrix moves."""

    epoch_size: int
    batch: int
    critic_steps: int
    smoothing: float
    beta: float
    critic: Shape


class Game:
    """A matrix that moves source rows until a discriminator takes them for target rows.

    A round is ``critic_steps`` steps of the discriminator on fresh draws of both sides, then one step of
    the matrix against it, then a step towards an orthogonal matrix. Everything is float32, drawn from a
    generator of its own: on a processor the same seed gives the same bits.
    """

    def __init__(self, source: SourceRows, target: TargetRows, rules: Rules, seed: int) -> None:
        self.torch = torch = import_torch("adversarial")
        self.device, self.rules = torch_device() or "cpu", rules
        self.source, self.target = (
            torch.tensor(np.asarray(side, np.float32), device=self.device) for side in (source, target)
        )
        self.generator = torch.Generator(self.device).manual_seed(seed)
        width = source.shape[1]
        self.matrix = torch.eye(width, device=self.device)
        self.critic = Discriminator(torch, width, rules.critic, self.generator, self.device)
        labels = torch.full((2 * rules.batch, 1), rules.smoothing, device=self.device)
        labels[: rules.batch] = 1 - rules.smoothing
        self.labels = labels

    def epoch(self, rate: float) -> np.ndarray:
        """Play one epoch, the matrix learning at ``rate``; return the matrix, float64."""
        rounds = -(-self.rules.epoch_size // self.rules.batch)
        with self.torch.inference_mode():
            for start in range(0, rounds, AT_ONCE):
                count = min(AT_ONCE, rounds - start)
                sources = self._draw(self.source, count, self.rules.critic_steps + 1)
                targets = self._draw(self.target, count, self.rules.critic_steps)
                for mine, theirs in zip(sources, targets, strict=True):
                    for some, others in zip(mine, theirs, strict=False):
                        mapped = self.source[some] @ self.matrix
                        self.critic.learn(self.torch.cat([mapped, self.target[others]]), self.labels)
                    self._fool(self.source[mine[-1]], rate)
        return self.matrix.cpu().numpy().astype(np.float64)

    def _draw(self, side: Any, rounds: int, batches: int) -> Any:
        size = (rounds, batches, self.rules.batch)
        return self.torch.randint(len(side), size, generator=self.generator, device=self.device)

    def _fool(self, rows: Any, rate: float) -> None:
        """Step the matrix towards what the discriminator takes for targets, then towards a rotation."""
        # the loss is a mean over both sides, of which only the mapped one moves
        slope = self.critic.slope(rows @ self.matrix, self.rules.smoothing) / (2 * self.rules.batch)
        matrix = self.matrix - rate * (rows.T @ slope)
        beta = self.rules.beta
        self.matrix = (1 + beta) * matrix - beta * (matrix @ (matrix.T @ matrix))
