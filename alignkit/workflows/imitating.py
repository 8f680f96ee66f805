"""Score retrieval as another tool would, beside alignkit's own figures, and say why they differ."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.explain import Finding, explain
from alignkit.retrieval.like import TOOLS
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import scored_rows

LARGEST = 400_000_000  # scores that the tools' dense way is tried with: 20,000 x 20,000


@dataclass(frozen=True, slots=True)
class Imitation:
    """What another tool prints for the same scores, what alignkit has for it, and the causes between them.

    ``figures`` are the tool's, by its names; ``ours`` what alignkit says of the quantity that a reader takes
    each for. ``findings`` list the causes; the steps of one metric lead from ours to the tool's figure.
    ``card`` holds the tool's conventions, ``counts`` the queries and items it left out.
    """

    tool: str
    figures: dict[str, float]
    ours: dict[str, float]
    findings: list[Finding]
    counts: dict[str, int]
    card: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "schema": "alignkit.like/1",
            "tool": self.tool,
            "figures": {
                name: {"value": _known(value), "alignkit": _known(self.ours.get(name))}
                for name, value in self.figures.items()
            },
            "findings": [
                {key: _known(value) for key, value in asdict(finding).items()} for finding in self.findings
            ],
            "counts": self.counts,
            "card": self.card,
        }


def imitate(
    scores: np.ndarray,
    relevance: np.ndarray | None,
    tool: str,
    *,
    metrics: Sequence[str] | None = None,
    query_ids: Sequence[str] | None = None,
    gallery_ids: Sequence[str] | None = None,
) -> Imitation:
    """Return the figures of ``tool`` for a matrix of scores, its defects included, and why ours differ.

    ``metrics`` are names of the tool's or alignkit's; without them the tool's usual ones. Everything is
    dense, as in the tools: the matrix and copies of it are in memory.

    Raises
    ------
    DataError, ParameterError, UnknownNameError
        If there is no such tool or figure, or the tool cannot be given such scores.

    Examples
    --------
    >>> found = imitate(np.array([[0.5, 0.5], [0.1, 0.9]]), None, "ranx", metrics=["mrr"])
    >>> found.figures["mrr"], found.ours["mrr"], found.findings[0].cause
    (1.0, 0.875, 'ties')
    """
    kind = TOOLS.get(tool)()
    figures = kind.score(scores, relevance, metrics, query_ids=query_ids, item_ids=gallery_ids)
    findings = explain(
        scores, relevance, kind, metrics=list(figures), query_ids=query_ids, item_ids=gallery_ids
    )
    extras = set(kind.metrics()) - set(kind.figures)  # a loss, a count: alignkit has no such figure
    ours = {name: value for name, value in figures.items() if name not in extras}
    ours |= {finding.metric: finding.ours for finding in findings}
    names = ("queries", "without_positive", "skipped", "without_query", "merged")
    return Imitation(
        kind.name,
        dict(figures),
        ours,
        findings,
        {name: getattr(figures, name) for name in names},
        asdict(kind.card),
    )


def dense_scores(
    queries: Embeddings,
    gallery: Embeddings,
    *,
    pairs: Pairs | None = None,
    alignment: Alignment | None = None,
    protocol: Protocol | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (scores, relevance) of all rows, queries by gallery, as such tools are given them.

    Scores are one float32 product of the rows that `evaluate` scores.

    Raises
    ------
    DataError
        If dimensions differ and no alignment joins them, rows cannot be scored, or the matrix is too large.
    """
    protocol = protocol or Protocol()
    size = len(queries) * len(gallery)
    if size > LARGEST:
        raise DataError(
            f"{len(queries)} queries x {len(gallery)} items are {size:,} scores, and other tools hold all of "
            f"them: give at most {LARGEST:,}, or leave out --like."
        )
    if pairs is None:
        pairs = Pairs.by_id(queries, gallery)
    left, right = (
        np.asarray(side[:], np.float32)
        for side in scored_rows(queries, gallery, alignment, protocol.similarity)
    )
    if protocol.similarity == "cosine":
        left, right = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right))
    scores = left @ right.T
    if protocol.similarity == "euclidean":
        squares = [np.square(side).sum(axis=1) for side in (left, right)]
        scores = 2 * scores - squares[0][:, None] - squares[1]
    relevance = np.zeros(scores.shape, np.int64)
    relevance[pairs.links[:, 0], pairs.links[:, 1]] = 1
    return scores, relevance


def _known(value: Any) -> Any:  # Any: a field of any kind
    """Return null for a number that is none, as everywhere in JSON."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
