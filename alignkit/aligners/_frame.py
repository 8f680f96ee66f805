"""The normalisation of one side of a map, as a stored step that can be taken back."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from alignkit.aligners._spread import Along, Scatter, Spread
from alignkit.errors import DataError, ParameterError
from alignkit.rows import Rows, computing_dtype
from alignkit.shapes import Vectors

Normalize: TypeAlias = Literal[
    "none", "center", "unit", "unit-center", "unit-center-unit", "per-dim", "whiten"
]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)
SPREADS: dict[Normalize, Along] = {"per-dim": "columns", "whiten": "axes"}
BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Bring the rows of one space into the joint frame (`apply`) and back (`restore`).

    The steps act from left to right in the name: ``unit`` divides a row by its length, ``center``
    subtracts the mean of the fitted rows (of the unit rows where ``unit`` comes first); ``per-dim``
    subtracts the mean and divides every column by its standard deviation; ``whiten`` subtracts the mean
    and multiplies by the symmetric inverse root of the fitted rows' covariance (ZCA). `restore` is the
    exact inverse of `apply` up to what a unit step discards:

    - ``none`` and ``center``: restoring adds the mean; nothing is lost.
    - ``per-dim``: multiplies by the deviations and adds the mean. A column that never changes has scale 1.
    - ``whiten``: multiplies by the root of the covariance and adds the mean. Directions without variance
      (below 1e-10 of the largest: fewer rows than dimensions) are zeros in the joint frame and are lost.
    - ``unit-center``: adds the mean and multiplies by ``length``, the mean raw length.
    - ``unit`` and ``unit-center-unit`` end with a direction, so restoring reads the direction only. It
      goes from the mean along the direction to the unit sphere (there is one such point, because the mean
      of unit rows lies inside it) and multiplies by ``length``: a space of unit rows gets unit rows.

    The raw length of each single row is what the unit step discards; it comes back as the mean length.

    Examples
    --------
    >>> X = np.array([[3.0, 4.0], [0.0, 5.0], [-5.0, 0.0]])
    >>> frame = Frame.fit(X, "unit-center-unit")
    >>> np.round(frame.restore(frame.apply(X)), 12).tolist()
    [[3.0, 4.0], [0.0, 5.0], [-5.0, 0.0]]
    """

    steps: Normalize
    mean: np.ndarray
    length: float = 1.0
    spread: Spread | None = None

    @classmethod
    def fit(cls, X: Rows, steps: Normalize, sample_weight: np.ndarray | None = None) -> "Frame":
        """Return the frame of ``X``, read a block at a time."""
        fit = FrameFit(steps)
        for start in range(0, len(X), BLOCK):
            part = slice(start, start + BLOCK)
            fit.update(X[part], None if sample_weight is None else np.asarray(sample_weight)[part])
        return fit.frame()

    @property
    def centers(self) -> bool:
        """Whether a mean is subtracted."""
        return "center" in self.steps or self.steps in SPREADS

    @property
    def unit_first(self) -> bool:
        """Whether rows are divided by their length before anything else."""
        return self.steps.startswith("unit")

    @property
    def ends_unit(self) -> bool:
        """Whether only directions are left in the joint frame."""
        return self.steps.endswith("unit")

    @property
    def restores_unit_rows(self) -> bool:
        """Whether restored rows have length 1: the fitted rows had, to the precision of half floats."""
        return self.ends_unit and abs(self.length - 1) < 1e-3

    def apply(self, X: Vectors, *, first_row: int = 0, dtype: type | None = None) -> Vectors:
        """Return ``X`` in the joint frame, as ``dtype`` (default: float32 for half precision, else its own).

        A row that equals the mean to rounding has no direction left after centring and becomes zeros.

        Raises
        ------
        DataError
            If a unit step meets a row of zeros; the row is named, counted from ``first_row``.
        """
        V = np.array(X, dtype=dtype or computing_dtype(X.dtype))  # a copy: X is not touched
        if self.unit_first:
            _make_unit(V, first_row)
        if self.centers:
            V -= self.mean.astype(V.dtype)
        if self.steps == "unit-center-unit":
            _to_directions(V)
        return V if self.spread is None else self.spread.take_out(V)

    def restore(self, V: Vectors) -> Vectors:
        """Return joint-frame rows in this space's own frame: means and lengths restored.

        A row of zeros has no direction; where one is needed it restores to the mean.
        """
        V = np.array(V, dtype=computing_dtype(V.dtype))
        mean = self.mean.astype(V.dtype)
        if self.ends_unit:
            _to_directions(V, at_most=0)
        if self.steps == "unit-center-unit":
            # |mean + t v| = 1 for the one positive t
            along = V @ mean
            inside = max(0.0, 1.0 - float(self.mean @ self.mean))
            root = np.sqrt(along * along + V.dtype.type(inside))
            far = along > 0  # there root - along would cancel
            t = np.where(far, V.dtype.type(inside) / np.where(far, root + along, 1), root - along)
            V *= t.astype(V.dtype)[:, None]
        if self.spread is not None:
            V = self.spread.put_back(V)
        if self.centers:
            V += mean
        if self.unit_first:
            V *= V.dtype.type(self.length)
        return V

    def unrestore(self, Z: Vectors) -> Vectors:
        """Return joint-frame rows whose restored form is ``Z``: the exact inverse of `restore`.

        It differs from `apply` for ``unit-center`` only, whose restored rows need not have one length.
        """
        if self.steps != "unit-center":
            return self.apply(Z)
        V = np.array(Z, dtype=computing_dtype(Z.dtype))
        V /= V.dtype.type(self.length)
        V -= self.mean.astype(V.dtype)
        return V

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` needs beside the name of the steps."""
        arrays = {"mean": self.mean, "length": np.array([self.length])}
        if self.spread is not None:
            arrays |= {"stretch": self.spread.stretch, "squeeze": self.spread.squeeze}
        return arrays

    @classmethod
    def from_arrays(cls, steps: Normalize, arrays: dict[str, np.ndarray]) -> "Frame":
        """Return the frame that `arrays` was taken from."""
        spread = Spread(arrays["stretch"], arrays["squeeze"]) if steps in SPREADS else None
        return cls(check_normalize(steps), arrays["mean"], float(arrays["length"][0]), spread)


class FrameFit:
    """Accumulate, block by block, what a `Frame` needs: the mean row, the mean raw length, the spread."""

    def __init__(self, steps: Normalize) -> None:
        self.steps: Normalize = check_normalize(steps)
        self.n, self.weight, self.length = 0, 0.0, 0.0
        self.sum = np.zeros(0)
        self.scatter = Scatter(SPREADS[self.steps]) if self.steps in SPREADS else None

    def update(self, X: np.ndarray, sample_weight: np.ndarray | None = None) -> "FrameFit":
        """Add rows; returns self."""
        X = np.asarray(X, dtype=np.float64)
        if not self.n:
            self.sum = np.zeros(X.shape[1])
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if self.steps.startswith("unit"):
            lengths = row_lengths(X, self.n)
            self.length += float(weight @ lengths)
            self.sum += (weight / lengths) @ X
        else:
            self.sum += weight @ X
        if self.scatter is not None:
            self.scatter.update(X, weight)
        self.n += len(X)
        self.weight += float(weight.sum())
        return self

    def unit(self, X: np.ndarray) -> np.ndarray:
        """Return rows as they are before the mean is subtracted."""
        X = np.asarray(X, dtype=np.float64)
        return X * (1 / row_lengths(X))[:, None] if self.steps.startswith("unit") else X

    def frame(self) -> Frame:
        """Return the frame of all rows so far."""
        if not self.weight > 0:
            raise DataError(
                f"the weights of {self.n} rows sum to {self.weight}: a mean needs a positive sum."
            )
        if not np.isfinite(self.sum).all():
            raise DataError(
                "the rows hold NaN or inf, or their sum leaves the range of float64: check them first."
            )
        frame = Frame(self.steps, self.sum / self.weight)
        mean = frame.mean if frame.centers else np.zeros_like(self.sum)
        length = self.length / self.weight if frame.unit_first else 1.0
        spread = None if self.scatter is None else Spread.of(self.scatter.variances(), mean)
        return Frame(self.steps, mean, length, spread)


def known_beforehand(steps: Normalize) -> bool:
    """Whether a side's moments can be taken before its mean is known and corrected for it afterwards."""
    return steps != "unit-center-unit" and steps not in SPREADS


def check_normalize(steps: str) -> Normalize:
    """Return ``steps`` if it is a known normalisation; raise ParameterError otherwise."""
    for known in NORMALIZE:
        if steps == known:
            return known
    raise ParameterError(f"normalize is {steps!r}; choose one of {', '.join(NORMALIZE)}.")


def row_lengths(X: np.ndarray, first_row: int = 0) -> np.ndarray:
    """Return the length of every row, in float64 where the type of ``X`` is too narrow for the squares.

    Raises DataError, naming the row, where one is zero or not finite.
    """
    squares = _squares(X)
    tiny, huge = np.finfo(X.dtype).tiny / np.finfo(X.dtype).eps, np.finfo(X.dtype).max
    if squares.min(initial=np.inf) > tiny and squares.max(initial=0) < huge:
        return np.sqrt(squares)
    largest = np.abs(X).max(axis=1)  # the squares left the range of the type, the rows perhaps did not
    bad = np.flatnonzero(~(np.isfinite(largest) & (largest > 0)))
    if len(bad):
        fault = "is all zeros and has no direction" if largest[bad[0]] == 0 else "holds NaN or inf"
        raise DataError(f"row {first_row + int(bad[0])} {fault}: remove or re-encode that item.")
    largest = largest.astype(np.float64)
    return largest * np.sqrt(_squares(X / largest[:, None]))


def _make_unit(V: np.ndarray, first_row: int) -> None:
    lengths = row_lengths(V, first_row)
    if lengths.min(initial=1) > np.finfo(V.dtype).tiny * 4:
        V *= (1 / lengths)[:, None]
    else:  # their reciprocals leave the range of the type
        V /= lengths[:, None]


def _squares(X: np.ndarray) -> np.ndarray:
    """Return each row's product with itself, by BLAS: less than half the time of `np.einsum`."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # callers look at the result
        return np.matmul(X[:, None, :], X[:, :, None]).reshape(-1)


def _to_directions(V: np.ndarray, *, at_most: float | None = None) -> None:
    """Divide rows by their length in place; rows no longer than rounding error (``at_most``) become zeros."""
    lengths = np.sqrt(_squares(V))
    zero = lengths <= (8 * np.finfo(V.dtype).eps if at_most is None else at_most)
    if zero.any():
        V[zero] = 0
        lengths[zero] = 1
    V *= (1 / lengths)[:, None]
