"""Comparisons as text, Markdown, CSV and LaTeX: beside every score the methods that it beats for certain."""

import csv as comma_separated
import io
from collections.abc import Iterable

from alignkit.reports import Score
from alignkit.retrieval.comparison import Comparison, Contender, PairedTest
from alignkit.tables import aligned, interval, number

CORRECTED = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
SCORES = (
    "direction",
    "metric",
    "method",
    "letter",
    "kind",
    "value",
    "low",
    "high",
    "n",
    "chance",
    "unaligned",
)
TESTS = ("value", "low", "high", "p", "p_corrected", "n", "groups", "wins", "ties", "losses", "exact")
ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}


def text(comparison: Comparison) -> str:
    """Return one block a direction and metric, then one line a test; ``*`` marks the best value.

    Examples
    --------
    >>> scores = {"forward": {"mrr": {"x": Score(0.5, n=9), "y": Score(0.7, n=9)}}}
    >>> print(text(Comparison([Contender("x"), Contender("y")], scores, [], {"correction": "holm"})))
    forward mrr: n=9
        a  x  0.5000
      * b  y  0.7000
    """
    blocks = []
    for direction, metric, scores in comparison.columns():
        best = comparison.best(direction, metric)
        rows = []
        for contender in comparison.contenders:
            name, score = contender.name, scores[contender.name]
            beaten = _letters(comparison, direction, metric, name)
            mark = "*" if name in best else " "
            cells = [f"{mark} {comparison.letters[name]}", name, number(score.value), interval(score)]
            rows.append([*cells, f"beats {','.join(beaten)}" if beaten else "", _cost(contender)])
        facts = _facts(next(iter(scores.values())))
        blocks.append("\n".join([f"{direction} {metric}: {', '.join(facts)}", *aligned(rows, ())]))
    if comparison.tests:
        rows = [[_versus(test), *_test_cells(test)] for test in comparison.tests]
        blocks.append("\n".join([f"paired tests: {legend(comparison)}", *aligned(rows, ())]))
    return "\n\n".join([*blocks, *_remarks(comparison, "")])


def markdown(comparison: Comparison) -> str:
    """Return the table of scores, best ones bold, a legend, and the table of tests.

    Examples
    --------
    >>> scores = {"forward": {"mrr": {"x": Score(0.5, n=9), "y": Score(0.7, n=9)}}}
    >>> print(markdown(Comparison([Contender("x"), Contender("y")], scores, [])).splitlines()[3])
    | b | y | **0.7000** |  |
    """
    columns = [(direction, metric) for direction, metric, _ in comparison.columns()]
    head = ["", "method", *(f"{direction} {metric}" for direction, metric in columns), "CPU s a fit"]
    lines = [_line(head), _line([":--", ":--", *["--:"] * len(columns), "--:"])]
    for contender in comparison.contenders:
        cells = []
        for direction, metric in columns:
            score = comparison.scores[direction][metric][contender.name]
            value = number(score.value)
            if contender.name in comparison.best(direction, metric):
                value = f"**{value}**"
            beaten = ",".join(_letters(comparison, direction, metric, contender.name))
            cells.append(f"{value}{beaten and f'<sup>{beaten}</sup>'} {interval(score)}".strip())
        letter = comparison.letters[contender.name]
        lines.append(_line([letter, _cell(contender.name), *cells, _seconds(contender)]))
    for what, values in _levels(comparison):
        lines.append(_line(["", what, *values, ""]))
    parts = ["\n".join(lines), f"In this table {legend(comparison)}."]
    if comparison.tests:
        head = ["direction", "metric", "first less second", "difference", "interval", "p corrected", "W/T/L"]
        rows = [_line([*head, "detectable"]), _line([":--", ":--", ":--", "--:", ":-:", "--:", "--:", "--:"])]
        for test in comparison.tests:
            gained = test.difference
            ends = Score(gained.value, gained.low, gained.high)
            named = _cell(f"{test.first} - {test.second}")
            cells = [f"{gained.value:+.4f}", interval(ends), _p(test.p), _record(test)]
            rows.append(_line([test.direction, test.metric, named, *cells, number(test.detectable)]))
        parts.append("\n".join(rows))
    return "\n\n".join([*parts, *_remarks(comparison, "- ")]) + "\n"


def csv(comparison: Comparison) -> str:
    """Return one line a direction, metric and method with every digit, and the methods that it beats."""
    rows = []
    for direction, metric, scores in comparison.columns():
        best = comparison.best(direction, metric)
        for contender in comparison.contenders:
            name, fields = contender.name, scores[contender.name].to_json()
            rows.append(
                [
                    *(direction, metric, name, comparison.letters[name], contender.kind),
                    *(fields[column] for column in SCORES[5:]),
                    int(name in best),
                    " ".join(_letters(comparison, direction, metric, name)),
                    contender.cpu_seconds,
                ]
            )
    return _csv([*SCORES, "best", "beats", "cpu_seconds"], rows)


def tests_csv(comparison: Comparison) -> str:
    """Return one line a test with every digit; positive values say that the first is better."""
    rows = []
    for test in comparison.tests:
        fields = test.to_json()
        named = [test.direction, test.metric, test.first, test.second]
        rows.append([*named, *(fields[column] for column in TESTS), test.detectable, test.winner])
    return _csv(["direction", "metric", "first", "second", *TESTS, "detectable", "winner"], rows)


