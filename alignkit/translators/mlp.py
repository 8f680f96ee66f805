"""Train a network of linear layers from one space to the other, contrastively by default."""

from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np

from alignkit._params import check_amount
from alignkit.aligners._frame import Normalize
from alignkit.errors import ParameterError
from alignkit.moments import Moments
from alignkit.translators._base import Translator
from alignkit.translators._losses import Loss
from alignkit.translators._network import Activation, Arrays, Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._schedule import Schedule
from alignkit.translators._search import Solve

Start: TypeAlias = Literal["solved", "drawn"]
PENALTY = 1e-3  # of the solved last layer, beside the mean variance of what enters it


class MLP(Translator):
    """Learn a multilayer perceptron between the frames; see `Translator` for how, and for most parameters.

    Parameters
    ----------
    hidden, layers, activation, layer_norm, dropout
        The network.
    clamp
        Cut every coordinate of the answer at plus and minus this; None does not.
    start
        ``"solved"`` draws the layers between and solves the last one by least squares (lightly penalised),
        so that training starts from a sensible map; ``"drawn"`` draws all, as is usual.
    loss, temperature, margin_step, batch, epochs, rate, weight_decay, schedule, warmup, clip, ema
        How it learns.
    validation, folds, patience, refit
        When it stops.
    mixed, seed, normalize
        See `Translator`.

    Examples
    --------
    >>> from alignkit.testing import planted_rotation
    >>> X, Y, _ = planted_rotation(100, 6)
    >>> MLP(hidden=32, epochs=3).fit(X, Y).score(X, Y) > 0.9
    True
    """

    quick: ClassVar[dict[str, Any]] = {"hidden": 64, "epochs": 2, "validation": 0.0, "rate": 1e-3}

    activation: Activation
    start: Start

    def __init__(  # noqa: PLR0913 - the whole recipe
        self,
        *,
        hidden: int | None = 1024,
        layers: int = 2,
        activation: Activation = "gelu",
        layer_norm: bool = False,
        dropout: float = 0.1,
        clamp: float | None = None,
        start: Start = "solved",
        loss: Loss = "infonce",
        temperature: float = 0.07,
        margin_step: float = 0.0,
        batch: int = 256,
        epochs: int = 100,
        rate: float = 1e-3,
        weight_decay: float = 0.01,
        schedule: Schedule = "cosine",
        warmup: float = 0.05,
        clip: float = 1.0,
        ema: float = 0.99,
        validation: float = 0.1,
        folds: int = 1,
        patience: int = 10,
        refit: bool = True,
        mixed: bool = True,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.hidden, self.layers, self.activation = hidden, layers, activation
        self.layer_norm, self.dropout, self.clamp, self.start = layer_norm, dropout, clamp, start
        self.loss, self.temperature, self.margin_step = loss, temperature, margin_step
        self.batch, self.epochs, self.rate, self.weight_decay = batch, epochs, rate, weight_decay
        self.schedule, self.warmup, self.clip, self.ema = schedule, warmup, clip, ema
        self.validation, self.folds, self.patience, self.refit = validation, folds, patience, refit
        self.mixed, self.seed = mixed, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.start not in get_args(Start):
            raise ParameterError(f"start is {self.start!r}; choose one of {', '.join(get_args(Start))}.")
        if self.clamp is not None:
            check_amount("clamp", self.clamp, other=", or none")

    def _network(self, source_dim: int, target_dim: int) -> Network:
        widths = self._widths(source_dim, target_dim)
        return Network(widths, self.activation, self.layer_norm, self.dropout, self.clamp)

    def _starts(self, network: Network, table: PairTable) -> Solve:
        def solve(rows: np.ndarray) -> Arrays:
            arrays = network.start(np.random.default_rng(self.seed))
            return solved(network, arrays, table, rows) if self.start == "solved" else arrays

        return solve


def solved(network: Network, arrays: Arrays, table: PairTable, rows: np.ndarray) -> Arrays:
    """Return the arrays with the last layer that answers best in the sense of least squares.

    The rows are read a block at a time; the penalty keeps fewer rows than hidden units solvable.
    """
    inside = ((network.hidden(arrays, X), Y, weight) for X, Y, weight in table.blocks(rows))
    moments = Moments.from_blocks(inside, parts="all")
    gram = moments.xx
    penalty = PENALTY * max(float(np.trace(gram)) / len(gram), np.finfo(np.float64).tiny)
    weight = np.linalg.solve(gram + penalty * np.eye(len(gram)), moments.xy)
    last, bias = network.layers - 1, moments.mean_y - moments.mean_x @ weight
    return arrays | {f"weight{last}": weight.astype(np.float32), f"bias{last}": bias.astype(np.float32)}
