"""Say why another tool's retrieval figure differs from alignkit's: cause by cause, each with its share."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alignkit.retrieval.like import TOOLS
from alignkit.retrieval.like._base import Tool
from alignkit.retrieval.like._conventions import NEEDS_AN_ORDER, Convention
from alignkit.retrieval.like._figures import per_query_key, summarise, values_of
from alignkit.retrieval.like._inputs import Inputs
from alignkit.shapes import PerQuery

REMAINDER = "remainder"
ROUNDING = 1e-12  # less is the order of a sum
LEFT = 1e-9  # what a tool's own arithmetic may leave
# the conventions that can differ, in the order in which they are switched, each with its cause; first what
# changes the numbers that are compared, then their order, then what is made of it
SWITCHES: dict[str, tuple[str, ...]] = {
    "repeated ids": ("merged",),
    "number format": ("dtype",),
    "scores adjusted": ("adjust",),
    "short lists": ("listed",),
    "least grade": ("level",),
    "scores of 0 or less": ("above_zero",),
    "ties": ("order", "depth"),
    "another quantity": ("family",),
    "cut": ("k",),
    "norm of average precision": ("norm",),
    "graded gains": ("graded",),
    "median": ("floored",),
    "queries without a positive": ("empty",),
    "scale": ("scale",),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause of a difference between a tool's figure and alignkit's.

    ``alone`` is by how much alignkit's figure moves when only this convention of the tool's is switched on
    (for norms that only make sense in one order of ties: in the tool's order, with and without);
    ``step`` is its share when they are switched on one after the other, so that ``ours`` and the steps of
    all findings of one metric, the remainder among them, add up to ``theirs``. ``queries`` is how many
    queries' values it changes, alone or in its turn.
    """

    metric: str
    ours: float
    theirs: float
    cause: str
    queries: int
    alone: float
    step: float
    why: str


def explain(
    scores: np.ndarray,
    relevance: np.ndarray | None,
    tool: Tool | str,
    *,
    metrics: Sequence[str] | None = None,
    against: Mapping[str, str] | None = None,
    query_ids: Sequence[str] | None = None,
    item_ids: Sequence[str] | None = None,
) -> list[Finding]:
    """Return why a tool's figures differ from alignkit's on the same scores: nothing where they agree.

    alignkit's figure is the one that a reader takes the tool's for: CLIP_benchmark's "recall" is held
    against recall. ``against`` names another one for a metric, such as ``{"mrr@10": "mrr"}``. Queries
    without a positive are left out of alignkit's. The tool's conventions are switched on one after the other
    in the order of `SWITCHES`; a cause that changes no query is not listed. What they leave unexplained is
    the last finding, ``remainder``, where it exceeds rounding (1e-9).

    Raises
    ------
    DataError, ParameterError, UnknownNameError
        As `Tool.score`; or if no query has a positive.

    References
    ----------
    McSherry & Najork (2008) for alignkit's ties; each tool's own for its conventions.

    Examples
    --------
    >>> found = explain(np.array([[0.5, 0.5], [0.1, 0.9]]), None, "ranx", metrics=["mrr"])
    >>> [(f.cause, f.queries, f.step) for f in found]
    [('ties', 1, 0.125)]
    """
    tool = TOOLS.get(tool)() if isinstance(tool, str) else tool
    inputs = tool.inputs(scores, relevance, query_ids, item_ids)
    theirs = tool.score(scores, relevance, metrics, query_ids=query_ids, item_ids=item_ids)
    comparisons = []
    for name, value in theirs.items():
        if name in tool.metrics() and name not in tool.figures:
            continue  # no retrieval figure: a loss, a count
        figure = tool.figure(name)
        label = (against or {}).get(name, figure.label)
        comparisons.append(_Comparison(tool, inputs, name, value, figure.convention, label))
    values = values_of(inputs, [c for comparison in comparisons for c in comparison.conventions()])
    return [finding for comparison in comparisons for finding in comparison.findings(values)]


@dataclass(frozen=True, slots=True)
class _Switch:
    """One convention switched on: from alignkit's others, and from what the switches before have left."""

    cause: str
    start: Convention
    only: Convention
    now: Convention
    then: Convention


