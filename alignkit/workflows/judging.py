"""Judge generated rows beside real ones: every judge that the rows allow, and why not the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.judges import JUDGES
from alignkit.judges._base import Judge, Samples
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, versions


def judge(
    reference: Embeddings,
    generated: Embeddings,
    *,
    judges: Sequence[str] = (),
    pairs: Pairs | None = None,
    labels: str = "",
    group: str = "",
    seed: int = 0,
) -> Report:
    """Return the scores of generated rows; without ``judges``, of every judge that the rows allow.

    Both sides must be rows of one embedder, which the report names with the number of rows: no score means
    anything without the two. ``pairs`` (source: reference, target: generated) says which rows belong
    together; ``labels`` names a column of both sides with the class of each row, and ``group`` one of the
    generated side whose equal values came from one item. Judges that compare clouds see every row, judges
    of partners the linked ones. What could not judge stands in ``context["not_judged"]`` with its reason.

    Raises
    ------
    SpaceMismatchError
        If the sides come from two embedders.
    DataError
        If rows are not finite, a column is missing, or a judge that was asked for cannot judge.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, made = (Embeddings(rng.normal(size=(50, 4)) + shift) for shift in (0, 2))
    >>> report = judge(real, made)
    >>> sorted(report.sections["judges"]), report.sections["judges"]["kad"].value > 10
    (['fad', 'kad'], True)
    """
    reference.space.check_meets(generated.space, f"judging by rows of {reference.name}")
    for side in (reference, generated):
        side.check()
    samples = _samples(reference, generated, None, labels, group)
    partners = None if pairs is None else _samples(*_linked(pairs), pairs, "", group)
    named = [JUDGES.check(name) for name in judges]
    scores, refused, facts = {}, {}, {}
    for name in named or JUDGES.names():
        one = JUDGES.get(name)()
        seen = partners if one.needs == "pairs" and partners is not None else samples
        why = one.refusal(seen)
        if why is not None or not (named or one.default):
            if named:
                raise DataError(f"{name} cannot judge: {why}.")
            refused[name] = why or "taken when asked for"
            continue
        scores[name] = one.judge(seen, seed=seed)
        facts[name] = _facts(one, seen)
    context: dict[str, Any] = {
        "reference": facts_of(reference),
        "generated": facts_of(generated),
        "embedder": str(reference.space if reference.space.name else generated.space),
        "judges": facts,
        "not_judged": refused,
        "join": None if pairs is None else pairs.join(),
        "seed": seed,
        "versions": versions(),
    }
    return Report("judge", {"judges": scores}, context)


def _facts(one: Judge, seen: Samples) -> dict[str, Any]:
    return {
        "n_reference": len(seen.reference),
        "n_generated": len(seen.generated),
        "better": one.better,
        "interval": one.interval,
        "chance": one.chance,
    }


def _linked(pairs: Pairs) -> tuple[Embeddings, Embeddings]:
    """Return both sides a row for each link: a row with two partners stands twice."""
    return tuple(
        Embeddings(
            side.vectors[rows], items=side.items.take(pa.array(rows)), space=side.space, name=side.name
        )
        if side.items.num_columns
        else Embeddings(side.vectors[rows], space=side.space, name=side.name)
        for side, rows in ((pairs.source, pairs.links[:, 0]), (pairs.target, pairs.links[:, 1]))
    )  # pyright: ignore[reportReturnType] - two of them


def _samples(
    reference: Embeddings, generated: Embeddings, pairs: Pairs | None, labels: str, group: str
) -> Samples:
    classes: tuple[Labels | None, Labels | None] = (None, None)
    if labels:
        words = [_column(side, labels) for side in (reference, generated)]
        codes = np.unique(np.concatenate(words), return_inverse=True)[1]
        classes = codes[: len(words[0])], codes[len(words[0]) :]
    groups = np.unique(_column(generated, group), return_inverse=True)[1] if group else None
    if pairs is not None and groups is None:
        groups = pairs.components()
    double = np.dtype(np.float64)
    return Samples(reference.array(double), generated.array(double), pairs is not None, *classes, groups)


def _column(side: Embeddings, name: str) -> np.ndarray:
    return np.array([str(value) for value in side.column(name).to_pylist()])
