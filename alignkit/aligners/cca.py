"""Project both sides onto their correlated directions: canonical correlation analysis (Hotelling 1936)."""

from alignkit._params import check_amount, check_count
from alignkit.aligners._canonical import Canonical
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._params import check_components
from alignkit.aligners._spectrum import Regularization, check_regularization
from alignkit.moments import Moments


class CanonicalCorrelation(LinearAligner):
    r"""Find the directions of both sides that correlate most, in closed form.

    The order is: normalise both sides; whiten each, with ``regularization`` times the mean eigenvalue
    added to every eigenvalue; ``U S V'`` of the whitened cross-products; keep the first ``n_components``;
    scale each canonical direction by its correlation to the power ``exponent``. Both sides meet in this
    third space. `transform` predicts the target from the source's canonical variates (``X A S B^-1``),
    which with all components is regularised least squares, then restores the target's frame; it can be
    taken back only if no source dimension was dropped.

    Parameters
    ----------
    n_components
        Directions kept; None keeps all that both sides have.
    regularization
        Share of the mean eigenvalue added to each side's spectrum; 0 is the classical method, which
        finds perfect correlations in noise as soon as pairs are fewer than both dimensions together.
        ``"auto"`` is each side's dimensions per pair, at most 1: close to the best share wherever a grid
        was tried, from 0.2 to 40 pairs per dimension. Weights count pairs, so let them be about 1.
    exponent
        0 weighs all canonical directions alike, as Hotelling does; 1 weighs them by their correlation.
    normalize
        The frames; see `FramedAligner`.

    Raises
    ------
    ParameterError
        If ``n_components`` exceeds the smaller dimension.

    References
    ----------
    Hotelling (1936), *Relations between two sets of variates*; regularised: Vinod (1976).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(200, 2))
    >>> X, Y = (np.hstack([shared, rng.normal(size=(200, 3))]) for _ in range(2))
    >>> fitted = CanonicalCorrelation(n_components=3, regularization=0, normalize="center").fit(X, Y)
    >>> np.round(fitted.correlations_[:2], 6).tolist(), bool(fitted.correlations_[2] < 0.3)
    ([1.0, 1.0], True)
    """

    _learned = ("correlations_",)

    def __init__(
        self,
        *,
        n_components: int | None = None,
        regularization: Regularization = "auto",
        exponent: float = 1.0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.n_components = n_components
        self.regularization: Regularization = regularization
        self.exponent = exponent

    def _check_params(self) -> None:
        super()._check_params()
        check_regularization(self.regularization)
        check_amount("exponent", self.exponent)
        if self.n_components is not None:
            check_count("n_components", self.n_components, least=1)

    def _solve(self, moments: Moments) -> None:
        check_components(self.n_components, min(moments.source_dim, moments.target_dim))
        found = Canonical.of(moments, self.regularization, self.n_components)
        self.correlations_ = found.correlations
        self.source_projection_, self.target_projection_ = found.projections(self.exponent)
        self.matrix_ = found.prediction()
