"""PaSST's transformer on patches of a mel spectrogram, and its published files."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.encoders._weights import State, fit_state, import_extra, read_state
from alignkit.errors import DataError
from alignkit.media.mel import mel_filters, power_spectrogram
from alignkit.shapes import Filters, Samples

RATE, WINDOW, BINS, BANDS, HIGHEST = 32_000, 800, 1024, 128, 15_000.0
STRESS = 0.97  # of the sample before that is taken off: high frequencies stand out
DIM, PATCH, HEAD = 768, 16, 64  # features; points of a patch each way; numbers of an attention head
HOPS = (320, 160, 100)  # samples from frame to frame
STRIDES = (10, 12, 14, 16)  # points from patch to patch, of the published files
DEPTHS = (7, 12)  # blocks: PaSST-L (light) and PaSST-S
STEPS = {10: 2.5, 20: 5.0, 30: 10.0}  # seconds from window to window of a long sound, by a window's length
PROJECTION, HEIGHTS, TIMES = "patch_embed.proj.weight", "freq_new_pos_embed", "time_new_pos_embed"
CLASSES = "head.1.weight"


@dataclass(frozen=True)
class Shape:
    """Say how large a PaSST is: features, blocks, classes, and its grid of patches (frequencies, times)."""

    width: int
    depth: int
    classes: int
    grid: tuple[int, int]

    @property
    def stride(self) -> int:
        """Points from one patch to the next, both ways: as many rows of patches fit into 128 bands."""
        return next((each for each in STRIDES if BANDS // each == self.grid[0]), 0)

    def seconds(self, hop: int) -> int:
        """Return how many whole seconds its times last, with ``hop`` samples from frame to frame."""
        return (self.grid[1] * self.stride + PATCH - 1) * hop // RATE


def picture(samples: Samples, hop: int) -> np.ndarray:
    """Return the log-mel picture of samples at `RATE`, 128 bands by frames, scaled as in training.

    Frames of 25 ms under a symmetric Hann window, mel bands from 0 to 15 kHz that are triangles in mel, as
    Kaldi's are.
    """
    samples = np.asarray(samples, np.float64)
    stressed = samples[1:] - STRESS * samples[:-1]
    power = power_spectrogram(stressed, bins=BINS, hop=hop, window=WINDOW, periodic=False)
    return ((np.log(power @ _filters() + 1e-5) + 4.5) / 5).T.astype(np.float32)


def windows(samples: Samples, seconds: int, hop: int) -> np.ndarray:
    """Return samples at `RATE` as the network takes them, one window a row.

    A sound that fits into ``seconds`` is one window, as long as it is; shorter than one patch (16 frames) it
    is padded with zeros. A longer one is reflected for half a window at both ends and cut into windows of
    ``seconds`` that overlap, the middle of the first on the first sample; a rest is dropped.

    Examples
    --------
    >>> windows(np.ones(100), 10, 320).shape, windows(np.ones(32000 * 12), 10, 320).shape
    ((1, 4801), (5, 320000))
    """
    whole, least = seconds * RATE, (PATCH - 1) * hop + 1
    if len(samples) <= whole:
        return np.pad(samples, (0, max(0, least - len(samples))))[None]
    padded = np.pad(samples, whole // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, whole)[:: int(STEPS[seconds] * RATE)]


def passt_net(shape: Shape) -> Any:  # Any: a torch module
    """Return the untrained network, its tensors named as in the published files.

    Examples
    --------
    >>> len(passt_net(Shape(64, 7, 20, (12, 99))).state_dict())
    99
    """
    torch = import_extra("torch", "PaSST", "hub")
    nn, width = torch.nn, shape.width
    net = nn.Module()
    net.patch_embed = nn.Module()
    net.patch_embed.proj = nn.Conv2d(1, width, PATCH, shape.stride)
    for name, size in (
        ("cls_token", (1, 1, width)),
        ("dist_token", (1, 1, width)),
        ("new_pos_embed", (1, 2, width)),
        (HEIGHTS, (1, width, shape.grid[0], 1)),
        (TIMES, (1, width, 1, shape.grid[1])),
    ):
        net.register_parameter(name, nn.Parameter(torch.zeros(size)))
    net.blocks = nn.Sequential(*(_block(nn, width) for _ in range(shape.depth)))
    net.norm = nn.LayerNorm(width, eps=1e-6)
    net.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, shape.classes))
    net.head_dist = nn.Linear(width, shape.classes)  # of training: no row hangs on it
    return net


def load_passt(path: Path | str, seconds: int, hop: int) -> Any:  # Any: a torch module
    """Return the network with the weights of a file, in evaluation mode; their shapes say how large it is.

    Raises
    ------
    DataError
        If the file is damaged, a tensor is missing, unknown or of another shape (the first is named), or its
        times do not last ``seconds``.
    """
    state = read_state(path)
    shape = shape_of(state, str(path))
    torch = import_extra("torch", "PaSST", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = passt_net(shape)
    fit_state(net, state, str(path))
    if shape.seconds(hop) != seconds:
        raise DataError(
            f"{path} has {TIMES} for {shape.seconds(hop)} s with a hop of {hop}, not for {seconds} s: set "
            "seconds, or hop where its name says stfthop160 or stfthop100."
        )
    return net.eval()


def shape_of(state: State, what: str) -> Shape:
    """Return how large the PaSST is whose tensors these are.

    Raises
    ------
    DataError
        If a tensor that says so is missing, or none of the published sizes is meant.
    """
    for name, axes in ((PROJECTION, 4), (HEIGHTS, 4), (TIMES, 4), (CLASSES, 2)):
        if name not in state or state[name].ndim != axes:
            raise DataError(
                f"{what} has no {name} of {axes} axes, which every PaSST has: it is of another model."
            )
    blocks = {int(name.split(".")[1]) for name in state if name.startswith("blocks.")}
    depth = next((each for each in DEPTHS if each > max(blocks, default=-1)), DEPTHS[-1])
    grid = state[HEIGHTS].shape[2], state[TIMES].shape[3]
    shape = Shape(state[PROJECTION].shape[0], depth, state[CLASSES].shape[0], grid)
    if not shape.stride or shape.width != DIM:
        raise DataError(
            f"{what} has {HEIGHTS} of shape {tuple(state[HEIGHTS].shape)}: PaSST has {DIM} features and "
            f"patches {', '.join(map(str, STRIDES))} points apart."
        )
    return shape


def run_passt(net: Any, pictures: Any) -> tuple[Any, Any]:  # Any: a torch module and tensors
    """Return classes (before any sigmoid) and features for each picture (pictures, 128, frames)."""
    torch = import_extra("torch", "PaSST", "hub")
    maps = net.patch_embed.proj(pictures[:, None])
    maps = maps + net.time_new_pos_embed[..., : maps.shape[-1]] + net.freq_new_pos_embed
    heads = torch.cat([net.cls_token, net.dist_token], dim=1) + net.new_pos_embed
    tokens = torch.cat([heads.expand(len(maps), -1, -1), maps.flatten(2).transpose(1, 2)], dim=1)
    for block in net.blocks:
        tokens = tokens + _attended(torch, block.attn, block.norm1(tokens))
        wide = torch.nn.functional.gelu(block.mlp.fc1(block.norm2(tokens)))
        tokens = tokens + block.mlp.fc2(wide)
    features = net.norm(tokens[:, :2]).mean(dim=1)
    return net.head(features), features


def _attended(torch: Any, attention: Any, tokens: Any) -> Any:
    places = tokens.shape[:2]
    parts = attention.qkv(tokens).reshape(*places, 3, -1, HEAD).permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(*parts)
    return attention.proj(mixed.transpose(1, 2).reshape(*places, -1))


def _block(nn: Any, width: int) -> Any:
    block = nn.Module()
    block.norm1, block.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
    block.attn, block.mlp = nn.Module(), nn.Module()
    block.attn.qkv, block.attn.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
    block.mlp.fc1, block.mlp.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
    return block


@cache
def _filters() -> Filters:
    span = (0.0, HIGHEST)
    return mel_filters(RATE, BINS, BANDS, span=span, scale="htk", equal_area=False, straight_in="mel")
