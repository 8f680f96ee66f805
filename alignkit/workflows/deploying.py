"""Measure how far the rows that a map will be used on lie from the rows that it was trained on."""

from collections.abc import Mapping

from alignkit.alignment import Alignment
from alignkit.errors import DataError, SpaceMismatchError
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings
from alignkit.workflows._same_rows import same_numbers
from alignkit.workflows.gap import measure_gap

MEASURES = ("centroid_distance", "linear_separability")


def check_deployable(source: Embeddings, deployed: Embeddings) -> None:
    """Raise an error, naming the file, unless a map of ``source`` rows can be used on ``deployed`` rows.

    Raises
    ------
    SpaceMismatchError
        If they come from another space than the rows that the map is fitted to.
    DataError
        If a row is not finite or has no direction, or they are the very rows that the map is fitted to.

    Examples
    --------
    >>> import numpy as np
    >>> check_deployable(Embeddings(np.eye(2)), Embeddings(2 * np.eye(2)))
    """
    if not source.space.meets(deployed.space):
        raise SpaceMismatchError(
            f"{deployed.name}, to deploy on, holds rows of {deployed.space}, but the map is fitted to rows "
            f"of {source.space} from {source.name}: encode both with one model."
        )
    deployed.check(direction=True)
    if same_numbers(source, deployed):
        raise DataError(
            f"{deployed.name}, to deploy on, holds the rows of {source.name} that the map is fitted to: give "
            "rows that it will meet, or leave --deploy-on out."
        )


def deployment_gap(
    alignment: Alignment, trained: Embeddings, deployed: Embeddings, *, seed: int = 0
) -> Report:
    """Return the gap between two modalities of a map's source space, before the map and after it.

    A map that is fitted to texts and used on images, as a bridge between two models is, meets rows that it
    never saw the like of. ``trained`` are rows that it was fitted to, ``deployed`` rows that it is to be
    used on; they need no ids in common. Section ``source`` is the gap between them as they came, and
    ``mapped`` the gap between their images in the target's own frame: what the map leaves of it. Both hold
    the distance of the centroids of unit rows, in [0, 2], and the share of rows that a linear rule puts on
    the right side, each with its interval and beside its level where there is no gap.

    Raises
    ------
    SpaceMismatchError
        If either side comes from another space than the map's source.
    DataError
        If rows are not finite or have no direction.

    Examples
    --------
    >>> import numpy as np
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> from alignkit.spaces import Space
    >>> rng = np.random.default_rng(0)
    >>> texts = rng.normal(size=(80, 4)) + [3, 0, 0, 0]
    >>> turn = Alignment("procrustes", Procrustes().fit(texts, texts[:, ::-1]), Space(4), Space(4))
    >>> images = Embeddings(rng.normal(size=(80, 4)) + [0, 3, 0, 0])
    >>> gap = deployment_gap(turn, Embeddings(texts), images)
    >>> gap.sections["source"]["centroid_distance"].value > 1
    True
    """
    before = measure_gap(trained, deployed, measures=MEASURES, seed=seed)
    sides = (alignment.apply(side) for side in (trained, deployed))
    after = measure_gap(*sides, measures=MEASURES, seed=seed)
    context = dict(before.context) | {"method": alignment.method}
    sections = {"source": before.sections["measures"], "mapped": after.sections["measures"]}
    return Report("gap", sections, context)


def deployment_sentence(report: Report, trained: str, deployed: str) -> str:
    """Return what a deployment gap says, in one sentence.

    Examples
    --------
    >>> far, apart = Score(0.8, 0.7, 0.9, 50, 0.1), Score(0.98, 0.9, 1.0, 50, 0.5)
    >>> scores = {"centroid_distance": far, "linear_separability": apart}
    >>> deployment_sentence(Report("gap", {"source": scores, "mapped": scores}, {}), "texts", "images")[:62]
    'images is not like texts, on which the map was fitted: centroi'
    """
    before, after = report.sections["source"], report.sections["mapped"]
    apart = _is_beyond_chance(before)
    found = f"centroids {_shown(before)} apart, {_shown(after)} after the map"
    told = before["linear_separability"]
    found += f"; a linear rule tells {100 * told.value:.0f} % of the rows (a coin: 50 %)"
    if not apart:
        return f"{deployed} lies where {trained} does, on which the map was fitted: {found}."
    return (
        f"{deployed} is not like {trained}, on which the map was fitted: {found}; the held-out scores say "
        "nothing about it, and `alignkit gap --sweep` tries what closes a gap."
    )


def _shown(scores: Mapping[str, Score]) -> str:
    score = scores["centroid_distance"]
    chance = "" if score.chance is None else f" (none: {score.chance:.2f})"
    return f"{score.value:.2f}{chance}"


def _is_beyond_chance(scores: Mapping[str, Score]) -> bool:
    """Whether the interval of the distance lies above its level where there is no gap."""
    score = scores["centroid_distance"]
    level = score.chance_high if score.chance_high is not None else score.chance
    low = score.value if score.low is None else score.low
    return level is None or low > level
