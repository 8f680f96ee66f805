"""Couple two clouds by their inner cosines alone, then rotate: Gromov-Wasserstein (Alvarez-Melis 2018)."""

import warnings
from typing import ClassVar

import numpy as np

from alignkit._params import check_amount, check_count
from alignkit.aligners._csls import NEIGHBOURS, csls
from alignkit.aligners._frame import Normalize
from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._restarts import one_blas_thread
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.shapes import SourceCloud, TargetCloud, Vectors

STEPS = 200  # of the coupling, at most
SCALINGS = 100  # of Sinkhorn within each step, at most
STILL = 1e-7  # change of the coupling (Frobenius) at which it has come to rest


class Gromov(JudgedAligner):
    """Find the coupling under which both sides' cosines agree best, and the rotation that it implies.

    The order is: normalise both sides; take at most ``most`` rows a side; entropic Gromov-Wasserstein
    between their matrices of cosines, all rows of equal mass (Python Optimal Transport, projected
    gradient with Sinkhorn steps, from the uniform coupling); Procrustes on the coupling, in which each
    source row is paired with every target row as strongly as the coupling says; then ``rounds`` times
    match all rows by CSLS, keep mutual matches, Procrustes on these.

    Pairs are never looked at: `fit` uses the two sides of its pairs as two clouds. The start is uniform
    and nothing else is tried, so a cloud whose cosines have no distinct pattern (a round one, or one that
    mirrors onto itself) stays uniform or falls on a wrong side; ``trust_`` says so. Memory is several
    matrices of ``most`` by ``most``, time grows with the cube: 1,000 rows are a matter of seconds. It
    needs the extra ``ot``. The same seed gives the same bits on any number of threads.

    Parameters
    ----------
    epsilon
        Strength of the entropy, in the units of squared cosines: smaller is sharper, slower, and fails
        numerically below about 0.001.
    most
        Rows a side that are coupled: the first of an ordered vocabulary, otherwise drawn.
    rounds
        Rounds of refinement on all rows; 0 leaves the rotation of the coupling.
    neighbours
        Neighbours whose mean similarity CSLS takes off.
    seed
        Of the rows that are drawn.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for each checked step of the coupling and for each round: 0 and the coupling's change
        (Frobenius), or 1 and the mean cosine of the matches.

    Raises
    ------
    MissingExtraError
        If Python Optimal Transport is not installed.
    DataError
        If the coupling is not finite or holds no mass; a round finds no mutual match.

    References
    ----------
    Alvarez-Melis and Jaakkola (2018), *Gromov-Wasserstein alignment of word embedding spaces*. Differences
    from its code: rows are normalised first, the mass of a row does not follow its frequency, and epsilon
    is not lowered from step to step.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centres, Q = 2 * rng.normal(size=(12, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    >>> X = centres[rng.integers(12, size=150)] + 0.5 * rng.normal(size=(150, 6))
    >>> fitted = Gromov().fit_vocabulary(X, (X @ Q)[rng.permutation(150)])
    >>> bool(fitted.score(X, X @ Q) > 0.9)
    True
    """

    needs_pairs: ClassVar[bool] = False
    fewest_links: ClassVar[int] = 0

    def __init__(
        self,
        *,
        epsilon: float = 0.01,
        most: int = 1000,
        rounds: int = 5,
        neighbours: int = NEIGHBOURS,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.epsilon = epsilon
        self.most = most
        self.rounds = rounds
        self.neighbours = neighbours
        self.seed = seed

    def _check_params(self) -> None:
        super()._check_params()
        check_amount("epsilon", self.epsilon)
        if self.epsilon == 0:
            raise ParameterError("epsilon is 0: without entropy there is no Sinkhorn step; give 0.01 or so.")
        check_count("most", self.most, least=2)
        check_count("rounds", self.rounds, least=0)
        check_count("neighbours", self.neighbours, least=1)
        check_count("seed", self.seed, least=0)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        rng = np.random.default_rng(self.seed)
        with one_blas_thread():
            source, target = (self._taken(V, rng, ordered=ordered) for V in (known.source, known.target))
            coupling, changes = coupled(unit_rows(source), unit_rows(target), self.epsilon)
            with np.errstate(over="ignore", invalid="ignore"):  # thin_svd looks at the product
                product = source.T @ coupling @ target
            U, _, Vt = thin_svd(product)
            matrix, history = U @ Vt, [(0.0, change) for change in changes]
            targets = unit_rows(known.target)
            for count in range(1, self.rounds + 1):
                found = csls(unit_rows(known.source @ matrix), targets, k=self.neighbours)
                there, rows = found.targets.indices, np.arange(len(known.source))
                mutual = found.sources.indices[there] == rows
                if not mutual.any():
                    raise DataError(f"round {count} found no mutual match to learn from: give rounds=0.")
                links = np.stack([rows, there], axis=1)[mutual]
                matrix = rotation_of(known.source, known.target, links)
                history.append((1.0, float(found.targets.cosines.mean(dtype=np.float64))))
        self.matrix_ = np.ascontiguousarray(matrix)
        self.history_ = np.array(history, np.float64).reshape(-1, 2)
        self._judge(known, self.seed, ordered=ordered)

    def _taken(self, V: Vectors, rng: np.random.Generator, *, ordered: bool) -> np.ndarray:
        if len(V) <= self.most:
            return V
        return V[: self.most] if ordered else V[np.sort(rng.choice(len(V), self.most, replace=False))]


def coupled(source: SourceCloud, target: TargetCloud, epsilon: float) -> tuple[np.ndarray, list[float]]:
    """Return the coupling of two sets of unit rows, and how much it changed at each check."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its sources hold escapes that Python warns of
            import ot
    except ImportError as error:
        raise MissingExtraError(
            "gromov needs POT (Python Optimal Transport): pip install 'alignkit[ot]'"
        ) from error
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # the result is looked at below
        warnings.simplefilter("ignore")
        coupling, log = ot.gromov.entropic_gromov_wasserstein(
            source @ source.T,
            target @ target.T,
            epsilon=epsilon,
            max_iter=STEPS,
            tol=STILL,
            numItermax=SCALINGS,
            log=True,
        )
    if not (np.isfinite(coupling).all() and coupling.sum() > 0.5):
        raise DataError(
            f"the coupling broke down at epsilon {epsilon}: give a larger epsilon, or check the rows."
        )
    return coupling, [float(change) for change in log["err"]]
