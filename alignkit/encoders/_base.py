"""The contract of every encoder: what it says about itself, and one deterministic row for each item."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, get_args, get_origin

import numpy as np

from alignkit.encoders._documented import documented
from alignkit.encoders._probes import probes
from alignkit.errors import DataError, ParameterError
from alignkit.fingerprints import Fingerprint
from alignkit.media.audio import Sound
from alignkit.media.kinds import Item, Modality
from alignkit.shapes import Vectors
from alignkit.spaces import Norm, Space

Prepared: TypeAlias = Any  # whatever a leaf's `_prepare` makes of one item

BATCH = 32
UNIT_TOLERANCE = 1e-3  # half precision rounds a unit row's length by less


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """State the facts of an encoder before any weights are there; all of them are fixed.

    Parameters
    ----------
    space
        First part of the space's name: ``"clip"``.
    dim
        Dimensions; None where the weights decide.
    norm
        Whether the rows stored are of length 1 (``"unit"``) or as the model gives them (``"raw"``).
    modalities
        What it encodes.
    licence, weights
        Under which terms which weights come from where.
    extra
        The extra that it needs: ``"hub"``; empty where the base is enough.
    sample_rate
        Samples a second that sounds are resampled to; None where it hears nothing.
    image_size
        Height and width in pixels; None where the weights decide or it sees nothing.
    batch_tolerance
        How far, relative to its length, a row may differ when it is encoded in another batch; 0: not a bit.
    shared
        Whether ``space`` is the whole name of another model's space, into which this encoder was trained: its
        rows then meet that model's, whatever their revision, for theirs is not this encoder's to know.
    golden
        Known coordinates: what was encoded and where its row starts, for a check by whoever has the weights.
    """

    space: str
    dim: int | None
    norm: Norm
    modalities: tuple[Modality, ...]
    licence: str
    weights: str
    extra: str = ""
    sample_rate: int | None = None
    image_size: tuple[int, int] | None = None
    batch_tolerance: float = 1e-6
    shared: bool = False
    golden: tuple[tuple[str, tuple[float, ...]], ...] = ()


class Encoder(ABC):
    """Encode items of a modality as rows of one space; the same item gives the same row in any batch.

    Constructing one is cheap and touches no file and no network; weights are read when they are first
    needed. A text is a ``str``, a picture a ``uint8`` array ``h w 3``, a sound a `Sound`. Public methods
    live here; a leaf states its ``card`` and fills ``_encode_batch``, ``_facts``, ``_dim``, and, where the
    defaults do not fit, ``_prepare`` (one item, without the weights, in any thread), ``_name``, ``_norm``,
    ``_revision`` and ``_modalities``. It draws from no global generator.

    Parameters
    ----------
    weights
        A local file or folder, the name of published weights, or None for the encoder's default.
    device
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``: where torch computes; nothing for encoders without torch.
    dtype
        What the model computes in: ``"float32"``, or ``"float16"`` / ``"bfloat16"`` where it can. Rows are
        float32 whatever it is.
    """

    card: ClassVar[Card]

    def __init__(
        self, *, weights: Path | str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        self.weights, self.device, self.dtype = weights, device, dtype
        self._fingerprint: Fingerprint | None = None

    @classmethod
    def options(cls) -> dict[str, Any]:
        """Return the constructor's parameters with the values that they have if nothing is said."""
        parameters = inspect.signature(cls).parameters.values()
        return {each.name: each.default for each in parameters}

    @classmethod
    def option_notes(cls) -> dict[str, str]:
        """Return what is known of each option: the values that its type allows, and its documentation."""
        notes = documented(cls)
        for name, parameter in inspect.signature(cls).parameters.items():
            if get_origin(parameter.annotation) is Literal:
                known = ", ".join(map(str, get_args(parameter.annotation)))
                notes[name] = f"One of {known}. {notes.get(name, '')}".strip()
        return notes

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What this encoder, with its parameters, encodes."""
        return self._modalities()

    @property
    def dim(self) -> int:
        """Dimensions of a row."""
        return self._dim()

    def encode(self, items: Sequence[Item], modality: Modality, *, batch_size: int = BATCH) -> Vectors:
        """Return one float32 row for each item, in order.

        Raises
        ------
        ParameterError
            If this encoder does not know the modality, or ``batch_size`` is below 1.
        DataError
            If an item is not of the modality or cannot be encoded; the message has its place in ``items``.
        """
        self.check_modality(modality)
        if batch_size < 1:
            raise ParameterError(f"batch_size is {batch_size}: encode at least one item at a time.")
        rows = np.empty((len(items), self.dim), np.float32)
        for start in range(0, len(items), batch_size):
            batch = []
            for place, item in enumerate(items[start : start + batch_size], start):
                try:
                    batch.append(self.prepare(item, modality))
                except DataError as error:
                    raise DataError(f"item {place}: {error}") from error
            rows[start : start + len(batch)] = self.encode_prepared(batch, modality)
        return rows

    def prepare(self, item: Item, modality: Modality) -> Prepared:
        """Return one item as the model takes it: decoded, resampled, cut, scaled. Needs no weights.

        Any thread may call it. Raises DataError if the item is not of the modality or cannot be encoded.
        """
        self.check_modality(modality)
        _check_item(item, modality)
        return self._prepare(item, modality)

    def encode_prepared(self, batch: Sequence[Prepared], modality: Modality) -> Vectors:
        """Return one float32 row for each item that `prepare` made.

        Raises
        ------
        DataError
            If a row is not finite, or not of length 1 where the card says so.
        """
        self.check_modality(modality)
        if not len(batch):
            return np.empty((0, self.dim), np.float32)
        rows = np.asarray(self._encode_batch(list(batch), modality)).astype(np.float32, copy=False)
        if rows.shape != (len(batch), self.dim):
            raise TypeError(
                f"{type(self).__name__} made rows of shape {rows.shape} for {len(batch)} items of {self.dim}"
            )
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            raise DataError(
                f"{type(self).__name__} gave a row that is not finite for item {bad[0]} of its batch: encode "
                "in dtype float32, and check the weights."
            )
        if (
            self._norm() == "unit"
            and (np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1) > UNIT_TOLERANCE).any()
        ):
            raise DataError(f"{type(self).__name__} promises rows of length 1 and gave others.")
        return rows

    def recipe(self) -> dict[str, Any]:
        """Return everything that decides a row, as JSON: model, preprocessing, policies, weights' SHA-256.

        It is stored with the space. Device and batch size are not part of it.
        """
        return {
            "encoder": type(self).__module__.rpartition(".")[2],
            "dtype": self.dtype,
            **self._facts(),
            "weights_sha256": self._revision(),
        }

    def space(self) -> Space:
        """Return the space that the rows lie in; its revision is the digest of the weights, unless shared."""
        return Space(self.dim, self._name(), self._norm(), "" if self.card.shared else self._revision())

    def fingerprint(self) -> Fingerprint:
        """Return what this encoder answers to the sixteen fixed probes of its modalities; asked once."""
        if self._fingerprint is None:
            names, rows = [], []
            for modality in self.modalities:
                asked = probes(modality)
                names += list(asked)
                rows.append(self.encode(list(asked.values()), modality))
            self._fingerprint = Fingerprint.of(names, np.concatenate(rows))
        return self._fingerprint

    def check_modality(self, modality: str) -> None:
        """Raise ParameterError, saying what there is, unless this encoder encodes ``modality``."""
        if modality not in self.modalities:
            raise ParameterError(
                f"{type(self).__name__} encodes {' and '.join(self.modalities)}, not {modality!r}: "
                f"{self._way_to(modality)}."
            )

    def _way_to(self, modality: str) -> str:  # noqa: ARG002 - leaves ask
        """Say what mends that a modality is not encoded."""
        return "choose one of these, or another encoder"

    def _modalities(self) -> tuple[Modality, ...]:
        return self.card.modalities

    def _name(self) -> str:
        """Return the space's name; models that share it share their rows, if the revision agrees."""
        return self.card.space

    def _norm(self) -> Norm:
        """Return whether rows have length 1; a card that says raw allows both."""
        return self.card.norm

    def _prepare(self, item: Item, modality: Modality) -> Prepared:  # noqa: ARG002 - leaves ask
        return item

    @abstractmethod
    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors: ...

    @abstractmethod
    def _dim(self) -> int: ...

    @abstractmethod
    def _facts(self) -> dict[str, Any]:
        """Return what decides a row beside the weights, as JSON."""

    @abstractmethod
    def _revision(self) -> str:
        """Return the SHA-256 of the weights (see `_weights.digest_of_state`), or what stands for it."""


def _check_item(item: Item, modality: str) -> None:
    if modality not in get_args(Modality):
        raise ParameterError(f"modality is {modality!r}; choose {', '.join(get_args(Modality))}.")
    if modality == "text":
        if not isinstance(item, str):
            raise DataError(f"a text is wanted and a {type(item).__name__} came: give a str.")
    elif modality == "audio":
        if not isinstance(item, Sound):
            raise DataError(
                f"a sound is wanted and a {type(item).__name__} came: give a Sound (Sound.of(samples, rate))."
            )
    elif not (isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.ndim == 3) or (
        item.shape[2] != 3 or 0 in item.shape
    ):
        raise DataError(
            "a picture is wanted, a uint8 array of height x width x 3: read it with read_picture."
        )
