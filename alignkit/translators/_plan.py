"""What a training run is told, checked: one record for the loop."""

from dataclasses import dataclass
from typing import Any

from alignkit._params import check_amount, check_count, check_flag
from alignkit.errors import ParameterError
from alignkit.translators._losses import LOSSES, Loss
from alignkit.translators._schedule import SCHEDULES, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a network learns; the fields are parameters of `Translator` and are described there."""

    loss: Loss
    temperature: float
    margin_step: float
    batch: int
    epochs: int
    rate: float
    weight_decay: float
    schedule: Schedule
    warmup: float
    clip: float
    ema: float
    validation: float
    folds: int
    patience: int
    refit: bool
    mixed: bool
    seed: int

    @classmethod
    def of(cls, params: dict[str, Any]) -> "Plan":
        """Return the plan among a translator's parameters.

        Raises
        ------
        ParameterError
            If one of them makes no sense.
        """
        plan = cls(**{name: params[name] for name in cls.__slots__})
        for name, known in (("loss", LOSSES), ("schedule", SCHEDULES)):
            if params[name] not in known:
                raise ParameterError(f"{name} is {params[name]!r}; choose one of {', '.join(known)}.")
        for name, least in (("batch", 2), ("epochs", 0), ("folds", 1), ("patience", 1), ("seed", 0)):
            check_count(name, params[name], least=least)
        for name in ("temperature", "margin_step", "rate", "weight_decay", "clip"):
            check_amount(name, params[name])
        for name, below in (("warmup", 1), ("ema", 1), ("validation", 0.6)):
            check_amount(name, params[name])
            if params[name] >= below:
                raise ParameterError(f"{name} is {params[name]!r}; give a share from 0 to less than {below}.")
        for name in ("refit", "mixed"):
            check_flag(name, params[name])
        if plan.temperature == 0:
            raise ParameterError("temperature is 0; scores are divided by it: give a number > 0.")
        return plan
