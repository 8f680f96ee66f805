"""The contract of every trained map: an aligner whose inside is a network."""

import hashlib
import json
from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from alignkit._params import check_amount, check_count, check_flag
from alignkit.aligners._base import FEWEST_ROWS, ArrayLike
from alignkit.aligners._frame import check_normalize
from alignkit.aligners._framed import FramedAligner
from alignkit.aligners._links import checked_groups, checked_links, checked_vocabulary, checked_weights
from alignkit.errors import ParameterError
from alignkit.rows import Rows
from alignkit.shapes import JointVectors, Links, SourceVectors, TargetVectors, Weights
from alignkit.translators._checkpoints import Checkpoints
from alignkit.translators._network import ACTIVATIONS, Arrays, Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._plan import Plan
from alignkit.translators._search import Search, Solve
from alignkit.translators._session import current_session

NET = "net."


class Translator(FramedAligner):
    """Frame both sides, and train a network from framed source rows to framed target rows.

    The order is: normalise both sides; hold out ``validation`` of the pairs, none of which shares an item
    or a group with those that stay; train on those, and after every epoch rank the held-out pairs by the
    moving average of the weights; stop when their mean reciprocal rank has not risen for ``patience``
    epochs, or after ``epochs``; with ``refit``, train once more on all pairs, for as many epochs as were
    best. A leaf fills `_network` and `_starts`.

    Trained by torch on the device of `alignkit.on_device`; applied by numpy, so a saved map needs no torch.
    On the processor the same seed, torch and number of threads give the same bits; a graphics card
    multiplies in bfloat16 where ``mixed`` allows it, and its maps differ as two seeds do. Rows are gathered
    from memory maps batch by batch with `fit` and `fit_links`. `training` keeps checkpoints.

    Parameters
    ----------
    hidden, layers
        Width of the layers between (None: the target's dimensions), and how many linear layers there are.
    activation, layer_norm, dropout
        What stands between two layers: gelu, relu or tanh; a layer norm before it; the share dropped.
    loss
        ``"infonce"``, ``"cosine"``, ``"mse"``, ``"inverse_distance"`` or ``"inverse_distance_published"``:
        what a batch costs; pairs that share an item or a group are no negatives of each other.
    temperature
        Where the learned temperature of the contrastive losses starts.
    margin_step
        How much the margin of ``"inverse_distance_published"`` grows with every epoch, up to 1.
    batch, epochs
        Pairs in a batch, and passes over them at most.
    rate, weight_decay, schedule, warmup
        Of AdamW: its rate, its decay of all weights, ``"constant"`` or ``"cosine"``, and the share of
        all steps in which the rate rises.
    clip, ema
        The longest gradient (0: any), and the decay of the moving average (0: the weights themselves).
    validation, patience, refit
        As above; ``validation=0`` holds nothing out and keeps the last average.
    folds
        With more than 1, so many parts are held out in turn, whatever ``validation`` says above 0. The
        epoch is that of the best mean, if this exceeds the start's by its standard error over the folds,
        else 0, and the map is trained for so long on all pairs.
    mixed
        Whether a graphics card may multiply in bfloat16; a processor never does.
    seed
        Of the first weights, the batches and the dropout.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        A row for every epoch of the first training: mean loss, held-out MRR (NaN: none held out), scale.
    epochs_
        Of how many epochs the map is.
    """

    trained: ClassVar[bool] = True

    hidden: int | None
    layers: int
    dropout: float
    activation: Any
    layer_norm: bool
    refit: bool
    validation: float
    epochs: int
    seed: int
    arrays_: Arrays
    history_: np.ndarray
    epochs_: int

    def fit_links(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        links: ArrayLike,
        sample_weight: ArrayLike = None,
        groups: ArrayLike = None,
    ) -> Self:
        """Learn the map from the ``links`` (row of X, row of Y) between two sets of rows; return self.

        As `fit` on the linked rows, but these are never copied out: memory maps of any size are read batch
        by batch. ``sample_weight`` and ``groups`` hold one value for each link.

        Raises
        ------
        DataError
            If a row is not finite or has no direction where one is needed, or there is one pair.
        PairingError
            If a link names a row that does not exist.
        """
        X, Y = checked_vocabulary(X, "X"), checked_vocabulary(Y, "Y")
        for side, name in ((X, "X"), (Y, "Y")):
            self._check_rows(side, name)
        known = checked_links(links, len(X), len(Y), FEWEST_ROWS)
        weight = None if sample_weight is None else checked_weights(sample_weight, len(known))
        self._learn(X, Y, known, weight, checked_groups(groups, known))
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        learned = {f"{NET}{name}": array for name, array in self.arrays_.items()}
        facts = {"history": self.history_, "epochs": np.array([self.epochs_])}
        return self._frame_arrays() | learned | facts

    @abstractmethod
    def _network(self, source_dim: int, target_dim: int) -> Network: ...

    @abstractmethod
    def _starts(self, network: Network, table: PairTable) -> Solve:
        """Return what gives the arrays of a network before its first step, from some pairs of the table."""

    def _widths(self, source_dim: int, target_dim: int) -> tuple[int, ...]:
        between = (target_dim if self.hidden is None else self.hidden,) * (self.layers - 1)
        return source_dim, *between, target_dim

    def _check_params(self) -> None:
        check_normalize(self.normalize)
        Plan.of(self.get_params(deep=False))
        check_count("layers", self.layers, least=1)
        if self.hidden is not None:
            check_count("hidden", self.hidden, least=1)
        if self.activation not in ACTIVATIONS:
            raise ParameterError(
                f"activation is {self.activation!r}; choose one of {', '.join(ACTIVATIONS)}."
            )
        check_flag("layer_norm", self.layer_norm)
        check_amount("dropout", self.dropout)
        if self.dropout >= 1:
            raise ParameterError(f"dropout is {self.dropout!r}; give a share from 0 to less than 1.")

    def _fit(self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, groups: Any) -> None:
        links = np.repeat(np.arange(len(X))[:, None], 2, axis=1)
        self._learn(X, Y, links, weight, checked_groups(groups, links))

    def _learn(self, X: Rows, Y: Rows, links: Links, weight: Weights | None, groups: Any) -> None:
        self._check_params()
        params = self.get_params(deep=False)
        plan, table = Plan.of(params), PairTable.of(X, Y, links, weight, groups, self.normalize)
        network = self._network(X.shape[1], Y.shape[1])
        kept = Checkpoints(current_session().checkpoints, _digest(type(self).__name__, params, table))
        found = Search(network, table, plan, self._starts(network, table), kept).run()
        self.arrays_, self.network_ = found.arrays, network
        self.history_, self.epochs_ = found.history, found.epochs
        self.source_frame_, self.target_frame_ = table.frames
        self.n_features_in_, self.target_dim_ = X.shape[1], Y.shape[1]

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_frames(arrays)
        self.arrays_ = {
            name.removeprefix(NET): array for name, array in arrays.items() if name.startswith(NET)
        }
        self.history_, self.epochs_ = arrays["history"], int(arrays["epochs"][0])
        self.network_ = self._network(self.n_features_in_, self.target_dim_)
        last = self.network_.layers - 1
        if self.arrays_[f"weight{last}"].shape[1] != self.target_dim_:
            raise KeyError(f"weight{last}")

    def _map_source(self, V: SourceVectors) -> JointVectors:
        return self.network_.apply(self.arrays_, V)

    def _map_target(self, V: TargetVectors) -> JointVectors:
        return V

    def _forward(self, V: SourceVectors) -> TargetVectors:
        return self._map_source(V)


def _digest(name: str, params: dict[str, Any], table: PairTable) -> str:
    """Return what a run is known by: its options, and its pairs as they are trained on."""
    whole = hashlib.sha256(json.dumps([name, params], sort_keys=True, default=str).encode())
    for part in (table.links, table.weight, table.items, *(frame.mean for frame in table.frames)):
        whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()
