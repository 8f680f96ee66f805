"""WavBriVL's own safetensors file: tensors, and in the metadata the sizes that they have; and its start."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from alignkit.atomic import replacing
from alignkit.encoders._published import load_published
from alignkit.encoders._wavbrivl_net import KERNELS, STRIDES, TITLE, Net, Size, wavbrivl_net
from alignkit.encoders._weights import fit_state, import_extra, read_state
from alignkit.errors import DataError, ParameterError

KEY, FORMAT = "wavbrivl", 1
BASE = Size()
MASKED = "masked_spec_embed"  # what WavLM's own training puts in place of a frame
OF_TRUNK = {
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "feed": "intermediate_size",
    "taps": "num_conv_pos_embeddings",
    "tap_groups": "num_conv_pos_embedding_groups",
    "buckets": "num_buckets",
    "reach": "max_bucket_distance",
}


def start_wavbrivl(size: Size = BASE, *, seed: int = 0, trunk: Path | str | None = None) -> Net:
    """Return a network to be trained, in evaluation mode; no global generator is touched.

    Without ``trunk`` all of it is drawn from ``seed``. With the folder or the hub name of a published WavLM
    (``"microsoft/wavlm-base-plus"``) that is the trunk, and its sizes replace those in ``size``.

    Raises
    ------
    DataError
        If there is no such WavLM, it lacks a tensor, or it is built otherwise than the published ones.
    """
    torch = import_extra("torch", TITLE, "hub")
    published = None
    if trunk is not None:
        published = load_published(str(trunk), "wavlm", "WavLMModel", local="a folder of a WavLM")
        size = _size_of(published.config, size, str(trunk))
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        net = wavbrivl_net(size)
    if published is not None:
        state = {name: tensor for name, tensor in published.state_dict().items() if name != MASKED}
        fit_state(net.trunk, state, str(trunk))
    return net.eval()


def save_wavbrivl(net: Net, path: Path | str, *, force: bool = False) -> None:
    """Write the network as a .safetensors file, whole or not at all, from which alone it can be loaded.

    Raises
    ------
    ParameterError
        If the name does not end in ``.safetensors``.
    OutputError
        If the file is there already and ``force`` is off, or cannot be written.
    """
    if Path(path).suffix != ".safetensors":
        raise ParameterError(f"{path} is to hold a WavBriVL: call it .safetensors.")
    save = import_extra("safetensors.torch", TITLE, "hub").save
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    said = json.dumps({"format": FORMAT, "size": net.size.to_json()})
    with replacing(path, force=force) as temporary:
        temporary.write_bytes(save(state, metadata={KEY: said}))


def load_wavbrivl(path: Path | str) -> Net:
    """Return the network in a file that `save_wavbrivl` wrote, in evaluation mode.

    Raises
    ------
    DataError
        If the file is damaged, does not say its sizes, or a tensor is missing, unknown or of another shape:
        the first is named.
    """
    torch = import_extra("torch", TITLE, "hub")
    size = read_size(path)
    state = read_state(path)
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = wavbrivl_net(size)
    fit_state(net, state, str(path))
    return net.eval()


def read_size(path: Path | str) -> Size:
    """Return the sizes that a file states; its tensors are not read.

    Raises
    ------
    DataError
        If it is no safetensors file, states none, or states what makes no sense.
    """
    path = Path(path)
    if path.suffix != ".safetensors" or not path.is_file():
        raise DataError(f"the weights {path} are no .safetensors file: give one that save_wavbrivl wrote.")
    metadata, first = _header(path)
    if KEY not in metadata:
        raise DataError(
            f"{path} has {first} and does not say how large a WavBriVL it holds: it is of another model; "
            "give a file that save_wavbrivl wrote."
        )
    try:
        said = json.loads(metadata[KEY])
        number, sizes = said["format"], dict(said["size"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} has damaged metadata ({KEY}): save it again.") from error
    if number != FORMAT:
        raise DataError(
            f"{path} has format {number!r} of WavBriVL, this alignkit reads {FORMAT}: upgrade it."
        )
    known = {field.name for field in fields(Size)}
    odd = sorted(known ^ sizes.keys())
    if odd:
        state = "does not state" if odd[0] in known else "states"
        raise DataError(f"{path} {state} the size {odd[0]!r}: it is of another alignkit; save it again.")
    try:
        return Size(**sizes)
    except ParameterError as error:
        raise DataError(f"{path} states sizes that make no sense: {error}") from error


def _header(path: Path) -> tuple[dict[str, str], str]:
    """Return the metadata of a file, and the name of its first tensor."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return file.metadata() or {}, next(iter(sorted(file.keys())), "no tensor")
    except (SafetensorError, OSError) as error:
        raise DataError(f"the weights {path} are damaged or no safetensors: {error}.") from error


def _size_of(config: Any, size: Size, source: str) -> Size:  # Any: a transformers configuration
    """Return ``size`` with the trunk that a published configuration describes."""
    large = config.feat_extract_norm == "layer"
    fixed = {
        "conv_kernel": list(KERNELS),
        "conv_stride": list(STRIDES),
        "conv_dim": [config.conv_dim[0]] * len(KERNELS),
        "do_stable_layer_norm": large,
        "conv_bias": False,
        "add_adapter": False,
        "hidden_act": "gelu",
        "feat_extract_activation": "gelu",
    }
    for name, wanted in fixed.items():
        found = getattr(config, name)
        if (list(found) if isinstance(wanted, list) else found) != wanted:
            raise DataError(
                f"{source} has {name} {found!r}, the published WavLMs have {wanted!r}: take one of those."
            )
    own = {name: getattr(config, theirs) for name, theirs in OF_TRUNK.items()}
    return replace(size, **own, channels=config.conv_dim[0], large_norms=large)
