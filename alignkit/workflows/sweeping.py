"""Close the gap in every known way, and see what it does to retrieval on rows that no fix has seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from alignkit.closing import FIXES
from alignkit.closing._sweep import AS_IS, Effect, Point, Remaining, Spread, Sweep
from alignkit.errors import DataError, ParameterError
from alignkit.gaps import MEASURES
from alignkit.gaps._base import RESAMPLES
from alignkit.gaps._measure_all import asked_names
from alignkit.pairs import Pairs
from alignkit.reports import Score
from alignkit.spaces import Embeddings
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.statistics.significance import FLIPS, holm, sign_flip
from alignkit.workflows._asked import links_of
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._gap_warnings import check_two_modalities
from alignkit.workflows._split_effects import HeldOut, LabelledRows, Observed, SplitEffects, look_at

TEST = 0.5
METRICS = ("mrr", "hit@1")
GAPS = ("centroid_distance", "relative_modality_gap", "mean_paired_cosine")
REAL = 0.05
FEWEST_DRAWS = 200  # of a split, where many splits share the resamples of a gap's interval

__all__ = ["LabelledRows", "sweep_gap"]


def sweep_gap(  # noqa: PLR0913 - the whole choice of a sweep
    source: Embeddings,
    target: Embeddings,
    *,
    pairs: Pairs | None = None,
    labelled: LabelledRows | None = None,
    fixes: Sequence[str] | None = None,
    lambdas: Sequence[float] | None = None,
    measures: Sequence[str] | str | None = None,
    test: float = TEST,
    seeds: Sequence[int] = (0,),
    resamples: int = FLIPS,
) -> Sweep:
    """Return, for every fix and strength, the gap that is left and what became of retrieval.

    The order is, for each seed: pairs in the order of their ids; a split by connected component, so that
    the captions of one picture never straddle; every fix fitted on the training pairs, row by row of their
    links; held-out rows of both sides moved; their gap (``measures``, on one pair of each item where
    partners are compared) with its interval and null band; MRR and hit@1 both ways among the held-out rows;
    and, where there are ``labelled`` rows, zero-shot accuracy with rows and class texts moved alike. The
    rows as they are stand first.

    Scores, and changes against the rows as they are on the same queries, take all splits together; their
    intervals and paired tests draw whole items, so that an item held out twice is one observation, and all
    p-values are corrected together by Holm. Beside them stand mean and range over the splits. ``fixes`` and
    ``measures`` are names. ``lambdas`` take the place of every fix's own strengths, as far as they lie in
    its limits. A fix that refuses is left out, and the context says why.

    Raises
    ------
    DataError
        If the sides have unequal widths or the same numbers, a row has no direction, or a label no text.
    PairingError
        If the split leaves too few pairs.
    ParameterError, UnknownNameError
        If there is no such fix or measure, no strength that any fix takes, or no split.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> meaning, apart = rng.normal(size=(200, 8)), 3 * np.eye(8)[0]
    >>> one, other = (Embeddings(meaning + 0.3 * rng.normal(size=(200, 8)) + s * apart) for s in (1, -1))
    >>> found = sweep_gap(one, other, fixes=["centring"], lambdas=[1.0])
    >>> before, after = (point.gap["centroid_distance"].value for point in found.points)
    >>> after < 0.2 * before
    True
    """
    chosen = [MEASURES.check(name) for name in asked_names(measures) or GAPS]
    planned = _planned(fixes, lambdas)
    if not len(seeds) or len(set(seeds)) < len(seeds):
        raise ParameterError(f"the seeds are {list(seeds)}: give one or more, each once.")
    pairs = _checked(source, target, pairs)
    _check_labels(pairs, labelled)
    labels = pairs.components()
    splits, sizes = [], []
    draws = max(FEWEST_DRAWS, RESAMPLES // len(seeds))
    for seed in seeds:
        train, held = pairs.split(test, seed)
        held_out = HeldOut(held, labels[links_of(pairs, held)], METRICS, chosen, labelled, draws)
        splits.append(look_at(train, held_out, planned, seed=seed))
        sizes.append({"seed": seed, "train": len(train), "held_out": len(held)})
    left_out = {name: why for split in splits for name, why in split.left_out.items()}
    kept = [(AS_IS, 0.0)] + [(n, s) for n, all_ in planned.items() for s in all_ if n not in left_out]
    points, facts = _points(splits, kept, resamples, seeds[0])
    context = {
        "source": facts_of(source),
        "target": facts_of(target),
        "join": pairs.join(),
        "protocol": {
            "test": test,
            "splits": sizes,
            "gap_vector_length": Spread.of([split.gap_length for split in splits]).to_json(),
            "metrics": list(METRICS),
            "measures": chosen,
            "gap": splits[0].gap_facts,
            "similarity": "cosine",
            "gallery": "held-out rows",
            "resamples": resamples,
            "level": 0.95,
            "correction": "holm",
            **facts,
            "zero_shot": None if labelled is None else _label_facts(pairs, labelled),
            "left_out": left_out,
        },
        "versions": versions(),
    }
    return Sweep(points, context)


def _planned(fixes: Sequence[str] | None, lambdas: Sequence[float] | None) -> dict[str, Sequence[float]]:
    """Return the strengths of every fix that is asked for; one that takes none of them is left out."""
    planned: dict[str, Sequence[float]] = {}
    for name in FIXES.names() if fixes is None else [FIXES.check(fix) for fix in fixes]:
        fix = FIXES.get(name)
        low, high = fix.limits
        planned[name] = fix.grid if lambdas is None else [s for s in lambdas if low <= s <= high]
    planned = {name: tuple(sorted(set(strengths))) for name, strengths in planned.items() if len(strengths)}
    if not planned:
        raise ParameterError(
            f"no fix takes a strength of {', '.join(map(str, lambdas or ()))}: most go from 0 to 1."
        )
    return planned


def _checked(source: Embeddings, target: Embeddings, pairs: Pairs | None) -> Pairs:
    for side in (source, target):
        side.check(direction=True)
    if source.dim != target.dim:
        raise DataError(
            f"{source.name} has {source.dim} dimensions and {target.name} {target.dim}: a gap lies in one "
            "space; write one side there with `alignkit apply` first."
        )
    check_two_modalities(source, target)
    source.space.check_meets(target.space, f"{source.name}, moved towards {target.name},")
    pairs = (Pairs.by_id(source, target) if pairs is None else pairs).in_order_of_ids()
    pairs.check_enough()
    return pairs


def _check_labels(pairs: Pairs, labelled: LabelledRows | None) -> None:
    if labelled is None:
        return
    rows = labelled.rows or pairs.source
    if len(labelled.labels) != len(rows):
        raise DataError(
            f"{len(labelled.labels)} labels for {len(rows)} rows of {rows.name}: give one for each."
        )
    for side, beside in ((rows, pairs.source), (labelled.prompts, pairs.target)):
        side.check(direction=True)
        beside.space.check_meets(side.space, f"{beside.name}, classified with {side.name},")


def _label_facts(pairs: Pairs, labelled: LabelledRows) -> dict[str, Any]:
    return {
        "rows": facts_of(labelled.rows or pairs.source) | {"held_out_only": labelled.rows is None},
        "prompts": facts_of(labelled.prompts),
        "classes": len(set(labelled.prompt_classes)),
    }


def _points(
    splits: list[SplitEffects], kept: list[tuple[str, float]], resamples: int, seed: int
) -> tuple[list[Point], dict[str, int]]:
    """Return the points, and how many tests were made with how many flips."""
    cells = [
        (section, metric)
        for section, by_metric in splits[0].observed[AS_IS, 0.0].values.items()
        for metric in by_metric
    ]
    n_tests = len(cells) * (len(kept) - 1)
    flips = max(FLIPS, int(np.ceil(2 * n_tests / REAL)))
    found = {
        (key, section, metric): effect
        for section, metric in cells
        for key, effect in _Pooled(splits, section, metric, kept).effects(resamples, flips, seed).items()
    }
    tests = {place: effect.change.p for place, effect in found.items() if effect.change is not None}
    for place, p in zip(tests, holm(list(tests.values())), strict=True):
        found[place] = replace(found[place], p_corrected=float(p))
    points = []
    for key in kept:
        seen = [split.observed[key] for split in splits]
        first = [split.observed[kept[0]].gap for split in splits]
        gap = {
            name: Remaining.of(
                [one.gap[name] for one in seen], float(np.mean([one[name].value for one in first]))
            )
            for name in seen[0].gap
        }
        effects: dict[str, dict[str, Effect]] = {}
        for section, metric in cells:
            effects.setdefault(section, {})[metric] = found[key, section, metric]
        points.append(Point(*key, gap, effects, _mean_published(seen)))
    return points, {"tests": n_tests, "flips": flips}


def _mean_published(seen: list[Observed]) -> dict[str, float]:
    names = seen[0].published
    return {name: float(np.mean([one.published[name] for one in seen])) for name in names}


class _Pooled:
    """One metric of one section, the queries of all splits behind one another."""

    def __init__(
        self, splits: list[SplitEffects], section: str, metric: str, kept: list[tuple[str, float]]
    ) -> None:
        asked = [split.asked[section] for split in splits]
        self.kept = kept
        self.parts = {key: [s.observed[key].values[section][metric] for s in splits] for key in kept}
        self.groups = np.concatenate([one.groups for one in asked])
        self.n = len(np.unique(np.concatenate([one.queries for one in asked])))
        self.chance = float(np.mean([one.chance[metric] for one in asked]))

    def effects(self, resamples: int, flips: int, seed: int) -> dict[tuple[str, float], Effect]:
        """Return the effect of every fix and strength."""
        values = {key: np.concatenate(parts) for key, parts in self.parts.items()}
        ends = bootstrap_interval(
            np.stack(list(values.values()), axis=1), self.groups, resamples=resamples, seed=seed
        )
        first = self.kept[0]
        base = [float(part.mean()) for part in self.parts[first]]
        found = {}
        for place, key in enumerate(self.kept):
            means = [float(part.mean()) for part in self.parts[key]]
            low, high = (float(end) if np.isfinite(end) else None for end in ends[:, place])
            score = Score(
                float(np.sort(values[key]).mean()), low, high, self.n, self.chance, float(np.mean(base))
            )
            effect = Effect(score, Spread.of(means))
            if key != first:
                change = sign_flip(values[key], values[first], self.groups, flips=flips, seed=seed)
                moved = Spread.of([mean - old for mean, old in zip(means, base, strict=True)])
                effect = replace(effect, change=change, change_splits=moved)
            found[key] = effect
        return found
