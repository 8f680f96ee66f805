"""What methods answered to the same queries, put into one order whatever order each was asked in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from alignkit.errors import DataError
from alignkit.shapes import Labels, PerQuery


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One method's value of every metric for every query of one direction.

    Parameters
    ----------
    queries
        The ids of the queries as texts.
    values
        Per metric one value per query; NaN where a query has no positive.
    groups
        A label per query, equal for queries that are one observation; None where nobody knows.
    runs
        A number per query where the same query was asked in several splits, or None.
    chance, unaligned
        Levels of each metric over these queries, as far as they are known.
    """

    queries: Sequence[str]
    values: Mapping[str, PerQuery]
    groups: np.ndarray | None = None
    runs: Labels | None = None
    chance: Mapping[str, float] = field(default_factory=dict)
    unaligned: Mapping[str, float] = field(default_factory=dict)

    def keys(self) -> tuple[np.ndarray, np.ndarray]:
        """Return run and id of every query."""
        ids = np.array([str(query) for query in self.queries], dtype=object)
        return (np.zeros(len(ids), np.int64) if self.runs is None else np.asarray(self.runs)), ids

    def in_order(self) -> "Answers":
        """Return the same answers by run, then id.

        Raises
        ------
        DataError
            If a query is there twice.
        """
        runs, ids = self.keys()
        order = np.array(sorted(range(len(ids)), key=lambda place: (runs[place], ids[place])), np.int64)
        runs, ids = runs[order], ids[order]
        twice = np.flatnonzero((runs[1:] == runs[:-1]) & (ids[1:] == ids[:-1]))
        if len(twice):
            raise DataError(f"query {ids[twice[0]]!r} is answered twice: keep one row for each query.")
        return replace(
            self,
            queries=ids.tolist(),
            runs=runs,
            values={name: np.asarray(value, np.float64)[order] for name, value in self.values.items()},
            groups=None if self.groups is None else np.asarray(self.groups)[order],
        )


def same_queries(answers: Mapping[str, Answers], direction: str) -> dict[str, Answers]:
    """Return everybody's answers in one order, without the queries that have no positive.

    Raises
    ------
    DataError
        If two methods answered different queries: the first that one of them lacks is named.

    Examples
    --------
    >>> a = Answers(["x", "y"], {"mrr": np.array([1.0, 0.5])})
    >>> b = Answers(["y", "x"], {"mrr": np.array([0.2, 0.1])})
    >>> same_queries({"a": a, "b": b}, "forward")["b"].values["mrr"].tolist()
    [0.1, 0.2]
    """
    found: dict[str, Answers] = {}
    for name, asked in answers.items():
        try:
            found[name] = asked.in_order()
        except DataError as error:
            raise DataError(f"{name}, {direction}: {error}") from error
    first, *others = found
    for other in others:
        _check_same(found, (first, other), direction)
    lost = [np.isnan(np.stack(list(asked.values.values()))).any(axis=0) for asked in found.values()]
    for name, empty in zip(found, lost, strict=True):
        if (empty != lost[0]).any():
            query = found[first].queries[int(np.flatnonzero(empty != lost[0])[0])]
            raise DataError(
                f"{direction}: query {query!r} has a value from only one of {first} and {name}: score both "
                "with the same partners."
            )
    kept = np.flatnonzero(np.logical_not(lost[0]))
    if not len(kept):
        raise DataError(f"{direction}: no query has a value: nothing can be compared; check the pairs.")
    return {name: _subset(asked, kept) for name, asked in found.items()}


def _check_same(found: Mapping[str, Answers], names: tuple[str, str], direction: str) -> None:
    one, other = (list(zip(*found[name].keys(), strict=True)) for name in names)
    if one == other:
        return
    apart = min(set(one) ^ set(other))
    has, lacks = names if apart in set(one) else names[::-1]
    raise DataError(
        f"{direction}: {has} was asked for query {apart[1]!r} and {lacks} was not ({len(one)} queries of "
        f"{names[0]}, {len(other)} of {names[1]}): score both on the same queries and gallery, like "
        "`alignkit eval Q G --per-query FOLDER` on the same files; a run over several seeds has its own."
    )


def _subset(asked: Answers, kept: np.ndarray) -> Answers:
    ids = asked.queries
    return replace(
        asked,
        queries=[ids[place] for place in kept],
        runs=None if asked.runs is None else asked.runs[kept],
        values={name: value[kept] for name, value in asked.values.items()},
        groups=None if asked.groups is None else asked.groups[kept],
    )
