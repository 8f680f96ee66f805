"""Fit a map on training pairs and score it on pairs that it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.alignment import Alignment
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import versions
from alignkit.workflows.evaluation import evaluate

METRICS = ("mrr", "hit@1", "hit@5", "hit@10")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What `fit` returns: the map, its held-out scores, and the pairs on either side of the split."""

    alignment: Alignment
    report: Report
    train: Pairs
    test: Pairs | None

    def to_json(self, *, written: str | None = None) -> dict[str, Any]:
        """Return the object that ``alignkit fit --json`` prints."""
        whole = self.report.to_json()
        return {
            "schema": whole["schema"],
            "method": self.alignment.method,
            "held_out": {section: whole[section] for section in self.report.sections},
            "written": written,
            "context": whole["context"],
        }


def fit(  # noqa: PLR0913 - the whole choice of a run
    source: Embeddings,
    target: Embeddings,
    *,
    method: str = "procrustes",
    pairs: Pairs | None = None,
    test: float = 0.2,
    seed: int = 0,
    params: dict[str, Any] | None = None,
    metrics: Sequence[str] = METRICS,
) -> Fitted:
    """Fit a map on training pairs and score it on pairs that it never saw.

    The split is drawn by connected component, so that no item, group or byte-identical row stands on
    both sides; the gallery of the score is the held-out targets, the frame the joint one. ``test=0``
    fits on all pairs and leaves the report empty. Methods that learn from unpaired rows too
    (`refinement`, `rcsls`) see those of both sides, but no held-out one.

    Raises
    ------
    AlignkitError
        If the method or one of its options is unknown, rows are not finite or have no direction, or
        too few pairs are shared.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(60, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = fit(Embeddings(X), Embeddings(X @ Q), test=0.5, params={"normalize": "none"})
    >>> fitted.report.sections["forward"]["hit@1"].value
    1.0
    """
    aligner = METHODS.get(method)(**(params or {}))
    if pairs is None:
        pairs = Pairs.by_id(source, target)
    pairs.check_enough()
    for side in (source, target):
        side.check(direction=True)
    train, held_out = (pairs, None) if test == 0 else pairs.split(test, seed)
    _learn(aligner, train, held_out)
    info = {
        "seed": seed,
        "training_pairs": len(train),
        "training_digest": train.digest(),
        "versions": versions(),
    }
    alignment = Alignment(METHODS.check(method), aligner, source.space, target.space, info)
    report = _held_out_report(alignment, held_out, Protocol(metrics=tuple(metrics), seed=seed))
    report.context.update(
        method=alignment.method,
        params=aligner.get_params(),
        split={"test": test, "seed": seed, "train": len(train), "held_out": len(pairs) - len(train)},
        join=pairs.join(),
        training_digest=info["training_digest"],
    )
    alignment = replace(alignment, info={**info, "report": report.to_json()})
    return Fitted(alignment, report, train, held_out)


def _learn(aligner: Aligner, train: Pairs, held_out: Pairs | None) -> None:
    """Fit to the training pairs and, where the method can use them, to the rows that nobody paired."""
    fit_vocabulary = getattr(aligner, "fit_vocabulary", None)
    if fit_vocabulary is not None:
        rows, links = zip(*(_vocabulary(train, held_out, side) for side in (0, 1)), strict=True)
        if any(len(kept) > len(np.unique(column)) for kept, column in zip(rows, links, strict=True)):
            fit_vocabulary(
                train.source.take(rows[0]),
                train.target.take(rows[1]),
                np.stack(links, axis=1),
                train.weights,
                train.components(),
            )
            return
    aligner.fit_blocks(train.blocks, groups=train.components())


def _vocabulary(train: Pairs, held_out: Pairs | None, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of one side that are not held out, and where among them each link's row stands."""
    known = np.ones(len(train.target if side else train.source), bool)
    if held_out is not None:
        known[held_out.links[:, side]] = False
    return np.flatnonzero(known), (np.cumsum(known) - 1)[train.links[:, side]]


def _held_out_report(alignment: Alignment, held_out: Pairs | None, protocol: Protocol) -> Report:
    if held_out is None:
        return Report("fit", {}, {"frame": "joint", "versions": versions()})
    rows = held_out.restricted()
    scored = evaluate(rows.source, rows.target, pairs=rows, alignment=alignment, protocol=protocol).report
    return Report("fit", scored.sections, scored.context)
