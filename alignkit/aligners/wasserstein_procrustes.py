"""Match two clouds by transport and rotation, with no pairs, few or many (Grave 2019; Schnaus 2026)."""

from typing import ClassVar

import numpy as np

from alignkit._params import check_count
from alignkit.aligners._assignment import Alternation, Cloud, alternate
from alignkit.aligners._centroid_matching import match_centroids
from alignkit.aligners._forms import PLAIN, UNLINKED, Form, Joint, Shapes, forms
from alignkit.aligners._frame import Normalize
from alignkit.aligners._held_out_links import best_on_held_out_links
from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._restarts import check_jobs, one_blas_thread, run_restarts, seeds_of
from alignkit.aligners._vocabulary import Vocabulary

FINALISTS = 3  # centroid matchings that are followed up beside their mean
SURER = 5  # times that a known link counts as much as a match that was only found
FOLDS = 5  # of the links, held out in turn


class WassersteinProcrustes(JudgedAligner):
    r"""Rotate one cloud onto the other by matching all rows, whether or not some pairs are known.

    One estimator serves any number of links. The order is: normalise both sides; a start; ``rounds`` of
    {match the rows that have no link one to one, under the map (Hungarian method, in blocks); sum the
    products ``x y'`` of matches and links}; a map from the singular vectors of that sum. The start is

    - without links: ``restarts`` coarse matchings of ``clusters`` centroids a side (k-means, then a
      quadratic assignment that makes the centroids' linear CKA large), their mean and the three best,
      each followed for all rounds; the end with the largest sum of singular values is kept;
    - with fewer links than ``clusters``: the same, the links being points whose match is settled, and the
      links' own products beside them;
    - with more: the links' own products.

    In the first half of the rounds directions are weighed by their singular values (this climbs in CKA,
    strong directions settle first); then the weights fade to a rotation (Wasserstein-Procrustes).

    Links that can be held out decide what becomes of the sum, by the rank of each among the rows that no
    other link names: whether found matches are used beside the links or the links alone; whether the two
    clouds' variances are first drawn together (by a power of their covariances); and how far the
    directions of the rotation are weighed by their singular values where pairs are compared, from not at
    all, which is Procrustes, to fully. The default of these stands unless another choice leads by more
    than a standard error, and where links are too few to hold out. So few links gain from all the rows,
    and many lose nothing by them.

    Links are kept out of the matching; one of weight w counts as w links, and a link as five matches.
    Sides may differ in rows and in dimensions. Rows that are one too many on a side have no partner in
    that round. Without any link the map is the rotation, and the criterion of ``trust_`` may say that the
    run failed: clouds without a shape of their own, such as round ones, or few rows in many dimensions,
    have no rotation to be found. Memory is the rows and, for each of ``jobs`` runs, a block's square; a
    round costs (rows / block) block^3 at worst. The same seed gives the same bits for any ``jobs`` and any
    number of threads.

    Parameters
    ----------
    clusters
        Centroids a side; capped by a fifth of the rows.
    restarts
        Coarse matchings.
    block
        Rows a side that are matched at a time.
    rounds
        Matchings of all rows in each run; 0 leaves the start.
    jobs
        Runs at a time; None: as many as the BLAS has threads.
    seed
        Of the clusters, the assignments and the blocks.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for every round of the run kept: the power of the weights, the mean cosine of the matches,
        the sum of the singular values for a match.
    form_
        The form chosen: whether found matches are used, the tempering power, the power of the weights.
    trust_
        See `JudgedAligner`.

    Raises
    ------
    DataError
        If products of the rows are not finite; the sentence names the round.

    References
    ----------
    Grave, Joulin and Berthet (2019), *Unsupervised alignment of embeddings with Wasserstein Procrustes*;
    Schnaus et al. (2026), *unpaired-rosetta*, arXiv 2610.09411, for the centroids, the mean over restarts
    and the links as linear terms. Differences from the latter's code: exchanges from many starts instead
    of a message-passing solver; blocks of rows that lie near each other instead of drawn ones; weights
    that fade; the form of the map is chosen on held-out links, where the original takes the rotation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centres, Q = 2 * rng.normal(size=(12, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    >>> X = centres[rng.integers(12, size=150)] + 0.5 * rng.normal(size=(150, 6))
    >>> fitted = WassersteinProcrustes(restarts=8).fit_vocabulary(X, (X @ Q)[rng.permutation(150)])
    >>> bool(fitted.score(X, X @ Q) > 0.9)
    True
    """

    fewest_links: ClassVar[int] = 0

    form_: tuple[bool, float, float]

    def __init__(
        self,
        *,
        clusters: int = 30,
        restarts: int = 30,
        block: int = 1000,
        rounds: int = 20,
        jobs: int | None = None,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.clusters = clusters
        self.restarts = restarts
        self.block = block
        self.rounds = rounds
        self.jobs = jobs
        self.seed = seed

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        return super().arrays() | {"form": np.array(self.form_, np.float64)}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        grown, temper, power = arrays["form"].tolist()
        self.form_ = bool(grown), temper, power

    def _check_params(self) -> None:
        super()._check_params()
        check_count("clusters", self.clusters, least=2)
        check_count("restarts", self.restarts, least=1)
        check_count("block", self.block, least=2)
        check_count("rounds", self.rounds, least=0)
        check_count("seed", self.seed, least=0)
        check_jobs(self.jobs)

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        with one_blas_thread():
            shapes = Shapes(known.source, known.target)
        found = self._followed(known)
        form = self._form(known, shapes)
        with one_blas_thread():
            product = found.product if form.grown else _products_of(known)
            self._take_map(shapes, product, form)
        self.history_ = found.history
        self.form_ = form.grown, form.temper, form.power
        self._judge(known, self.seed, ordered=ordered)

    def _take_map(self, shapes: Shapes, product: np.ndarray, form: Form) -> None:
        """Set the matrix, in which nothing is weighed, and the projections of the joint frame."""
        found, (left, right) = shapes.shaped(product, form), shapes.sides(form)
        of_source, of_target = found.projections(form.power)
        # as a file holds them: one order of summation before and after it
        self.matrix_ = np.ascontiguousarray(left.matrix @ found.matrix @ right.inverse)
        self.source_projection_ = np.ascontiguousarray(left.matrix @ of_source)
        self.target_projection_ = np.ascontiguousarray(right.matrix @ of_target)

    def _form(self, known: Vocabulary, shapes: Shapes) -> Form:
        """Return the form under which held-out links are found best."""
        if not len(known.links):
            return UNLINKED
        seed = seeds_of(self.seed, 1)[0]

        def fit(rest: Vocabulary) -> Joint:
            return shapes.joint(self._from_links(rest, seed).product, _products_of(rest))

        candidates = forms(grown=not _cloud(known).is_matched)
        contest = best_on_held_out_links(known, candidates, fit, FOLDS, self.jobs)
        return PLAIN if contest is None else candidates[contest.chosen]

    def _followed(self, known: Vocabulary) -> Alternation:
        """Return the end of the best run: all that the rows and the links say together."""
        cloud = _cloud(known)
        seeds = seeds_of(self.seed, self.restarts + FINALISTS + 2)
        last, *follow = seeds[: FINALISTS + 2]
        if cloud.is_matched or len(known.links) >= self.clusters:
            return run_restarts(lambda seed: self._from_links(known, seed), [last], 1)[0]
        starts = self._coarse(known, seeds[FINALISTS + 2 :])
        if len(known.links):
            starts.append(_products_of(known))
        runs = list(zip(starts, follow, strict=False))
        ends = run_restarts(lambda run: self._alternate(cloud, *run), runs, self.jobs)
        return max(ends, key=lambda end: end.agreement)

    def _from_links(self, known: Vocabulary, seed: np.random.SeedSequence) -> Alternation:
        return self._alternate(_cloud(known), _products_of(known), seed)

    def _alternate(self, cloud: Cloud, start: np.ndarray, seed: np.random.SeedSequence) -> Alternation:
        return alternate(cloud, start, self.rounds, self.block, np.random.default_rng(seed))

    def _coarse(self, known: Vocabulary, seeds: list[np.random.SeedSequence]) -> list[np.ndarray]:
        """Return the mean of all coarse matchings and the best of them, best first."""
        found = run_restarts(
            lambda seed: match_centroids(known, self.clusters, np.random.default_rng(seed)), seeds, self.jobs
        )
        best = sorted(found, key=lambda one: -one.cka)[:FINALISTS]
        return [np.sum([one.product for one in found], axis=0), *(one.product for one in best)]


def _products_of(known: Vocabulary) -> np.ndarray:
    """Return the sum of ``x y'`` over the links, each with its weight."""
    linked = known.source[known.links[:, 0]] * known.weights[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # whoever decomposes the sum looks at it
        return linked.T @ known.target[known.links[:, 1]]


def _cloud(known: Vocabulary) -> Cloud:
    """Return the rows that no link names."""
    free = [
        np.delete(side, known.links[:, column], axis=0)
        for column, side in enumerate((known.source, known.target))
    ]
    return Cloud(free[0], free[1], SURER * _products_of(known))
