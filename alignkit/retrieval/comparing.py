"""Compare methods by what they answered to the same queries: intervals, paired tests, one correction for all.

Smucker, Allan & Carterette (2007), *A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation*, whose randomisation test this is; the correction is over the whole table, not over each column.
"""

import difflib
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit._components import connected
from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.reports import Score
from alignkit.retrieval.answers import Answers, same_queries
from alignkit.retrieval.comparison import REAL, Comparison, Contender, PairedTest
from alignkit.retrieval.metrics import Metric
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Labels
from alignkit.statistics.intervals import FEWEST, SOUND, bootstrap_interval
from alignkit.statistics.power import POWER, detectable_difference
from alignkit.statistics.significance import FLIPS, benjamini_hochberg, holm, sign_flip

Correction: TypeAlias = Literal["holm", "bh"]
CORRECTIONS = {"holm": holm, "bh": benjamini_hochberg}


def compare_answers(
    answers: Mapping[str, Mapping[str, Answers]],
    contenders: Sequence[Contender] | None = None,
    *,
    protocol: Protocol | None = None,
    baseline: str | None = None,
    correction: Correction = "holm",
) -> Comparison:
    """Return every method's scores, and paired tests of all against all, or of all against ``baseline``.

    ``answers[method][direction]`` are matched by the ids of their queries. Groups are what any method's
    answers say belongs together. All intervals come from the same draws; each test flips the signs of the
    groups' differences (`sign_flip`) and all p-values of the table are corrected together: by ``"holm"``,
    below 5 % of such tables hold any false letter; by ``"bh"``, 5 % of the letters are false on average.
    There are as many flips as the number of tests needs for a p-value that can survive, 10,000 or more.
    What a test could have seen (``detectable``) is computed at the level of Holm's first, strictest step.

    The gallery is held fixed. Where the same query was asked in several splits, its answers are one
    observation; that the training sets of the splits overlap is in no interval.

    Raises
    ------
    DataError
        If two methods answered different queries, or lack a metric.
    ParameterError
        If there are fewer than two methods, or a metric whose difference is no mean of differences.
    UnknownNameError
        If the baseline is none of the methods, or a metric is not known.

    Examples
    --------
    >>> ids, good = [str(i) for i in range(200)], np.tile([1.0, 1.0, 0.0, 1.0], 50)
    >>> x, y = Answers(ids, {"mrr": good / 2}), Answers(ids, {"mrr": good})
    >>> asked = {"x": {"forward": x}, "y": {"forward": y}}
    >>> found = compare_answers(asked, protocol=Protocol(metrics=["mrr"]))
    >>> found.beats("forward", "mrr", "y"), found.tests[0].difference.losses
    (['x'], 150)
    """
    protocol = protocol or Protocol()
    metrics = comparable(protocol)
    check_names(list(answers), baseline, correction)
    directions = [
        name for name in ("forward", "backward") if all(name in asked for asked in answers.values())
    ]
    if not directions:
        raise DataError("the methods share no direction: give forward.parquet or backward.parquet of each.")
    matched, groups, warnings = {}, {}, []
    for direction in directions:
        asked = {name: _with(found[direction], metrics, name) for name, found in answers.items()}
        matched[direction] = same_queries(asked, direction)
        groups[direction], remarks = _groups(matched[direction], direction)
        warnings += remarks
    rivals = _rivals(list(answers), baseline)
    n_tests = len(rivals) * len(metrics) * len(directions)
    scores = {d: _scores(matched[d], groups[d], metrics, protocol) for d in directions}
    found = [
        _test(matched[d], groups[d], (d, metric), pair, n_tests, protocol)
        for d in directions
        for metric in metrics
        for pair in rivals
    ]
    corrected = CORRECTIONS[correction]([test.difference.p for test in found])
    tests = [_corrected(test, float(p)) for test, p in zip(found, corrected, strict=True)]
    facts = _facts(protocol, [metric.name for metric in metrics], n_tests)
    context = facts | {
        "baseline": baseline,
        "correction": correction,
        "directions": {d: _counts(matched[d], groups[d]) for d in directions},
        "warnings": warnings,
    }
    known = {contender.name: contender for contender in contenders or ()}
    return Comparison([known.get(name, Contender(name)) for name in answers], scores, tests, context)


def comparable(protocol: Protocol) -> list[Metric]:
    """Return the metrics of a protocol, each of them a plain mean over the queries.

    Raises
    ------
    ParameterError
        If one is a median or a geometric mean: the difference of two is no mean of the queries' differences.
    """
    metrics = protocol.parsed()
    for metric in metrics:
        if metric.family in ("median_rank", "geometric_mean_rank"):
            raise ParameterError(
                f"{metric.name} is no mean over the queries, and paired tests compare means: take mean_rank."
            )
    return list({metric.name: metric for metric in metrics}.values())


