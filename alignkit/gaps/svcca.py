"""Mean canonical correlation of the leading components of each side (SVCCA, Raghu et al. 2017)."""

import numpy as np

from alignkit.gaps._canonical import OnCanonical, leading_whitener
from alignkit.shapes import SourceRows, TargetRows, Vectors

SHARE = 0.99  # of the variance, of Raghu et al.
ROWS_A_COMPONENT = 10


def svcca(x: SourceRows, y: TargetRows) -> float:
    """Return the mean canonical correlation of the leading components; row i of x belongs to row i of y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(svcca(x, -x), 6)
    1.0
    """
    return Svcca().measure(x, y)


class Svcca(OnCanonical):
    r"""Return :math:`\frac1r \sum_i \rho_i` over the canonical correlations of the leading components.

    In [0, 1]. Order: rows to length 1; each side centred; its leading components, as many as hold 99 % of its
    variance but at most one for ten rows; canonical correlations, as many as the side with fewer
    components has. Part ``squared`` takes their squares. 1 means that a linear map takes the components of
    one side to those of the other. It *overfits* as `cca_similarity` does, less so for fewer components: the
    null band of permuted pairs is the honest baseline. Where one row in ten binds, the value depends on the
    number of rows. Deterministic: nothing is drawn and no noise added. Needs pairs, of which one an item is
    measured.

    References
    ----------
    Raghu et al. (2017), *SVCCA: singular vector canonical correlation analysis for deep learning dynamics and
    interpretability*.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 16))
    >>> round(Svcca().measure(x, y), 1)  # unrelated
    0.3
    """

    fewest = 2 * ROWS_A_COMPONENT

    def _coordinates(self, rows: Vectors) -> np.ndarray:
        return rows - rows.mean(axis=0)

    def _whitener(self, covariance: np.ndarray, n: int) -> np.ndarray:
        return leading_whitener(covariance, most=n // ROWS_A_COMPONENT, share=SHARE)
