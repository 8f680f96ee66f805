"""Canonical correlation on given pairs and on those it then finds itself: self-training (Vinod 1976)."""

from collections.abc import Iterator

import numpy as np

from alignkit._params import check_amount, check_count
from alignkit.aligners._base import BLOCK
from alignkit.aligners._canonical import Canonical, Tunable, candidates, check_tunable, choose, fitted_length
from alignkit.aligners._csls import NEIGHBOURS, csls
from alignkit.aligners._dictionary import check_ranked, images_of, pairs_of
from alignkit.aligners._frame import Frame, Normalize
from alignkit.aligners._held_out import Plan, hold_out
from alignkit.aligners._vocabulary import Vocabulary, VocabularyAligner
from alignkit.errors import DataError
from alignkit.moments import Moments

FOLDS, MAX_QUERIES = 5, 1000  # as in `cca_cv`


class RefinedCorrelation(VocabularyAligner):
    r"""Fit `cca_cv` to the pairs, match the rows of both sides, fit to pairs and matches, again.

    The order is: normalise both sides; choose the regularisation and the exponent of `cca` on the pairs,
    as `cca_cv` does; find the canonical directions of the pairs; then ``rounds`` times: bring all rows of
    both sides into the joint frame, match them by CSLS, keep the rows that are each other's match, and find
    the directions of the pairs together with these, a match counting as ``trust`` pairs. The given pairs
    stay with their whole weight in every round, and the two numbers stay as they were chosen.

    It pays where unpaired rows are many and pairs few for the dimensions: the matches are far from all
    right, yet the right ones agree and the wrong ones do not. `fit` has only pairs, so their distinct rows
    are all it can match; hand over all rows of both sides with `fit_vocabulary`. A round costs one product
    of n m d multiplications for n and m rows (see `csls`) beside one fit of `cca`.

    Parameters
    ----------
    regularization, exponent
        ``"cv"``, or numbers as in `cca`, which are then not chosen: with very few pairs there is little to
        choose by.
    rounds
        Times that the rows are matched; 0 leaves `cca_cv`.
    trust
        Weight of a match, where a given pair has weight 1.
    max_rank
        Only matches among the first ``max_rank`` rows of both sides, the most frequent ones; None: all.
        Needs `fit_vocabulary`, since pairs have no ranks. CSLS always sees all rows.
    neighbours
        Neighbours whose mean similarity CSLS takes off.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    regularization_, exponent_
        What was chosen; see `cca`.
    source_projection_, target_projection_
        Framed rows to the joint frame.
    history_
        One row for every round: the mean cosine of all source rows with their matches, and the mutual
        matches found.

    Raises
    ------
    DataError
        If the linked rows of a side do not vary, so that there is no direction to compare by.
    ParameterError
        If a parameter makes no sense, or there are no pairs to hold out: all share a row or a group.

    References
    ----------
    Vinod (1976), *Canonical ridge and econometrics of joint production*. Learning from one's own mutual
    matches: Conneau et al. (2018), *Word translation without parallel data*, section 2.2. The combination
    is our own.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(300, 8)), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    >>> Y = X @ Q + 0.3 * rng.normal(size=(300, 8))
    >>> few = np.stack([np.arange(12)] * 2, axis=1)
    >>> grown, start = (RefinedCorrelation(rounds=n).fit_vocabulary(X, Y, few) for n in (5, 0))
    >>> grown.score(X, Y) > start.score(X, Y)
    True
    """

    regularization_: float
    exponent_: float

    def __init__(
        self,
        *,
        regularization: Tunable = "cv",
        exponent: Tunable = "cv",
        rounds: int = 5,
        trust: float = 1.0,
        max_rank: int | None = None,
        neighbours: int = NEIGHBOURS,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.regularization: Tunable = regularization
        self.exponent: Tunable = exponent
        self.rounds = rounds
        self.trust = trust
        self.max_rank = max_rank
        self.neighbours = neighbours

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return super().arrays() | {"chosen": np.array([self.regularization_, self.exponent_])}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.regularization_, self.exponent_ = (float(number) for number in arrays["chosen"])

    def _check_params(self) -> None:
        super()._check_params()
        check_tunable(self.regularization, self.exponent)
        check_count("rounds", self.rounds, least=0)
        check_amount("trust", self.trust)
        check_count("neighbours", self.neighbours, least=1)
        if self.max_rank is not None:
            check_count("max_rank", self.max_rank, least=1)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        check_ranked(self.max_rank, ordered=ordered)
        self.regularization_, self.exponent_ = self._numbers(known)
        pairs = _moments(known, known.links, known.weights)
        found = Canonical.of(pairs, self.regularization_, None)
        history = []
        for count in range(1, self.rounds + 1):
            if not len(found.correlations):
                raise DataError(
                    f"round {count} found no direction that linked rows share: a side of them does not vary."
                )
            joint = (
                images_of(side, matrix)
                for side, matrix in zip(
                    (known.source, known.target), found.projections(self.exponent_), strict=True
                )
            )
            matches = csls(*joint, k=self.neighbours)
            links = pairs_of(matches, "mutual", self.max_rank)
            history.append((float(matches.targets.cosines.mean(dtype=np.float64)), len(links)))
            more = _moments(known, links, np.full(len(links), float(self.trust)))
            found = Canonical.of(pairs + more, self.regularization_, None)
        self.source_projection_, self.target_projection_ = found.projections(self.exponent_)
        self.matrix_ = fitted_length(found.prediction(), pairs)
        self.history_ = np.array(history, np.float64).reshape(-1, 2)

    def _numbers(self, known: Vocabulary) -> tuple[float, float]:
        """Return the regularisation and the exponent that are given or find held-out pairs best."""
        shares, exponents, tuned = candidates(self.regularization, self.exponent)
        if tuned is None:
            return shares[0], exponents[0]
        as_they_are = [Frame("none", np.zeros(side.shape[1])) for side in (known.source, known.target)]

        def blocks() -> Iterator[tuple]:
            for start in range(0, len(known.links), BLOCK):
                part = slice(start, start + BLOCK)
                source, target = known.links[part].T
                yield known.source[source], known.target[target], known.weights[part]

        plan = Plan(FOLDS, MAX_QUERIES, tuned)
        # the rows' places tell them apart, and do not change with the rounding of the means
        source, target = known.links.astype(np.uint64).T
        folds = hold_out(blocks, known.groups, (as_they_are[0], as_they_are[1]), plan, (source, target))
        return choose(folds, shares, exponents)[0]


def _moments(known: Vocabulary, links: np.ndarray, weights: np.ndarray) -> Moments:
    """Return the moments of linked rows, gathered a block at a time."""
    moments = Moments(known.source.shape[1], known.target.shape[1])
    for start in range(0, len(links), BLOCK):
        part = slice(start, start + BLOCK)
        moments.update(known.source[links[part, 0]], known.target[links[part, 1]], weights[part])
    return moments
