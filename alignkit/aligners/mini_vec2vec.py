"""Rotate one cloud onto another without pairs, by clusters and averaging: mini-vec2vec (Dar 2025)."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from alignkit._params import check_count
from alignkit.aligners._both_nearest import nearest
from alignkit.aligners._centroid_matching import (
    ROWS_A_CLUSTER,
    CentroidMatching,
    match_centroids,
    sampled,
)
from alignkit.aligners._clusters import centroids_of, grown_from
from alignkit.aligners._folds import row_keys
from alignkit.aligners._frame import Normalize
from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._restarts import check_jobs, one_blas_thread, run_restarts, seeds_of
from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError
from alignkit.shapes import SourceVectors, TargetVectors

SAMPLE = 1000  # source rows of one round of averaging
CLUSTERS = 500  # of the last rounds
LAST_ROUNDS = 10
GRID = 2.0**-16  # of the largest entry: finer differences decide nothing
SHARE = 0.6  # of the new rotation in the next: at one half a rotation and a reflection would cancel
ROWS_A_NEIGHBOUR = 20  # neighbours are at most this part of the rows


class MiniVec2vec(JudgedAligner):
    """Find anchors without labels, describe rows by them, and refine the rotation that follows.

    The order is: normalise both sides; ``restarts`` times cluster both sides and find which cluster is
    which (k-means, then a quadratic assignment on the centred products of the centroids); describe each
    row by its cosines to all matched centroids of its side; give each source row the mean of the
    ``neighbours`` target rows with the nearest descriptions as pseudo-partner; Procrustes. Then
    ``rounds`` times: 1,000 source rows are drawn, each gets the mean of the ``neighbours`` targets nearest
    to its image, and the rotation moves a little more than halfway to the one that they ask for. At last,
    ten times: up to 500 clusters of the source are mapped, clusters of the target grow from there, and the
    rotation moves likewise to the one between their means.

    Pairs are never looked at: `fit` uses the two sides of its pairs as two clouds. The averages over
    neighbours blur, which is what lets a bad start improve and what bounds the precision: `refinement` or
    `wasserstein_procrustes` may go on from where it ends. Clouds without clusters of their own give no
    anchors; ``trust_`` says so. Rows are held in memory, and so are their cosines to ``restarts`` times
    20 centroids. The same seed gives the same bits for any ``jobs`` and any number of threads.

    Parameters
    ----------
    clusters
        Centroids a side in each restart; capped by a fifth of the rows.
    restarts
        Clusterings that become anchors.
    neighbours
        Rows that are averaged to a pseudo-partner; capped by a twentieth of the rows.
    rounds
        Rounds of averaging.
    jobs
        Restarts at a time; None: as many as the BLAS has threads.
    seed
        Of clusters, assignments and drawn rows.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for every rotation after the first: the mean cosine of the images with the rows that they
        were moved towards, and the Frobenius norm of the move.

    Raises
    ------
    DataError
        If products of the rows are not finite; the sentence names the round.

    References
    ----------
    Dar, *mini-vec2vec: scaling universal geometry alignment with linear transformations* (2025).
    Differences from its notebook: descriptions are centred; the exchanges of the assignment start from
    sorted rows as well; the rotation is made orthogonal after each move, which is a little more than
    halfway; clusters and neighbours are capped where rows are few.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centres, Q = 2 * rng.normal(size=(12, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    >>> X = centres[rng.integers(12, size=200)] + 0.5 * rng.normal(size=(200, 6))
    >>> fitted = MiniVec2vec().fit_vocabulary(X, (X @ Q)[rng.permutation(200)])
    >>> bool(fitted.score(X, X @ Q) > 0.9)
    True
    """

    needs_pairs: ClassVar[bool] = False
    fewest_links: ClassVar[int] = 0

    quick: ClassVar[dict[str, Any]] = {"restarts": 4, "rounds": 10}

    def __init__(
        self,
        *,
        clusters: int = 20,
        restarts: int = 30,
        neighbours: int = 50,
        rounds: int = 100,
        jobs: int | None = None,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.clusters = clusters
        self.restarts = restarts
        self.neighbours = neighbours
        self.rounds = rounds
        self.jobs = jobs
        self.seed = seed

    def _check_params(self) -> None:
        super()._check_params()
        check_count("clusters", self.clusters, least=2)
        check_count("restarts", self.restarts, least=1)
        check_count("neighbours", self.neighbours, least=1)
        check_count("rounds", self.rounds, least=0)
        check_count("seed", self.seed, least=0)
        check_jobs(self.jobs)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        given, known = (
            known,
            replace(known, source=_steady(known.source, ordered), target=_steady(known.target, ordered)),
        )
        first, *seeds = seeds_of(self.seed, self.restarts + 1)
        anchors = run_restarts(
            lambda seed: match_centroids(known, self.clusters, np.random.default_rng(seed)), seeds, self.jobs
        )
        with one_blas_thread():
            self._refine(known, self._first(known, anchors), np.random.default_rng(first))
        self._judge(given, self.seed, ordered=ordered)

    def _first(self, known: Vocabulary, anchors: list[CentroidMatching]) -> np.ndarray:
        """Return the rotation onto the pseudo-partners that the anchors suggest."""
        left = np.concatenate([found.source for found in anchors])
        right = np.concatenate([found.target for found in anchors])
        described = [
            unit_rows(_centered(unit_rows(V) @ unit_rows(means).T))
            for V, means in ((known.source, left), (known.target, right))
        ]
        found = nearest(described[0], described[1], self._neighbours(known))
        return _rotation(known.source, known.target[found.indices].mean(axis=1), "the first rotation")

    def _refine(self, known: Vocabulary, matrix: np.ndarray, rng: np.random.Generator) -> None:
        targets, history = unit_rows(known.target), []
        for count in range(self.rounds + LAST_ROUNDS):
            if count < self.rounds:
                rows = rng.choice(len(known.source), min(SAMPLE, len(known.source)), replace=False)
                moved = known.source[rows]
                found = nearest(unit_rows(moved @ matrix), targets, self._neighbours(known))
                aims = known.target[found.indices].mean(axis=1)
            else:
                moved, aims = self._grown_clusters(known, matrix, rng)
            cosine = float(np.einsum("nd,nd->n", unit_rows(moved @ matrix), unit_rows(aims)).mean())
            asked = _rotation(moved, aims, f"round {count + 1}")
            after = _polar((1 - SHARE) * matrix + SHARE * asked)
            history.append((cosine, float(np.linalg.norm(after - matrix))))
            matrix = after
        self.matrix_ = np.ascontiguousarray(matrix)
        self.history_ = np.array(history, np.float64).reshape(-1, 2)

    def _grown_clusters(
        self, known: Vocabulary, matrix: np.ndarray, rng: np.random.Generator
    ) -> tuple[SourceVectors, TargetVectors]:
        """Return means of source clusters, and of the target clusters that grew from their images."""
        count = min(CLUSTERS, max(2, min(len(known.source), len(known.target)) // ROWS_A_CLUSTER))
        means, _ = centroids_of(sampled(known.source, rng), count, rng)
        grown, labels = grown_from(sampled(known.target, rng), means @ matrix)
        kept = np.unique(labels)
        return means[kept], grown[kept]

    def _neighbours(self, known: Vocabulary) -> int:
        return int(min(self.neighbours, max(1, len(known.target) // ROWS_A_NEIGHBOUR)))


def _centered(V: np.ndarray) -> np.ndarray:
    return V - V.mean(axis=0)


def _rotation(source: SourceVectors, target: TargetVectors, when: str) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # thin_svd looks at the product
        product = source.T @ target
    try:
        return _polar(product)
    except DataError as error:
        raise DataError(f"{when}: {error}") from error


def _steady(rows: np.ndarray, ordered: bool) -> np.ndarray:
    """Return rows on a grid at one scale, in an order of their own: rounding decides no cluster."""
    scale = float(np.abs(rows).max()) or 1.0
    steady = np.rint(rows / scale / GRID) * GRID
    return steady if ordered else steady[np.argsort(row_keys(steady), kind="stable")]


def _polar(matrix: np.ndarray) -> np.ndarray:
    U, _, Vt = thin_svd(matrix)
    return U @ Vt
