"""OpenL3 (Cramer et al. 2019): sounds by a network that learned which pictures of a film they go with."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from alignkit.encoders._base import Card, Modality, Prepared
from alignkit.encoders._openl3_net import (
    FRONT_ENDS,
    HOP,
    PARTS,
    RATE,
    FrontEnd,
    Listening,
    dim_of,
    load_openl3,
    run_openl3,
    windows,
)
from alignkit.encoders._patched import PatchedEncoder
from alignkit.errors import ParameterError
from alignkit.media.audio import Sound


class Openl3(PatchedEncoder):
    """Encode sounds with the audio half of OpenL3: the mean of its rows over windows of one second.

    A sound of any length is resampled to 48 kHz; half a second of zeros goes before it, as in the original,
    so that the first window is centred on its first sample, and zeros fill the last window. A window's
    loudest point is its 0 dB, so rows do not tell how loud a sound is, and silence has one. A second at the
    default hop takes ten runs of a network of 10 billion multiplications: raise ``hop_size`` for long sounds.

    Parameters
    ----------
    weights
        ``torchopenl3_{input_repr}_{content}_{size}.pth.tar`` with the content ``music`` or ``env``, or a file
        with the same tensors; those of both sizes are the same.
    input_repr
        What the weights look at: all frequencies, or 128 or 256 mel bands.
    embedding_size
        Numbers of a row: 6144, or 512, the maxima over all places.
    hop_size
        Seconds from one window to the next.
    front_end
        Whose mel spectrogram: ``"trained"``, with which the weights were trained (openl3 up to 0.3,
        torchopenl3), or ``"v0.4"``, openl3's from 0.4 on. Rows of the two differ; for linear there is one.

    References
    ----------
    Cramer, Wu, Salamon, Bello (2019), *Look, listen and learn more: design choices for deep audio
    embeddings*.

    Examples
    --------
    >>> Openl3(weights="torchopenl3_mel256_music_512.pth.tar", embedding_size=512).dim
    512
    """

    title = "OpenL3"
    patches_at_once = 8  # the first maps of a window take 13 MB
    card: ClassVar[Card] = Card(
        space="openl3",
        dim=None,
        norm="raw",
        modalities=("audio",),
        licence="code: MIT; weights: CC BY 4.0, their copy for torch Apache-2.0",
        weights="torchopenl3_mel256_music_6144.pth.tar and others, torchopenl3/torchopenl3-models on GitHub",
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
        input_repr: Literal["linear", "mel128", "mel256"] = "mel256",
        embedding_size: Literal[512, 6144] = 6144,
        hop_size: float = 0.1,
        front_end: Listening = "trained",
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        for name, value, known in (
            ("input_repr", input_repr, tuple(FRONT_ENDS)),
            ("embedding_size", embedding_size, tuple(PARTS)),
            ("front_end", front_end, ("trained", "v0.4")),
        ):
            if value not in known:
                raise ParameterError(f"{name} is {value!r}; choose {', '.join(map(str, known))}.")
        if not 1 / RATE <= hop_size <= 1:
            raise ParameterError(
                f"hop_size is {hop_size:g} s: windows of a second lie at most a second apart."
            )
        self.input_repr, self.embedding_size = input_repr, embedding_size
        self.hop_size, self.front_end = hop_size, front_end
        bins, bands = FRONT_ENDS[input_repr]
        self._front = FrontEnd(bins, bands, front_end)

    def _prepare(self, item: Sound, modality: Modality) -> Prepared:  # noqa: ARG002 - there is one
        hop = int(self.hop_size * RATE)  # as the original rounds it
        seconds = windows(item.resampled(RATE).samples, hop)
        return np.stack([self._front.picture(each) for each in seconds])

    def _run(self, net: Any, patches: Any) -> Any:
        return run_openl3(net, patches, self.embedding_size)

    def _load(self) -> Any:
        return load_openl3(self._given(), self._front)

    def _dim(self) -> int:
        return dim_of(self.embedding_size)

    def _name(self) -> str:
        older = self.front_end == "trained" or self.input_repr == "linear"
        return f"{self.card.space}/{self.input_repr}-{self.embedding_size}{'' if older else '-v0.4'}"

    def _facts(self) -> dict[str, Any]:
        facts = {"sample_rate": RATE, "input_repr": self.input_repr, "hop": HOP, "front_end": self.front_end}
        return {**facts, "size": self.embedding_size, "window_step": self.hop_size, "pooled": "mean"}
