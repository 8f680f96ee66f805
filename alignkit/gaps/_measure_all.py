"""Every measure that is valid for two sets of rows, and the facts that make the numbers repeatable."""

import math
from collections.abc import Sequence
from typing import Any

from alignkit.gaps import MEASURES
from alignkit.gaps._base import RESAMPLES, Measure
from alignkit.gaps._clouds import Clouds
from alignkit.reports import Score


def measure_clouds(
    clouds: Clouds, measures: Sequence[str] | None = None, *, seed: int = 0, most: int | None = None
) -> dict[str, Score]:
    """Return the score of every part of each measure: interval, null level with its band, count.

    ``measures`` are names; all that are taken by default without. One that these clouds cannot bear is
    left out, and `gap_facts` says why. A part is named ``measure.part``. ``most`` is the number of rows a
    side beyond which the measures that compare every row with every other take a seeded sample.

    Raises
    ------
    UnknownNameError
        If no measure has that name.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 8))
    >>> scores = measure_clouds(Clouds.paired(x, x), ["mean_paired_cosine"])
    >>> round(scores["mean_paired_cosine"].value, 6)
    1.0
    """
    out = {}
    for name, measure in chosen_measures(measures, labels=len(clouds.labels)).items():
        if measure.refusal_of(clouds):
            continue
        for part, score in measure.scores(clouds, seed=seed, most=most).items():
            out[full_name(name, part)] = score
    return out


def gap_facts(
    clouds: Clouds, measures: Sequence[str] | None = None, *, most: int | None = None
) -> dict[str, Any]:
    """Return how each measure is taken on these clouds, and which are left out and why.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3100, 4))
    >>> facts = gap_facts(Clouds.unpaired(x, x), ["mean_paired_cosine", "same_modality_share"])
    >>> list(facts["not_measured"]), facts["sampled"]["same_modality_share"]
    (['mean_paired_cosine'], 3000)
    """
    chosen = chosen_measures(measures, labels=len(clouds.labels))
    refused = {name: measure.refusal_of(clouds) for name, measure in chosen.items()}
    taken = {name: measure for name, measure in chosen.items() if not refused[name]}
    largest = max(len(clouds.x), len(clouds.y))
    limits = {name: most or measure.most for name, measure in taken.items() if measure.most is not None}
    return {
        "rows": "unit length",
        "paired": clouds.links is not None,
        "level": 0.95,
        "resamples": RESAMPLES,
        "interval": {name: measure.interval for name, measure in taken.items()},
        "chance": {name: measure.null for name, measure in taken.items()},
        "range": {
            full_name(name, part): [end if math.isfinite(end) else None for end in measure.reach(part)]
            for name, measure in taken.items()
            for part in measure.parts
        },
        "sampled": {name: limit for name, limit in limits.items() if limit is not None and largest > limit},
        "not_measured": {name: reason for name, reason in refused.items() if reason},
    }


def asked_names(measures: Sequence[str] | str | None) -> list[str]:
    """Return the names that were asked for, of which one may stand alone; none without.

    Examples
    --------
    >>> asked_names("mmd"), asked_names(("cone", "mmd")), asked_names(None)
    (['mmd'], ['cone', 'mmd'], [])
    """
    return [measures] if isinstance(measures, str) else list(measures or ())


def full_name(measure: str, part: str) -> str:
    """Return the name under which a part of a measure is reported."""
    return f"{measure}.{part}" if part else measure


def chosen_measures(measures: Sequence[str] | None, *, labels: int = 0) -> dict[str, Measure]:
    """Return the named measures, or all that are taken by default with so many columns of labels."""
    if measures is not None:
        return {name: MEASURES.get(name)() for name in map(MEASURES.check, measures)}
    every = {name: MEASURES.get(name) for name in MEASURES.names()}
    return {name: kind() for name, kind in every.items() if kind.default and kind.needs_labels <= labels}
