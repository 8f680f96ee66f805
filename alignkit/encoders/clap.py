"""CLAP of LAION (Wu et al. 2023): sounds and texts, through transformers; long sounds by a stated policy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Encoder, Modality, Prepared
from alignkit.encoders._clap_mel import RATE, Pictures, pictures
from alignkit.encoders._clap_weights import ClapWeights
from alignkit.encoders._laion_file import architecture_of
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError
from alignkit.media.audio import Sound
from alignkit.media.lengths import check_policy, mean_direction
from alignkit.shapes import Vectors

TEXT_LENGTH = 77  # tokens that LAION trained on; the rest of a text is cut off
PIECES = 32  # ten-second pieces in one call of the model: bounds the memory of long sounds


class Clap(Encoder):
    """Encode sounds and texts with a CLAP of LAION: unit rows of one space.

    ``weights`` is a name on the hub, a folder written by ``save_pretrained``, or one of LAION's own ``.pt``
    files, which hold no tokenizer: it is then taken from ``tokenizer``. The front end is alignkit's: mono at
    48 kHz, rounded to 16 bits, repeated up to ten seconds, log-mel.

    Parameters
    ----------
    length
        What happens to more than ten seconds: ``"windows"`` (all of it, in pieces of ten seconds whose unit
        rows are averaged), ``"center"``, ``"first"``, ``"random(SEED)"`` (one piece), or, for weights
        trained with it, ``"fusion"`` (the whole shrunk, with its first, middle and last ten seconds). By
        default fusion where the weights have it, windows otherwise.
    tokenizer
        Folder or hub name of a tokenizer; by default the one beside the weights, roberta-base for a file.

    References
    ----------
    Wu et al. (2023), *Large-scale contrastive language-audio pretraining with feature fusion and
    keyword-to-caption augmentation*.

    Examples
    --------
    >>> Clap(weights="630k-best.pt", length="center").modalities
    ('audio', 'text')
    """

    card: ClassVar[Card] = Card(
        space="clap",
        dim=None,
        norm="unit",
        modalities=("audio", "text"),
        licence="LAION's code: CC0-1.0; weights: see the page of each",
        weights="laion/clap-htsat-unfused, -fused, laion/larger_clap_*; .pt files of lukewys/laion_clap",
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
        length: str | None = None,
        tokenizer: Path | str | None = None,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.length, self.tokenizer = length, tokenizer
        self._kept = ClapWeights(weights, tokenizer, device, dtype)

    def _prepare(self, item: Sound | str, modality: Modality) -> Prepared:  # noqa: ARG002 - the item tells
        if isinstance(item, str):
            return item
        return pictures(item.resampled(RATE).samples, self._policy(), fusion=self._fuses())

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:
        torch = import_extra("torch", "CLAP", "hub")
        what = f"{len(batch)} items of CLAP"
        with whole_float32(str(self._kept.model.device), what), torch.inference_mode():
            return self._texts(batch) if modality == "text" else self._sounds(batch)

    def _texts(self, batch: list[str]) -> Vectors:
        model = self._kept.model
        tokens = self._kept.tokens()(batch, TEXT_LENGTH)
        given = {name: tensor.to(model.device) for name, tensor in tokens.items()}
        return _unit(_rows(model.get_text_features(**given)))

    def _sounds(self, batch: list[Pictures]) -> Vectors:
        pieces = np.concatenate([each.mel for each in batch])
        longer = np.array([each.longer for each in batch for _ in each.mel])
        rows = np.concatenate(list(self._heard(pieces, longer)))
        ends = np.cumsum([len(each.mel) for each in batch])
        return np.stack([mean_direction(part) for part in np.split(rows, ends[:-1])])

    def _heard(self, pieces: np.ndarray, longer: np.ndarray) -> Iterator[Vectors]:
        torch = import_extra("torch", "CLAP", "hub")
        model = self._kept.model
        for at in range(0, len(pieces), PIECES):
            mel = torch.from_numpy(pieces[at : at + PIECES]).to(model.device, model.dtype)
            flags = torch.from_numpy(longer[at : at + PIECES, None]).to(model.device)
            yield _rows(model.get_audio_features(input_features=mel, is_longer=flags))

    def _policy(self) -> str:
        if self.length is None:
            return "fusion" if self._fuses() else "windows"
        if self.length != "fusion":
            check_policy(self.length)
        elif not self._fuses():
            raise ParameterError("length is 'fusion', but these weights were trained without: use windows.")
        return self.length

    def _fuses(self) -> bool:
        return bool(self._kept.model.config.audio_config.enable_fusion)

    def _dim(self) -> int:
        return self._kept.model.config.projection_dim

    def _name(self) -> str:
        return f"{self.card.space}/{architecture_of(self._kept.model.config)}"

    def _revision(self) -> str:
        return self._kept.revision

    def _facts(self) -> dict[str, Any]:
        return {
            "architecture": architecture_of(self._kept.model.config),
            "sample_rate": RATE,
            "length": self._policy(),
            "mel": "htk" if self._fuses() else "slaney",
            "quantized": "int16",
            "text_length": TEXT_LENGTH,
        }


def _unit(rows: Vectors) -> Vectors:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)  # half precision leaves them a little off


def _rows(output: Any) -> Vectors:  # Any: a tensor before transformers 5, an output object since
    rows = getattr(output, "pooler_output", output)
    return rows.float().cpu().numpy()
