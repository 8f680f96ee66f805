"""Numbers that never appear alone: a value with its interval, its count and its chance level."""

import math
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """Hold one measured value and what is needed to judge it.

    Parameters
    ----------
    value
        The measurement; its range and direction are the metric's own.
    low, high
        Ends of the interval (95 % unless the report says otherwise), or None where no valid one is known.
    n
        How many independent observations stand behind it (queries, pairs, rows).
    chance
        What the same computation gives where there is nothing to find, or None.
    unaligned
        The same metric without a map, or None where dimensions forbid it.
    chance_low, chance_high
        Where 95 % of such computations fall, or None where that is not known.

    Examples
    --------
    >>> Score(0.5, 0.4, 0.6, n=100, chance=0.01).to_json()["high"]
    0.6
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    chance: float | None = None
    unaligned: float | None = None
    chance_low: float | None = None
    chance_high: float | None = None

    def to_json(self) -> dict[str, float | int | None]:
        """Return the one object that every ``--json`` uses for every metric; a band where one is known."""
        fields = {
            "value": _finite(self.value),
            "low": _finite(self.low),
            "high": _finite(self.high),
            "n": self.n,
            "chance": _finite(self.chance),
            "unaligned": _finite(self.unaligned),
        }
        band = {"chance_low": _finite(self.chance_low), "chance_high": _finite(self.chance_high)}
        return fields | {name: end for name, end in band.items() if end is not None}


@dataclass(frozen=True, slots=True)
class Report:
    """Group scores by section, with the facts that make them repeatable.

    ``kind`` is ``"eval"`` (sections ``forward`` and ``backward``), ``"gap"`` (section ``measures``) or
    another command's name; ``context`` says what was compared and by which protocol.
    """

    kind: str
    sections: dict[str, dict[str, Score]]
    context: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints: schema, one key per section, context."""
        sections = {
            section: {name: score.to_json() for name, score in scores.items()}
            for section, scores in self.sections.items()
        }
        return {"schema": f"alignkit.{self.kind}/{SCHEMA_VERSION}", **sections, "context": self.context}


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
