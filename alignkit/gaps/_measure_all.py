"""Every measure that is valid for two sets of rows, and the facts that make the numbers repeatable."""

from collections.abc import Sequence
from typing import Any

from alignkit.gaps import MEASURES
from alignkit.gaps._base import RESAMPLES
from alignkit.gaps._clouds import Clouds
from alignkit.reports import Score
from alignkit.shapes import Labels, Links, SourceRows, TargetRows


def measure_gap_rows(
    x: SourceRows,
    y: TargetRows,
    *,
    paired: bool,
    measures: Sequence[str] | None = None,
    links: Links | None = None,
    groups: Labels | None = None,
    seed: int = 0,
) -> dict[str, Score]:
    """Return each measure's value with interval, null level (``chance``) and count.

    Rows are normalised first. Give every row once: ``links`` (x row, y row) says which belong together,
    many-to-many; without it row i belongs to row i. Items that share a link or a label of ``groups`` (one
    per link) are resampled together. ``measures`` are names, all by default; one that needs pairs where
    there are none, or more rows than there are, is left out, and `gap_facts` says why.

    Raises
    ------
    DataError
        If a row has no direction, or the widths differ.
    UnknownNameError
        If no measure has that name.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 8))
    >>> scores = measure_gap_rows(x, x, paired=True, measures=["mean_paired_cosine"])
    >>> round(scores["mean_paired_cosine"].value, 6)
    1.0
    """
    clouds = Clouds.paired(x, y, links, groups) if paired else Clouds.unpaired(x, y)
    chosen = {name: MEASURES.get(name)() for name in _checked(measures)}
    return {
        name: measure.score(clouds, seed=seed)
        for name, measure in chosen.items()
        if not measure.refusal(clouds.fewest, paired=paired)
    }


def gap_facts(n: int, m: int, *, paired: bool, measures: Sequence[str] | None = None) -> dict[str, Any]:
    """Return how each measure is taken on ``n`` and ``m`` rows, and which are left out and why.

    Examples
    --------
    >>> facts = gap_facts(5000, 5000, paired=False)
    >>> sorted(facts["not_measured"]), facts["sampled"]["same_modality_share"]
    (['mean_paired_cosine', 'relative_modality_gap'], 3000)
    """
    chosen = {name: MEASURES.get(name) for name in _checked(measures)}
    refused = {name: measure().refusal(min(n, m), paired=paired) for name, measure in chosen.items()}
    taken = {name: measure for name, measure in chosen.items() if not refused[name]}
    return {
        "rows": "unit length",
        "paired": paired,
        "level": 0.95,
        "resamples": RESAMPLES,
        "interval": {name: measure.interval for name, measure in taken.items()},
        "chance": {name: measure.null for name, measure in taken.items()},
        "range": {name: list(measure.limits) for name, measure in taken.items()},
        "sampled": {
            name: measure.most
            for name, measure in taken.items()
            if measure.most is not None and max(n, m) > measure.most
        },
        "not_measured": {name: reason for name, reason in refused.items() if reason},
    }


def _checked(measures: Sequence[str] | None) -> list[str]:
    return MEASURES.names() if measures is None else [MEASURES.check(name) for name in measures]
