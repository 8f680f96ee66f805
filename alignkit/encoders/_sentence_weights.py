"""A sentence model from its folder or the hub: its tokens, its layers, and how it says rows are pooled."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignkit._hub import loading
from alignkit.encoders._weights import State, digest_of_state, hub_refusal, import_extra
from alignkit.errors import DataError, ParameterError

POOLINGS = ("mean", "cls", "max")
_KEYS = {  # of sentence-transformers' 1_Pooling/config.json, which names one of them
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
_HEADS = ("cls.", "lm_head.", "pooler.", "classifier.")  # layers above the tokens: no row goes through them
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")
_LOCAL = "a folder with config.json, the tokenizer and the weights"


@dataclass(frozen=True, slots=True)
class Layout:
    """Say how a folder of sentence-transformers goes from tokens to a row; None where it does not say."""

    pooling: str | None = None
    normalize: bool | None = None
    max_length: int | None = None
    lower: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """Hold a model with its tokenizer, its layout, and the digests of both."""

    model: Any  # Any: a transformers model
    tokenizer: Any  # Any: a transformers tokenizer
    layout: Layout
    revision: str
    tokenizer_sha256: str


def load(source: str) -> Loaded:
    """Return the model in a folder, or of a name on the hub.

    Raises
    ------
    DataError
        If it is not there, damaged, lacks a weight, needs code of its own, or has layers that rows go
        through and that are not known here.
    """
    folder = Path(source) if Path(source).is_dir() else _fetched(source)
    layout = _layout(folder)
    transformers = import_extra("transformers", "sentence", "hub")
    torch = import_extra("torch", "sentence", "hub")
    try:
        # what is not in the file is drawn, and then refused
        with loading(str(folder)), torch.random.fork_rng(devices=[]):
            model, report = transformers.AutoModel.from_pretrained(
                folder, output_loading_info=True, local_files_only=True, dtype=torch.float32
            )
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers, tokenizers and safetensors raise kinds of their own
        raise DataError(f"{source} holds no readable sentence model ({error}): give {_LOCAL}.") from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        foreign = sorted(str(name) for name in report[kind] if not str(name).startswith(_HEADS))
        if foreign:
            raise DataError(
                f"{source} has {kind.replace('_', ' ')}, first {foreign[0]}: the weights are of another "
                "model than config.json."
            )
    if len(tokenizer) > model.config.vocab_size or len(tokenizer) < model.config.vocab_size // 2:
        raise DataError(
            f"the tokenizer of {source} knows {len(tokenizer)} tokens, the model {model.config.vocab_size}: "
            "its files are missing, or another model's."
        )
    state: State = {
        name: tensor for name, tensor in model.state_dict().items() if not name.startswith(_HEADS)
    }
    return Loaded(model.eval(), tokenizer, layout, digest_of_state(state), _digest(tokenizer))


def _fetched(name: str) -> Path:
    if Path(name).exists() or name.count("/") != 1 or name.startswith(("/", ".")):
        raise DataError(f"{name} is no folder and no name on the hub (like owner/model): give {_LOCAL}.")
    hub = import_extra("huggingface_hub", "sentence", "hub")
    try:
        with loading(name):
            return Path(hub.snapshot_download(name, allow_patterns=list(_FILES)))
    except Exception as error:  # http, the hub's client and the file system raise a dozen kinds
        raise hub_refusal(name, error, _LOCAL) from error


def _layout(folder: Path) -> Layout:
    """Read sentence-transformers' own files; a folder of plain transformers says nothing."""
    modules = _json(folder / "modules.json", [])
    if not modules:
        return Layout()
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        raise DataError(
            f"{folder / 'modules.json'} lists {', '.join(kinds)}: only Transformer, Pooling and Normalize "
            "are known here; encode it elsewhere and bring the rows with `alignkit convert`."
        )
    said = _json(folder / modules[1].get("path", "1_Pooling") / "config.json", {})
    chosen = [kind for key, kind in _KEYS.items() if said.get(key)]
    other = [
        key for key, value in said.items() if key.startswith("pooling_mode") and value and key not in _KEYS
    ]
    if other or len(chosen) != 1:
        raise DataError(
            f"{folder} pools by {other or chosen}: {', '.join(POOLINGS)} are known, one at a time."
        )
    reading = _json(folder / "sentence_bert_config.json", {})
    longest, lower = reading.get("max_seq_length"), bool(reading.get("do_lower_case"))
    return Layout(chosen[0], kinds[2:] == ["Normalize"], longest, lower)


def _json(path: Path, otherwise: Any) -> Any:  # Any: what the file holds
    if not path.is_file():
        return otherwise
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path} is no JSON: copy the folder again.") from error


def _digest(tokenizer: Any) -> str:  # Any: a transformers tokenizer
    """Return the SHA-256 of what turns a text into numbers."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    text = backend.to_str() if backend is not None else json.dumps(tokenizer.get_vocab(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def check_pooling(pooling: str) -> None:
    """Raise ParameterError unless rows can be pooled so."""
    if pooling not in POOLINGS:
        raise ParameterError(f"pooling is {pooling!r}; choose {', '.join(POOLINGS)}.")
