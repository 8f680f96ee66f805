"""Place several spaces in one joint frame and score every two of them on items that none of them saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from alignkit.aligners import METHODS
from alignkit.errors import ParameterError, UnknownNameError
from alignkit.joint import JOINT_METHODS
from alignkit.joint._alignment import JointAlignment, Member, find_member
from alignkit.joint._base import JointAligner
from alignkit.joint._items import Items, labels_of
from alignkit.pairs import FEWEST
from alignkit.reports import Report, Score
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, held_out_json, versions
from alignkit.workflows._recipes import plain_method
from alignkit.workflows.evaluation import evaluate

METRICS = ("mrr", "hit@1", "hit@5", "hit@10")
PAIRWISE = "procrustes"  # the method of a hub, where none is named
SHORT = {"gpa": "generalized_procrustes"}


@dataclass(frozen=True, slots=True)
class Joined:
    """What `join` returns: the joint alignment, its held-out scores, and the items on either side."""

    alignment: JointAlignment
    report: Report
    train: Items
    test: Items | None

    def to_json(self, *, written: str | None = None) -> dict[str, Any]:
        """Return the object that ``alignkit fit A B C --hub NAME --json`` prints."""
        return held_out_json(self.alignment.method, self.report, written)


def join(  # noqa: PLR0913 - the whole choice of a run
    embeddings: Sequence[Embeddings],
    *,
    hub: str = "gpa",
    method: str = PAIRWISE,
    params: dict[str, Any] | None = None,
    test: float = 0.2,
    seed: int = 0,
    group: str | None = None,
    metrics: Sequence[str] = METRICS,
) -> Joined:
    """Place spaces in one joint frame, fitted on training items and scored on items held out of all spaces.

    Rows are joined by id; an item may be missing in some spaces. The split is drawn by connected component
    over all spaces at once, so that no item, group (a metadata column) or byte-identical row of any space
    stands on both sides. Every two spaces that share held-out items are scored in both directions, in the
    joint frame, and the gallery is the items that both hold. ``test=0`` fits on all items and leaves the
    report empty.

    ``hub`` is ``"gpa"`` (generalised Procrustes), ``"gcca"``, or one of the spaces, by its number (from 0),
    label, space or modality; into that one the others are mapped by the pairwise ``method``. ``params`` are
    the options of the joint method, or of the pairwise one where a space is the hub.

    Raises
    ------
    AlignkitError
        If the hub, the method or an option is unknown, rows are not finite or have no direction, or too
        few items are shared.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 4))
    >>> turned = [X @ np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)]
    >>> joined = join([Embeddings(rows, name=name) for rows, name in zip(turned, "abc")], test=0.5)
    >>> joined.report.sections["a -> c"]["hit@1"].value
    1.0
    """
    items = Items.by_id(embeddings)
    for side in embeddings:
        side.check(direction=True)
    members = [
        Member(label, side.space, side.modality)
        for label, side in zip(labels_of(embeddings), embeddings, strict=True)
    ]
    name, aligner = _chosen(hub, method, params or {}, members)
    train, held_out = (items, None) if test == 0 else items.split(test, seed, group=group)
    aligner.fit([side.vectors for side in train.sides], train.rows, groups=train.components(group))
    info = {"seed": seed, "training_items": len(train), "hub": hub, "versions": versions()}
    joint = JointAlignment(name, aligner.maps_, tuple(members), info)
    sections, context = _scored(joint, held_out, Protocol(metrics=tuple(metrics), seed=seed))
    context |= {
        "frame": "joint",
        "method": name,
        "params": aligner.get_params(),
        "spaces": [facts_of(side) | {"label": m.label} for side, m in zip(embeddings, members, strict=True)],
        "split": {"test": test, "seed": seed, "train": len(train), "held_out": len(items) - len(train)},
        "join": _shared(items, members),
        "versions": info["versions"],
    }
    report = Report("join", sections, context)
    return Joined(replace(joint, info={**info, "report": report.to_json()}), report, train, held_out)


def joint_options(hub: str, method: str = PAIRWISE) -> dict[str, Any]:
    """Return the options that ``params`` of `join` may set, with their defaults."""
    name = SHORT.get(hub, hub)
    joint = is_joint_method(hub)
    cls: Any = JOINT_METHODS.get(name) if joint else METHODS.get(plain_method(method, "more than two spaces"))
    return cls().get_params()


def is_joint_method(hub: str) -> bool:
    """Whether ``hub`` names a joint method rather than one of the spaces."""
    name = SHORT.get(hub, hub)
    return name in JOINT_METHODS.names() and name != "hub"


def _chosen(
    hub: str, method: str, params: dict[str, Any], members: Sequence[Member]
) -> tuple[str, JointAligner]:
    known = joint_options(hub, method)
    unknown = sorted(set(params) - set(known))
    if unknown:
        asked = hub if is_joint_method(hub) else method
        raise ParameterError(f"{asked} has no option {unknown[0]!r}; it has: {', '.join(known)}.")
    if is_joint_method(hub):
        if method != PAIRWISE:
            raise ParameterError(
                f"--hub {hub} places all spaces at once and takes no pairwise method such as {method}: name "
                "a space as the hub, or leave the method out."
            )
        name = SHORT.get(hub, hub)
        return name, JOINT_METHODS.get(name)(**params)
    try:
        number = find_member(members, hub)
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{str(error).rstrip('.')}; or one of {', '.join(sorted(_joint_names()))}."
        ) from error
    frame = {"normalize": params["normalize"]} if "normalize" in params else {}
    aligner = JOINT_METHODS.get("hub")(hub=number, method=METHODS.check(method), params=params, **frame)
    return "hub", aligner


def _joint_names() -> list[str]:
    short = {long: name for name, long in SHORT.items()}
    return [short.get(name, name) for name in JOINT_METHODS.names() if name != "hub"]


def _scored(
    joint: JointAlignment, held_out: Items | None, protocol: Protocol
) -> tuple[dict[str, dict[str, Score]], dict[str, Any]]:
    sections: dict[str, dict[str, Score]] = {}
    context: dict[str, Any] = {"not_scored": []}
    if held_out is None:
        return sections, context
    for a, b in combinations(range(len(joint.members)), 2):
        names = joint.members[a].label, joint.members[b].label
        pairs = held_out.pairs(a, b)
        if len(pairs) < FEWEST:
            context["not_scored"].append(list(names))
            continue
        pairs = pairs.restricted()
        found = evaluate(
            pairs.source, pairs.target, pairs=pairs, alignment=joint.between(a, b), protocol=protocol
        ).report
        sections[f"{names[0]} -> {names[1]}"] = found.sections["forward"]
        sections[f"{names[1]} -> {names[0]}"] = found.sections["backward"]
        context["protocol"] = found.context["protocol"]
    return sections, context


def _shared(items: Items, members: Sequence[Member]) -> dict[str, Any]:
    """Return how many items each space holds, and every two of them."""
    numbers = range(len(members))
    return {
        "items": len(items),
        "held": {members[i].label: int(items.held_by(i, i).sum()) for i in numbers},
        "shared": [
            [members[a].label, members[b].label, int(items.held_by(a, b).sum())]
            for a, b in combinations(numbers, 2)
        ],
    }
