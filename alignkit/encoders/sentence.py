"""Sentence models (Reimers and Gurevych 2019): texts, the rows of their tokens pooled into one."""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import check_device, whole_float32
from alignkit.encoders._base import Card, Encoder, Modality
from alignkit.encoders._sentence_weights import Loaded, check_pooling, load
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError
from alignkit.shapes import Vectors
from alignkit.spaces import Norm

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
_DTYPES = ("float32", "float16", "bfloat16")
_LONGEST = 512  # tokens, where neither the folder nor the tokenizer says


class Sentence(Encoder):
    """Encode texts with a model of sentence-transformers, or with any encoder of transformers.

    ``weights`` is a local folder or a name on the hub. The folder's own files say how rows are pooled
    (``modules.json``), whether they are brought to length 1, and how many tokens are read; a longer text is
    cut. A plain folder of transformers says none of it: rows are then means over the tokens, raw, unless
    stated otherwise. Prompts are yours to write before the text. Models with further layers are refused.

    Parameters
    ----------
    pooling
        ``"mean"`` over the tokens, the row of the first (``"cls"``), or ``"max"``.
    normalize
        Whether rows are brought to length 1.
    max_length
        Tokens that are read of a text.

    References
    ----------
    Reimers and Gurevych (2019), *Sentence-BERT: sentence embeddings using siamese BERT-networks*.

    Examples
    --------
    >>> Sentence(weights="sentence-transformers/all-mpnet-base-v2").modalities
    ('text',)
    """

    card: ClassVar[Card] = Card(
        space="sentence",
        dim=None,
        norm="raw",
        modalities=("text",),
        licence="transformers: Apache-2.0; weights: see the page of each",
        weights=f"{DEFAULT} and its kin on the hub, or a folder",
        extra="hub",
        batch_tolerance=1e-6,
    )

    def __init__(
        self,
        *,
        weights: Path | str | None = None,
        pooling: str | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.pooling, self.normalize, self.max_length = pooling, normalize, max_length

    @cached_property
    def _loaded(self) -> Loaded:
        check_device(self.device)
        if self.dtype not in _DTYPES:
            raise ParameterError(f"dtype is {self.dtype!r}; choose {', '.join(_DTYPES)}.")
        if self.max_length is not None and self.max_length < 3:
            raise ParameterError(f"max_length is {self.max_length}: a text and its two ends need 3 tokens.")
        torch = import_extra("torch", "sentence", "hub")
        loaded = load(str(self.weights or DEFAULT))
        loaded.model.to(self._torch_device, getattr(torch, self.dtype)).requires_grad_(False)
        return loaded

    @property
    def _torch_device(self) -> str:
        return self.device.removeprefix("torch-")

    @property
    def _pooling(self) -> str:
        pooling = self.pooling or self._loaded.layout.pooling or "mean"
        check_pooling(pooling)
        return pooling

    @property
    def _unit(self) -> bool:
        said = self._loaded.layout.normalize if self.normalize is None else self.normalize
        return bool(said)

    @property
    def _length(self) -> int:
        known = (self.max_length, self._loaded.layout.max_length, self._loaded.tokenizer.model_max_length)
        places = getattr(self._loaded.model.config, "max_position_embeddings", _LONGEST)
        # a tokenizer that knows no end says 10^30
        return min(next((n for n in known if n is not None and n < 10**6), _LONGEST), places)

    def _prepare(self, item: str, modality: Modality) -> list[int]:  # noqa: ARG002 - texts alone
        text = item.lower() if self._loaded.layout.lower else item
        return self._loaded.tokenizer(text, truncation=True, max_length=self._length)["input_ids"]

    def _encode_batch(self, batch: list[list[int]], modality: Modality) -> Vectors:  # noqa: ARG002
        torch = import_extra("torch", "sentence", "hub")
        fill = self._loaded.tokenizer.pad_token_id or 0
        longest = max(map(len, batch))
        tokens = np.array([each + [fill] * (longest - len(each)) for each in batch], np.int64)
        real = np.arange(longest) < np.array([[len(each)] for each in batch])
        given = {"input_ids": tokens, "attention_mask": real.astype(np.int64)}
        tensors = {name: torch.from_numpy(array).to(self._torch_device) for name, array in given.items()}
        with whole_float32(self._torch_device, f"{len(batch)} texts"), torch.inference_mode():
            states = self._loaded.model(**tensors).last_hidden_state.float().cpu().numpy()
        # in float64 and row by row: how far the batch was filled up must not show
        rows = np.stack([self._pooled(s[: len(each)]) for s, each in zip(states, batch, strict=True)])
        return rows.astype(np.float32)

    def _pooled(self, states: np.ndarray) -> np.ndarray:
        wide = states.astype(np.float64)
        row = {"mean": lambda: wide.mean(axis=0), "cls": lambda: wide[0], "max": lambda: wide.max(axis=0)}
        pooled = row[self._pooling]()
        return pooled / np.linalg.norm(pooled) if self._unit else pooled

    def _name(self) -> str:
        config = self._loaded.model.config
        return f"sentence/{config.model_type}-{config.num_hidden_layers}x{config.hidden_size}"

    def _norm(self) -> Norm:
        return "unit" if self._unit else "raw"

    def _dim(self) -> int:
        return int(self._loaded.model.config.hidden_size)

    def _facts(self) -> dict[str, Any]:
        return {
            "architecture": type(self._loaded.model).__name__,
            "pooling": self._pooling,
            "normalize": self._unit,
            "max_length": self._length,
            "long_text": "cut",
            "lower": self._loaded.layout.lower,
            "tokenizer_sha256": self._loaded.tokenizer_sha256,
        }

    def _revision(self) -> str:
        return self._loaded.revision
