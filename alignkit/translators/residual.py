"""Start as the Procrustes rotation and train a network that corrects it."""

from typing import Any, ClassVar

import numpy as np

from alignkit.aligners._frame import Normalize
from alignkit.aligners._svd import thin_svd
from alignkit.moments import Moments
from alignkit.translators._base import Translator
from alignkit.translators._losses import Loss
from alignkit.translators._network import SKIP, Activation, Arrays, Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._schedule import Schedule


class Residual(Translator):
    """Learn what a rotation leaves over: the answer is ``V W + network(V)``, ``W`` that of `Procrustes`.

    The network's last layer starts at zero, so before the first step the map is the Procrustes solution,
    to the rounding of float32; the rotation itself is not trained. As the best average is kept, and the
    start is judged too, the map never ranks the held-out pairs worse than the rotation does. Where the
    correction helps nothing, ``epochs_`` is 0 and the map is the rotation of all pairs.

    Parameters
    ----------
    hidden, layers, activation, layer_norm, dropout
        The network that corrects.
    loss, temperature, margin_step, batch, epochs, rate, weight_decay, schedule, warmup, clip, ema
        How it learns; see `Translator`.
    validation, patience, refit
        When it stops.
    mixed, seed, normalize
        See `Translator`.

    Examples
    --------
    >>> from alignkit.testing import planted_rotation
    >>> X, Y, _ = planted_rotation(100, 6)
    >>> Residual(hidden=8, epochs=2).fit(X, Y).score(X, Y) > 0.99
    True
    """

    quick: ClassVar[dict[str, Any]] = {"hidden": 8, "epochs": 2, "validation": 0.0, "rate": 1e-3}

    activation: Activation

    def __init__(  # noqa: PLR0913 - the whole recipe
        self,
        *,
        hidden: int | None = 1024,
        layers: int = 2,
        activation: Activation = "gelu",
        layer_norm: bool = False,
        dropout: float = 0.1,
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
        patience: int = 10,
        refit: bool = True,
        mixed: bool = True,
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.hidden, self.layers, self.activation = hidden, layers, activation
        self.layer_norm, self.dropout = layer_norm, dropout
        self.loss, self.temperature, self.margin_step = loss, temperature, margin_step
        self.batch, self.epochs, self.rate, self.weight_decay = batch, epochs, rate, weight_decay
        self.schedule, self.warmup, self.clip, self.ema = schedule, warmup, clip, ema
        self.validation, self.patience, self.refit = validation, patience, refit
        self.mixed, self.seed = mixed, seed

    def _network(self, source_dim: int, target_dim: int) -> Network:
        return Network(self._widths(source_dim, target_dim), self.activation, self.layer_norm, self.dropout)

    def _start(self, network: Network, table: PairTable, rows: np.ndarray) -> Arrays:
        arrays, last = network.start(np.random.default_rng(self.seed)), network.layers - 1
        for name in (f"weight{last}", f"bias{last}"):
            arrays[name] = np.zeros_like(arrays[name])
        return arrays | {SKIP: rotation(table, rows)}


def rotation(table: PairTable, rows: np.ndarray) -> np.ndarray:
    """Return the Procrustes solution of some pairs, read a block at a time."""
    moments = Moments.from_blocks(table.blocks(rows), parts="cross")
    if table.frames[0].steps in ("center", "unit-center"):
        moments = moments.centered()  # as Procrustes has it: means that rounding left are none
    U, _, Vt = thin_svd(moments.cross_about_origin())
    return U @ Vt
