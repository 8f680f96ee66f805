"""Judge generated rows beside real ones: every judge that the rows allow, and why not the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit._words import counted
from alignkit.errors import DataError
from alignkit.judges import JUDGES
from alignkit.judges._base import Judge, Samples
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._same_rows import shared_rows

FEWEST = 2  # rows of a side


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
    of partners the linked ones. What could not judge stands in ``context["not_judged"]`` with its reason, and
    in ``context["warnings"]`` how many generated rows are rows of the reference.

    Raises
    ------
    SpaceMismatchError
        If the sides come from two embedders.
    DataError
        If rows are not finite, or have no direction where partners are compared; if both sides hold the same
        rows; if a column is missing, or a judge that was asked for cannot judge.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, made = (Embeddings(rng.normal(size=(50, 4)) + shift) for shift in (0, 2))
    >>> report = judge(real, made)
    >>> sorted(report.sections["judges"]), report.sections["judges"]["kad"].value > 10
    (['fad', 'kad'], True)
    """
    reference.space.check_meets(generated.space, f"judging by rows of {reference.name}")
    named = [JUDGES.check(name) for name in judges]
    warnings = _checked(reference, generated)
    if pairs is not None and any(JUDGES.get(name).needs == "pairs" for name in named or JUDGES.names()):
        _check_partners(pairs)
    samples = _samples(reference, generated, None, labels, group)
    partners = None if pairs is None else _samples(*_linked(pairs), pairs, "", group)
    scores, refused, facts = {}, {}, {}
    for name in named or JUDGES.names():
        one = JUDGES.get(name)()
        seen = partners if one.needs == "pairs" and partners is not None else samples
        why = one.refusal(seen)
        if why is not None or not (named or one.default):
            if named:
                raise DataError(f"{name} cannot judge: {why}.")
            refused[name] = why or f"it is not taken by default; ask for it with --judges {name}"
            continue
        scores[name] = one.judge(seen, seed=seed)
        facts[name] = _facts(one, seen)
    context: dict[str, Any] = {
        "reference": facts_of(reference),
        "generated": facts_of(generated),
        "embedder": str(reference.space if reference.space.name else generated.space),
        "judges": facts,
        "not_judged": refused,
        "warnings": warnings,
        "join": None if pairs is None else pairs.join(),
        "seed": seed,
        "versions": versions(),
    }
    return Report("judge", {"judges": scores}, context)


def _checked(reference: Embeddings, generated: Embeddings) -> list[str]:
    """Return warnings; raise DataError, naming the file, where a side cannot be judged or both are one."""
    for side in (reference, generated):
        side.check()
        if len(side) < FEWEST:
            raise DataError(
                f"{side.name} has {counted(len(side), 'row')}, and judges need {FEWEST} or more: encode more "
                "items."
            )
    known, copies = shared_rows(reference, generated)
    if known == len(reference) and copies == len(generated):
        raise DataError(
            f"{reference.name} and {generated.name} hold the same rows, and by itself anything is perfect: "
            "give real items as reference and what was generated beside them."
        )
    if not copies:
        return []
    return [
        f"{copies} of {len(generated)} rows of {generated.name} are, to the last bit, rows of "
        f"{reference.name}: distances come out too small and accuracies too high; keep copies out of it"
    ]


def _check_partners(pairs: Pairs) -> None:
    """Raise DataError, naming the file, where a row that has a partner points nowhere."""
    for side, rows in zip(pairs.sides, pairs.links.T, strict=True):
        if not side.take(np.unique(rows)).any(axis=1).all():
            side.check(direction=True)


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
