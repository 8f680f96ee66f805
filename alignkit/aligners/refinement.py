"""Rotate, match by CSLS, rotate onto the matches, again: iterative Procrustes (Conneau et al. 2018)."""

import numpy as np

from alignkit._params import check_count
from alignkit.aligners._csls import NEIGHBOURS, csls
from alignkit.aligners._dictionary import (
    Dictionary,
    check_dictionary,
    check_ranked,
    images_of,
    pairs_of,
    rotation_onto,
)
from alignkit.aligners._frame import Normalize
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary, VocabularyAligner

GAIN = 1e-6  # of the criterion; less is rounding


class Refinement(VocabularyAligner):
    """Learn a rotation from seed pairs, then let it find further pairs and learn from those.

    The order is: normalise both sides; Procrustes on the seed pairs; then at most ``rounds`` times: match
    the rows of both vocabularies by CSLS, keep the matches that ``dictionary`` and ``max_rank`` admit,
    Procrustes on these alone. The criterion of a map needs no labels: the mean cosine of every source row
    (up to ``max_rank``) with its CSLS match, the same number of matches in every round. Where it does not
    rise, the map before is kept and the rounds end. The map of the last round is not judged: that would
    cost as much as another round.

    `fit` has only pairs, so their distinct rows are the vocabularies and little can be found; hand over
    all rows of both sides with `fit_vocabulary`. Matching n and m rows costs one product of n m d
    multiplications a round, exactly (see `csls`), and no more memory than a few times the rows. Two
    fits are alike to the last bit on any number of threads as far as the BLAS gives the SVD and the
    products of the rotation so; the matches themselves do not depend on threads.

    Parameters
    ----------
    rounds
        Most rounds; 0 leaves the rotation of the seed pairs.
    dictionary
        ``"mutual"`` keeps pairs that are each other's match (S2T&T2S in MUSE), ``"forward"`` every source
        row's match (S2T), ``"either"`` the matches of both directions (S2T|T2S).
    neighbours
        Neighbours whose mean similarity CSLS takes off.
    max_rank
        Only pairs among the first ``max_rank`` rows of both sides, the most frequent ones; None: all.
        Needs `fit_vocabulary`, since pairs have no ranks. CSLS always sees all rows.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for every map that was judged, the seed's first: its criterion, and the pairs it found.

    Raises
    ------
    DataError
        If a round finds no pair to learn from; the sentence names the round.

    References
    ----------
    Conneau, Lample, Ranzato, Denoyer and Jégou (2018), *Word translation without parallel data*, sections
    2.2 and 2.3. Differences from MUSE's code: rows are normalised by default, the vocabulary is cut at
    exactly ``max_rank`` rows, and no test dictionary chooses the round.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(300, 8)), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    >>> Y = X @ Q + 0.3 * rng.normal(size=(300, 8))
    >>> few = np.stack([np.arange(10)] * 2, axis=1)
    >>> fitted = Refinement().fit_vocabulary(X, Y, few)
    >>> fitted.score(X, Y) > Refinement(rounds=0).fit_vocabulary(X, Y, few).score(X, Y)
    True
    """

    dictionary: Dictionary

    def __init__(
        self,
        *,
        rounds: int = 5,
        dictionary: Dictionary = "mutual",
        neighbours: int = NEIGHBOURS,
        max_rank: int | None = None,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.rounds = rounds
        self.dictionary = dictionary
        self.neighbours = neighbours
        self.max_rank = max_rank

    def _check_params(self) -> None:
        super()._check_params()
        check_count("rounds", self.rounds, least=0)
        check_count("neighbours", self.neighbours, least=1)
        if self.max_rank is not None:
            check_count("max_rank", self.max_rank, least=1)
        check_dictionary(self.dictionary)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        check_ranked(self.max_rank, ordered=ordered)
        targets = unit_rows(known.target).astype(np.float32)
        matrix = best = rotation_of(known.source, known.target, known.links, known.weights)
        history: list[tuple[float, int]] = []
        for count in range(1, self.rounds + 1):
            found = csls(images_of(known.source, matrix), targets, k=self.neighbours)
            criterion = float(found.targets.cosines[: self.max_rank].mean(dtype=np.float64))
            links = pairs_of(found, self.dictionary, self.max_rank)
            if history and criterion <= history[-1][0] + GAIN:
                history.append((criterion, len(links)))
                matrix = best
                break
            history.append((criterion, len(links)))
            best = matrix
            matrix = rotation_onto(known, links, count, self.max_rank)
        self.matrix_ = matrix
        self.history_ = np.array(history, np.float64).reshape(-1, 2)
