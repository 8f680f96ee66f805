"""What a protocol's card says: rows of both sides, what is right for what, figures with their source."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.protocol import Protocol, WithoutPositive

Task: TypeAlias = Literal["retrieval", "zero-shot", "translation", "detection"]
TIES = "expected over all orders of tied items; the papers break ties by position or do not say"
RECALL = {"hit@1": "R@1", "hit@5": "R@5", "hit@10": "R@10"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a protocol: what its rows are, how many, how many in one fold, and columns they need.

    ``rows`` is None where any number will do, ``in_fold`` where folds do not divide this side evenly.
    """

    what: str
    rows: int | None
    columns: tuple[str, ...] = ()
    in_fold: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A published value with the place where it stands."""

    what: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Card:
    """All that must be known before a figure of this protocol is set beside a published one.

    ``positives`` is how many a query has forward, and an item of the gallery backward; where they differ
    from row to row it is their mean, and chance is what that many give. ``headline`` names direction and
    metric of the figure that papers print; ``called`` the papers' name of a metric. ``split`` is the word in
    a column ``split`` that marks its rows. ``probe`` is what the same data ask of a trained probe: no ranks,
    and no figure to set beside those here.
    """

    name: str
    task: Task
    data: str
    queries: Side
    gallery: Side
    relevance: str
    positives: tuple[int, int]
    metrics: tuple[str, ...]
    headline: tuple[str, ...]
    paper: str
    source: str
    called: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    folds: str = "none"
    probe: str = ""
    n_folds: int = 1
    ties: str = TIES
    without_positive: WithoutPositive = "error"
    published: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    def protocol(self) -> Protocol:
        """Return the scoring that this card asks for."""
        return Protocol(metrics=self.metrics, without_positive=self.without_positive)

    @property
    def directions(self) -> tuple[str, ...]:
        """Return which way round it ranks: a dictionary is asked one way, and a detector ranks nothing."""
        return {"detection": (), "translation": ("forward",)}.get(self.task, ("forward", "backward"))

    def chance(self) -> dict[str, dict[str, float]]:
        """Return the chance level of every metric in each direction whose gallery has a known size."""
        # uneven folds have no one size
        asked = self.queries.rows if self.n_folds == 1 else self.queries.in_fold
        sides = {
            "forward": (self.gallery.in_fold or self.gallery.rows, self.positives[0]),
            "backward": (asked, self.positives[1]),
        }
        return {
            direction: chance_levels(np.array([count]), size, self.metrics)
            for direction, (size, count) in sides.items()
            if size is not None and direction in self.directions
        }

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON, chance levels included."""
        return {"schema": "alignkit.protocol/1", **asdict(self), "chance": self.chance()}

    def text(self) -> str:
        """Return the card for people to read, a line a fact."""
        lines = [
            f"{self.name}: {self.data}",
            f"task       {self.task}; headline: {', '.join(self.headline)}",
            f"queries    {_sized(self.queries)}",
            f"gallery    {_sized(self.gallery)}",
            f"right      {self.relevance}",
            f"split      {self.split or 'all rows'}; folds: {self.folds}",
            f"metrics    {', '.join(self._named(metric) for metric in self.metrics)}",
            f"ties       {self.ties}",
        ]
        for direction, levels in self.chance().items():
            found = ", ".join(f"{name} {value:.5g}" for name, value in levels.items())
            lines.append(f"chance     {direction}: {found}")
        lines += [f"probe      {self.probe}"] if self.probe else []
        lines += [f"paper      {self.paper}", f"source     {self.source}"]
        lines += [
            f"published  {figure.what}: {figure.value:g} ({figure.source})" for figure in self.published
        ]
        return "\n".join(lines + [f"note       {note}" for note in self.notes])

    def _named(self, metric: str) -> str:
        return f"{metric} (papers: {self.called[metric]})" if metric in self.called else metric


def gallery_digests(ids: pa.Array) -> dict[str, str]:
    """Return the SHA-256 of a gallery's ids, sorted (which rows) and as they stand (in which order).

    Numbers count as they are written, so that 7 and "7" agree, as they do where rows are joined.

    Examples
    --------
    >>> one, other = gallery_digests(pa.array(["a", "b"])), gallery_digests(pa.array(["b", "a"]))
    >>> one["sorted"] == other["sorted"], one["in_order"] == other["in_order"]
    (True, False)
    """
    names = [str(name).encode() for name in ids.to_pylist()]
    return {"sorted": _digest(sorted(names)), "in_order": _digest(names)}


def _digest(names: list[bytes]) -> str:
    state = hashlib.sha256()
    for name in names:  # a length before each, so that no two lists read the same
        state.update(f"{len(name)}:".encode() + name)
    return f"sha256:{state.hexdigest()}"


def _sized(side: Side) -> str:
    size = "any number of" if side.rows is None else f"{side.rows:,}"
    fold = f", {side.in_fold:,} in a fold" if side.in_fold else ""
    needs = f"; needs column {' and '.join(side.columns)}" if side.columns else ""
    return f"{size} {side.what}{fold}{needs}"
