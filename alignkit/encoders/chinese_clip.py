"""Chinese CLIP (Yang et al. 2022): pictures and Chinese texts, through transformers."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Card, Item, Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder
from alignkit.encoders._once import Once
from alignkit.encoders._published import load_published, pixels_of
from alignkit.encoders._tokenizers import Tokens, read_tokenizer
from alignkit.encoders._weights import import_extra
from alignkit.shapes import Vectors

DEFAULT = "OFA-Sys/chinese-clip-vit-base-patch16"
LOCAL = "a folder written by save_pretrained, with preprocessor_config.json and vocab.txt,"
TEXT_LENGTH = 52  # tokens that it was trained on; the rest of a text is cut off


class ChineseClip(LoadedEncoder):
    """Encode pictures and Chinese texts with a Chinese CLIP of OFA: raw rows of one space.

    ``weights`` is a name on the hub or a folder; how pictures are prepared is read from the
    ``preprocessor_config.json`` beside them and kept in the recipe.

    References
    ----------
    Yang et al. (2022), *Chinese CLIP: contrastive vision-language pretraining in Chinese*.

    Examples
    --------
    >>> ChineseClip().modalities
    ('image', 'text')
    """

    title = "Chinese CLIP"
    card: ClassVar[Card] = Card(
        space="chinese-clip",
        dim=None,
        norm="raw",
        modalities=("image", "text"),
        licence="code: MIT; weights: see the page of each",
        weights="OFA-Sys/chinese-clip-vit-base-patch16, -vit-large-patch14, -vit-huge-patch14",
        extra="hub",
        batch_tolerance=1e-5,
    )

    def __init__(
        self, *, weights: Path | str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self._words = Once(self._read_words)
        self._seen = Once(lambda: pixels_of(self._source, local=LOCAL))

    def _prepare(self, item: Item, modality: Modality) -> Prepared:
        return item if modality == "text" else self._seen()(item)

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:
        torch = import_extra("torch", self.title, "hub")
        model = self._net
        what = f"{len(batch)} items of {self.title}"
        with whole_float32(str(model.device), what), torch.inference_mode():
            if modality == "image":
                pictures = torch.from_numpy(np.stack(batch)).to(model.device, model.dtype)
                found = model.get_image_features(pixel_values=pictures)
            else:
                tokens = self._words()(batch, TEXT_LENGTH)
                found = model.get_text_features(**{k: v.to(model.device) for k, v in tokens.items()})
        # a tensor before transformers 5, an output object since
        return getattr(found, "pooler_output", found).float().cpu().numpy()

    def _read_words(self) -> Tokens:
        words = self._net.config.text_config.vocab_size
        return read_tokenizer(self._source, words, files="vocab.txt", usual=f"as {DEFAULT} has")

    @property
    def _source(self) -> str:
        return str(self.weights or DEFAULT)

    def _load(self) -> Any:
        return load_published(self._source, "chinese_clip", "ChineseCLIPModel", local=LOCAL).eval()

    def _name(self) -> str:
        vision = self._net.config.vision_config
        shape = f"vit-{vision.num_hidden_layers}x{vision.hidden_size}-patch{vision.patch_size}"
        return f"{self.card.space}/{shape}"

    def _dim(self) -> int:
        return self._net.config.projection_dim

    def _facts(self) -> dict[str, Any]:
        return {**self._seen().to_json(), "text_length": TEXT_LENGTH}
