"""Wav2CLIP (Wu et al. 2022): sounds into the image space of CLIP ViT-B/32, a row per clip or per frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder, rows_by_shape
from alignkit.encoders._resnet18 import run_resnet18
from alignkit.encoders._wav2clip_net import BINS, DIM, HOP, load_wav2clip
from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.media.mel import power_spectrogram
from alignkit.shapes import Vectors

RATE = 16_000
LEAST = BINS // 2 + 1  # samples: fewer cannot be reflected at the ends


class Wav2clip(LoadedEncoder):
    """Encode sounds as Wav2CLIP does: raw rows of 512, near CLIP's images of what is heard.

    A sound of any length is resampled to 16 kHz, made a power spectrogram (512 bins, hop 353, linear in
    frequency), logarithmic, standardised, and sent through a ResNet-18 and an MLP. Rows are not normalised;
    silence has a row, which means nothing. Compare them with rows of OpenAI's ViT-B/32 by cosine.

    Parameters
    ----------
    weights
        The published file ``Wav2CLIP.pt``, or one with the same tensors.
    faithful_batch
        Standardise over all sounds of a batch together, as the original code does: a row then hangs on its
        batch (cosines of 0.99 between batches were seen), and the sounds of a batch must be of one length.
        By default each sound is standardised by itself, which is the original with batches of one.

    References
    ----------
    Wu, Seetharaman, Kumar, Bello (2022), *Wav2CLIP: learning robust audio representations from CLIP*.

    Examples
    --------
    >>> Wav2clip(weights="Wav2CLIP.pt").dim
    512
    """

    title = "Wav2CLIP"
    card: ClassVar[Card] = Card(
        space="clip/ViT-B-32/openai",
        shared=True,
        dim=DIM,
        norm="raw",
        modalities=("audio",),
        licence="MIT",
        weights="Wav2CLIP.pt, release v0.1.0-alpha of descriptinc/lyrebird-wav2clip on GitHub",
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
        faithful_batch: bool = False,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.faithful_batch = faithful_batch

    def encode_frames(self, sounds: Sequence[Sound], *, seconds: float = 1.0) -> list[Vectors]:
        """Return, for each sound, a row per frame of ``seconds``, side by side; a rest at the end is dropped.

        The frames of a sound are standardised together, as the original does with one sound at a time.

        Raises
        ------
        DataError
            If a sound is shorter than one frame, or a frame than a spectrogram needs.
        """
        return [self._framed(sound, seconds, place) for place, sound in enumerate(sounds)]

    def _framed(self, sound: Sound, seconds: float, place: int) -> Vectors:
        samples, size = sound.resampled(RATE).samples, round(seconds * RATE)
        count = len(samples) // size if size >= LEAST else 0
        if not count:
            raise DataError(
                f"item {place}: a sound of {sound.seconds:g} s has no whole frame of {seconds:g} s (at least "
                f"{LEAST / RATE:.3f} s): pad it, choose shorter frames, or use encode."
            )
        frames = np.stack([_logarithmic(frame) for frame in samples[: count * size].reshape(count, size)])
        return self._rows(_standardised(frames))

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        samples = item.resampled(RATE).samples
        if len(samples) < LEAST:
            raise DataError(
                f"the sound has {len(samples)} samples at 16 kHz, Wav2CLIP needs {LEAST}: pad it or drop it."
            )
        logarithmic = _logarithmic(samples)
        return logarithmic if self.faithful_batch else _standardised(logarithmic)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        if not self.faithful_batch:
            return rows_by_shape(batch, self.dim, self._rows)
        if len({len(spectrogram) for spectrogram in batch}) > 1:
            raise DataError("faithful_batch needs sounds of one length: cut them, or leave it off.")
        return self._rows(_standardised(np.stack(batch)))

    def _rows(self, spectrograms: np.ndarray) -> Vectors:
        """Return a row for each of equally long spectrograms: items, frames, frequencies."""
        torch = import_extra("torch", self.title, "hub")
        net, (device, kind) = self._net, self._place
        pictures = np.swapaxes(spectrograms, 1, 2)[:, None].astype(np.float32)
        with whole_float32(device, f"{len(pictures)} items of {self.title}"), torch.inference_mode():
            maps = torch.from_numpy(pictures).to(device, kind)
            heard = run_resnet18(net.audio_encoder, maps)
            return net.audio_transform.sequential(heard).float().cpu().numpy()

    def _load(self) -> Any:
        return load_wav2clip(self._given())

    def _facts(self) -> dict[str, Any]:
        return {
            "sample_rate": RATE,
            "bins": BINS,
            "hop": HOP,
            "standardised": "batch" if self.faithful_batch else "item",
        }


def _logarithmic(samples: np.ndarray) -> np.ndarray:
    return np.log(power_spectrogram(samples, bins=BINS, hop=HOP) + 1e-7)


def _standardised(spectrograms: np.ndarray) -> np.ndarray:
    return (spectrograms - spectrograms.mean()) / (spectrograms.std(ddof=1) + 1e-9)
