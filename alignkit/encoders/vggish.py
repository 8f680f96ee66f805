"""VGGish (Hershey et al. 2017): sounds by a VGG trained on YouTube-8M, the space of the first FAD."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Encoder, Modality, Prepared
from alignkit.encoders._once import Once
from alignkit.encoders._placing import placing
from alignkit.encoders._vggish_net import DIM, load_vggish, run_vggish
from alignkit.encoders._weights import digest_of_state, import_extra
from alignkit.encoders._yamnet_net import PATCH, RATE, patches
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors

PATCHES = 64  # in one call of the network: bounds the memory of long sounds
OFFSET = 0.01


class Vggish(Encoder):
    """Encode sounds with VGGish: the mean of its 128 features over patches of 0.96 s, side by side.

    A sound of any length is resampled to 16 kHz; shorter than 0.975 s it is padded with zeros (the original
    gives such a sound no row), and of a longer one what fills no patch is dropped. Rows are raw: neither
    whitened nor rounded to 8 bits, as AudioSet's published features are.

    Parameters
    ----------
    weights
        ``vggish-10086976.pth`` of torchvggish, or a file with the same tensors; ``pproc.*`` are left out.
    rectified
        Whether negative features are set to 0, as torchvggish does; tools for FAD leave them as they are.

    References
    ----------
    Hershey et al. (2017), *CNN architectures for large-scale audio classification*; Kilgour et al. (2019),
    *Fréchet audio distance*.

    Examples
    --------
    >>> Vggish(weights="vggish-10086976.pth").dim
    128
    """

    card: ClassVar[Card] = Card(
        space="vggish",
        dim=DIM,
        norm="raw",
        modalities=("audio",),
        licence="Apache-2.0",
        weights="vggish-10086976.pth, release v0.1 of harritaylor/torchvggish on GitHub",
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
        rectified: bool = True,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.rectified = rectified
        self._ready = Once(self._read)

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return patches(item.resampled(RATE).samples, step=PATCH, offset=OFFSET)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        device, _ = placing(self.device, self.dtype, "VGGish")
        with whole_float32(device, f"{len(batch)} items of VGGish"):
            rows = np.concatenate(list(self._rows(np.concatenate(batch))))
        ends = np.cumsum([len(each) for each in batch])
        return np.stack([part.mean(axis=0) for part in np.split(rows, ends[:-1])])

    def _rows(self, pictures: np.ndarray) -> Iterator[Vectors]:
        torch = import_extra("torch", "VGGish", "hub")
        net, device, kind = self._ready()[0], *placing(self.device, self.dtype, "VGGish")
        for at in range(0, len(pictures), PATCHES):
            with torch.inference_mode():
                maps = torch.from_numpy(pictures[at : at + PATCHES]).to(device, kind)
                rows = run_vggish(net, maps).float().cpu().numpy()
                yield np.maximum(rows, 0) if self.rectified else rows

    def _read(self) -> tuple[Any, str]:
        if self.weights is None:
            raise DataError(f"vggish needs its weights, {self.card.weights}: give the file.")
        place = placing(self.device, self.dtype, "VGGish")
        net = load_vggish(self.weights)
        revision = digest_of_state(net.state_dict())
        return net.to(*place), revision

    def _dim(self) -> int:
        return DIM

    def _revision(self) -> str:
        return self._ready()[1]

    def _facts(self) -> dict[str, Any]:
        facts = {"sample_rate": RATE, "patch_frames": PATCH, "patch_step": PATCH, "pooled": "mean"}
        return {**facts, "rectified": self.rectified}