class _Comparison:
    """One figure by alignkit's conventions and by a tool's."""

    def __init__(
        self, tool: Tool, inputs: Inputs, name: str, theirs: float, target: Convention, label: str
    ) -> None:
        self.tool, self.inputs, self.name, self.theirs, self.label = tool, inputs, name, theirs, label
        self.base = _of_alignkit(label, target)
        self.target = _without_effect(target, inputs)
        self.switches = list(self._switches())

    def conventions(self) -> list[Convention]:
        """Return all conventions by which values are wanted."""
        return [self.base, *(c for s in self.switches for c in (s.start, s.only, s.then))]

    def findings(self, values: dict[Convention, PerQuery]) -> list[Finding]:
        """Return the causes that change a query, and the remainder."""

        def figure(convention: Convention) -> float:
            return summarise(values[per_query_key(convention)], convention)

        ours, found = figure(self.base), []
        for s in self.switches:
            alone = _difference(figure(s.only), figure(s.start))
            step = _difference(figure(s.then), figure(s.now))
            queries = max(
                _touched(
                    values[per_query_key(before)], values[per_query_key(after)], s.cause, moved=moved != 0
                )
                for before, after, moved in ((s.start, s.only, alone), (s.now, s.then, step))
            )
            if queries or alone or step:
                why = self._why(s.cause)
                found.append(Finding(self.name, ours, self.theirs, s.cause, queries, alone, step, why))
        last = self.switches[-1].then if self.switches else self.base
        rest = _difference(self.theirs, figure(last))
        if not abs(rest) <= LEFT:
            why = f"no convention of {self.tool.name} that is known here explains this part"
            found.append(Finding(self.name, ours, self.theirs, REMAINDER, 0, rest, rest, why))
        return found

    def _switches(self) -> Iterator[_Switch]:
        now = self.base
        for cause, fields in SWITCHES.items():
            change = {field: getattr(self.target, field) for field in fields}
            if any(getattr(self.base, field) != value for field, value in change.items()):
                start, then = self._start(change), replace(now, **change)
                yield _Switch(cause, start, replace(start, **change), now, then)
                now = then

    def _start(self, change: dict[str, object]) -> Convention:
        """Return alignkit's conventions; with the tool's order of ties where the change needs one."""
        if change.get("norm") in NEEDS_AN_ORDER:
            return replace(self.base, order=self.target.order, depth=self.target.depth)
        return self.base

    def _why(self, cause: str) -> str:
        c, tool, card = self.target, self.tool.name, self.tool.card
        cut = f"@{c.k}" if c.k else ""
        return {
            "repeated ids": f"{tool} keeps one row and one column for each id, the last one's numbers",
            "number format": f"{tool} compares scores in {c.dtype}; alignkit in {self.inputs.scores.dtype}",
            "scores adjusted": f"{tool} ranks by CSLS and not by the scores",
            "short lists": f"{tool} is given the first {c.listed} items: what is not listed is not relevant",
            "least grade": f"{tool} takes grades of at least {c.level} for positive here; alignkit of 1",
            "scores of 0 or less": f"{tool} loses positives that score 0 or less",
            "ties": f"{tool} orders equal scores: {card.ties}; alignkit averages over all orders",
            "another quantity": f"{self.name} is {c.family}{cut} in alignkit's words, not {self.label}",
            "cut": f"{tool} looks at the first {c.k} items; {self.label} does not",
            "norm of average precision": f"{tool} divides average precision by {_NORMS[c.norm]}",
            "graded gains": f"{tool} takes grades as gains; alignkit counts each positive 1",
            "median": f"{tool} rounds the median rank: {card.median}",
            "queries without a positive": f"queries without a positive in {tool}: {card.empty_queries}",
            "scale": f"{tool} multiplies by {c.scale:g}",
        }[cause]


_NORMS = {
    "R": "the number of positives, however small k is",
    "min(k,R)": "as many positives as fit into the first k",
    "hits": "the hits among the first k, not by the positives",
    "unsorted": "the number of positives, but never sorts their ranks: the i-th given one counts i hits",
}


def _of_alignkit(label: str, target: Convention) -> Convention:
    """Return alignkit's conventions for one of its metrics, in the direction of the tool's figure."""
    family, _, cut = label.partition("@")
    cut, _, norm = cut.partition(":")
    base = Convention(family, k=int(cut) if cut else None, backward=target.backward)
    return replace(base, norm="R") if norm == "R" else base


def _without_effect(c: Convention, inputs: Inputs) -> Convention:
    """Return the convention with alignkit's choice wherever the tool's cannot change a number here."""
    whole = Convention("")
    if inputs.merged() is inputs:
        c = replace(c, merged=whole.merged)
    if c.dtype is not None and np.can_cast(inputs.scores.dtype, c.dtype):
        c = replace(c, dtype=whole.dtype)
    if c.family != "ndcg" or inputs.relevance.max() <= 1:
        c = replace(c, graded=whole.graded)
    if c.family != "map" or (c.k is None and c.norm == "R"):
        c = replace(c, norm=whole.norm)
    if c.adjust is None and not ((inputs.relevance > 0) & (inputs.scores <= 0)).any():
        c = replace(c, above_zero=whole.above_zero)
    return c


def _touched(before: PerQuery, after: PerQuery, cause: str, *, moved: bool) -> int:
    """Return how many queries a switch changes."""
    if cause == "queries without a positive":
        return int(np.isnan(after).sum())
    if cause in ("median", "scale"):  # they change no query's value but the summary of all
        return int((~np.isnan(after)).sum()) if moved else 0
    if len(before) != len(after):
        return len(before) - len(after)  # the rows that were merged away
    return int((~np.isclose(before, after, rtol=0, atol=ROUNDING, equal_nan=True)).sum())


def _difference(new: float, old: float) -> float:
    if math.isnan(new) and math.isnan(old):
        return 0.0
    return 0.0 if abs(new - old) < ROUNDING else new - old
