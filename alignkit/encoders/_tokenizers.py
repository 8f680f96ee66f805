"""Tokenizers of transformers, taken only if their vocabulary is the model's."""

from threading import Lock
from typing import Any

from alignkit._hub import loading
from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError


class Tokens:
    """Turn texts into numbers of tokens, all padded or cut to one length."""

    def __init__(self, tokenizer: Any) -> None:  # Any: one of transformers
        self._tokenizer = tokenizer
        self._lock = Lock()  # it keeps the length as state while it works

    def __call__(self, texts: list[str], length: int) -> dict[str, Any]:  # Any: torch tensors
        """Return ``input_ids`` and the ``attention_mask``, 0 where a token is padding."""
        with self._lock:
            found = self._tokenizer(
                texts, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
            )
        return {name: found[name] for name in ("input_ids", "attention_mask")}


def read_tokenizer(place: str, vocabulary: int, *, files: str, usual: str) -> Tokens:
    """Return the tokenizer in a folder or on the hub.

    ``files`` says what such a folder holds, ``usual`` which tokenizer the published weights were trained
    with; both are for the message.

    Raises
    ------
    DataError
        If there is none, or it knows another number of tokens than the model: without its files
        transformers makes one that knows five and says nothing.
    """
    transformers = import_extra("transformers", "a tokenizer", "hub")
    try:
        with loading(place):
            tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    except Exception as error:  # whatever the hub's client, or a damaged file, raises
        raise DataError(
            f"no tokenizer could be read from {place!r}: give tokenizer a folder with {files} ({usual}), or "
            "go online once."
        ) from error
    if len(tokenizer) != vocabulary:
        raise DataError(
            f"the tokenizer {place!r} knows {len(tokenizer)} tokens, the model {vocabulary}: its files are "
            f"not there, or it is another model's; give tokenizer a folder with {files}."
        )
    return Tokens(tokenizer)
