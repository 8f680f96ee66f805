"""Quality gates: stop a pipeline where a score stays below its level."""

from collections.abc import Sequence

from alignkit.errors import ParameterError, QualityGateError
from alignkit.reports import Report


def parse_gates(texts: Sequence[str]) -> dict[str, float]:
    """Return the level that each metric must reach from texts like ``mrr=0.3``.

    Raises
    ------
    ParameterError
        If a text is not ``METRIC=LEVEL`` with a number as its level.

    Examples
    --------
    >>> parse_gates(["mrr=0.3"])
    {'mrr': 0.3}
    """
    gates = {}
    for text in texts:
        name, _, level = text.partition("=")
        try:
            gates[name.strip()] = float(level)
        except ValueError:
            raise ParameterError(
                f"--fail-under {text} is no gate: write METRIC=LEVEL, like mrr=0.3."
            ) from None
    return gates


def check_gates(report: Report, gates: dict[str, float]) -> None:
    """Raise QualityGateError if a score of either direction is below its level.

    Raises
    ------
    QualityGateError
        With the first score that is too low.
    ParameterError
        If a gate names a metric that was not measured.
    """
    for name, level in gates.items():
        for section, scores in report.sections.items():
            if name not in scores:
                raise ParameterError(f"--fail-under {name}: it was not measured; add it to --metrics.")
            if not scores[name].value >= level:
                raise QualityGateError(
                    f"{section} {name} is {scores[name].value:.4f}, below the gate of {level}."
                )