def check_names(names: Sequence[str], baseline: str | None, correction: str) -> None:
    """Raise ParameterError or UnknownNameError unless so many methods can be compared so."""
    if len(names) < 2:
        held = f"only {names[0]!r} was" if names else "none was"
        raise ParameterError(f"a comparison takes two methods or more, and {held} given: name another one.")
    if correction not in CORRECTIONS:
        raise ParameterError(f"the correction is {correction!r}: choose one of {', '.join(CORRECTIONS)}.")
    if baseline is not None and baseline not in names:
        near = difflib.get_close_matches(baseline, names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownNameError(
            f"the baseline {baseline!r} is not compared.{hint} There are: {', '.join(names)}."
        )


def _with(asked: Answers, metrics: list[Metric], name: str) -> Answers:
    """Return the answers reduced to the metrics that are compared."""
    for metric in metrics:
        if metric.name not in asked.values:
            raise DataError(
                f"{name} has no {metric.name}; it has: {', '.join(asked.values) or 'no metric'}. Score it "
                f"with --metrics {metric.name}, or compare by what it has."
            )
    values = {metric.name: asked.values[metric.name] for metric in metrics}
    return Answers(asked.queries, values, asked.groups, asked.runs, asked.chance, asked.unaligned)


def _groups(asked: Mapping[str, Answers], direction: str) -> tuple[Labels, list[str]]:
    """Return which queries are one observation, by all that anybody knows, and what to warn of."""
    one = next(iter(asked.values()))
    known = [answers.groups for answers in asked.values() if answers.groups is not None]
    labels = connected([np.array(one.queries), *known])
    n = int(labels.max()) + 1
    warnings = []
    if not known:
        warnings.append(
            f"{direction}: nobody says which queries belong together, so each counts as independent; if some "
            "share an item, the tests are too sure: give the embeddings and --pairs or --group."
        )
    if n < SOUND:
        warnings.append(
            f"{direction}: {n} independent {'group' if n == 1 else 'groups'} of queries, where intervals and "
            f"detectable differences take about {SOUND}: the true ones are wider."
        )
    return labels, warnings


def _rivals(names: list[str], baseline: str | None) -> list[tuple[str, str]]:
    if baseline is None:
        return list(combinations(names, 2))
    return [(name, baseline) for name in names if name != baseline]


def _scores(
    asked: Mapping[str, Answers], groups: Labels, metrics: list[Metric], protocol: Protocol
) -> dict[str, dict[str, Score]]:
    cells = [(metric.name, name) for metric in metrics for name in asked]
    values = np.stack([asked[name].values[metric] for metric, name in cells], axis=1)
    low, high = bootstrap_interval(
        values,
        groups,
        method=protocol.interval,
        resamples=protocol.resamples,
        level=protocol.level,
        seed=protocol.seed,
    )
    found: dict[str, dict[str, Score]] = {metric.name: {} for metric in metrics}
    distinct = len(set(next(iter(asked.values())).queries))
    for place, (metric, name) in enumerate(cells):
        ends = (float(low[place]), float(high[place])) if np.isfinite(low[place]) else (None, None)
        levels = [
            _first(getattr(a, what).get(metric) for a in asked.values()) for what in ("chance", "unaligned")
        ]
        value = float(np.sort(values[:, place]).mean())
        found[metric][name] = Score(value, *ends, n=distinct, chance=levels[0], unaligned=levels[1])
    return found


def _first(levels: Any) -> float | None:  # Any: an iterator of floats and Nones
    """Return the first level that is known: it is a property of the queries, the same for every method."""
    return next((float(level) for level in levels if level is not None), None)


def _test(
    asked: Mapping[str, Answers],
    groups: Labels,
    column: tuple[str, Metric],
    pair: tuple[str, str],
    n_tests: int,
    protocol: Protocol,
) -> PairedTest:
    direction, metric = column
    sign = -1.0 if metric.is_rank else 1.0
    first, second = (sign * asked[name].values[metric.name] for name in pair)
    gained = sign_flip(first, second, groups, flips=_flips(n_tests), level=protocol.level, seed=protocol.seed)
    seen = None
    if gained.groups >= FEWEST:
        seen = detectable_difference(first, second, groups, level=_level(n_tests))
    return PairedTest(direction, metric.name, *pair, gained, gained.p, seen)


def _corrected(test: PairedTest, p: float) -> PairedTest:
    return PairedTest(
        test.direction, test.metric, test.first, test.second, test.difference, p, test.detectable
    )


def _flips(n_tests: int) -> int:
    """Return so many flips that the smallest p of the table is half of what the first step of Holm asks."""
    return max(FLIPS, int(np.ceil(2 * n_tests / REAL)))


def _level(n_tests: int) -> float:
    return 1 - REAL / n_tests


def _facts(protocol: Protocol, metrics: list[str], n_tests: int) -> dict[str, Any]:
    """Return by which rules all of it was drawn and judged."""
    return {
        "metrics": metrics,
        "tests": n_tests,
        "real_below": REAL,
        "flips": _flips(n_tests),
        "detectable": {"power": POWER, "level": _level(n_tests)},
        "interval": protocol.interval,
        "resamples": protocol.resamples,
        "level": protocol.level,
        "seed": protocol.seed,
        "similarity": protocol.similarity,
        "ties": protocol.ties,
    }


def _counts(asked: Mapping[str, Answers], groups: Labels) -> dict[str, int]:
    one = next(iter(asked.values()))
    return {
        "asked": len(one.queries),
        "queries": len(set(one.queries)),
        "groups": int(groups.max()) + 1,
    }
