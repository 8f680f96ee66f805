"""LAION-CLAP's own weight files as a transformers ClapModel, checked tensor by tensor."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignkit.encoders._laion_keys import to_laion, to_transformers, without_unused
from alignkit.encoders._weights import State, import_extra, read_state
from alignkit.errors import DataError

# width of the first layer: blocks and heads of the four stages (HTSAT tiny, base, large)
HTSAT: dict[int, tuple[list[int], list[int]]] = {
    96: ([2, 2, 6, 2], [4, 8, 16, 32]),
    128: ([2, 2, 12, 2], [4, 8, 16, 32]),
    256: ([2, 2, 12, 2], [4, 8, 16, 32]),
}
ROBERTA_LAYERS, ROBERTA_HEAD = 12, 64  # roberta-base: layers, and dimensions of one head
FIRST = "audio_branch.patch_embed.proj.weight"
WORDS = "text_branch.embeddings.word_embeddings.weight"
PLACES = "text_branch.embeddings.position_embeddings.weight"
FEED = "text_branch.encoder.layer.0.intermediate.dense.weight"
JOINT = "text_projection.0.weight"
FUSION = "audio_branch.patch_embed.mel_conv2d.weight"


def load_laion(path: Path | str) -> Any:  # Any: a transformers.ClapModel
    """Return the model whose weights a file of LAION-CLAP holds, in evaluation mode.

    Its size and whether it fuses long sounds are read from the shapes. The memory of the file is used as it
    is: no weight is drawn and overwritten.

    Raises
    ------
    DataError
        If the file is damaged, or a tensor is missing, unknown or of another shape: the first is named.
    """
    tensors = without_unused(read_state(path))
    transformers = import_extra("transformers", "CLAP", "hub")
    torch = import_extra("torch", "CLAP", "hub")
    config = transformers.ClapConfig(**config_of(tensors, str(path)))
    with torch.device("meta"):  # names and shapes only
        model = transformers.ClapModel(config)
    check_layout(tensors, to_laion(model.state_dict()), str(path))
    places = torch.arange(config.text_config.max_position_embeddings).expand(1, -1)
    constants = {
        "text_model.embeddings.position_ids": places,
        "text_model.embeddings.token_type_ids": torch.zeros_like(places),
    }
    model.load_state_dict({**constants, **to_transformers(tensors)}, assign=True)
    return model.eval()


def config_of(tensors: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the arguments of ClapConfig that describe LAION's tensors.

    Raises
    ------
    DataError
        If a tensor that decides them is missing, or the audio branch is no HTSAT that LAION published.
    """
    wanted = (FIRST, WORDS, PLACES, FEED, JOINT)
    shapes = {name: tuple(tensors[name].shape) for name in wanted if name in tensors}
    for name in wanted:
        if len(shapes.get(name, ())) < 2:
            raise DataError(
                f"{what} has no matrix {name}, which every CLAP of LAION has: it is another model."
            )
    width = shapes[FIRST][0]
    if width not in HTSAT:
        raise DataError(
            f"{what} has {FIRST} of {width} channels; HTSAT has {', '.join(map(str, HTSAT))}: another model."
        )
    depths, heads = HTSAT[width]
    fusion = {"enable_fusion": True, "fusion_type": "aff_2d"} if FUSION in tensors else {}
    return {
        "projection_dim": shapes[JOINT][0],
        "audio_config": {
            "patch_embeds_hidden_size": width,
            "hidden_size": width * 2 ** (len(depths) - 1),
            "depths": depths,
            "num_attention_heads": heads,
            **fusion,
        },
        "text_config": {
            "vocab_size": shapes[WORDS][0],
            "hidden_size": shapes[WORDS][1],
            "num_hidden_layers": ROBERTA_LAYERS,
            "num_attention_heads": max(1, shapes[WORDS][1] // ROBERTA_HEAD),
            "intermediate_size": shapes[FEED][0],
            "max_position_embeddings": shapes[PLACES][0],
            "layer_norm_eps": 1e-5,  # roberta-base's; ClapConfig would take 1e-12
        },
    }


def check_layout(found: State, wanted: State, what: str) -> None:
    """Raise DataError, naming the first tensor that does not fit, unless names and shapes are equal."""
    for name, tensor in wanted.items():
        if name not in found:
            raise DataError(f"{what} has no {name}: it is cut short, or of another model.")
        if tuple(found[name].shape) != tuple(tensor.shape):
            raise DataError(
                f"{what} has {name} of shape {tuple(found[name].shape)} where LAION-CLAP has "
                f"{tuple(tensor.shape)}: it is of another model."
            )
    stranger = next((name for name in found if name not in wanted), None)
    if stranger is not None:
        raise DataError(f"{what} has {stranger}, which LAION-CLAP does not know: it is of another model.")


def architecture_of(config: Any) -> str:  # Any: a transformers.ClapConfig
    """Return what a CLAP is called by its shape: ``"htsat-tiny"``, ``"htsat-base-fusion"``.

    Examples
    --------
    >>> from types import SimpleNamespace as Record
    >>> architecture_of(Record(audio_config=Record(patch_embeds_hidden_size=128, enable_fusion=True)))
    'htsat-base-fusion'
    """
    audio = config.audio_config
    sizes = {96: "tiny", 128: "base", 256: "large"}
    size = sizes.get(audio.patch_embeds_hidden_size, str(audio.patch_embeds_hidden_size))
    return re.sub("-$", "", f"htsat-{size}-{'fusion' if audio.enable_fusion else ''}")
