"""Zero-shot classification: each row goes to the class whose texts lie nearest (Radford et al. 2021)."""

from collections.abc import Hashable, Sequence

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.probes.resampling import Resampling, score_all
from alignkit.probes.scoring import ProbeResult, calls_of, check_rows, row_groups, score_table
from alignkit.probes.targets import Targets, class_codes, sorted_names
from alignkit.reports import Score
from alignkit.shapes import ClassRows, ClassScores, TargetCloud, Vectors

TILE = 4096  # rows scored at a time
FEW = 16  # rows from which a matrix product gives equal rows equal scores


def zero_shot(
    rows: Vectors,
    labels: np.ndarray | Sequence[Hashable],
    prompts: TargetCloud,
    prompt_classes: np.ndarray | Sequence[Hashable],
    *,
    top: Sequence[int] = (1, 5),
    groups: np.ndarray | None = None,
    resampling: Resampling | None = None,
) -> ProbeResult:
    """Return zero-shot accuracy and its kin by the cosine between rows and class texts.

    ``prompts`` are embedded texts in any order and ``prompt_classes`` says which class each describes;
    ``labels`` names the class of each row (or is a 0/1 matrix with one column per class, sorted by name).
    They are joined by name, never by position: files of class texts are often in another order than class
    numbers, and joined by position CLAP falls from .915 to .040 on ESC-50.

    Order: rows and texts to unit length; several texts of one class averaged and brought to unit length
    again; cosines; ranks. ``top1_accuracy``, ``top5_accuracy`` and so on are the share of rows whose class is
    among the first k, where tied classes come in every order equally often: a collapsed space scores
    k / classes. Classes without rows compete too. ``groups`` are drawn together in the intervals.

    Raises
    ------
    DataError
        If a row's class has no text, widths differ, or a row or a class has no direction.
    ParameterError
        If an entry of ``top`` is no whole number from 1 to the number of classes.

    References
    ----------
    Radford et al. (2021), *Learning Transferable Visual Models From Natural Language Supervision*, 3.1.4.

    Examples
    --------
    >>> result = zero_shot(np.eye(3), ["a", "b", "c"], np.eye(3)[[2, 0, 1]], ["c", "a", "b"], top=[1])
    >>> result.scores["top1_accuracy"].value
    1.0
    """
    resampling = resampling or Resampling()
    classes = sorted_names(prompt_classes)
    targets = Targets.of(labels, classes)
    _check_top(top, len(classes), exclusive=targets.exclusive)
    check_rows(rows, targets)
    cosines = class_cosines(rows, prompts, prompt_classes, classes)
    blind = np.full(cosines.shape, 1 / len(classes))
    scores, facts = score_table(cosines, targets, blind, groups=groups, resampling=resampling)
    if targets.exclusive:
        scores = {**_top_scores(cosines, targets, top, groups, resampling), **scores}
        del scores["accuracy"]  # the same as top1_accuracy
    else:
        scores = {"map": scores["map"]}  # a cosine has no threshold
    facts |= {
        "probe": "zero_shot",
        "prompts": len(prompts),
        "similarity": "cosine",
        "chance": "uniform guessing",
    }
    return ProbeResult(scores, targets, cosines, facts)


def class_rows(
    prompts: TargetCloud, prompt_classes: np.ndarray | Sequence[Hashable], classes: Sequence[Hashable]
) -> ClassRows:
    """Return one unit row per class, in the order of ``classes``: the mean of its unit texts, unit again.

    Raises
    ------
    DataError
        If a class has no text, or its texts cancel out.
    """
    codes = class_codes(prompt_classes, classes)
    if np.ndim(prompts) != 2 or len(prompts) != len(codes):
        raise DataError(
            f"texts have shape {np.shape(prompts)} for {len(codes)} class names: give one name each."
        )
    missing = np.setdiff1d(np.arange(len(classes)), codes)
    if len(missing):
        raise DataError(f"class {classes[missing[0]]!r} has no text: embed one, or leave its rows out.")
    units = _directions(np.asarray(prompts, dtype=np.float64), "text")
    # summed in an order that permuting the texts does not change
    order = np.lexsort((*units.T[:8], codes))
    sums = np.zeros((len(classes), units.shape[1]))
    np.add.at(sums, codes[order], units[order])
    return _directions(sums, "mean text of class")


