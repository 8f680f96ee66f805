"""Start as the best linear map that held-out pairs choose, and train a network that corrects it."""

from typing import Any, ClassVar

import numpy as np

from alignkit.aligners._frame import Normalize
from alignkit.aligners._framed import times
from alignkit.errors import ParameterError
from alignkit.shapes import JointVectors, SourceVectors, TargetVectors
from alignkit.translators._base import Translator
from alignkit.translators._losses import Loss
from alignkit.translators._network import AHEAD, BACK, SKIP, TARGET, Activation, Arrays, Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._schedule import Schedule
from alignkit.translators._search import Solve
from alignkit.translators._starts import STARTS, Choice, Start, choose_start, solve_start


class Residual(Translator):
    """Learn what a linear map leaves over: in the joint frame the answer is ``V W + network(V W)``.

    The linear map is the identity between the frames (where dimensions agree), the rotation of
    `Procrustes`, or canonical correlations, as `CrossValidatedCorrelation` chooses them: whichever finds
    held-out pairs best in five folds. With ``start="procrustes"`` it is the rotation in any case. It is not
    trained, and the network's last layer starts at zero, so before the first step the map is the linear
    one, to the rounding of float32. Every fifth of the pairs is then held out in turn: only if the
    correction ranks them better, on average and by more than the standard error, is it kept; else
    ``epochs_`` is 0 and the map is the linear one of all pairs.

    The network reads ``V W`` times the root of the target's dimensions, so that numbers of about 1 meet its
    activation. The rate is small: where there are fewer pairs than dimensions the linear
    map has learnt the training pairs by heart, and long steps only forget.

    Parameters
    ----------
    start
        ``"best"``, ``"identity"``, ``"procrustes"`` or ``"cca"``.
    hidden, layers, activation, layer_norm, dropout
        The network that corrects.
    loss, temperature, margin_step, batch, epochs, rate, weight_decay, schedule, warmup, clip, ema
        How it learns; see `Translator`.
    validation, folds, patience, refit
        When it stops. Many pairs need no folds: ``folds=1`` trains twice, not six times.
    mixed, seed, normalize
        See `Translator`.

    Attributes
    ----------
    start_
        Which linear map it started from.
    choice_
        That map with its regularisation and exponent, where it is ``"cca"``; not saved.

    Examples
    --------
    >>> from alignkit.testing import planted_rotation
    >>> X, Y, _ = planted_rotation(100, 6)
    >>> Residual(hidden=8, epochs=2).fit(X, Y).score(X, Y) > 0.99
    True
    """

    quick: ClassVar[dict[str, Any]] = {"hidden": 8, "epochs": 2, "validation": 0.0, "rate": 1e-3}

    activation: Activation
    start: Start
    choice_: Choice

    def __init__(  # noqa: PLR0913 - the whole recipe
        self,
        *,
        start: Start = "best",
        hidden: int | None = 512,
        layers: int = 2,
        activation: Activation = "gelu",
        layer_norm: bool = False,
        dropout: float = 0.0,
        loss: Loss = "infonce",
        temperature: float = 0.07,
        margin_step: float = 0.0,
        batch: int = 256,
        epochs: int = 40,
        rate: float = 2e-5,
        weight_decay: float = 0.01,
        schedule: Schedule = "constant",
        warmup: float = 0.0,
        clip: float = 1.0,
        ema: float = 0.9,
        validation: float = 0.1,
        folds: int = 5,
        patience: int = 10,
        refit: bool = True,
        mixed: bool = True,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.start = start
        self.hidden, self.layers, self.activation = hidden, layers, activation
        self.layer_norm, self.dropout = layer_norm, dropout
        self.loss, self.temperature, self.margin_step = loss, temperature, margin_step
        self.batch, self.epochs, self.rate, self.weight_decay = batch, epochs, rate, weight_decay
        self.schedule, self.warmup, self.clip, self.ema = schedule, warmup, clip, ema
        self.validation, self.folds, self.patience, self.refit = validation, folds, patience, refit
        self.mixed, self.seed = mixed, seed

    @property
    def start_(self) -> str:
        """Which linear map the correction started from."""
        skip = self.arrays_[SKIP]
        if TARGET in self.arrays_:
            return "cca"
        return "identity" if np.array_equal(skip, np.eye(*skip.shape)) else "procrustes"

    def _check_params(self) -> None:
        super()._check_params()
        if self.start not in STARTS:
            raise ParameterError(f"start is {self.start!r}; choose one of {', '.join(STARTS)}.")

    def _network(self, source_dim: int, target_dim: int) -> Network:  # noqa: ARG002 - reads the joint frame
        widths = self._widths(target_dim, target_dim)
        return Network(
            widths, self.activation, self.layer_norm, self.dropout, gain=target_dim**0.5, after_skip=True
        )

    def _starts(self, network: Network, table: PairTable) -> Solve:
        self.choice_ = choice = choose_start(self.start, table)

        def solve(rows: np.ndarray) -> Arrays:
            arrays, last = network.start(np.random.default_rng(self.seed)), network.layers - 1
            for name in (f"weight{last}", f"bias{last}"):
                arrays[name] = np.zeros_like(arrays[name])
            return arrays | solve_start(choice, table, rows)

        return solve

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return times(V, self.arrays_.get(TARGET))

    def _forward(self, V: SourceVectors) -> TargetVectors:
        if AHEAD not in self.arrays_:
            return self._map_source(V)
        added = self.network_.added(self.arrays_, V)
        return times(V, self.arrays_[AHEAD]) + times(added, self.arrays_[BACK])
