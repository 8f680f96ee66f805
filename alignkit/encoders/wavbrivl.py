"""WavBriVL (Fang et al. 2023): sounds into the image space of BriVL, by WavLM; train it yourself."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder
from alignkit.encoders._once import Once
from alignkit.encoders._wavbrivl_file import load_wavbrivl, read_size, save_wavbrivl, start_wavbrivl
from alignkit.encoders._wavbrivl_net import LEAST, RATE, TITLE, Size, run_sounds, set_learning
from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.media.lengths import check_policy, mean_direction, starts
from alignkit.shapes import Vectors

__all__ = [
    "Size",
    "Wavbrivl",
    "load_wavbrivl",
    "run_sounds",
    "save_wavbrivl",
    "set_learning",
    "start_wavbrivl",
]

PIECES = 16  # windows in one call of the model: bounds the memory of long sounds


class Wavbrivl(LoadedEncoder):
    """Encode sounds as WavBriVL does: unit rows that were trained to lie by BriVL's of what is seen.

    A sound is resampled to 16 kHz and cut into windows. A window goes through WavLM; what enters each of
    its layers, and what leaves the last, is summed by learned weights, read by a small transformer, averaged
    over time and sent through an MLP. The unit rows of a sound's windows are averaged and brought to length
    1. Nobody has published weights: `start_wavbrivl` makes a network that can be trained and saved, and the
    page on BriVL in the docs shows how.

    Parameters
    ----------
    weights
        A ``.safetensors`` file that `save_wavbrivl` wrote; it says its own sizes.
    length
        What happens to more than the network's window, which is 10 s where the file does not say otherwise:
        ``"windows"`` (all of it, the last one moved left to end with the sound), ``"center"``, ``"first"``
        or ``"random(SEED)"`` (one window).

    References
    ----------
    Fang et al. (2023), *Exploring efficient-tuned learning audio representation method from BriVL*; Chen et
    al. (2022), *WavLM*.

    Examples
    --------
    >>> small = Size(width=32, layers=1, heads=2, feed=16, channels=8, mixer_layers=1, dim=24)
    >>> save_wavbrivl(start_wavbrivl(small), "small.safetensors")
    >>> Wavbrivl(weights="small.safetensors").dim
    24
    """

    title = TITLE
    card: ClassVar[Card] = Card(
        space="brivl",
        shared=True,
        dim=None,
        norm="unit",
        modalities=("audio",),
        licence="WavLM: MIT (microsoft/unilm); trained weights: whoever trained them says",
        weights="a .safetensors that save_wavbrivl wrote; nobody has published any",
        extra="hub",
        sample_rate=RATE,
        batch_tolerance=1e-5,
    )

    def __init__(
        self,
        *,
        weights: Path | str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        length: str = "windows",
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        check_policy(length)
        self.length = length
        self._size = Once(lambda: read_size(self._given()))

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        samples, window = item.resampled(RATE).samples, self._size().window
        if len(samples) < LEAST:
            raise DataError(
                f"the sound has {len(samples)} samples at 16 kHz, WavLM needs {LEAST}: pad it or drop it."
            )
        return [samples[at : at + window] for at in starts(samples, window, self.length)]

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        pieces = [piece for item in batch for piece in item]
        rows = np.empty((len(pieces), self.dim), np.float32)
        order = np.argsort([len(piece) for piece in pieces], kind="stable")  # equal lengths share a call
        for at in range(0, len(order), PIECES):
            places = order[at : at + PIECES]
            rows[places] = self._rows([pieces[place] for place in places])
        ends = np.cumsum([len(item) for item in batch])
        return np.stack([mean_direction(part) for part in np.split(rows, ends[:-1])])

    def _rows(self, pieces: list[np.ndarray]) -> Vectors:
        """Return a row of any length for each piece."""
        torch = import_extra("torch", self.title, "hub")
        net, (device, kind) = self._net, self._place
        lengths = [len(piece) for piece in pieces]
        padded = np.zeros((len(pieces), max(lengths)), np.float32)
        for row, piece in zip(padded, pieces, strict=True):
            row[: len(piece)] = piece
        with whole_float32(device, f"{len(pieces)} windows of {self.title}"), torch.inference_mode():
            return run_sounds(net, torch.from_numpy(padded).to(device, kind), lengths).float().cpu().numpy()

    def _load(self) -> Any:
        return load_wavbrivl(self._given())

    def _dim(self) -> int:
        return self._size().dim

    def _facts(self) -> dict[str, Any]:
        facts = {"sample_rate": RATE, "length": self.length, "pooled": "mean over frames"}
        return {**facts, "size": self._size().to_json()}
