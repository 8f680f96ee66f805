"""What a sweep over fixes found: for every fix and strength the gap that is left and what it did to ranks."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.reports import SCHEMA_VERSION, Score
from alignkit.statistics.significance import Difference

AS_IS = "as_is"


@dataclass(frozen=True, slots=True)
class Spread:
    """A value's mean over the splits, with the lowest and the highest of them.

    Examples
    --------
    >>> Spread.of([0.1, 0.3]).value
    0.2
    """

    value: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Return the spread of one value per split."""
        return cls(float(np.mean(values)), float(min(values)), float(max(values)))

    @property
    def ends(self) -> dict[str, float]:
        """The lowest and the highest, by name."""
        return {"lowest": self.lowest, "highest": self.highest}

    def to_json(self) -> dict[str, float]:
        """Return the fields as one object."""
        return {"value": self.value} | self.ends


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of the gap, by one measure.

    Parameters
    ----------
    score
        The mean over the splits, and so are the ends of its interval, its null level and its null band. Each
        split's own are valid for its held-out rows; the splits share rows, so their mean is at least as
        certain as one of them.
    splits
        The measure's mean and range over the splits.
    """

    score: Score
    splits: Spread

    @classmethod
    def of(cls, scores: list[Score], unaligned: float | None = None) -> "Remaining":
        """Return what is left by the scores of a measure, one a split.

        Examples
        --------
        >>> Remaining.of([Score(0.1, 0.0, 0.2, 9, 0.05), Score(0.3, 0.2, 0.4, 9, 0.05)]).score.low
        0.1
        """

        def mean(name: str) -> float | None:
            values = [getattr(score, name) for score in scores]
            return None if None in values else float(np.mean(values))

        splits = Spread.of([score.value for score in scores])
        n = min(score.n for score in scores)
        ends = {name: mean(name) for name in ("low", "high", "chance", "chance_low", "chance_high")}
        return cls(Score(splits.value, n=n, unaligned=unaligned, **ends), splits)

    @property
    def value(self) -> float:
        """The mean over the splits."""
        return self.score.value

    def to_json(self) -> dict[str, Any]:
        """Return the score's object, with the range over the splits."""
        return self.score.to_json() | self.splits.ends


@dataclass(frozen=True, slots=True)
class Effect:
    """One metric after a fix, and what the fix changed.

    Parameters
    ----------
    score
        Over all queries of all splits, with an interval over independent items.
    splits
        The metric's mean and range over the splits.
    change
        How much more than for the rows as they are, on the same queries, with interval and paired test; None
        for the rows as they are.
    p_corrected
        The test's p, corrected by Holm for all tests of the sweep.
    change_splits
        The change's mean and range over the splits.
    """

    score: Score
    splits: Spread
    change: Difference | None = None
    p_corrected: float | None = None
    change_splits: Spread | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the score's object, with the range over the splits and the change."""
        change = None
        if self.change is not None and self.change_splits is not None:
            change = self.change.to_json() | {"p_corrected": self.p_corrected} | self.change_splits.ends
        return self.score.to_json() | self.splits.ends | {"change": change}


@dataclass(frozen=True, slots=True)
class Point:
    """One fix at one strength, on rows that it was not fitted on.

    ``gap`` holds what is left of it by measure; ``effects`` each metric by section: ``forward`` and
    ``backward``, and ``zero_shot`` where there are labels. ``published`` says the strength in a
    publication's parameters.
    """

    fix: str
    strength: float
    gap: dict[str, Remaining]
    effects: dict[str, dict[str, Effect]]
    published: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the point as one object."""
        return {
            "fix": self.fix,
            "strength": self.strength,
            "published": self.published,
            "gap": {name: remaining.to_json() for name, remaining in self.gap.items()},
            **{
                section: {name: effect.to_json() for name, effect in effects.items()}
                for section, effects in self.effects.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every fix at every strength, the rows as they are first; and the facts that make it repeatable."""

    points: list[Point]
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def as_is(self) -> Point:
        """The rows as they are: what every fix is compared with."""
        return self.points[0]

    @property
    def fixes(self) -> list[str]:
        """The fixes, each once, in the order of the points."""
        return list(dict.fromkeys(point.fix for point in self.points[1:]))

    def metrics(self, preferred: str) -> dict[str, str]:
        """Return for each section the metric that is preferred, or its first where it has no such one."""
        return {
            section: preferred if preferred in effects else next(iter(effects))
            for section, effects in self.as_is.effects.items()
        }

    def of(self, fix: str) -> list[Point]:
        """Return the points of one fix, by rising strength."""
        return sorted((p for p in self.points if p.fix == fix), key=lambda point: point.strength)

    def at(self, fix: str, strength: float) -> Point:
        """Return one point.

        Raises
        ------
        KeyError
            If the sweep has no such point.
        """
        for point in self.of(fix):
            if np.isclose(point.strength, strength, rtol=0, atol=1e-9):
                return point
        raise KeyError(f"no point of {fix} at strength {strength}")

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``alignkit gap --sweep --json`` prints."""
        return {
            "schema": f"alignkit.sweep/{SCHEMA_VERSION}",
            "points": [point.to_json() for point in self.points],
            "context": self.context,
        }
