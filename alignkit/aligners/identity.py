"""Leave every row as it is after normalisation: the baseline that a map must beat."""

from alignkit.aligners._frame import Normalize
from alignkit.aligners._unmapped import UnmappedAligner


class Identity(UnmappedAligner):
    """Compare two spaces of equal dimension without a map; only the frames are fitted.

    The order is: normalise the source, restore the target's frame. By default rows are made unit, so the
    joint frame gives the raw cosine between the two spaces.

    Raises
    ------
    DataError
        If the dimensions differ: there is nothing to compare without a map.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> Identity().fit(X, X).project_source(X).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, *, normalize: Normalize = "unit") -> None:
        super().__init__(normalize=normalize)
