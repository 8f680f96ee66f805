"""Measure how far two modalities lie apart, before and after a map."""

from collections.abc import Sequence

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.gaps import MEASURES
from alignkit.gaps._measure_all import gap_facts, measure_gap_rows
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, versions


def measure_gap(
    source: Embeddings,
    target: Embeddings,
    *,
    pairs: Pairs | None = None,
    alignment: Alignment | None = None,
    measures: Sequence[str] | None = None,
    seed: int = 0,
) -> Report:
    """Measure how far two modalities lie apart; without ``pairs``, only what needs none.

    With pairs, the rows that have a partner are measured, each once. What cannot be measured stands with
    its reason in ``context["protocol"]["not_measured"]``.

    With an alignment, section ``measures`` is the gap that remains after it, in the target's own frame,
    and ``before`` (where dimensions allow) the gap of the rows as they came.

    Raises
    ------
    DataError
        If dimensions differ and no alignment joins them, or rows are not finite or have no direction.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> one, other = (Embeddings(rng.normal(size=(50, 8)) + shift) for shift in (0, 9))
    >>> report = measure_gap(one, other, measures=["centroid_distance"])
    >>> report.sections["measures"]["centroid_distance"].value > 0.7
    True
    """
    chosen = [MEASURES.check(name) for name in measures] if measures else MEASURES.names()
    for side in (source, target):
        side.check(direction=True)
    if alignment is None and source.dim != target.dim:
        raise DataError(
            f"{source.name} has {source.dim} dimensions and {target.name} {target.dim}: a gap is measured "
            "in one space; fit a map with `alignkit fit` and pass it with --alignment."
        )
    mapped = source if alignment is None else alignment.apply(source)
    mapped.space.check_meets(target.space, f"{source.name}, measured against {target.name},")
    sections = {"measures": _measured(mapped, target, pairs, chosen, seed)}
    if alignment is not None and source.dim == target.dim:
        sections["before"] = _measured(source, target, pairs, chosen, seed)
    join = None if pairs is None else pairs.join()
    rows = [len(source), len(target)]
    if join is not None:
        rows = [join[f"{side}_rows"] - join[f"{side}_unmatched"] for side in ("source", "target")]
    context = {
        "source": facts_of(source),
        "target": facts_of(target),
        "frame": "own" if alignment is None else "target",
        "join": join,
        "protocol": gap_facts(*rows, paired=pairs is not None, measures=chosen),
        "seed": seed,
        "versions": versions(),
    }
    return Report("gap", sections, context)


def _measured(
    left: Embeddings, right: Embeddings, pairs: Pairs | None, measures: Sequence[str], seed: int
) -> dict[str, Score]:
    if pairs is None:
        return measure_gap_rows(left.array(), right.array(), paired=False, measures=measures, seed=seed)
    linked = Pairs(left, right, pairs.links, pairs.groups).restricted()
    return measure_gap_rows(
        linked.source.array(),
        linked.target.array(),
        paired=True,
        measures=measures,
        links=linked.links,
        groups=linked.components(),
        seed=seed,
    )
