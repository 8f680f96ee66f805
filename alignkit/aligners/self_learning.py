"""Learn a map without pairs, or from few, by matching and rotating in turn (Artetxe et al. 2018)."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from alignkit._params import check_amount, check_count, check_flag
from alignkit.aligners._annealing import annealed_rotation
from alignkit.aligners._csls import csls
from alignkit.aligners._frame import Normalize
from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._restarts import seeds_of
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._row_signatures import signatures, similarity_profiles
from alignkit.aligners._stochastic_dictionary import Schedule, self_learn, with_pinned
from alignkit.aligners._trust import Trust, trust_of
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.aligners.whitened_rotation import WhitenedRotation
from alignkit.errors import ParameterError
from alignkit.moments import Moments
from alignkit.shapes import Links

Search: TypeAlias = Literal["annealed", "stochastic"]
SEARCHES: tuple[Search, ...] = get_args(Search)
POLISH = Schedule(keep=1.0, patience=0, gain=1e-4, most=10)  # once the search is over
GAIN = 1e-6  # of the stochastic search
MOST = 5000  # rounds of the stochastic search, which ends by itself long before
ENOUGH = 2  # links a dimension that need no search


class SelfLearning(JudgedAligner):
    """Find pairs and a rotation together, each from the other, from no pairs at all or from a few.

    The order is: normalise both sides; search for a rotation; rounds of self-learning on the ``cutoff``
    first rows of both sides (match every row by CSLS in both directions, Procrustes on the matches) until
    the criterion rests; with ``reweight``, whiten, rotate, re-weight by the square root of the singular
    values and de-whiten on the last dictionary, as `whitened_rotation` does, so that pairs are compared
    in a third space. Two searches:

    - ``"annealed"``: every row is shared out among the rows of the other side, softly at first and ever
      harder, guided by signatures that no rotation changes; all shares make the next rotation. It looks
      at the ``start_rows`` first rows; where `trust_` says that it failed, it is repeated, at most
      ``restarts`` times, with half as many rows again each time or on another sample of them. With two
      links a dimension or more their rotation is used instead.
    - ``"stochastic"``: the published one. The first dictionary is the links or, without any, the CSLS
      matches of the rows' similarity distributions; then each round sees an entry with the probability
      ``keep``, which is doubled after ``patience`` rounds without progress.

    With the annealed search linked rows keep the partners that they are given; with the stochastic one
    links are a start and no more. The better run by `trust_` is kept; it also says whether to believe the
    map, and `fit` raises nothing because of it. Where the two clouds have no shape in common, or shapes
    that look alike after a rotation (a ball, a cloud of its own mirror images), nothing can be found.

    Memory is 16 bytes for every pair of the ``start_rows`` rows, and a few times the rows. The same seed
    gives the same map; on other numbers of threads as far as the BLAS gives the same products.

    Parameters
    ----------
    search
        How the first rotation is found.
    start_rows
        Most frequent rows of each side that the search without pairs looks at.
    cutoff
        Most frequent rows of each side that self-learning looks at.
    keep, patience
        Share of entries seen at first, in (0, 1], and rounds without progress before it is doubled;
        of the stochastic search.
    reweight
        Whether the last step is the re-weighted map or the plain rotation.
    restarts
        Most searches.
    seed
        Of all that is drawn.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for every round of self-learning: the criterion (mean ``cos - r / 2`` of the best matches
        in both directions), the share of entries seen, and the pairs of the dictionary.
    trust_
        What the map looks like without labels; see `Trust`.
    source_projection_, target_projection_
        Framed rows to the joint frame; None for the target where the framed row is the joint row.

    References
    ----------
    Artetxe, Labaka and Agirre (2018), *A robust self-learning method for fully unsupervised cross-lingual
    mappings of word embeddings*. Differences from their code with ``search="stochastic"``: a row that
    forgets its 32 best candidates sits out the round, and whitening adds dimensions per pair to the
    spectrum. The annealed search is not theirs; see `annealed_rotation`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)) ** 3  # heavy tails: a shape that a rotation shows
    >>> Y = X @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = SelfLearning().fit_vocabulary(X, Y)
    >>> fitted.trust_.failed, fitted.score(X, Y) > 0.9
    (False, True)
    """

    fewest_links = 0

    def __init__(  # noqa: PLR0913 - the whole choice of a run
        self,
        *,
        search: Search = "annealed",
        start_rows: int = 2000,
        cutoff: int = 20_000,
        keep: float = 0.1,
        patience: int = 50,
        reweight: bool = True,
        restarts: int = 4,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.search: Search = search
        self.start_rows = start_rows
        self.cutoff = cutoff
        self.keep = keep
        self.patience = patience
        self.reweight = reweight
        self.restarts = restarts
        self.seed = seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.search not in SEARCHES:
            raise ParameterError(f"search is {self.search!r}; choose one of {', '.join(SEARCHES)}.")
        check_count("start_rows", self.start_rows, least=2)
        check_count("cutoff", self.cutoff, least=2)
        check_amount("keep", self.keep)
        if not 0 < self.keep <= 1:
            raise ParameterError(f"keep is {self.keep!r}; give a share above 0, at most 1.")
        check_count("patience", self.patience, least=0)
        check_flag("reweight", self.reweight)
        check_count("restarts", self.restarts, least=1)
        check_count("seed", self.seed, least=0)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        tried: list[tuple[Trust, _Run]] = []
        annealed = self.search == "annealed"
        for count, seed in enumerate(seeds_of(self.seed, self.restarts)):
            rng = np.random.default_rng(seed)
            run = self._annealed(known, count, rng) if annealed else self._published(known, rng)
            images = known.source @ run.rotation
            tried.append((trust_of(known.source, known.target, images, ordered=ordered), run))
            if not tried[-1][0].failed or (annealed and _enough(known)):
                break
        self.trust_, best = max(tried, key=lambda pair: pair[0].probability)  # the first of equal ones
        self.matrix_, self.history_ = best.rotation, best.history
        if self.reweight:
            self._reweight(known, best)

    def _annealed(self, known: Vocabulary, count: int, rng: np.random.Generator) -> "_Run":
        """Return the run from a soft search, or from the links where they are enough for a rotation."""
        if _enough(known):
            rotation = rotation_of(known.source, known.target, known.links, known.weights)
        else:
            rows = [
                _looked_at(len(side), round(self.start_rows * (1 + count / 2)), count, column, rng)
                for side, column in zip((known.source, known.target), known.links.T, strict=True)
            ]
            source, target = known.source[rows[0]], known.target[rows[1]]
            links = np.stack(
                [np.searchsorted(*pair) for pair in zip(rows, known.links.T, strict=True)], axis=1
            )
            rotation = annealed_rotation(source, target, signatures(source, target), links)[0]
        pinned = (known.links, known.weights) if len(known.links) else None
        return self._self_learnt(known, rotation, POLISH, rng, pinned)

    def _published(self, known: Vocabulary, rng: np.random.Generator) -> "_Run":
        """Return the run of the paper: from a first dictionary, by ever fuller sight."""
        links, weights = known.links, known.weights
        if not len(links):
            profiles = (similarity_profiles(side[: self.start_rows]) for side in (known.source, known.target))
            found = csls(*_of_one_width(*profiles))
            there, back = found.targets.indices, found.sources.indices
            forward = np.stack([np.arange(len(there)), there], axis=1)
            links = np.concatenate([forward, np.stack([back, np.arange(len(back))], axis=1)])
            weights = np.ones(len(links))
        rotation = rotation_of(known.source, known.target, links, weights)
        schedule = Schedule(self.keep, self.patience, GAIN, MOST)
        return self._self_learnt(known, rotation, schedule, rng, None)

    def _self_learnt(
        self,
        known: Vocabulary,
        rotation: np.ndarray,
        schedule: Schedule,
        rng: np.random.Generator,
        pinned: Any,
    ) -> "_Run":
        sides = known.source[: self.cutoff], known.target[: self.cutoff]
        rotation, history, links = self_learn(*sides, rotation, schedule, rng, pinned=pinned)
        weights = np.ones(len(links))
        if pinned is not None:
            links, weights = with_pinned(links, *pinned)
        return _Run(rotation, history, links, weights)

    def _reweight(self, known: Vocabulary, run: "_Run") -> None:
        moments = Moments.from_arrays(
            known.source[run.links[:, 0]], known.target[run.links[:, 1]], run.weights
        )
        last = WhitenedRotation(regularization="auto", normalize=self.normalize)
        last.from_moments(moments, self.source_frame_, self.target_frame_)
        self.matrix_ = last.matrix_
        self.source_projection_, self.target_projection_ = last.source_projection_, last.target_projection_


@dataclass(frozen=True, slots=True)
class _Run:
    """A rotation at rest, how it came about, and the pairs that it was learnt from."""

    rotation: np.ndarray
    history: np.ndarray
    links: Links
    weights: np.ndarray


def _enough(known: Vocabulary) -> bool:
    """Whether the links alone give a rotation: two a dimension, or no row of a side is without one."""
    sides = zip((known.source, known.target), known.links.T, strict=True)
    everyone = any(len(np.unique(column)) == len(side) for side, column in sides)
    return everyone or len(known.links) >= ENOUGH * min(known.source.shape[1], known.target.shape[1])


def _looked_at(n: int, wanted: int, count: int, linked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of a side that a search looks at, in order: frequent ones, and all that have links."""
    first = np.arange(min(n, wanted))
    if count and wanted >= n:  # more rows there are not: look at other ones
        first = rng.choice(n, max(2, 3 * n // 4), replace=False)
    return np.union1d(first, linked).astype(np.int64)


def _of_one_width(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return profiles cut to as many entries as the smaller vocabulary has, the same quantiles of both."""
    width = min(first.shape[1], second.shape[1])
    picked = (np.rint(np.linspace(0, side.shape[1] - 1, width)).astype(np.int64) for side in (first, second))
    one, other = (side[:, columns] for side, columns in zip((first, second), picked, strict=True))
    return one, other
