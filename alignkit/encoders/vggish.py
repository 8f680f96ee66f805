"""VGGish (Hershey et al. 2017): sounds by a VGG trained on YouTube-8M, the space of the first FAD."""

from pathlib import Path
from typing import Any, ClassVar

from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._patched import PatchedEncoder
from alignkit.encoders._vggish_net import DIM, load_vggish, run_vggish
from alignkit.encoders._yamnet_net import PATCH, RATE, patches
from alignkit.media.audio import Sound

OFFSET = 0.01


class Vggish(PatchedEncoder):
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

    title = "VGGish"
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

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        return patches(item.resampled(RATE).samples, step=PATCH, offset=OFFSET)

    def _run(self, net: Any, patches: Any) -> Any:
        rows = run_vggish(net, patches)
        return rows.clamp(min=0) if self.rectified else rows

    def _load(self) -> Any:
        return load_vggish(self._given())

    def _facts(self) -> dict[str, Any]:
        facts = {"sample_rate": RATE, "patch_frames": PATCH, "patch_step": PATCH, "pooled": "mean"}
        return {**facts, "rectified": self.rectified}
