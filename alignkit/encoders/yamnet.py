"""YAMNet (Google, 2020): sounds by what 521 classes of AudioSet taught a MobileNet."""

from typing import Any, ClassVar

import numpy as np

from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._patched import PatchedEncoder
from alignkit.encoders._weights import digest_of_arrays, import_extra
from alignkit.encoders._yamnet_net import DIM, RATE, patches, read_yamnet, run_yamnet
from alignkit.errors import DataError
from alignkit.media.audio import Sound


class Yamnet(PatchedEncoder):
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

    title = "YAMNet"
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

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return patches(item.resampled(RATE).samples)

    def _run(self, net: Any, patches: Any) -> Any:
        return run_yamnet(net, patches)

    def _load(self) -> dict[str, np.ndarray]:
        if self.weights is None:
            raise DataError("yamnet needs its weights: give the .npz of its tables (w3 to b31).")
        return read_yamnet(self.weights)

    def _read(self) -> tuple[dict[str, Any], str]:
        place = self._place
        torch = import_extra("torch", self.title, "hub")
        found = self._load()
        tables = {name: torch.from_numpy(table).to(*place) for name, table in found.items()}
        return tables, digest_of_arrays(found)

    def _facts(self) -> dict[str, Any]:
        return {"sample_rate": RATE, "patch_frames": 96, "patch_step": 48, "pooled": "mean"}
