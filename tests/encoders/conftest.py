"""Weights drawn from a hash, so that frozen outputs survive whatever torch draws; layouts of weight files."""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

from alignkit.encoders import _laion_file

State = dict[str, torch.Tensor]
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def hashed_normals(name: str, count: int) -> np.ndarray:
    """Return normals that hang on the name alone: splitmix64 from its SHA-256, then Box and Muller."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, 2 * count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in zip((np.uint64(30), np.uint64(27)), MIX, strict=True):
            z = (z ^ (z >> shift)) * factor
    uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2**53
    return np.sqrt(-2 * np.log1p(-uniform[:count])) * np.cos(2 * np.pi * uniform[count:])


def seeded_tensor(name: str, like: torch.Tensor) -> torch.Tensor:
    """Return weights for a tensor: matrices keep lengths, norms near 1, variances above 0, counts as is."""
    if not like.dtype.is_floating_point:
        return like
    values = hashed_normals(name, like.numel())
    if name.endswith("running_var"):
        values = np.exp(0.3 * values)
    elif like.ndim > 1:
        values /= np.sqrt(like[0].numel())
    elif name.endswith("weight"):
        values = 1 + 0.2 * values
    else:
        values *= 0.2
    return torch.from_numpy(values.astype(np.float32)).reshape(like.shape)


def seed_state(layout: Mapping[str, torch.Tensor]) -> State:
    return {name: seeded_tensor(name, tensor) for name, tensor in layout.items()}


def norm(name: str, width: int, *, batch: bool = False) -> State:
    running = {f"{name}.running_mean": torch.zeros(width), f"{name}.running_var": torch.zeros(width)}
    counted = {**running, f"{name}.num_batches_tracked": torch.tensor(9)} if batch else {}
    return {f"{name}.weight": torch.zeros(width), f"{name}.bias": torch.zeros(width), **counted}


def linear(name: str, out: int, *into: int) -> State:
    return {f"{name}.weight": torch.zeros(1).expand(out, *into), f"{name}.bias": torch.zeros(out)}


def transformer_block(name: str, width: int, wide: int) -> State:
    """Return the tensors of a layer of BERT."""
    square = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
    return {
        **{k: v for part in square for k, v in linear(f"{name}.{part}", width, width).items()},
        **norm(f"{name}.attention.output.LayerNorm", width),
        **linear(f"{name}.intermediate.dense", wide, width),
        **linear(f"{name}.output.dense", width, wide),
        **norm(f"{name}.output.LayerNorm", width),
    }


def bert(name: str, *, words: int, places: int, width: int, layers: int, types: int = 1) -> State:
    """Return the tensors of a BERT or RoBERTa with its pooler, as ``transformers`` names them."""
    embedded = {"word_embeddings": words, "position_embeddings": places, "token_type_embeddings": types}
    return {
        f"{name}.embeddings.position_ids": torch.arange(places)[None],
        **{f"{name}.embeddings.{k}.weight": torch.zeros(1).expand(v, width) for k, v in embedded.items()},
        **norm(f"{name}.embeddings.LayerNorm", width),
        **{
            k: v
            for i in range(layers)
            for k, v in transformer_block(f"{name}.encoder.layer.{i}", width, 4 * width).items()
        },
        **linear(f"{name}.pooler.dense", width, width),
    }


@pytest.fixture(scope="session")
def seeded() -> Callable[[Mapping[str, torch.Tensor]], State]:
    """Return the function that fills a layout with numbers drawn from the tensors' names."""
    return seed_state


@pytest.fixture(scope="session")
def bert_layout() -> Callable[..., State]:
    return bert


@pytest.fixture(scope="session")
def laion_layout() -> Callable[..., State]:
    """Return the function that lists a LAION-CLAP's tensors, read off LAION-AI/CLAP's own module."""
    return laion


@pytest.fixture
def mini_laion(monkeypatch: pytest.MonkeyPatch) -> Callable[..., State]:
    """Return a function that makes the weights of a CLAP as small as its real front end allows."""
    monkeypatch.setitem(_laion_file.HTSAT, 8, ([1, 1], [1, 1]))
    monkeypatch.setattr(_laion_file, "ROBERTA_LAYERS", 1)
    size = {"width": 8, "depths": [1, 1], "heads": [1, 1], "joint": 16, "words": 40, "text_width": 24}
    return lambda *, fusion=False: seed_state(laion(**size, layers=1, fusion=fusion))


def swin_block(at: str, width: int, heads: int, windows: int) -> State:  # 0 windows: nothing is shifted
    return {
        **({f"{at}.attn_mask": torch.zeros(1).expand(windows, 64, 64)} if windows else {}),
        **norm(f"{at}.norm1", width),
        f"{at}.attn.relative_position_bias_table": torch.zeros(225, heads),
        f"{at}.attn.relative_position_index": window_index(),
        **linear(f"{at}.attn.qkv", 3 * width, width),
        **linear(f"{at}.attn.proj", width, width),
        **norm(f"{at}.norm2", width),
        **linear(f"{at}.mlp.fc1", 4 * width, width),
        **linear(f"{at}.mlp.fc2", width, 4 * width),
    }


