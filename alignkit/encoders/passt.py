"""PaSST (Koutini et al. 2022): sounds by a transformer that tags AudioSet, trained on some of its patches."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder, rows_by_shape
from alignkit.encoders._passt_net import (
    CLASSES,
    DIM,
    HOPS,
    RATE,
    STEPS,
    TIMES,
    load_passt,
    picture,
    run_passt,
    windows,
)
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors

WINDOWS = 4  # in one call of the network: the attention of one takes 70 MB where it is written out


class Passt(LoadedEncoder):
    """Encode sounds with PaSST: 768 features, the mean of its two tokens for the whole, one row for a sound.

    A sound is resampled to 32 kHz. One of up to ``seconds`` is seen as long as it is; shorter than one patch
    (0.15 s) it is padded with zeros. A longer one is reflected for half a window at both ends and seen in
    windows of ``seconds``, 2.5 s apart for 10, 5 s for 20 and 10 s for 30: its row is their mean, as in the
    authors' package for HEAR.

    Parameters
    ----------
    weights
        ``passt-s-f128-p16-s10-ap.476-swa.pt``, ``passt-s-kd-ap.486.pt``, or another file of the releases. Its
        shapes say how far apart its patches lie (10, 12, 14 or 16 points) and how many blocks there are.
    seconds
        How long the weights can listen: 10, 20 or 30.
    hop
        Samples from frame to frame: 320; 160 and 100 for the weights with ``stfthop`` in their names.
    logits
        Put the logits of the classes before the features, 1295 numbers with 527 classes: the scene embedding
        of HEAR.

    References
    ----------
    Koutini, Schlüter, Eghbal-zadeh, Widmer (2022), *Efficient training of audio transformers with patchout*.

    Examples
    --------
    >>> Passt(weights="passt-s-f128-p16-s10-ap.476-swa.pt").dim
    768
    """

    title = "PaSST"
    card: ClassVar[Card] = Card(
        space="passt",
        dim=None,
        norm="raw",
        modalities=("audio",),
        licence="Apache-2.0",
        weights="passt-s-f128-p16-s10-ap.476-swa.pt and others, releases of kkoutini/PaSST on GitHub",
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
        seconds: int = 10,
        hop: int = 320,
        logits: bool = False,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        if seconds not in STEPS:
            raise ParameterError(f"seconds is {seconds}: PaSST listens {', '.join(map(str, STEPS))} s.")
        if hop not in HOPS:
            raise ParameterError(f"hop is {hop}: PaSST takes one of {', '.join(map(str, HOPS))} samples.")
        self.seconds, self.hop, self.logits = seconds, hop, logits

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        cut = windows(item.resampled(RATE).samples, self.seconds, self.hop)
        return np.stack([picture(each, self.hop) for each in cut])

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        with whole_float32(self._place[0], f"{len(batch)} items of {self.title}"):
            return rows_by_shape(batch, self.dim, self._rows)

    def _rows(self, pictures: np.ndarray) -> Vectors:
        """Return a row an item: items, windows, bands, frames."""
        torch = import_extra("torch", self.title, "hub")
        net, place = self._net, self._place
        flat, rows = pictures.reshape(-1, *pictures.shape[2:]), []
        for at in range(0, len(flat), WINDOWS):
            with torch.inference_mode():
                classes, features = run_passt(net, torch.from_numpy(flat[at : at + WINDOWS]).to(*place))
                row = torch.cat([classes, features], dim=1) if self.logits else features
                rows.append(row.float().cpu().numpy())
        return np.concatenate(rows).reshape(*pictures.shape[:2], -1).mean(axis=1)

    def _load(self) -> Any:
        return load_passt(self._given(), self.seconds, self.hop)

    def _dim(self) -> int:
        return DIM + (len(self._net.get_parameter(CLASSES)) if self.logits else 0)

    def _name(self) -> str:
        return f"{self.card.space}/logits-features" if self.logits else self.card.space

    def _facts(self) -> dict[str, Any]:
        net = self._net
        return {
            "sample_rate": RATE,
            "hop": self.hop,
            "patch_stride": net.patch_embed.proj.stride[0],
            "blocks": len(net.blocks),
            "times": net.get_parameter(TIMES).shape[3],
            "window": self.seconds,
            "window_step": STEPS[self.seconds],
            "pooled": "mean",
            "logits": self.logits,
        }
