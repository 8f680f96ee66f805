"""Fit a map on training pairs and score it on pairs that it never saw."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.leaks import Leaks, check_split
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import held_out_json, versions
from alignkit.workflows._recipes import AUTO, Recipe
from alignkit.workflows.choosing import Choice, choose
from alignkit.workflows.evaluation import evaluate
from alignkit.workflows.learning import Known, anchored, check_known, learn

METRICS = ("mrr", "hit@1", "hit@5", "hit@10")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What `fit` returns: the map, its held-out scores, and the pairs on either side of the split.

    ``leaks`` says what the held-out pairs share with the training pairs, ``choice`` how ``"auto"`` chose.
    """

    alignment: Alignment
    report: Report
    train: Pairs
    test: Pairs | None
    leaks: Leaks | None = None
    choice: Choice | None = None

    def to_json(self, *, written: str | None = None) -> dict[str, Any]:
        """Return the object that ``alignkit fit --json`` prints."""
        return held_out_json(self.alignment.method, self.report, written)


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
    split_column: str | None = None,
    group_duplicates: bool = False,
    anchors: int | None = None,
    unpaired: bool = False,
    allow_failed: bool = False,
    allow_leaks: bool = False,
) -> Fitted:
    """Fit a map on training pairs and score it on pairs that it never saw.

    ``method`` names a method, a preset, or ``"auto"``: the method that does best in cross-validation on
    the training pairs.

    The split is drawn by connected component, so that no item, group or byte-identical row stands on
    both sides (with ``group_duplicates``, no near-duplicate either), or declared by ``split_column`` with
    the values train and test. What leaks all the same stands in ``leaks``. The gallery of the score is the
    held-out targets, the frame the joint one. ``test=0`` fits on all pairs and leaves the report empty.

    Methods that learn from unpaired rows too (`refinement`, `rcsls`) see those of both sides, but no
    held-out one. With ``anchors`` a method is shown no more than that many of the training pairs, drawn
    by ``seed``; 0 shows none, and so it is for methods that need none. With ``unpaired`` the rows are not
    joined at all: nothing can be scored.

    Raises
    ------
    AlignkitError
        If the method or one of its options is unknown, rows are not finite or have no direction, or
        too few pairs are shared.
    PairingError
        If a declared split puts an item or a declared group on both sides, unless ``allow_leaks``.
    FailedFitError
        If a method that learns without pairs says that its own run failed, unless ``allow_failed``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(60, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = fit(Embeddings(X), Embeddings(X @ Q), test=0.5, params={"normalize": "none"})
    >>> fitted.report.sections["forward"]["hit@1"].value
    1.0
    """
    recipe = None if method == AUTO else Recipe.of(method, params)
    if recipe is not None:
        check_known(recipe.make(), method, 0 if unpaired else anchors)
    if unpaired:
        pairs = Pairs.none(source, target)
    elif pairs is None:
        pairs = Pairs.by_id(source, target)
    if not unpaired:
        pairs.check_enough()
    for side in (source, target):
        side.check(direction=True)
    pairs = pairs.in_order_of_ids()
    if group_duplicates:
        pairs = pairs.with_duplicates_grouped()
    train, held_out, hidden = split_pairs(pairs, test, seed, split_column)
    leaks = None if held_out is None else check_split(train, held_out, refuse=not allow_leaks)
    choice = None
    if recipe is None:
        known = anchored(_without_params(train, params, unpaired), anchors, seed)
        choice = choose(known, seed=seed, held_out=hidden)
        recipe = Recipe.of(choice.method, choice.params)
    aligner = recipe.make()
    shown = learn(aligner, train, hidden, Known(anchors, seed, recipe.frames, allow_failed))
    info = _origin(shown, recipe, seed)
    alignment = Alignment(recipe.method, aligner, source.space, target.space, info)
    report = _held_out_report(alignment, held_out, Protocol(metrics=tuple(metrics), seed=seed))
    report.context.update(
        method=alignment.method,
        preset=recipe.preset or None,
        params=aligner.get_params(),
        split=_split_facts(train, held_out, test, seed, split_column),
        leaks=None if leaks is None else leaks.to_json(),
        choice=None if choice is None else choice.to_json(),
        pairs_shown=len(shown),
        trust=_trust_facts(aligner),
        join=pairs.join(),
        training_digest=info["training_digest"],
    )
    alignment = replace(alignment, info={**info, "report": report.to_json()})
    return Fitted(alignment, report, train, held_out, leaks, choice)


def _origin(shown: Pairs, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Return where a map comes from, as far as it is known before the map is scored."""
    digest = shown.digest() if len(shown) else None
    info = {"seed": seed, "training_pairs": len(shown), "training_digest": digest, "versions": versions()}
    return info | ({"preset": recipe.preset} if recipe.preset else {})


def split_pairs(
    pairs: Pairs, test: float, seed: int, column: str | None
) -> tuple[Pairs, Pairs | None, Pairs | None]:
    """Return the pairs to fit, those to score, and all whose rows no method may see."""
    if column is None:
        if test == 0 or not len(pairs):
            return pairs, None, None
        train, held_out = pairs.split(test, seed)
        return train, held_out, held_out
    train, held_out = pairs.declared_split(column)
    others = [part.links for name, part in pairs.split_by(column).items() if name != "train"]
    return train, held_out, Pairs(pairs.source, pairs.target, np.concatenate(others))


def _split_facts(
    train: Pairs, held_out: Pairs | None, test: float, seed: int, column: str | None
) -> dict[str, Any]:
    drawn = {"test": test, "seed": seed} if column is None else {"column": column, "seed": seed}
    return drawn | {"train": len(train), "held_out": 0 if held_out is None else len(held_out)}


def _without_params(train: Pairs, params: dict[str, Any] | None, unpaired: bool) -> Pairs:
    """Return the pairs to choose by; refuse what `choose` would have to ignore."""
    if unpaired:
        raise ParameterError(f"{AUTO} chooses by pairs, and there are none: name a method that does without.")
    if params:
        raise ParameterError(f"{AUTO} tries many methods and takes no option such as {next(iter(params))!r}.")
    return train


def _trust_facts(aligner: Aligner) -> dict[str, Any] | None:
    """Return what a method says of its own run, where it learns without pairs."""
    trust: Any = getattr(aligner, "trust_", None)
    return None if trust is None else asdict(trust) | {"failed": bool(trust.failed)}


def _held_out_report(alignment: Alignment, held_out: Pairs | None, protocol: Protocol) -> Report:
    if held_out is None:
        return Report("fit", {}, {"frame": "joint", "versions": versions()})
    rows = held_out.restricted()
    scored = evaluate(rows.source, rows.target, pairs=rows, alignment=alignment, protocol=protocol).report
    return Report("fit", scored.sections, scored.context)
