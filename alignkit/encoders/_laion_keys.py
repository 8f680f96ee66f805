"""The names of LAION-CLAP's tensors and those of transformers' ClapModel, and the way between them."""

import re
from collections.abc import Mapping
from typing import Any

from alignkit.encoders._weights import State
from alignkit.errors import DataError

BRANCHES = (  # LAION's prefix, transformers' prefix
    ("audio_branch.", "audio_model.audio_encoder."),
    ("text_branch.", "text_model."),
    ("audio_projection.0.", "audio_projection.linear1."),
    ("audio_projection.2.", "audio_projection.linear2."),
    ("text_projection.0.", "text_projection.linear1."),
    ("text_projection.2.", "text_projection.linear2."),
    ("logit_scale_a", "logit_scale_a"),
    ("logit_scale_t", "logit_scale_t"),
)
PARTS = (  # inside a block of the audio branch, and its first norm
    (".norm1.", ".layernorm_before."),
    (".norm2.", ".layernorm_after."),
    (".attn.proj.", ".attention.output.dense."),
    (".attn.", ".attention.self."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
    (".bn0.", ".batch_norm."),
)
# no part of a row: masks and spectrogram layers that are constants, heads that training needed
UNUSED = re.compile(
    r"text_transform\.|audio_transform\.|audio_branch\.(head|tscam_conv|spectrogram_extractor|logmel_extractor)\."
    r"|audio_branch\..*\.attn_mask$|text_branch\.embeddings\.(position_ids|token_type_ids)$|attn_mask$"
)
QKV = ("query", "key", "value")


def without_unused(state: Mapping[str, Any]) -> State:  # Any: tensors
    """Return LAION's tensors without the prefix of DataParallel and without those that no row needs.

    Examples
    --------
    >>> list(without_unused({"module.logit_scale_a": 1, "module.audio_branch.head.bias": 2}))
    ['logit_scale_a']
    """
    bare = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in bare.items() if not UNUSED.match(name)}


def to_transformers(state: Mapping[str, Any]) -> State:  # Any: tensors
    """Return LAION's tensors under ClapModel's names; the joint query-key-value tensors are cut in three.

    Raises
    ------
    DataError
        If a name is none of LAION-CLAP's, or a joint tensor cannot be cut in three.

    Examples
    --------
    >>> import torch
    >>> block = "audio_branch.layers.0.blocks.1."
    >>> sorted(to_transformers({block + "attn.qkv.bias": torch.arange(6), block + "norm1.bias": 0}))[0]
    'audio_model.audio_encoder.layers.0.blocks.1.attention.self.key.bias'
    """
    mapped: State = {}
    for name, tensor in without_unused(state).items():
        if ".attn.qkv." not in name:
            mapped[renamed(name)] = tensor
            continue
        if not tensor.shape or tensor.shape[0] % 3:
            raise DataError(f"{name} of shape {tuple(tensor.shape)} holds no query, key and value.")
        for part, third in zip(QKV, tensor.chunk(3), strict=True):
            mapped[renamed(name.replace(".qkv.", f".{part}."))] = third
    return mapped


def to_laion(state: Mapping[str, Any]) -> State:  # Any: tensors
    """Return ClapModel's tensors under LAION's names; the inverse of `to_transformers`.

    ClapModel's constants ``position_ids`` and ``token_type_ids`` have no place in LAION's files.
    """
    import torch

    mapped: State = {}
    for name, tensor in state.items():
        laion = renamed(name, back=True)
        if laion.endswith((".query.weight", ".query.bias")) and laion.startswith("audio_branch."):
            thirds = [state[name.replace(".query.", f".{part}.")] for part in QKV]
            mapped[laion.replace(".query.", ".qkv.")] = torch.cat(thirds)
        elif not (laion.startswith("audio_branch.") and re.search(r"\.(key|value)\.(weight|bias)$", laion)):
            mapped[laion] = tensor
    return without_unused(mapped)


def renamed(name: str, *, back: bool = False) -> str:
    """Return the other library's name for one tensor (``back``: LAION's for ClapModel's).

    Raises
    ------
    DataError
        If it is no name of a tensor of CLAP.

    Examples
    --------
    >>> renamed("text_branch.pooler.dense.bias"), renamed("text_model.pooler.dense.bias", back=True)
    ('text_model.pooler.dense.bias', 'text_branch.pooler.dense.bias')
    """
    mine, theirs = (1, 0) if back else (0, 1)
    for branch in BRANCHES:
        if name.startswith(branch[mine]):
            rest = name.removeprefix(branch[mine])
            if branch[0] == "audio_branch.":
                for part in PARTS:  # the dot in front: a part may open the rest
                    rest = f".{rest}".replace(part[mine], part[theirs])[1:]
            return branch[theirs] + rest
    raise DataError(f"{name!r} is no tensor of {'ClapModel' if back else 'LAION-CLAP'}.")
