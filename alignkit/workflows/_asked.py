"""Turn what a map or another run says of every query into answers that can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.answers import Answers
from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Labels
from alignkit.workflows.evaluation import evaluate, row_groups

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True, slots=True)
class Asking:
    """Which metrics are asked for, and how retrieval is scored."""

    metrics: tuple[str, ...]
    protocol: Protocol

    def about(
        self, rows: Pairs, alignment: Alignment, whole: Pairs, labels: Labels, held: Pairs | None = None
    ) -> dict[str, Answers]:
        """Return the answers about ``rows``, in both directions.

        ``labels`` are the components of ``whole``, so that a query asked in two splits has one label;
        ``held`` are the links of ``rows`` with the row numbers of ``whole`` (None: they are the same).
        """
        protocol = replace(self.protocol, metrics=self.metrics, resamples=0)
        scored = evaluate(rows.source, rows.target, pairs=rows, alignment=alignment, protocol=protocol)
        mine = labels if held is None else labels[links_of(whole, held)]
        found = {}
        for side, direction in enumerate(DIRECTIONS):
            table, scores = scored.tables[direction], scored.report.sections[direction]
            groups = row_groups(rows.links[:, side], mine, len(rows.sides[side]))
            found[direction] = Answers(
                _texts(table["id"]),
                {name: _numbers(table[name]) for name in self.metrics},
                groups[table["query"].to_numpy()],
                chance={name: s.chance for name, s in scores.items() if s.chance is not None},
                unaligned={name: s.unaligned for name, s in scores.items() if s.unaligned is not None},
            )
        return found


def links_of(whole: Pairs, part: Pairs) -> np.ndarray:
    """Return the place in ``whole`` of every link of a part of it."""
    width = len(whole.target)
    codes, asked = (links[:, 0] * width + links[:, 1] for links in (whole.links, part.links))
    order = np.argsort(codes, kind="stable")
    return order[np.searchsorted(codes, asked, sorter=order)]


def joined(runs: Sequence[Mapping[str, Answers]]) -> dict[str, Answers]:
    """Return the answers of all splits behind one another; levels are means over the queries asked."""
    found = {}
    for direction in runs[0]:
        parts = [run[direction] for run in runs]
        sizes = np.array([len(part.queries) for part in parts])
        levels = [
            {
                name: float(np.average([getattr(part, what)[name] for part in parts], weights=sizes))
                for name in getattr(parts[0], what)
            }
            for what in ("chance", "unaligned")
        ]
        found[direction] = Answers(
            [query for part in parts for query in part.queries],
            {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
            np.concatenate([part.groups for part in parts if part.groups is not None]),
            np.repeat(np.arange(len(parts)), sizes),
            *levels,
        )
    return found


def answers_of_table(
    name: str, tables: Mapping[str, pa.Table], metrics: Sequence[str], pairs: Pairs | None
) -> dict[str, Answers]:
    """Return the answers of another run, by its per-query tables.

    Groups are those of the pairs where there are any, else those of the tables, if they name any.

    Raises
    ------
    DataError
        If a table lacks a metric or says nothing about which query a row is.
    """
    found = {}
    for direction in DIRECTIONS:
        if direction not in tables:
            continue
        table = tables[direction]
        column = next((known for known in ("id", "query") if known in table.column_names), None)
        missing = next((metric for metric in metrics if metric not in table.column_names), None)
        if column is None or missing is not None:
            raise DataError(
                f"{name}, {direction}: there is no column {missing or 'id'!r}; it has: "
                f"{', '.join(table.column_names)}. Score it with `alignkit eval --per-query`, with --metrics "
                f"{','.join(metrics)}; a table of your own needs id and these."
            )
        values = {metric: _checked(table[metric], f"{name}, {direction}") for metric in metrics}
        queries = _texts(table[column])
        groups = None
        if pairs is not None:
            groups = _groups_by_id(pairs, DIRECTIONS.index(direction), queries)
        elif "group" in table.column_names:
            groups = np.array(_texts(table["group"]))
        found[direction] = Answers(queries, values, groups, chance=_chance(tables, direction, metrics))
    if not found:
        raise DataError(f"{name} holds neither forward nor backward: give what eval --per-query writes.")
    return found


def _checked(column: Any, where: str) -> np.ndarray:  # Any: a pyarrow ChunkedArray
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        raise DataError(f"{where}: a metric's column is of type {kind}: write one number per query.")
    return _numbers(column)


def _numbers(column: Any) -> np.ndarray:  # Any: a pyarrow ChunkedArray
    """Return the values, NaN where there is none."""
    return column.cast(pa.float64()).to_numpy().astype(np.float64)


def _texts(column: Any) -> list[str]:  # Any: a pyarrow ChunkedArray
    return [str(value) for value in column.to_pylist()]


def _groups_by_id(pairs: Pairs, side: int, queries: list[str]) -> np.ndarray | None:
    """Return the component of each query, or None where some query is none of the pairs' rows."""
    labels = row_groups(pairs.links[:, side], pairs.components(), len(pairs.sides[side]))
    place = {str(name): row for row, name in enumerate(pairs.sides[side].ids.to_pylist())}
    if any(query not in place for query in queries):
        return None
    return labels[[place[query] for query in queries]]


def _chance(tables: Mapping[str, pa.Table], direction: str, metrics: Sequence[str]) -> dict[str, float]:
    """Return the chance levels where both tables are there: the queries of one are the other's gallery."""
    other = DIRECTIONS[1 - DIRECTIONS.index(direction)]
    table = tables[direction]
    if other not in tables or "n_positives" not in table.column_names:
        return {}
    # the gain of a graded positive is not in the table
    plain = [name for name in metrics if not name.startswith("ndcg")]
    counts = table["n_positives"].to_numpy()
    return chance_levels(counts, tables[other].num_rows, plain)
