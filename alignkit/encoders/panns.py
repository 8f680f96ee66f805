"""PANNs (Kong et al. 2020): sounds by the Cnn14 that tags AudioSet, the space of FD and of IS for sounds."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Encoder, Modality, Prepared
from alignkit.encoders._once import Once
from alignkit.encoders._panns_net import DIM, FRONT_ENDS, load_cnn14, run_cnn14
from alignkit.encoders._placing import placing
from alignkit.encoders._weights import digest_of_state, import_extra
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors


class Panns(Encoder):
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
        self._ready = Once(self._read)

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return FRONT_ENDS[self.rate].picture(item.resampled(self.rate).samples)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        torch = import_extra("torch", "PANNs", "hub")
        net, device, kind = self._ready()[0], *placing(self.device, self.dtype, "PANNs")
        lengths = np.array([len(picture) for picture in batch])
        rows = np.empty((len(batch), DIM), np.float32)
        for length in np.unique(lengths):  # equally long ones share a call
            places = np.flatnonzero(lengths == length)
            pictures = torch.from_numpy(np.stack([batch[place] for place in places])).to(device, kind)
            with whole_float32(device, f"{len(places)} items of PANNs"), torch.inference_mode():
                rows[places] = run_cnn14(net, pictures).float().cpu().numpy()
        return rows

    def _read(self) -> tuple[Any, str]:
        if self.weights is None:
            raise DataError(f"panns needs its weights, {self.card.weights}: give the file.")
        place = placing(self.device, self.dtype, "PANNs")
        net = load_cnn14(self.weights, FRONT_ENDS[self.rate])
        revision = digest_of_state(net.state_dict())
        return net.to(*place), revision

    def _dim(self) -> int:
        return DIM

    def _revision(self) -> str:
        return self._ready()[1]

    def _facts(self) -> dict[str, Any]:
        front = FRONT_ENDS[self.rate]
        facts = {"sample_rate": front.rate, "bins": front.bins, "hop": front.hop, "bands": 64}
        return {**facts, "span": [50.0, front.highest], "pooled": "max plus mean"}
