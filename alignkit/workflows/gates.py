"""Quality gates: stop a pipeline where a score stays below its level."""

import math
from collections.abc import Sequence

from alignkit.errors import ParameterError, QualityGateError
from alignkit.reports import Report


def parse_gates(texts: Sequence[str], metrics: Sequence[str]) -> dict[str, float]:
    """Return the level that each metric must reach from texts like ``mrr=0.3``.

    Raises
    ------
    ParameterError
        If a text is not ``METRIC=LEVEL`` with a number as its level, or names a metric that is not among
        ``metrics`` or is better when it is smaller.

    Examples
    --------
    >>> parse_gates(["mrr=0.3"], ["mrr", "hit@1"])
    {'mrr': 0.3}
    """
    gates: dict[str, float] = {}
    for text in texts:
        name, _, level = (part.strip() for part in text.partition("="))
        try:
            gates[name] = float(level)
        except ValueError:
            gates[name] = math.nan
        if math.isnan(gates[name]):
            raise ParameterError(f"--fail-under {text} is no gate: write METRIC=LEVEL, like mrr=0.3.")
        if name.partition(":")[0].endswith("_rank"):
            raise ParameterError(
                f"--fail-under {text}: a small {name} is a good one; gate mrr or hit@k instead."
            )
        if name not in metrics:
            raise ParameterError(f"--fail-under {text}: {name!r} is not measured; add it to --metrics.")
    return gates


def check_gates(report: Report, gates: dict[str, float]) -> None:
    """Raise QualityGateError if a score of any section that has the metric is below its level.

    Raises
    ------
    QualityGateError
        With the first score that is too low.
    """
    for name, level in gates.items():
        for section, scores in report.sections.items():
            if name in scores and not scores[name].value >= level:
                raise QualityGateError(
                    f"{section} {name} is {scores[name].value:.4f}, below the gate of {level}."
                )
