"""What every fix of the gap offers: fitted on some rows of both sides, applied to others at any strength."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import SourceRows, TargetRows, Vectors

Side: TypeAlias = Literal["source", "target"]
FEWEST = 2  # rows a side from which anything is learnt
ROUNDING = 16 * np.finfo(np.float64).eps  # of a unit row: what is shorter has lost its direction


class Fix(ABC):
    r"""Move both clouds of one space towards one another; the module's name is the fix's name.

    The order is: unit rows; the fix; unit rows again, because retrieval and the measures of the gap look
    at directions. It is fitted once and applied with any ``strength`` :math:`\lambda` within ``limits``;
    ``grid`` holds the ones that a sweep draws, and ``full`` the one that is meant where somebody names the
    fix. A strength of 0 leaves the rows as they are, unless the fix says otherwise. Nothing is learnt from
    the rows that it is applied to.

    ``needs_pairs`` says whether row i of both sides must be partners when it is fitted.
    """

    needs_pairs: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)
    grid: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 1.0)
    full: ClassVar[float] = 1.0

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: SourceRows, y: TargetRows) -> Self:
        """Learn from training rows of both sides and return self.

        Raises
        ------
        DataError
            If widths differ, a side has fewer than two rows, a row has no direction, or partners are
            needed and the sides are not equally long.
        """
        if x.shape[1] != y.shape[1]:
            raise DataError(
                f"the source has {x.shape[1]} dimensions and the target {y.shape[1]}: a gap lies inside one "
                "space; bring one side there with a map first."
            )
        if min(len(x), len(y)) < FEWEST or (self.needs_pairs and len(x) != len(y)):
            raise DataError(
                f"{type(self).__name__} cannot be fitted to {len(x)} and {len(y)} rows: give "
                f"{'as many partners on both sides' if self.needs_pairs else 'each side two or more'}."
            )
        x, y = directions(x, "source"), directions(y, "target")
        self.means_ = {"source": x.mean(axis=0), "target": y.mean(axis=0)}
        self._fit(x, y)
        return self

    def apply_source(self, x: SourceRows, strength: float) -> SourceRows:
        """Return source rows after the fix, as unit rows in double precision.

        Raises
        ------
        DataError
            If a row has no direction, before the fix or after it.
        ParameterError
            If the strength lies outside the limits.
        """
        return self._applied(x, "source", strength)

    def apply_target(self, y: TargetRows, strength: float) -> TargetRows:
        """Return target rows after the fix, as unit rows in double precision; raises as `apply_source`."""
        return self._applied(y, "target", strength)

    @property
    def gap_vector(self) -> np.ndarray:
        """The difference of the means of the training rows, source less target."""
        return self.means_["source"] - self.means_["target"]

    def published(self, strength: float) -> dict[str, float]:  # noqa: ARG002 - leaves that have any use it
        """Return the same strength in the parameters that publications use, where there are others."""
        return {}

    def _applied(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        low, high = self.limits
        if not low <= strength <= high:
            raise ParameterError(
                f"the strength of {type(self).__name__} is {strength}: it lies between {low:g} and {high:g}."
            )
        return directions(self._moved(directions(rows, side), side, strength), side, after=True)

    def _fit(self, x: SourceRows, y: TargetRows) -> None:  # noqa: B027 - the means are all that many fixes need
        """Learn from unit rows of both sides."""

    @abstractmethod
    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        """Return unit rows of one side after the fix, of any length."""


def directions(rows: Vectors, side: str, *, after: bool = False) -> Vectors:
    """Return unit rows in double precision; raise DataError, naming the row, where one has no direction.

    Examples
    --------
    >>> directions(np.array([[3.0, 4.0]]), "source").tolist()
    [[0.6, 0.8]]
    """
    rows = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    good = np.isfinite(lengths) & (lengths > (ROUNDING if after else 0))
    bad = np.flatnonzero(np.logical_not(good))
    if len(bad):
        state = "is left without a direction by the fix" if after else "has no direction"
        raise DataError(f"row {bad[0]} of the {side} {state}: remove or re-encode that item.")
    return rows / lengths
