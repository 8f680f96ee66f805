"""YAMNet (Google, 2020): sounds by what 521 classes of AudioSet taught a MobileNet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Encoder, Modality, Prepared
from alignkit.encoders._once import Once
from alignkit.encoders._placing import placing
from alignkit.encoders._weights import digest_of_arrays, import_extra
from alignkit.encoders._yamnet_net import DIM, RATE, patches, read_yamnet, run_yamnet
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors

PATCHES = 64  # in one call of the network: bounds the memory of long sounds


class Yamnet(Encoder):
    """Encode sounds with YAMNet: the mean of its 1024 features over patches of 0.96 s, half overlapping.

    A sound of any length is resampled to 16 kHz; shorter than 0.975 s it is padded with zeros, and of a
    longer one what fills no patch is dropped, at most 0.48 s.

    Parameters
    ----------
    weights
        An ``.npz`` with the tables ``w3``, ``b3`` to ``w31``, ``b31``: the tensors of YAMNet's TensorFlow
        Lite file in the order of its layers, float16 or float32, batch norms folded in.

    References
    ----------
    Plakal, Ellis (2020), *YAMNet*, tensorflow/models, research/audioset/yamnet.

    Examples
    --------
    >>> Yamnet(weights="yamnet.npz").dim
    1024
    """

    card: ClassVar[Card] = Card(
        space="yamnet",
        dim=DIM,
        norm="raw",
        modalities=("audio",),
        licence="Apache-2.0",
        weights="tensorflow/models, research/audioset/yamnet; as TensorFlow Lite: google-coral",
        extra="hub",
        sample_rate=RATE,
        batch_tolerance=1e-5,
    )

    def __init__(
        self, *, weights: Path | str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self._ready = Once(self._read)

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return patches(item.resampled(RATE).samples)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        device, _ = placing(self.device, self.dtype, "YAMNet")
        with whole_float32(device, f"{len(batch)} items of YAMNet"):
            rows = np.concatenate(list(self._rows(np.concatenate(batch))))
        ends = np.cumsum([len(each) for each in batch])
        return np.stack([part.mean(axis=0) for part in np.split(rows, ends[:-1])])

    def _rows(self, pictures: np.ndarray) -> Iterator[Vectors]:
        torch = import_extra("torch", "YAMNet", "hub")
        tables, device, kind = self._ready()[0], *placing(self.device, self.dtype, "YAMNet")
        for at in range(0, len(pictures), PATCHES):
            with torch.inference_mode():
                maps = torch.from_numpy(pictures[at : at + PATCHES]).to(device, kind)
                yield run_yamnet(tables, maps).float().cpu().numpy()

    def _read(self) -> tuple[dict[str, Any], str]:
        if self.weights is None:
            raise DataError("yamnet needs its weights: give the .npz of its tables (w3 to b31).")
        place = placing(self.device, self.dtype, "YAMNet")
        torch = import_extra("torch", "YAMNet", "hub")
        found = read_yamnet(self.weights)
        tables = {name: torch.from_numpy(table).to(*place) for name, table in found.items()}
        return tables, digest_of_arrays(found)

    def _dim(self) -> int:
        return DIM

    def _revision(self) -> str:
        return self._ready()[1]

    def _facts(self) -> dict[str, Any]:
        return {"sample_rate": RATE, "patch_frames": 96, "patch_step": 48, "pooled": "mean"}
