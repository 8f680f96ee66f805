"""Two encoders under one probe, on the same items: what each reads better, and which classes it confuses."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit._columns import find
from alignkit.errors import DataError
from alignkit.probes.confusion import Confusion, confusion_difference
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import ProbeResult
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings
from alignkit.statistics.significance import sign_flip
from alignkit.workflows.probing import Probed


@dataclass(frozen=True, eq=False, slots=True)
class ProbeDifference:
    """Both probes and their difference in one report, and the difference of their confusion matrices."""

    report: Report
    confusion: Confusion


def matched(other: Embeddings, rows: Embeddings) -> Embeddings:
    """Return another encoder's vectors of the same items, in the order and with the metadata of ``rows``.

    They meet by id, or by row number where neither side has ids.

    Raises
    ------
    DataError
        If one side alone has ids, or an item of ``rows`` is missing.

    Examples
    --------
    >>> one, other = Embeddings(np.eye(2), ids=["a", "b"]), Embeddings(2 * np.eye(2), ids=["b", "a"])
    >>> matched(other, one).array().tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    if rows.has_ids != other.has_ids:
        bare = other if rows.has_ids else rows
        raise DataError(f"{bare.name} has no ids, by which the rows of two encoders meet: give both ids.")
    places = find(rows.ids, other.ids)
    missing = np.flatnonzero(places < 0)
    if len(missing):
        raise DataError(
            f"{other.name} has no row for id {rows.id_at(int(missing[0]))!r} of {rows.name} "
            f"({len(missing)} of {len(rows)} are missing): embed the same items with both."
        )
    return Embeddings(
        other.take(places),
        ids=rows.ids if rows.has_ids else None,
        space=other.space,
        modality=other.modality,
        items=rows.items if rows.items.num_columns else None,
        name=other.name,
    )


def probe_difference(
    first: Probed, second: Probed, *, resampling: Resampling | None = None
) -> ProbeDifference:
    """Return two probes of the same rows side by side, and how much more the first gets right.

    Sections: ``probe`` is the first, ``against`` the second, ``difference`` the first's accuracy less the
    second's, with a paired interval over the groups of the first; the context's ``test`` has the p-value
    of the paired sign flips. Cells of the confusion's difference share their draws too.

    Raises
    ------
    DataError
        If rows may have several classes, or the two were asked about other rows or classes.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP*, figure 3.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from alignkit.workflows.probing import probe
    >>> clips = Embeddings(np.eye(3), items=pa.table({"label": ["a", "b", "c"]}))
    >>> good, bad = (Embeddings(np.eye(3), ids=list(names)) for names in ("abc", "bac"))
    >>> found = probe_difference(*(probe(clips, "zero-shot", prompts=texts) for texts in (good, bad)))
    >>> round(found.report.sections["difference"]["accuracy"].value, 3)
    0.667
    """
    resampling = resampling or Resampling()
    targets, other = first.result.targets, second.result.targets
    if targets.classes != other.classes or not np.array_equal(targets.matrix, other.matrix):
        raise DataError("the two probes were asked about other rows or classes: give both the same labels.")
    options: dict[str, Any] = {"groups": first.groups, "resampling": resampling}
    scores = (first.result.class_scores, second.result.class_scores)
    confused = confusion_difference(targets, *scores, **options)
    test = sign_flip(
        _right(first.result),
        _right(second.result),
        first.groups,
        level=resampling.level,
        seed=resampling.seed,
    )
    found = Score(test.value, test.low, test.high, n=test.groups, chance=0.0)
    sections = {
        "probe": first.report.sections["probe"],
        "against": second.report.sections["probe"],
        "difference": {"accuracy": found},
    }
    context = {
        **first.report.context,
        "against": second.report.context["rows"],
        "against_protocol": second.report.context["protocol"],
        "test": test.to_json(),
    }
    return ProbeDifference(Report("probe", sections, context), confused)


def _right(result: ProbeResult) -> np.ndarray:
    """Return each row's share of a right call."""
    return (result.calls * result.targets.matrix).sum(axis=1)
