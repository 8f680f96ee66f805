"""PANNs (Kong et al. 2020): sounds by the Cnn14 that tags AudioSet, the space of FD and of IS for sounds."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder, rows_by_shape
from alignkit.encoders._panns_net import DIM, FRONT_ENDS, load_cnn14, run_cnn14
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors


class Panns(LoadedEncoder):
    """Encode sounds with the Cnn14 of PANNs: 2048 features that are never negative, one row for a sound.

    A sound of any length is seen whole, at the weights' own rate; shorter than 0.32 s it is padded with
    zeros.

    Parameters
    ----------
    weights
        ``Cnn14_mAP=0.431.pth``, ``Cnn14_16k_mAP=0.438.pth`` or ``Cnn14_8k_mAP=0.416.pth``.
    rate
        Samples a second that the weights were trained on: 32000, 16000 or 8000.

    References
    ----------
    Kong et al. (2020), *PANNs: large-scale pretrained audio neural networks for audio pattern recognition*.

    Examples
    --------
    >>> Panns(weights="Cnn14_mAP=0.431.pth").dim
    2048
    """

    title = "PANNs"
    card: ClassVar[Card] = Card(
        space="panns",
        dim=DIM,
        norm="raw",
        modalities=("audio",),
        licence="code: MIT; weights: CC BY 4.0",
        weights="Cnn14_mAP=0.431.pth (or _16k, _8k), record 3987831 on Zenodo",
        extra="hub",
        sample_rate=32_000,
        batch_tolerance=1e-5,
    )

    def __init__(
        self,
        *,
        weights: Path | str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        rate: int = 32_000,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        if rate not in FRONT_ENDS:
            raise ParameterError(
                f"rate is {rate}: Cnn14 was trained at {', '.join(map(str, FRONT_ENDS))} Hz."
            )
        self.rate = rate

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return FRONT_ENDS[self.rate].picture(item.resampled(self.rate).samples)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        return rows_by_shape(batch, self.dim, self._rows)

    def _rows(self, pictures: np.ndarray) -> Vectors:
        """Return a row for each of equally long pictures."""
        torch = import_extra("torch", self.title, "hub")
        net, place = self._net, self._place
        maps = torch.from_numpy(pictures).to(*place)
        with whole_float32(place[0], f"{len(pictures)} items of {self.title}"), torch.inference_mode():
            return run_cnn14(net, maps).float().cpu().numpy()

    def _load(self) -> Any:
        return load_cnn14(self._given(), FRONT_ENDS[self.rate])

    def _facts(self) -> dict[str, Any]:
        front = FRONT_ENDS[self.rate]
        facts = {"sample_rate": front.rate, "bins": front.bins, "hop": front.hop, "bands": 64}
        return {**facts, "span": [50.0, front.highest], "pooled": "max plus mean"}
