"""Tokenizers of transformers, taken only if their vocabulary is the model's."""

from typing import Any

from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError


def read_tokenizer(place: str, vocabulary: int, *, files: str, usual: str) -> Any:  # Any: a tokenizer
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
    return tokenizer
