"""Ask what frozen embeddings know: by class texts, by classifiers across folds, or from a few examples."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.few_shot import FEW_SHOT, FewShotCurve, Shots, few_shot_curve
from alignkit.probes.fold_means import mean_fold_accuracy
from alignkit.probes.linear import linear_probe
from alignkit.probes.mlp import MlpRecipe, mlp_probe
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import ProbeResult
from alignkit.probes.zero_shot import zero_shot
from alignkit.reports import Report
from alignkit.spaces import Embeddings
from alignkit.statistics.intervals import SOUND
from alignkit.workflows._class_columns import classes_of, column_of, labels_of
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows.evaluation import scored_rows

Method: TypeAlias = Literal["zero-shot", "linear", "mlp"]
METHODS = ("zero-shot", "linear", "mlp")
TOP = (1, 5)  # classes of which the right one must be among the first, where there are as many


@dataclass(frozen=True, slots=True)
class Columns:
    """Say which metadata columns hold what a probe needs.

    Parameters
    ----------
    label
        The class of each row, a text or a whole number; or lists of them, where a row may have several.
    fold
        The data set's own folds.
    group
        The recording that each row was cut from; None where every row is one of its own.
    prompt
        Of the class texts: the class that each describes. Where there is no such column their ids are.
    """

    label: str = "label"
    fold: str = "fold"
    group: str | None = None
    prompt: str = "label"


@dataclass(frozen=True, eq=False, slots=True)
class Probed:
    """What a probe found: a report, and the class scores of every row behind it.

    ``groups`` are the recordings that intervals draw, or None.
    """

    report: Report
    result: ProbeResult
    groups: np.ndarray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Learnt:
    """What a few examples teach: a report with a section for each number of them, and the curve itself."""

    report: Report
    curve: FewShotCurve = field(repr=False)


def probe(
    rows: Embeddings,
    method: Method = "linear",
    *,
    prompts: Embeddings | None = None,
    alignment: Alignment | None = None,
    columns: Columns | None = None,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> Probed:
    """Return how well the classes of rows are read from them, with intervals and chance levels.

    ``"zero-shot"`` asks ``prompts``, embedded class texts in any order and any number to a class (their unit
    mean is taken), joined to the rows' labels by name and never by position; ``alignment`` takes the rows
    into the texts' space first. ``"linear"`` and ``"mlp"`` fit a classifier to all folds but one and score
    the one; their penalty is chosen on the training folds. The report's section is ``probe``.

    Raises
    ------
    DataError
        If a column is missing, a class has no text, or folds cannot be fitted.
    ParameterError
        If the method is unknown, or its class texts are missing or mean nothing to it.

    Examples
    --------
    >>> import pyarrow as pa
    >>> clips = Embeddings(np.eye(3), items=pa.table({"label": ["a", "b", "c"]}))
    >>> texts = Embeddings(np.eye(3)[[2, 0, 1]], ids=["c", "a", "b"])
    >>> probe(clips, "zero-shot", prompts=texts).report.sections["probe"]["top1_accuracy"].value
    1.0
    """
    columns, resampling = columns or Columns(), resampling or Resampling()
    _check(method, prompts, alignment, recipe)
    labels, classes = labels_of(rows, columns.label)
    groups = _groups(rows, columns)
    context = {"rows": facts_of(rows), "columns": _facts_of(columns, method)}
    if method == "zero-shot" and prompts is not None:
        names = classes_of(prompts, columns.prompt)
        asked, texts = (np.asarray(side[:]) for side in scored_rows(rows, prompts, alignment, "cosine"))
        top = [k for k in TOP if k <= len(set(names))]
        result = zero_shot(asked, labels, texts, names, top=top, groups=groups, resampling=resampling)
        context |= {"prompts": facts_of(prompts), "frame": "own" if alignment is None else "joint"}
        return Probed(report_of({"probe": result.scores}, context, result.facts), result, groups)
    rows.check()
    folds = np.array(column_of(rows, columns.fold, "says which of the data set's folds each row is in"))
    options: dict[str, Any] = {"classes": classes, "groups": groups, "resampling": resampling}
    if method == "linear":
        result = linear_probe(rows.array(), labels, folds, recipe=recipe, **options)
    else:
        given = recipe if isinstance(recipe, MlpRecipe) else _of_mlp(recipe)
        result = mlp_probe(rows.array(), labels, folds, recipe=given, **options)
    scores = dict(result.scores)
    if result.targets.exclusive:
        mean, context["folds"] = mean_fold_accuracy(result, folds, groups=groups, resampling=resampling)
        scores = {"mean_fold_accuracy": mean, **scores}
    return Probed(report_of({"probe": scores}, context, result.facts), result, groups)


def probe_few(
    rows: Embeddings,
    shots: Shots | Sequence[int] = (1, 2, 4, 8, 16),
    *,
    columns: Columns | None = None,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> Learnt:
    """Return how accurate a linear probe is after so many examples of each class, a section for each number.

    Examples come from the other folds, drawn several times; see `few_shot_curve`.

    Raises
    ------
    DataError
        If a column is missing, or a class has fewer rows beside a fold than examples are asked for.
    ParameterError
        If numbers of examples repeat or are below 1.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP: Learning Robust Audio Representations From CLIP*, figure 2.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"label": [0, 1] * 8, "fold": [1] * 8 + [2] * 8})
    >>> clips = Embeddings(np.eye(2)[[0, 1] * 8], items=table)
    >>> found = probe_few(clips, (1, 4))
    >>> {name: scores["accuracy"].value for name, scores in found.report.sections.items()}
    {'shots=1': 1.0, 'shots=4': 1.0}
    """
    columns = columns or Columns()
    rows.check()
    labels, _ = labels_of(rows, columns.label)
    folds = np.array(column_of(rows, columns.fold, "says which of the data set's folds each row is in"))
    curve = few_shot_curve(
        rows.array(),
        labels,
        folds,
        shots=shots if isinstance(shots, Shots) else Shots(tuple(shots)),
        recipe=recipe or FEW_SHOT,
        groups=_groups(rows, columns),
        resampling=resampling,
    )
    context = {"rows": facts_of(rows), "columns": _facts_of(columns, "linear")}
    context["by_seed"] = {f"shots={point.shots}": point.by_seed for point in curve.points}
    sections = {f"shots={point.shots}": point.scores for point in curve.points}
    return Learnt(report_of(sections, context, curve.facts), curve)


def _check(
    method: str, prompts: Embeddings | None, alignment: Alignment | None, recipe: Recipe | None
) -> None:
    if method not in METHODS:
        raise ParameterError(f"there is no probe {method!r}: choose one of {', '.join(METHODS)}.")
    if method != "zero-shot" and not (prompts is None and alignment is None):
        raise ParameterError(
            f"a {method} probe learns its classes from labelled rows: leave class texts and map out, or "
            "choose zero-shot."
        )
    if method == "zero-shot" and prompts is None:
        raise ParameterError("a zero-shot probe asks class texts: embed one or more for each class.")
    if method == "zero-shot" and recipe is not None:
        raise ParameterError("a zero-shot probe fits nothing: leave penalties and scale out.")


def _of_mlp(recipe: Recipe | None) -> MlpRecipe | None:
    """Return an MLP's recipe with what a plain one says."""
    if recipe is None:
        return None
    return replace(MlpRecipe(), penalties=recipe.penalties, scale=recipe.scale, seed=recipe.seed)


