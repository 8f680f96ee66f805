"""What every judge offers: a score of generated rows beside real ones, with an interval valid for it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError
from alignkit.reports import Score
from alignkit.shapes import Labels, SourceRows, TargetRows

Needs: TypeAlias = Literal["clouds", "pairs", "labels"]


@dataclass(frozen=True, slots=True)
class Samples:
    """Hold real rows (the reference) and generated rows of one space, and what is known of them.

    Parameters
    ----------
    reference, generated
        ``ns d`` and ``nt d``, as the embedder gave them; a judge normalises where its definition does.
    paired
        Whether row i of the one belongs to row i of the other: a picture and the sound made for it.
    reference_labels, generated_labels
        The class of each row, or None: of a generated row, the class that it was meant to be.
    groups
        Which generated rows came from one item, one number a row; None where each stands alone.

    Raises
    ------
    DataError
        If widths differ, a side has fewer than two rows, a number is not finite, or what is said of the
        rows is not one entry for each.

    Examples
    --------
    >>> Samples(np.eye(3), np.eye(3)[:2]).paired
    False
    """

    reference: SourceRows
    generated: TargetRows
    paired: bool = False
    reference_labels: Labels | None = None
    generated_labels: Labels | None = None
    groups: Labels | None = None

    def __post_init__(self) -> None:
        real, made = self.reference, self.generated
        if real.shape[1] != made.shape[1]:
            raise DataError(
                f"the reference has {real.shape[1]} dimensions and the generated rows {made.shape[1]}: "
                "encode both with one embedder."
            )
        for name, rows in (("reference", real), ("generated", made)):
            if len(rows) < 2:
                counted = f"{len(rows)} row" if len(rows) == 1 else f"{len(rows)} rows"
                raise DataError(f"the {name} side has {counted}: a judge needs 2 or more; encode more items.")
            bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
            if len(bad):
                raise DataError(f"row {bad[0]} of the {name} side is not finite: remove or re-encode it.")
        if self.paired and len(real) != len(made):
            raise DataError(
                f"{len(made)} generated rows cannot be paired with {len(real)}: give one for each."
            )
        for name, entries, rows in (
            ("reference_labels", self.reference_labels, real),
            ("generated_labels", self.generated_labels, made),
            ("groups", self.groups, made),
        ):
            if entries is not None and len(entries) != len(rows):
                raise DataError(f"{name} has {len(entries)} entries for {len(rows)} rows: give one for each.")


class Judge(ABC):
    """Score generated rows; the module's name is the judge's name. A leaf fills ``_score``.

    ``needs`` says what must be known: nothing but both clouds, which rows belong together, or classes.
    ``better`` is the direction of quality, ``interval`` how the interval is made and ``chance`` what the
    chance level is, in words that reports print.
    """

    needs: ClassVar[Needs]
    better: ClassVar[Literal["lower", "higher"]]
    interval: ClassVar[str]
    chance: ClassVar[str]
    default: ClassVar[bool] = True

    def judge(self, samples: Samples, *, seed: int = 0) -> Score:
        """Return the value with its 95 % interval, the generated rows behind it, and its chance level.

        Raises
        ------
        DataError
            If the samples lack what this judge needs.
        """
        missing = self.refusal(samples)
        if missing:
            raise DataError(f"{type(self).__name__} cannot judge: {missing}.")
        return self._score(samples, seed)

    def refusal(self, samples: Samples) -> str | None:
        """Return why these samples cannot be judged; None where they can."""
        if self.needs == "pairs" and not samples.paired:
            return "it compares partners, and the rows are not paired"
        if self.needs == "labels" and (samples.reference_labels is None or samples.generated_labels is None):
            return "it needs the class of every row on both sides"
        return None

    @abstractmethod
    def _score(self, samples: Samples, seed: int) -> Score: ...