def class_cosines(
    rows: Vectors,
    prompts: TargetCloud,
    prompt_classes: np.ndarray | Sequence[Hashable],
    classes: Sequence[Hashable],
) -> ClassScores:
    """Return the cosine of every row with every class, in the order of ``classes``.

    Raises
    ------
    DataError
        As `zero_shot`.

    Examples
    --------
    >>> class_cosines(np.eye(2), 2 * np.eye(2), ["b", "a"], ["a", "b"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    texts = class_rows(prompts, prompt_classes, classes)
    return _cosines(_directions(np.asarray(rows, dtype=np.float64), "row"), texts)


def _directions(rows: Vectors, what: str) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1)
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        raise DataError(f"{what} {bad[0]} is zero or not finite, so it has no direction: embed it again.")
    return rows / lengths[:, None]


def _cosines(rows: Vectors, texts: ClassRows) -> ClassScores:
    """Return rows x classes; classes of one text are scored once, so that they tie exactly."""
    if rows.shape[1] != texts.shape[1]:
        raise DataError(
            f"rows have {rows.shape[1]} dimensions and class texts {texts.shape[1]}: embed both with one "
            "model, or map the rows first."
        )
    distinct, column = np.unique(texts, axis=0, return_inverse=True)
    starts = range(0, len(rows), TILE)
    tiles = [_padded(rows[start : start + TILE]) @ distinct.T for start in starts]
    return np.concatenate(tiles)[: len(rows)][:, column.ravel()]


def _padded(tile: Vectors) -> np.ndarray:
    return tile if len(tile) >= FEW else np.concatenate([tile, np.zeros((FEW - len(tile), tile.shape[1]))])


def expected_hits(class_scores: ClassScores, targets: Targets, k: int) -> np.ndarray:
    """Return for each row the chance that its class is among the best ``k``, over all orders of tied classes.

    Examples
    --------
    >>> flat = np.zeros((1, 4))
    >>> expected_hits(flat, Targets.of(["a"], ["a", "b", "c", "d"]), 3).tolist()
    [0.75]
    """
    own = class_scores[np.arange(len(class_scores)), targets.codes][:, None]
    above = (class_scores > own).sum(axis=1)
    tied = (class_scores == own).sum(axis=1)  # itself among them
    return np.clip((k - above) / tied, 0.0, 1.0)


def _top_scores(
    cosines: ClassScores,
    targets: Targets,
    top: Sequence[int],
    groups: np.ndarray | None,
    resampling: Resampling,
) -> dict[str, Score]:
    codes = row_groups(cosines, calls_of(cosines, exclusive=True), targets, groups)
    n_groups = int(codes.max()) + 1
    hits = np.stack([expected_hits(cosines, targets, k) for k in top])
    sums = np.stack([np.bincount(codes, weights=hit, minlength=n_groups) for hit in hits])
    sizes = np.bincount(codes, minlength=n_groups).astype(np.float64)
    names = [f"top{k}_accuracy" for k in top]

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        drawn = weights @ sizes
        return {name: weights @ total / drawn for name, total in zip(names, sums, strict=True)}

    chance = {name: k / len(targets.classes) for name, k in zip(names, top, strict=True)}
    return score_all(statistic, n_groups, chance=chance, resampling=resampling)


def _check_top(top: Sequence[int], n_classes: int, *, exclusive: bool) -> None:
    bad = [k for k in top if isinstance(k, bool) or k != int(k) or not 1 <= k <= n_classes]
    if exclusive and (bad or not top):
        raise ParameterError(
            f"top is {tuple(top)} with {n_classes} classes: name whole numbers from 1 to {n_classes}."
        )
