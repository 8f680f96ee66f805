"""Rotate one space until a network cannot tell it from the other, without pairs (Conneau et al. 2018)."""

from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from alignkit._params import check_amount, check_count
from alignkit.aligners._adversary import Rules
from alignkit.aligners._contest import Contest, Outcome, Plan
from alignkit.aligners._csls import NEIGHBOURS
from alignkit.aligners._dictionary import Dictionary, check_dictionary
from alignkit.aligners._discriminator import Shape
from alignkit.aligners._frame import Normalize
from alignkit.aligners._judged import JudgedAligner
from alignkit.aligners._restarts import check_jobs, run_restarts, seeds_of
from alignkit.aligners._trust import Trust, trust_of
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.devices import import_torch
from alignkit.errors import DataError, ParameterError

Settings: TypeAlias = Literal["coded", "published"]
SETTINGS: dict[Settings, dict[str, float]] = {
    "coded": {"beta": 0.001, "smoothing": 0.1, "frequent": 75_000},
    "published": {"beta": 0.01, "smoothing": 0.2, "frequent": 50_000},
}
LEAK = 0.2  # slope of the leaky ReLU where it is negative


class Adversarial(JudgedAligner):
    """Find a rotation between two clouds that have no pairs, by a game against a discriminator.

    The order is: normalise both sides; start from the identity; then in every round ``critic_steps`` times
    teach the discriminator to tell mapped source rows from target rows (both drawn from the ``frequent``
    first ones), move the matrix one step against it, and take one step towards an orthogonal matrix. After
    every epoch the map is judged without labels: by the mean cosine of the CSLS matches of the 10,000 most
    frequent rows. Where that falls for the second time, the matrix learns at half the speed from then on.
    The best map by this criterion is then refined: ``rounds`` times match, keep the pairs that
    ``dictionary`` and ``max_rank`` admit, and rotate onto them. The best map of all is kept; ``restarts``
    runs from other seeds compete, and `Trust` chooses.

    Such games are fragile: they fail on clouds without structure, on distant pairs of spaces and for some
    seeds. ``trust_`` tells; more ``restarts`` help. Both sides need equal dimensions, and the first rows
    should be the frequent ones: give them with `fit_vocabulary`. `fit` has pairs only; it takes their
    distinct rows, without looking at who belongs to whom, and as these have no ranks it uses all of them.

    The defaults are those of MUSE: 781,250 steps of a large network, which are minutes on a graphics card
    (``with on_device("cuda")``, or ``--device cuda``) and hours on a processor. For few dimensions a
    smaller ``hidden``, a shorter ``epoch_size`` and larger rates and ``beta`` find the map in seconds.
    On the processor the same seed gives the same bits for any number of threads and jobs; a card draws
    other numbers, so its maps differ from the processor's as two seeds do.

    Parameters
    ----------
    settings
        Where paper and code of the authors disagree: ``"coded"`` stands for ``beta`` 0.001, ``smoothing``
        0.1 and ``frequent`` 75,000; ``"published"`` for 0.01, 0.2 and 50,000. Each can be set alone.
    beta
        Size of the step towards an orthogonal matrix: ``(1 + beta) W - beta W W'W``.
    smoothing
        The discriminator is taught 1 - smoothing for mapped rows and smoothing for target rows.
    frequent
        Only so many first rows of either side are drawn; all where there are fewer.
    epochs, epoch_size, batch
        Epochs; draws of a side for the matrix's steps in each; rows of a side in one step.
    critic_steps
        Steps of the discriminator before each step of the matrix.
    hidden, layers, input_dropout, hidden_dropout
        Width and number of the discriminator's hidden layers, and the shares dropped.
    rate, critic_rate
        Learning rates (plain gradient descent) of the matrix and of the discriminator.
    rate_decay, rate_shrink, least_rate
        Factors of the matrix's rate after every epoch and after a second fall of the criterion, and
        where the decay stops; a rate below the last ends the game.
    rounds, dictionary, neighbours, max_rank
        The refinement; see `Refinement`.
    restarts, jobs
        Independent runs, and how many at a time (None: as many as the BLAS has threads).
    seed
        Of all that is drawn.
    normalize
        The frames; see `FramedAligner`. MUSE's default is ``"none"``.

    Attributes
    ----------
    history_
        One row for every epoch and every round of the run that was kept: the criterion, and the rate at
        which the matrix learnt (0 in rounds).
    trust_
        What can be said about the map without labels; see `Trust`.

    Raises
    ------
    DataError
        If the sides differ in dimensions, or the game leaves the range of numbers (the epoch is named).
    MissingExtraError
        If torch is not installed.

    References
    ----------
    Conneau, Lample, Ranzato, Denoyer and Jégou (2018), *Word translation without parallel data*, sections
    2.1 to 2.3. Differences from MUSE's code: no dictionary is asked for, vocabularies smaller than
    ``frequent`` work, cuts are at exactly ``max_rank`` rows, and the gradients are written out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.gamma(1, size=(300, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> short = Adversarial(epochs=1, epoch_size=640, hidden=16, beta=0.02, rate=0.3)
    >>> short.fit_vocabulary(X, (X @ Q)[::-1]).history_.shape
    (6, 2)
    """

    needs_pairs: ClassVar[bool] = False
    fewest_links: ClassVar[int] = 0
    quick: ClassVar[dict[str, Any]] = {"epochs": 1, "epoch_size": 128, "hidden": 8}

    settings: Settings
    dictionary: Dictionary

    def __init__(  # noqa: PLR0913 - the whole recipe of MUSE
        self,
        *,
        settings: Settings = "coded",
        beta: float | None = None,
        smoothing: float | None = None,
        frequent: int | None = None,
        epochs: int = 5,
        epoch_size: int = 1_000_000,
        batch: int = 32,
        critic_steps: int = 5,
        hidden: int = 2048,
        layers: int = 2,
        input_dropout: float = 0.1,
        hidden_dropout: float = 0.0,
        rate: float = 0.1,
        critic_rate: float = 0.1,
        rate_decay: float = 0.98,
        rate_shrink: float = 0.5,
        least_rate: float = 1e-6,
        rounds: int = 5,
        dictionary: Dictionary = "forward",
        neighbours: int = NEIGHBOURS,
        max_rank: int | None = 15_000,
        restarts: int = 1,
        jobs: int | None = None,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.settings = settings
        self.beta, self.smoothing, self.frequent = beta, smoothing, frequent
        self.epochs, self.epoch_size, self.batch = epochs, epoch_size, batch
        self.critic_steps, self.hidden, self.layers = critic_steps, hidden, layers
        self.input_dropout, self.hidden_dropout = input_dropout, hidden_dropout
        self.rate, self.critic_rate = rate, critic_rate
        self.rate_decay, self.rate_shrink, self.least_rate = rate_decay, rate_shrink, least_rate
        self.rounds, self.dictionary, self.neighbours, self.max_rank = (
            rounds,
            dictionary,
            neighbours,
            max_rank,
        )
        self.restarts, self.jobs, self.seed = restarts, jobs, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.settings not in SETTINGS:
            raise ParameterError(f"settings is {self.settings!r}; choose one of {', '.join(SETTINGS)}.")
        counts = {
            "epochs",
            "epoch_size",
            "batch",
            "critic_steps",
            "hidden",
            "layers",
            "neighbours",
            "restarts",
        }
        for name in sorted(counts):
            check_count(name, getattr(self, name), least=1)
        for name in ("rounds", "seed"):
            check_count(name, getattr(self, name), least=0)
        for name in ("frequent", "max_rank"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), least=1)
        check_amount("beta", self._setting("beta"))
        for name in ("rate", "critic_rate", "rate_decay", "rate_shrink", "least_rate"):
            check_amount(name, getattr(self, name))
        for name, below in (("smoothing", 0.5), ("input_dropout", 1), ("hidden_dropout", 1)):
            check_amount(name, self._setting(name) if name == "smoothing" else getattr(self, name))
            _check_share(name, self._setting(name), below=below)
        check_dictionary(self.dictionary)
        check_jobs(self.jobs)

    def _setting(self, name: str) -> float:
        own = getattr(self, name)
        return SETTINGS[self.settings][name] if own is None else own

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        import_torch("adversarial")
        widths = known.source.shape[1], known.target.shape[1]
        if widths[0] != widths[1]:
            raise DataError(
                f"adversarial needs equal dimensions, got {widths[0]} and {widths[1]}: reduce the wider side "
                "first, or fit a method that takes both."
            )
        contest = Contest(known, self._plan(), ordered=ordered)

        def play(seed: np.random.SeedSequence) -> Outcome:
            return contest.run(int(seed.generate_state(1)[0]))

        judged = [
            (self._trust(known, run.matrix, ordered=ordered), run)
            for run in run_restarts(play, seeds_of(self.seed, self.restarts), self.jobs)
        ]
        self.trust_, best = max(judged, key=lambda pair: pair[0].probability)  # the first of equal ones
        self.matrix_, self.history_ = best.matrix, best.history

    def _trust(self, known: Vocabulary, matrix: np.ndarray, *, ordered: bool) -> Trust:
        images = known.source @ matrix
        return trust_of(
            known.source, known.target, images, ordered=ordered, neighbours=self.neighbours, seed=self.seed
        )

    def _plan(self) -> Plan:
        shape = Shape(
            self.hidden, self.layers, LEAK, self.input_dropout, self.hidden_dropout, self.critic_rate
        )
        smoothing, beta, frequent = (self._setting(name) for name in ("smoothing", "beta", "frequent"))
        return Plan(
            Rules(self.epoch_size, self.batch, self.critic_steps, smoothing, beta, shape),
            int(frequent),
            self.epochs,
            self.rate,
            self.rate_decay,
            self.rate_shrink,
            self.least_rate,
            self.rounds,
            self.dictionary,
            self.neighbours,
            self.max_rank,
        )


def _check_share(name: str, value: float, *, below: float) -> None:
    if not 0 <= value < below:
        raise ParameterError(f"{name} is {value!r}; give a share from 0 to less than {below}.")
