"""How fast a network learns at each step, and how its weights are averaged."""

import math
from typing import Any, Literal, TypeAlias, get_args

Schedule: TypeAlias = Literal["constant", "cosine"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)


def rate_factor(schedule: Schedule, warmup: float, step: int, steps: int) -> float:
    """Return what the learning rate is multiplied by at ``step``, counted from 0, of ``steps``.

    It rises from nearly 0 for the first ``warmup`` of all steps; then it stays, or falls along half a
    cosine to nearly 0.
    """
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    if schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


class Average:
    """The exponential moving average of trained tensors: what is judged and kept.

    The decay grows with the steps up to ``decay``, so that the start is soon forgotten; 0 keeps the
    tensors themselves.
    """

    def __init__(self, tensors: dict[str, Any], decay: float) -> None:
        self.decay = decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def update(self, tensors: dict[str, Any], step: int) -> None:
        """Take in what step number ``step``, counted from 0, made of the tensors."""
        share = 1 - min(self.decay, (1 + step) / (10 + step)) if self.decay else 1.0
        for name, tensor in tensors.items():
            self.tensors[name].lerp_(tensor.detach(), share)
