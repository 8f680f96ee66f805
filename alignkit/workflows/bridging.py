"""Join two spaces by way of others: fit the legs, chain them, and say how far the chain strays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from alignkit.alignment import Alignment
from alignkit.chains import chain_bound, chain_error, cycle_error
from alignkit.errors import ParameterError
from alignkit.joint._items import Items
from alignkit.pairs import FEWEST, Pairs
from alignkit.reports import Report, Score
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, held_out_json, versions
from alignkit.workflows.evaluation import evaluate
from alignkit.workflows.fitting import METRICS, fit

MOST_VIA = 2


@dataclass(frozen=True, slots=True)
class Bridged:
    """What `bridge` returns: the chain, the maps that it is made of, held-out scores and errors."""

    alignment: Alignment
    legs: tuple[Alignment, ...]
    report: Report

    def to_json(self, *, written: str | None = None) -> dict[str, Any]:
        """Return the object that ``alignkit fit A B --via C --json`` prints."""
        return held_out_json(self.alignment.method, self.report, written)


def bridge(  # noqa: PLR0913 - the whole choice of a run
    source: Embeddings,
    via: Sequence[Embeddings],
    target: Embeddings,
    *,
    method: str = "procrustes",
    params: dict[str, Any] | None = None,
    test: float = 0.2,
    seed: int = 0,
    group: str | None = None,
    metrics: Sequence[str] = METRICS,
    recentre: bool = False,
) -> Bridged:
    """Map ``source`` to ``target`` by way of one or two other sets of embeddings, and score the chain.

    With one ``via`` two maps are fitted, source to via and via to target, each on the items that its two
    sides share by id, and applied one after the other. With two, which share items with each other
    (texts, say, encoded by both models), one map is fitted between them and deployed on the source, which
    is of the first one's space, and the target, of the second one's: images and sounds, say. Then
    ``recentre`` replaces the means of that map by those of the deployed rows on either side, which closes
    the modality gap that the map itself knows nothing of.

    Where source and target share ids, a share ``test`` of these items is held out, by connected component
    over all sets, and the rows of a held-out item are kept out of every fit. On them the chain is scored
    (sections ``forward``, ``backward``) beside a direct map fitted with the same method on the training
    items that source and target share (``direct_forward``, ``direct_backward``). Where they share none,
    the share is one of all items, and only errors are measured.

    Section ``errors`` holds, on held-out rows: the cycle error there and back by maps fitted in the other
    direction; the error of the chain in the target's own frame; with two legs the bound and the estimate
    that their own errors give, and for each leg its carried error and gain. See `alignkit.chains`.

    Raises
    ------
    AlignkitError
        If the method or one of its options is unknown, rows are not finite or have no direction, or too
        few items are shared.
    SpaceMismatchError
        If, with two ``via``, source or target is of another space than the one it is to meet.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 4))
    >>> a, b, c = (Embeddings(X @ np.linalg.qr(rng.normal(size=(4, 4)))[0]) for _ in range(3))
    >>> bridged = bridge(a, [b], c, test=0.5)
    >>> bridged.report.sections["forward"]["hit@1"].value, bridged.alignment.method
    (1.0, 'procrustes+procrustes')
    """
    sides = (source, *via, target)
    legs = _legs(sides, recentre=recentre)
    for side in sides:
        side.check(direction=True)
    items = Items.by_id(sides)
    last = len(sides) - 1
    scored = int(items.held_by(0, last).sum()) >= 2 * FEWEST
    train, held_out = items, None
    if test != 0:
        train, held_out = items.split(test, seed, group=group, among=(0, last) if scored else None)

    def fitted(a: int, b: int) -> Alignment:
        pairs = train.pairs(a, b)
        pairs.check_enough()
        return fit(pairs.source, pairs.target, method=method, params=params, pairs=pairs, test=0).alignment

    there = [fitted(a, b) for a, b in legs]
    if recentre:
        there = [there[0].recentred(train.sides[0], train.sides[last])]
    chain = reduce(Alignment.then, there)
    context = _context(sides, items, train, {"test": test, "seed": seed})
    context |= {"method": method, "params": params or {}, "recentred": recentre}
    sections: dict[str, dict[str, Score]] = {}
    if held_out is not None:
        back = [fitted(b, a) for a, b in reversed(legs)]
        if recentre:
            back = [back[0].recentred(train.sides[last], train.sides[0])]
        if scored:
            protocol = Protocol(metrics=tuple(metrics), seed=seed)
            pairs = held_out.pairs(0, last).restricted()
            sections, context["protocol"] = _scores(chain, fitted(0, last), pairs, protocol)
        sections["errors"] = _errors(there, reduce(Alignment.then, back), held_out, legs)
    report = Report("bridge", sections, context)
    info = {**chain.info, "seed": seed, "versions": context["versions"], "report": report.to_json()}
    return Bridged(replace(chain, info=info), tuple(there), report)


def _legs(sides: tuple[Embeddings, ...], *, recentre: bool) -> list[tuple[int, int]]:
    """Return which two sets each map is fitted between."""
    via = len(sides) - 2
    if not 1 <= via <= MOST_VIA:
        raise ParameterError(f"there are {via} sets to go by way of: give one, or two that share items.")
    if via == 1:
        if recentre:
            raise ParameterError(
                "means are replaced only where a map is deployed on rows of another modality: give two sets "
                "to go by way of, one of the source's space and one of the target's."
            )
        return [(0, 1), (1, 2)]
    for side, meets in ((sides[0], sides[1]), (sides[3], sides[2])):
        meets.space.check_meets(side.space, f"the map fitted on {meets.name}")
    return [(1, 2)]


def _scores(
    chain: Alignment, direct: Alignment, pairs: Pairs, protocol: Protocol
) -> tuple[dict[str, dict[str, Score]], dict[str, Any]]:
    sections, facts = {}, {}
    for prefix, alignment in (("", chain), ("direct_", direct)):
        found = evaluate(
            pairs.source, pairs.target, pairs=pairs, alignment=alignment, protocol=protocol
        ).report
        sections |= {f"{prefix}{name}": scores for name, scores in found.sections.items()}
        facts = found.context["protocol"]
    return sections, facts


def _errors(
    there: list[Alignment], back: Alignment, held_out: Items, legs: list[tuple[int, int]]
) -> dict[str, Score]:
    chain = reduce(Alignment.then, there)
    rows = held_out.rows[held_out.rows[:, 0] >= 0, 0]
    errors: dict[str, Score] = {}
    if len(rows):
        cycle = cycle_error(chain, held_out.sides[0].take(rows), back)
        errors["cycle_cosine"] = Score(cycle.cosine, n=cycle.n)
        errors["cycle_distance"] = Score(cycle.distance, n=cycle.n)
    ends = held_out.pairs(0, len(held_out.sides) - 1)
    if len(ends) >= FEWEST:
        errors["chain_error"] = Score(chain_error(there, *ends.vectors()), n=len(ends))
    parts = [held_out.pairs(a, b) for a, b in legs]
    if len(parts) > 1 and min(map(len, parts)) >= FEWEST:
        found = chain_bound(there, [part.vectors() for part in parts])
        n = min(len(part) for part in parts)
        errors |= {"chain_bound": Score(found.bound, n=n), "chain_estimate": Score(found.estimate, n=n)}
        for number, (carried, gain) in enumerate(zip(found.carried, found.gains, strict=True), 1):
            errors[f"leg_{number}_carried"] = Score(carried, n=len(parts[number - 1]))
            errors[f"leg_{number}_gain"] = Score(gain, n=len(parts[number - 1]))
    return errors


def _context(
    sides: tuple[Embeddings, ...], items: Items, train: Items, split: dict[str, Any]
) -> dict[str, Any]:
    return {
        "queries": facts_of(sides[0]),
        "gallery": facts_of(sides[-1]),
        "via": [facts_of(side) for side in sides[1:-1]],
        "frame": "joint",
        "split": split | {"train": len(train), "held_out": len(items) - len(train)},
        "join": {"items": len(items), "source_target": int(items.held_by(0, len(sides) - 1).sum())},
        "versions": versions(),
    }