def _groups(rows: Embeddings, columns: Columns) -> np.ndarray | None:
    if columns.group is None:
        return None
    return np.array(column_of(rows, columns.group, "says which recording each row was cut from"))


def _facts_of(columns: Columns, method: str) -> dict[str, str | None]:
    needed = ("label", "group", "prompt") if method == "zero-shot" else ("label", "group", "fold")
    return {name: getattr(columns, name) for name in needed}


def report_of(sections: dict[str, Any], context: dict[str, Any], facts: dict[str, Any]) -> Report:
    """Return a probe's report; its facts stand under ``protocol``, with what they warn of."""
    protocol = {**facts, "warnings": warnings(facts)}
    return Report("probe", sections, {**context, "protocol": protocol, "versions": versions()})


def warnings(facts: dict[str, Any]) -> list[str]:
    """Return what a reader of a probe must know before believing it.

    Examples
    --------
    >>> warnings({"groups": 12, "resamples": 100})[0].partition(":")[0]
    '12 independent groups of rows, where an interval takes about 30'
    """
    found = []
    groups = facts.get("groups", SOUND)
    if facts.get("resamples") and groups < SOUND:
        found.append(
            f"{groups} independent {'group' if groups == 1 else 'groups'} of rows, where an interval takes "
            f"about {SOUND}: the true ones are wider than those printed."
        )
    if across := facts.get("groups_across_folds", 0):
        found.append(
            f"{across} {'group lies' if across == 1 else 'groups lie'} in several folds, so the probe is "
            "tested on recordings of which it has seen other parts."
        )
    if facts.get("chosen_at_edge", 0) and len(facts["penalties"]) > len(("smallest", "largest")):
        found.append(
            f"the penalty of {facts['chosen_at_edge']} of {facts['folds']} folds lies at an end of "
            f"{facts['penalties']}: a wider grid may hold a better one."
        )
    if not facts.get("converged", True):
        found.append("some fits stopped before they converged: figures may move with another solver.")
    return found
