"""A comparison of methods as it is kept: every score, every paired test, and what follows from them.

The letters are those of ranx (Bassani 2022, *ranx: A Blazing-Fast Python Library for Ranking Evaluation and
Comparison*): beside a score stand the letters of the methods that it beats for certain.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any, Literal, TypeAlias

from alignkit.reports import SCHEMA_VERSION, Score
from alignkit.retrieval.metrics import parse_metric
from alignkit.statistics.significance import Difference

Kind: TypeAlias = Literal["method", "alignment", "table"]
REAL = 0.05  # corrected p below which a difference is called real
DIGITS = 4  # decimals to which scores are printed: those that look equal are tied


@dataclass(frozen=True, slots=True)
class Contender:
    """One method of a comparison: fitted for it, fitted before, or known by its answers alone.

    ``cpu_seconds`` is the cost of one fit, the mean over the splits; None where nothing was fitted.
    """

    name: str
    kind: Kind = "table"
    cpu_seconds: float | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        return {
            "name": self.name,
            "kind": self.kind,
            "cpu_seconds": self.cpu_seconds,
            "params": self.params,
        }


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two methods on the same queries of one direction by one metric.

    Parameters
    ----------
    difference
        By how much the first is better than the second, and its own p: for ranks, where small is good, by
        how much it is smaller. Wins, ties and losses count groups of queries.
    p
        Corrected for all tests of the comparison.
    detectable
        The true difference that the corrected test would see four times in five, or None where fewer than
        two groups tell nothing; see `alignkit.statistics.power`.
    """

    direction: str
    metric: str
    first: str
    second: str
    difference: Difference
    p: float
    detectable: float | None

    @property
    def winner(self) -> str | None:
        """The method that is better for certain, or None."""
        if self.p >= REAL or not self.difference.value:
            return None
        return self.first if self.difference.value > 0 else self.second

    @property
    def loser(self) -> str | None:
        """The method that is worse for certain, or None."""
        return {None: None, self.first: self.second, self.second: self.first}[self.winner]

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        return {
            "direction": self.direction,
            "metric": self.metric,
            "first": self.first,
            "second": self.second,
            **self.difference.to_json(),
            "p_corrected": self.p,
            "detectable": self.detectable,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Methods by metrics by directions: ``scores[direction][metric][method]``, the tests, and the facts.

    Examples
    --------
    >>> scores = {"forward": {"mrr": {"x": Score(0.5), "y": Score(0.7)}}}
    >>> gain = Difference(-0.2, -0.3, -0.1, 0.001, 50, 50, 5, 10, 35, False)
    >>> test = PairedTest("forward", "mrr", "x", "y", gain, 0.001, 0.1)
    >>> found = Comparison([Contender("x"), Contender("y")], scores, [test])
    >>> found.letters, found.beats("forward", "mrr", "y"), found.best("forward", "mrr")
    ({'x': 'a', 'y': 'b'}, ['x'], ['y'])
    """

    contenders: list[Contender]
    scores: dict[str, dict[str, dict[str, Score]]]
    tests: list[PairedTest]
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The methods in the order in which they were named."""
        return [contender.name for contender in self.contenders]

    @property
    def letters(self) -> dict[str, str]:
        """The letter of each method: a to z, then aa, ab, ..."""
        return {name: _letter(place) for place, name in enumerate(self.names)}

    def columns(self) -> Iterator[tuple[str, str, dict[str, Score]]]:
        """Yield direction, metric and the scores of all methods."""
        for direction, metrics in self.scores.items():
            for metric, scores in metrics.items():
                yield direction, metric, scores

    def beats(self, direction: str, metric: str, name: str) -> list[str]:
        """Return the methods that ``name`` beats for certain, in order."""
        beaten = {
            test.loser
            for test in self.tests
            if (test.direction, test.metric) == (direction, metric) and test.winner == name
        }
        return [other for other in self.names if other in beaten]

    def best(self, direction: str, metric: str) -> list[str]:
        """Return the methods with the best value, all of them where their four decimals are the same."""
        scores = self.scores[direction][metric]
        better = min if parse_metric(metric).is_rank else max
        top = better(round(score.value, DIGITS) for score in scores.values())
        return [name for name in self.names if round(scores[name].value, DIGITS) == top]

    def warnings(self) -> list[str]:
        """Return what a reader must know before believing the tests."""
        return list(self.context.get("warnings", []))

    def to_json(self) -> dict[str, Any]:
        """Return the one object from which every table and figure is made."""
        return {
            "schema": f"alignkit.compare/{SCHEMA_VERSION}",
            "methods": [
                contender.to_json() | {"letter": self.letters[contender.name]}
                for contender in self.contenders
            ],
            "scores": {
                direction: {
                    metric: {name: score.to_json() for name, score in scores.items()}
                    for metric, scores in metrics.items()
                }
                for direction, metrics in self.scores.items()
            },
            "tests": [test.to_json() for test in self.tests],
            "context": self.context,
        }


def _letter(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, last = divmod(place - 1, len(ascii_lowercase))
        letters = ascii_lowercase[last] + letters
    return letters
