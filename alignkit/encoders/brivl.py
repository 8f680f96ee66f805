"""BriVL (Fei et al. 2022): pictures and Chinese texts, as the public code computes them."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Item, Modality, Prepared
from alignkit.encoders._brivl_net import Size, load_brivl, run_images, run_texts
from alignkit.encoders._loaded import LoadedEncoder
from alignkit.encoders._once import Once
from alignkit.encoders._tokenizers import Tokens, read_tokenizer
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError
from alignkit.shapes import Vectors

TOKENIZER = "hfl/chinese-roberta-wwm-ext"
LONGEST, SHORTEST = 80, 3  # tokens: what it was trained with, and a word between its two marks
MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]  # ImageNet's
STD = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


class Brivl(LoadedEncoder):
    """Encode pictures and Chinese texts with BriVL: unit rows of 2048 dimensions.

    A picture is squeezed to 456 x 456 without smoothing, goes through an EfficientNet-B5, is seen through a
    grid of 6 x 6 boxes and as a whole, and through a small transformer. A text goes through a Chinese
    RoBERTa, whose padding is read too: rows of texts padded to different lengths are rows of two encoders,
    so ``text_length`` is part of the recipe. English texts must be translated first.

    Parameters
    ----------
    weights
        The checkpoint ``brivl-with-roberta-base.pth`` of neilfei/brivl-nmi, or one with the same tensors.
    tokenizer
        Folder or hub name of the tokenizer; by default hfl/chinese-roberta-wwm-ext.
    text_length
        Tokens that every text is padded or cut to, 3 to 80; the original's example takes 32.

    References
    ----------
    Fei et al. (2022), *Towards artificial general intelligence via a multimodal foundation model*; the code
    differs from what others write about it: see the page on BriVL in the docs.

    Examples
    --------
    >>> Brivl(weights="brivl-with-roberta-base.pth").dim
    2048
    """

    title = "BriVL"
    card: ClassVar[Card] = Card(
        space="brivl",
        dim=2048,
        norm="unit",
        modalities=("image", "text"),
        licence="CC BY-NC-ND 4.0 (neilfei/brivl-nmi)",
        weights="brivl-with-roberta-base.pth, linked from neilfei/brivl-nmi on GitHub",
        extra="full",
        image_size=(456, 456),
        batch_tolerance=1e-5,
    )
    size: ClassVar[Size] = Size()

    def __init__(
        self,
        *,
        weights: Path | str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        tokenizer: Path | str | None = None,
        text_length: int = LONGEST,
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.tokenizer, self.text_length = tokenizer, text_length
        self._words = Once(self._read_words)

    def _prepare(self, item: Item, modality: Modality) -> Prepared:
        if modality == "text":
            return item
        torch = import_extra("torch", self.title, "hub")
        values = torch.from_numpy(item.transpose(2, 0, 1).astype(np.float32) / np.float32(255))[None]
        squeezed = torch.nn.functional.interpolate(
            values, size=(self.size.pixels,) * 2, mode="bilinear", align_corners=False, antialias=False
        )
        return (squeezed[0].numpy() - MEAN) / STD

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:
        torch = import_extra("torch", self.title, "hub")
        net, (device, kind) = self._net, self._place
        with whole_float32(device, f"{len(batch)} items of {self.title}"), torch.inference_mode():
            if modality == "image":
                pictures = torch.from_numpy(np.stack(batch)).to(device, kind)
                rows = run_images(net, pictures, self.size)
            else:
                self._check_length()
                found = self._words()(batch, self.text_length)
                rows = run_texts(net, found["input_ids"].to(device), found["attention_mask"].to(device))
            wide = rows.double()
            return (wide / wide.norm(dim=1, keepdim=True)).float().cpu().numpy()

    def _read_words(self) -> Tokens:
        place, usual = str(self.tokenizer or TOKENIZER), f"BriVL's is {TOKENIZER}"
        return read_tokenizer(place, self.size.words, files="vocab.txt", usual=usual)

    def _load(self) -> Any:
        return load_brivl(self._given(), self.size)

    def _check_length(self) -> None:
        if not SHORTEST <= self.text_length <= LONGEST:
            raise ParameterError(
                f"text_length is {self.text_length}; BriVL reads {SHORTEST} to {LONGEST} tokens."
            )

    def _dim(self) -> int:
        return self.size.width

    def _facts(self) -> dict[str, Any]:
        self._check_length()
        size = self.size
        return {
            "cnn": size.cnn,
            "image_size": [size.pixels, size.pixels],
            "resize_mode": "squash",
            "interpolation": "bilinear, not antialiased",
            "boxes": size.boxes**2 + 1,
            "text_length": self.text_length,
        }