def window_index() -> torch.Tensor:
    """Return, for two places of an 8 x 8 window, the row of the table for their offset."""
    y, x = np.divmod(np.arange(64), 8)
    return torch.from_numpy((y[:, None] - y + 7) * 15 + (x[:, None] - x + 7))


def laion(
    *,
    width: int,
    depths: list[int],
    heads: list[int],
    fusion: bool = False,
    joint: int = 512,
    words: int = 50265,
    text_width: int = 768,
    layers: int = 12,
) -> State:
    audio = "audio_branch"
    state: State = {
        "logit_scale_a": torch.zeros(()),
        "logit_scale_t": torch.zeros(()),
        f"{audio}.spectrogram_extractor.stft.conv_real.weight": torch.zeros(1).expand(513, 1, 1024),
        f"{audio}.spectrogram_extractor.stft.conv_imag.weight": torch.zeros(1).expand(513, 1, 1024),
        f"{audio}.logmel_extractor.melW": torch.zeros(1).expand(513, 64),
        **norm(f"{audio}.bn0", 64, batch=True),
        **linear(f"{audio}.patch_embed.proj", width, 1, 4, 4),
        **norm(f"{audio}.patch_embed.norm", width),
    }
    if fusion:
        state |= fusion_layout(f"{audio}.patch_embed", width)
    for stage, (depth, head) in enumerate(zip(depths, heads, strict=True)):
        at = f"{audio}.layers.{stage}"
        for block in range(depth):  # the last stage is one window: nothing to shift
            windows = 64 // 4**stage if block % 2 == 1 and stage < len(depths) - 1 else 0
            state |= swin_block(f"{at}.blocks.{block}", width * 2**stage, head, windows)
        if stage < len(depths) - 1:
            wide = width * 2 ** (stage + 2)
            state[f"{at}.downsample.reduction.weight"] = torch.zeros(1).expand(wide // 2, wide)
            state |= norm(f"{at}.downsample.norm", wide)
    last = width * 2 ** (len(depths) - 1)
    state |= norm(f"{audio}.norm", last)
    state |= linear(f"{audio}.tscam_conv", 527, last, 2, 3) | linear(f"{audio}.head", 527, 527)
    state |= bert("text_branch", words=words, places=514, width=text_width, layers=layers)
    for side, wide in (("text", text_width), ("audio", last)):
        state |= linear(f"{side}_transform.sequential.0", joint, joint)
        state |= linear(f"{side}_transform.sequential.3", joint, joint)
        state |= linear(f"{side}_projection.0", joint, wide) | linear(f"{side}_projection.2", joint, joint)
    return state


def fusion_layout(at: str, width: int) -> State:
    state = linear(f"{at}.mel_conv2d", width, 1, 4, 12)
    for part, first in (("local_att", 0), ("global_att", 1)):
        inside = f"{at}.fusion_model.{part}"
        state |= linear(f"{inside}.{first}", width // 4, width, 1, 1)
        state |= norm(f"{inside}.{first + 1}", width // 4, batch=True)
        state |= linear(f"{inside}.{first + 3}", width, width // 4, 1, 1)
        state |= norm(f"{inside}.{first + 4}", width, batch=True)
    return state


def wav2clip() -> State:
    """Return the tensors of ``Wav2CLIP.pt``, those of its training included."""

    def conv(name: str, out: int, into: int, size: int) -> State:
        return {f"{name}.weight": torch.zeros(1).expand(out, into, size, size)}

    at = "audio_encoder"
    state: State = {f"{at}.spectrogram.window": torch.hann_window(512)}
    state |= conv(f"{at}.conv1", 64, 1, 7) | norm(f"{at}.bn1", 64, batch=True)
    before = 64
    for layer, width in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            inside = f"{at}.layer{layer}.{block}"
            state |= conv(f"{inside}.conv1", width, before, 3) | norm(f"{inside}.bn1", width, batch=True)
            state |= conv(f"{inside}.conv2", width, width, 3) | norm(f"{inside}.bn2", width, batch=True)
            if before != width:
                state |= conv(f"{inside}.downsample.0", width, before, 1)
                state |= norm(f"{inside}.downsample.1", width, batch=True)
            before = width
    for side in ("audio", "image"):
        for number in (0, 3):
            state |= linear(f"{side}_transform.sequential.{number}", 512, 512)
    return state | {f"loss_fn_{side}.logit_scale": torch.zeros(()) for side in "ia"}


@pytest.fixture(scope="session")
def wav2clip_state() -> State:
    """Return every tensor of ``Wav2CLIP.pt`` with seeded numbers, and the true window."""
    layout = wav2clip()
    window = {name: tensor for name, tensor in layout.items() if name.endswith("window")}
    return seed_state(layout) | window
