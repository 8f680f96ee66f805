"""Translate the source cloud onto the target's centroid: the gap-closing baseline of Liang et al. (2022)."""

from alignkit.aligners._frame import Normalize
from alignkit.aligners._unmapped import UnmappedAligner
from alignkit.errors import ParameterError


class MeanShift(UnmappedAligner):
    """Subtract the source's mean and add the target's; the dimensions must be equal.

    The order is: unit rows, minus their mean; restoring adds the target's mean. It needs no pairs, only
    the two clouds, and shows how much of a map's success is the shift alone.

    Raises
    ------
    DataError
        If the dimensions differ.
    ParameterError
        If ``normalize`` has no centring step: the centring is the map.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*, section 4.1 (the shift by the difference of the means).

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> MeanShift(normalize="center").fit(X, X + 5).transform(X).tolist()
    [[6.0, 5.0], [5.0, 7.0]]
    """

    def __init__(self, *, normalize: Normalize = "unit-center") -> None:
        super().__init__(normalize=normalize)

    def _check_params(self) -> None:
        super()._check_params()
        if "center" not in self.normalize:
            raise ParameterError(
                f"mean_shift is its centring step, but normalize is {self.normalize!r}: choose center, "
                "unit-center or unit-center-unit, or the method identity."
            )