def latex(comparison: Comparison) -> str:
    r"""Return the scores as a ``tabular`` for ``booktabs`` and ``siunitx``, two lines a method.

    The second line holds the interval. Letters are superscripts, best values bold; the tests themselves
    stand in the other formats. Names are escaped.

    Examples
    --------
    >>> scores = {"forward": {"mrr": {"a_b": Score(0.5, n=9), "y": Score(0.7, n=9)}}}
    >>> print(latex(Comparison([Contender("a_b"), Contender("y")], scores, [])).splitlines()[6])
    a & a\_b & \num{0.5000} &  \\
    """
    columns = [(direction, metric) for direction, metric, _ in comparison.columns()]
    lines = [
        r"% \usepackage{booktabs,siunitx}",
        f"% {' '.join(legend(comparison).split())}",
        rf"\begin{{tabular}}{{ll{'r' * len(columns)}r}}",
        r"\toprule",
        _tex_row(["", "method", *(escaped(f"{side} {name}") for side, name in columns), "CPU s"]),
        r"\midrule",
    ]
    for contender in comparison.contenders:
        name = contender.name
        cells, ends = [], []
        for direction, metric in columns:
            score = comparison.scores[direction][metric][name]
            beaten = ",".join(_letters(comparison, direction, metric, name))
            bold = name in comparison.best(direction, metric)
            value = rf"\textbf{{{number(score.value)}}}" if bold else _num(score.value)
            cells.append(value + (rf"\textsuperscript{{{beaten}}}" if beaten else ""))
            known = score.low is not None and score.high is not None
            ends.append(rf"{{\scriptsize [{_num(score.low)}, {_num(score.high)}]}}" if known else "")
        seconds = _seconds(contender)
        cost = seconds and rf"\num{{{seconds}}}"
        lines.append(_tex_row([comparison.letters[name], escaped(name), *cells, cost]))
        if any(ends):
            lines.append(_tex_row(["", "", *ends, ""]))
    lines.append(r"\midrule")
    for what, values in _levels(comparison):
        lines.append(_tex_row(["", what, *(value and rf"\num{{{value}}}" for value in values), ""]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def escaped(name: str) -> str:
    r"""Return a name as LaTeX prints it.

    Examples
    --------
    >>> print(escaped("50% of a_b & C"))
    50\% of a\_b \& C
    """
    return "".join(ESCAPED.get(letter, letter) for letter in name if letter.isprintable())


def legend(comparison: Comparison) -> str:
    """Return what the letters and the numbers of a test mean."""
    context = comparison.context
    rule = CORRECTED.get(str(context.get("correction")), "")
    against = f"against {context['baseline']}" if context.get("baseline") else "of all against all"
    return (
        f"letters name the methods beaten at corrected p < {context.get('real_below', 0.05)}; paired sign "
        f"flips {against} over groups of queries, {rule} over {len(comparison.tests)} tests; positive where "
        "the first is better; W/T/L counts groups; detectable is what a test would see in four of five cases"
    )


def _letters(comparison: Comparison, direction: str, metric: str, name: str) -> list[str]:
    return [comparison.letters[other] for other in comparison.beats(direction, metric, name)]


def _facts(score: Score) -> list[str]:
    levels = (("chance", score.chance), ("unaligned", score.unaligned))
    return [f"n={score.n}", *(f"{what} {number(level)}" for what, level in levels if level is not None)]


def _levels(comparison: Comparison) -> Iterable[tuple[str, list[str]]]:
    """Yield the rows that are the same for every method: n, chance, and no map at all."""
    scores = [next(iter(scores.values())) for _, _, scores in comparison.columns()]
    yield "n", [str(score.n) for score in scores]
    for what in ("chance", "unaligned"):
        levels = [getattr(score, what) for score in scores]
        if any(level is not None for level in levels):
            yield what, [number(level) for level in levels]


def _versus(test: PairedTest) -> str:
    return f"{test.direction} {test.metric}  {test.first} - {test.second}"


def _test_cells(test: PairedTest) -> list[str]:
    gained = test.difference
    seen = "" if test.detectable is None else f"detectable {number(test.detectable)}"
    ends = interval(Score(gained.value, gained.low, gained.high))
    return [f"{gained.value:+.4f}", ends, f"p {_p(test.p)}", f"W/T/L {_record(test)}", seen]


def _record(test: PairedTest) -> str:
    return f"{test.difference.wins}/{test.difference.ties}/{test.difference.losses}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def _cost(contender: Contender) -> str:
    seconds = _seconds(contender)
    return seconds and f"{seconds} CPU s"


def _seconds(contender: Contender) -> str:
    return "" if contender.cpu_seconds is None else f"{contender.cpu_seconds:.3f}"


def _remarks(comparison: Comparison, bullet: str) -> list[str]:
    """Return who was left out and what to beware of, as one block or none."""
    left_out = comparison.context.get("left_out", {})
    lines = [f"{bullet}left out: {name}: {why}" for name, why in left_out.items()]
    lines += [f"{bullet}warning: {sentence}" for sentence in comparison.warnings()]
    return ["\n".join(lines)] if lines else []


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(name: str) -> str:
    return name.replace("|", "\\|")


def _csv(head: list[str], rows: list[list]) -> str:
    out = io.StringIO()
    writer = comma_separated.writer(out, lineterminator="\n")
    writer.writerows([head, *(["" if cell is None else cell for cell in row] for row in rows)])
    return out.getvalue()


def _num(value: float | None) -> str:
    return rf"\num{{{number(value)}}}"


def _tex_row(cells: Iterable[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
