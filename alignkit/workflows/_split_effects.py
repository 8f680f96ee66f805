"""One split of a sweep: every fix fitted on the training pairs and looked at on the held-out rows."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit._components import as_used, connected
from alignkit.closing import FIXES
from alignkit.closing._base import Fix, directions
from alignkit.closing._sweep import AS_IS
from alignkit.errors import AlignkitError
from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import gap_facts
from alignkit.pairs import Pairs
from alignkit.probes.targets import Targets, sorted_names
from alignkit.probes.zero_shot import class_cosines, expected_hits
from alignkit.reports import Score
from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_both
from alignkit.retrieval.metrics import per_query
from alignkit.shapes import ClassRows, Labels, SourceRows, TargetRows, Vectors
from alignkit.spaces import Embeddings

DOUBLE = np.dtype(np.float64)
DIRECTIONS = ("forward", "backward")
ZERO_SHOT, TOP1 = "zero_shot", "top1_accuracy"


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Rows of the source's modality with their classes, and texts of the target's that describe the classes.

    Parameters
    ----------
    labels
        The class of each row, by name.
    prompts
        Embedded texts of the classes, in any order; several of one class are averaged.
    prompt_classes
        Which class each text describes.
    rows
        The rows; None: those of the source, of which only held-out ones are then classified.
    """

    labels: np.ndarray | Sequence[Hashable]
    prompts: Embeddings
    prompt_classes: np.ndarray | Sequence[Hashable]
    rows: Embeddings | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The queries of one section of a split: their numbers, which are one observation, and chance."""

    queries: Labels
    groups: Labels
    chance: dict[str, float]


@dataclass(slots=True)
class Observed:
    """What one split shows of one fix at one strength: gaps, and each query's value of each metric."""

    gap: dict[str, Score]
    values: dict[str, dict[str, np.ndarray]]
    published: dict[str, float] = field(default_factory=dict)


class HeldOut:
    """The held-out rows of one split, ready to be looked at as often as there are fixes and strengths."""

    def __init__(
        self,
        held: Pairs,
        components: Labels,
        metrics: Sequence[str],
        measures: Sequence[str],
        labelled: LabelledRows | None,
        resamples: int,
    ) -> None:
        """Take held-out links, the component of each (numbered over all pairs), and what is asked."""
        self.resamples = resamples
        rows = held.restricted()
        self.x, self.y = (side.array(DOUBLE) for side in rows.sides)
        self.links, self.metrics = rows.links, list(metrics)
        self.measures = {name: MEASURES.get(name)() for name in measures}
        self.partners = rows.links[np.unique(connected(list(rows.links.T)), return_index=True)[1]]
        self.clouds = self._clouds()
        self.positives = Positives.from_links(rows.links, len(self.x), len(self.y))
        self.asked = {}
        sides = (self.positives, self.positives.transpose())
        for side, (section, positives) in enumerate(zip(DIRECTIONS, sides, strict=True)):
            used, place = as_used(held.links[:, side])
            groups = np.empty(len(used), np.int64)
            groups[place] = components
            chance = chance_levels(positives.counts, positives.n_gallery, self.metrics)
            self.asked[section] = Asked(used, groups, chance)
        self.labelled = labelled
        self.rows: Vectors | None = None
        self.prompts: ClassRows = np.zeros((0, 0))
        if labelled is not None:
            self._take_labels(labelled)

    def observe(self, x: SourceRows, y: TargetRows, labelled: Vectors | None, prompts: ClassRows) -> Observed:
        """Return what the held-out rows of both sides show as they are given."""
        values = {}
        for section, ranks in zip(DIRECTIONS, rank_both(x, y, self.positives), strict=True):
            values[section] = per_query(ranks, self.metrics)
        if self.labelled is not None:
            rows = x if labelled is None else labelled
            cosines = class_cosines(rows, prompts, self.labelled.prompt_classes, self.targets.classes)
            values[ZERO_SHOT] = {TOP1: expected_hits(cosines, self.targets, 1)}
        moved = {
            False: self.clouds[False].moved(x, y),
            True: self.clouds[True].moved(x[self.partners[:, 0]], y[self.partners[:, 1]]),
        }
        gap = {
            name: measure.score(moved[measure.needs_pairs], resamples=self.resamples)
            for name, measure in self.measures.items()
        }
        return Observed(gap, values)

    def gap_facts(self) -> dict[str, Any]:
        """Return how the gap is measured on these rows."""
        facts = gap_facts(self.clouds[False], list(self.measures))
        return facts | {"resamples": self.resamples}

    def as_they_are(self) -> Observed:
        """Return what the held-out rows show without any fix."""
        return self.observe(self.x, self.y, self.rows, self.prompts)

    def after(self, fix: Fix, strength: float) -> Observed:
        """Return what they show after a fitted fix."""
        rows = None if self.rows is None else fix.apply_source(self.rows, strength)
        prompts = self.prompts if self.labelled is None else fix.apply_target(self.prompts, strength)
        found = self.observe(
            fix.apply_source(self.x, strength), fix.apply_target(self.y, strength), rows, prompts
        )
        found.published = fix.published(strength)
        return found

    def _clouds(self) -> dict[bool, Clouds]:
        """Return one pair of each item for measures that compare partners (True), and all rows for others."""
        return {
            False: Clouds.paired(self.x, self.y, self.links),
            True: Clouds.paired(self.x[self.partners[:, 0]], self.y[self.partners[:, 1]]),
        }

    def _take_labels(self, labelled: LabelledRows) -> None:
        self.prompts = labelled.prompts.array(DOUBLE)
        classes = sorted_names(labelled.prompt_classes)
        labels, asked = list(labelled.labels), self.asked["forward"]
        if labelled.rows is None:
            labels = [labels[row] for row in asked.queries]
            queries, groups = asked.queries, asked.groups
        else:
            self.rows = labelled.rows.array(DOUBLE)
            queries = groups = np.arange(len(self.rows))
        self.targets = Targets.of(labels, classes)
        self.asked[ZERO_SHOT] = Asked(queries, groups, {TOP1: 1 / len(classes)})


@dataclass(slots=True)
class SplitEffects:
    """What one split shows of every fix and strength; ``left_out`` says why a fix is not among them."""

    asked: dict[str, Asked]
    observed: dict[tuple[str, float], Observed]
    left_out: dict[str, str]
    gap_length: float
    gap_facts: dict[str, Any]


def look_at(train: Pairs, held_out: HeldOut, fixes: dict[str, Sequence[float]], *, seed: int) -> SplitEffects:
    """Fit every fix on the training pairs and observe each of its strengths on the held-out rows."""
    observed = {(AS_IS, 0.0): held_out.as_they_are()}
    left_out = {}
    x, y = train.vectors(DOUBLE)
    length = np.linalg.norm(directions(x, "source").mean(axis=0) - directions(y, "target").mean(axis=0))
    for name, strengths in fixes.items():
        try:
            fix = FIXES.get(name)(seed=seed).fit(x, y)
            observed |= dict(_strengths(name, fix, strengths, held_out))
        except AlignkitError as refusal:
            left_out[name] = str(refusal)
    return SplitEffects(held_out.asked, observed, left_out, float(length), held_out.gap_facts())


def _strengths(
    name: str, fix: Fix, strengths: Sequence[float], held_out: HeldOut
) -> Iterator[tuple[tuple[str, float], Observed]]:
    for strength in strengths:
        yield (name, strength), held_out.after(fix, strength)
