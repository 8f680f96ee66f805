"""BriVL's two towers: an EfficientNet seen through 37 boxes, a BERT, and a small transformer on each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from alignkit.encoders._weights import State, fit_state, import_extra, read_state

Net: TypeAlias = Any  # a torch.nn.Module: torch is imported where it is used
Tensor: TypeAlias = Any

# kept for training only: the slowly moving copies of both towers; and BERT's numbers of places
UNUSED = re.compile(r"(img|text)encoder_mom\.|.*\.position_ids$")


@dataclass(frozen=True, slots=True)
class Size:
    """State the shapes of a BriVL; the defaults are those of the published one."""

    cnn: str = "tf_efficientnet_b5"
    pixels: int = 456
    width: int = 2048  # of the last feature maps, of the image side, and of a row
    words: int = 21_128
    text_width: int = 768
    text_layers: int = 12
    text_heads: int = 12
    heads: int = 4
    layers: int = 4
    feed: int = 2048  # of the small transformers, whatever the width
    boxes: int = 6  # along a side; the whole picture is one more
    grid: int = 4  # points sampled along a side of a box


def brivl_net(size: Size) -> Net:
    """Return the untrained towers, their tensors named as in the published file.

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     net = brivl_net(Size())
    >>> len(net.imgencoder.state_dict())
    908
    """
    nn = import_extra("torch", "BriVL", "hub").nn
    timm = import_extra("timm", "BriVL", "openclip")
    net = nn.Module()
    net.imgencoder = nn.Module()
    net.imgencoder.backbone = timm.create_model(size.cnn, pretrained=False)
    pooled = nn.Sequential(nn.Conv2d(size.width, size.width, 1), nn.Identity())
    net.imgencoder.learnable = nn.ModuleDict(
        {
            "imgFC": _two_layers(size.width, size.width),
            "imgAtt": _attention(size, size.width),
            "max_pool": pooled,
        }
    )
    net.textencoder = nn.Module()
    net.textencoder.backbone = nn.Module()
    net.textencoder.backbone.bert = _bert(size)
    net.textencoder.learnable = nn.ModuleDict(
        {"textFC": _two_layers(size.text_width, size.width), "textAtt": _attention(size, size.text_width)}
    )
    return net


def load_brivl(path: Path | str, size: Size) -> Net:
    """Return the towers with the weights of a file, in evaluation mode; momentum copies are left out.

    Raises
    ------
    DataError
        If the file is damaged, or a tensor is missing, unknown or of another shape: the first is named.
    """
    torch = import_extra("torch", "BriVL", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = brivl_net(size)
    fit_state(net, needed(read_state(path)), str(path))
    return net.eval()


def needed(state: State) -> State:
    """Return the tensors of a checkpoint that make rows, without the prefix of DataParallel."""
    bare = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in bare.items() if not UNUSED.match(name)}


def run_images(net: Net, pictures: Tensor, size: Size) -> Tensor:
    """Return a row of any length for each picture: items, 3, pixels, pixels."""
    torch = import_extra("torch", "BriVL", "hub")
    tower = net.imgencoder
    maps = tower.backbone.forward_features(pictures)
    seen = torch.stack([_seen_through_boxes(one, size) for one in maps])
    # the original convolves every sampled point and averages after: the same, both are linear
    seen = tower.learnable["max_pool"](seen.flatten(0, 1)[..., None, None]).reshape(seen.shape)
    seen = torch.nn.functional.normalize(seen, dim=-1)
    seen = tower.learnable["imgAtt"](seen.transpose(0, 1)).mean(dim=0)
    return _run_two_layers(tower.learnable["imgFC"], seen)


def run_texts(net: Net, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return a row of any length for each text: items, tokens; ``mask`` is 1 where a token is no padding.

    As in the original, BERT itself attends to the padding too: a row hangs on the padded length.
    """
    torch = import_extra("torch", "BriVL", "hub")
    tower = net.textencoder
    read = tower.backbone.bert(tokens, return_dict=True).last_hidden_state
    read = torch.nn.functional.normalize(read, dim=-1).transpose(0, 1)
    read = tower.learnable["textAtt"](read, src_key_padding_mask=mask == 0).transpose(0, 1)
    weights = mask.to(read.dtype)[..., None]
    return _run_two_layers(tower.learnable["textFC"], (read * weights).sum(dim=1) / weights.sum(dim=1))


def box_edges(size: Size) -> list[tuple[float, float, float, float]]:
    """Return left, top, right and bottom of every box in pixels: a grid, column by column, and the whole.

    Examples
    --------
    >>> box_edges(Size(boxes=2, pixels=10))[1:]
    [(0.0, 5.0, 5.0, 10.0), (5.0, 0.0, 10.0, 5.0), (5.0, 5.0, 10.0, 10.0), (0.0, 0.0, 10.0, 10.0)]
    """
    side = size.pixels / size.boxes
    grid = [(x * side, y * side) for x in range(size.boxes) for y in range(size.boxes)]
    whole = (0.0, 0.0, float(size.pixels), float(size.pixels))
    return [*((left, top, left + side, top + side) for left, top in grid), whole]


def _seen_through_boxes(maps: Tensor, size: Size) -> Tensor:
    """Return the mean of a picture's maps at grid points in every box: boxes, channels."""
    torch = import_extra("torch", "BriVL", "hub")
    high, wide = maps.shape[1:]
    scale = torch.tensor([wide, high, wide, high], device=maps.device) / size.pixels
    left, top, right, bottom = (torch.tensor(box_edges(size), device=maps.device) * scale).T
    zero = torch.zeros_like(left)
    # the original's own map into [-1, 1]: it takes edges for centres of points, which stretches a little
    across = torch.stack([(right - left) / (wide - 1), zero, (left + right - wide + 1) / (wide - 1)], 1)
    down = torch.stack([zero, (bottom - top) / (high - 1), (top + bottom - high + 1) / (high - 1)], 1)
    theta = torch.stack([across, down], 1).to(maps.dtype)
    points = torch.nn.functional.affine_grid(
        theta, [len(theta), len(maps), size.grid, size.grid], align_corners=False
    )
    sampled = torch.nn.functional.grid_sample(
        maps.expand(len(theta), *maps.shape), points, align_corners=False
    )
    return sampled.mean(dim=(2, 3))


def _bert(size: Size) -> Net:
    transformers = import_extra("transformers", "BriVL", "hub")
    config = transformers.BertConfig(
        vocab_size=size.words,
        hidden_size=size.text_width,
        num_hidden_layers=size.text_layers,
        num_attention_heads=size.text_heads,
        intermediate_size=4 * size.text_width,
    )
    return transformers.BertModel(config)


def _attention(size: Size, width: int) -> Net:
    nn = import_extra("torch", "BriVL", "hub").nn
    layer = nn.TransformerEncoderLayer(width, size.heads, dim_feedforward=size.feed)
    return nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)


def _two_layers(before: int, width: int) -> Net:
    nn = import_extra("torch", "BriVL", "hub").nn
    return nn.ModuleDict({"fc1": nn.Linear(before, width), "fc2": nn.Linear(width, width)})


def _run_two_layers(layers: Net, rows: Tensor) -> Tensor:
    return layers["fc2"](layers["fc1"](rows).relu())
