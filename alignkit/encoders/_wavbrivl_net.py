"""WavBriVL's network: WavLM, a learned weight for each of its layers, a small transformer, and an MLP."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError, ParameterError

Net: TypeAlias = Any  # a torch.nn.Module: torch is imported where it is used
Tensor: TypeAlias = Any
Frozen: TypeAlias = Literal["trunk", "front"]

TITLE = "WavBriVL"
RATE = 16_000  # Hz, of every WavLM
# the convolutions of every WavLM: one frame sees 400 samples, and the next one starts 320 later
KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
LEAST, HOP = 400, 320
MOST = 1 << 16  # of any size: a file that says more is damaged
_KINDS: dict[str, tuple[type, ...]] = {"large_norms": (bool,), "seconds": (int, float)}
_LEAST = {"large_norms": 0, "seconds": LEAST / RATE, "buckets": 4}  # of a fourth of the buckets, a logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """State the shapes of a WavBriVL; the trunk's defaults are those of WavLM Base and Base+.

    No code of WavBriVL is public, so what it puts on WavLM is of sizes unknown: the defaults of ``mixer_*``
    are those of BriVL's own heads, which read a sequence of the same width.

    Parameters
    ----------
    width, layers, heads, feed
        Of WavLM's transformer.
    channels
        Of its seven convolutions.
    large_norms
        Whether norms stand where WavLM Large has them, and sounds are standardised as it wants.
    taps, tap_groups
        Of the convolution that tells places apart.
    buckets, reach
        Kinds of distances between frames, and the largest that is told apart.
    mixer_layers, mixer_heads, mixer_feed
        Of the transformer on the weighted layers.
    dim
        Of the MLP's two layers, and of a row: 2048 for the space of BriVL.
    seconds
        How much the network is given at once.

    Raises
    ------
    ParameterError
        If a size is not positive, above 65,536, or does not divide where it must.
    """

    width: int = 768
    layers: int = 12
    heads: int = 12
    feed: int = 3072
    channels: int = 512
    large_norms: bool = False
    taps: int = 128
    tap_groups: int = 16
    buckets: int = 320
    reach: int = 800
    mixer_layers: int = 4
    mixer_heads: int = 4
    mixer_feed: int = 2048
    dim: int = 2048
    seconds: float = 10.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kinds = getattr(self, field.name), _KINDS.get(field.name, (int,))
            least = _LEAST.get(field.name, 1)
            if type(value) not in kinds or not least <= value <= MOST:
                raise ParameterError(
                    f"{field.name} is {value!r}: it is {kinds[-1].__name__}, {least} to {MOST}."
                )
        for divisor in ("heads", "mixer_heads", "tap_groups"):
            if self.width % getattr(self, divisor):
                raise ParameterError(
                    f"width is {self.width} and {divisor} {getattr(self, divisor)}: it must divide the width."
                )

    @property
    def window(self) -> int:
        """Samples that the network is given at once."""
        return round(self.seconds * RATE)

    def to_json(self) -> dict[str, Any]:
        """Return the sizes by name."""
        return asdict(self)


def wavbrivl_net(size: Size) -> Net:
    """Return the untrained network; every layer weighs the same.

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     net = wavbrivl_net(Size())
    >>> net.layer_weights.shape, round(sum(p.numel() for p in net.parameters()) / 1e6)
    (torch.Size([13]), 122)
    """
    torch = import_extra("torch", TITLE, "hub")
    nn, net = torch.nn, torch.nn.Module()
    net.size = size
    net.trunk = _trunk(size)
    net.layer_weights = nn.Parameter(torch.zeros(size.layers + 1))  # through a softmax: all equal
    layer = nn.TransformerEncoderLayer(size.width, size.mixer_heads, size.mixer_feed, batch_first=True)
    net.mixer = nn.TransformerEncoder(layer, size.mixer_layers, enable_nested_tensor=False)
    net.mlp = nn.Sequential(nn.Linear(size.width, size.dim), nn.ReLU(), nn.Linear(size.dim, size.dim))
    return net


def run_sounds(net: Net, sounds: Tensor, lengths: Sequence[int]) -> Tensor:
    """Return a row of any length for each sound: items, samples at 16 kHz, of which ``lengths`` are its own.

    What lies behind a sound's length is never seen: a row does not hang on how far its batch was padded.
    WavLM is run once for every length, because the group norm in its first convolution would see padding
    whatever the mask says; the transformer and the mean over frames have a mask.

    Raises
    ------
    DataError
        If a sound has fewer than 400 samples, or more than the batch.
    """
    torch = import_extra("torch", TITLE, "hub")
    wrong = next((each for each in lengths if not LEAST <= each <= sounds.shape[1]), None)
    if wrong is not None:
        raise DataError(f"a sound has {wrong} samples of {sounds.shape[1]}: WavLM needs {LEAST} at 16 kHz.")
    counts = [frames_of(length) for length in lengths]
    mixed = sounds.new_zeros(len(lengths), max(counts), net.size.width)
    for length in sorted(set(lengths)):
        places = [place for place, each in enumerate(lengths) if each == length]
        mixed[places, : frames_of(length)] = _weighted_layers(net, sounds[places, :length])
    real = (
        torch.arange(max(counts), device=sounds.device) < torch.tensor(counts, device=sounds.device)[:, None]
    )
    read = net.mixer(mixed, src_key_padding_mask=~real)
    weights = real.to(read.dtype)[..., None]
    return net.mlp((read * weights).sum(dim=1) / weights.sum(dim=1))


def set_learning(net: Net, *, frozen: Frozen = "trunk") -> list[Tensor]:
    """Make the network ready to train and return the parameters that do.

    ``"trunk"`` freezes all of WavLM: the weights of its layers, the transformer and the MLP learn, as
    downstream models of WavLM do. ``"front"`` freezes its convolutions alone. What is frozen neither learns
    nor drops out. ``net.eval()`` ends it.

    Raises
    ------
    ParameterError
        If ``frozen`` is neither.
    """
    if frozen not in ("trunk", "front"):
        raise ParameterError(f"frozen is {frozen!r}; choose trunk or front.")
    net.train().requires_grad_(True)
    net.trunk.freeze_feature_encoder()
    kept = net.trunk if frozen == "trunk" else net.trunk.feature_extractor
    kept.eval().requires_grad_(False)
    return [parameter for parameter in net.parameters() if parameter.requires_grad]


def frames_of(samples: int) -> int:
    """Return how many frames WavLM makes of so many samples.

    Examples
    --------
    >>> frames_of(400), frames_of(16_000)
    (1, 49)
    """
    for kernel, stride in zip(KERNELS, STRIDES, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def _weighted_layers(net: Net, sounds: Tensor) -> Tensor:
    """Return the weighted sum of what enters each layer of WavLM and of what leaves the last one."""
    torch = import_extra("torch", TITLE, "hub")
    if net.size.large_norms:  # as WavLM Large was trained; the others hear sounds as they are
        sounds = (sounds - sounds.mean(dim=1, keepdim=True)) / (
            sounds.var(dim=1, correction=0, keepdim=True) + 1e-7
        ).sqrt()
    heard = net.trunk(sounds, output_hidden_states=True)
    states = [*heard.hidden_states[:-1], heard.last_hidden_state]
    shares = torch.softmax(net.layer_weights, dim=0)
    return sum(share * state for share, state in zip(shares, states, strict=True))


def _trunk(size: Size) -> Net:
    transformers = import_extra("transformers", TITLE, "hub")
    config = transformers.WavLMConfig(
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.feed,
        conv_dim=(size.channels,) * len(KERNELS),
        conv_kernel=KERNELS,
        conv_stride=STRIDES,
        feat_extract_norm="layer" if size.large_norms else "group",
        do_stable_layer_norm=size.large_norms,
        num_conv_pos_embeddings=size.taps,
        num_conv_pos_embedding_groups=size.tap_groups,
        num_buckets=size.buckets,
        max_bucket_distance=size.reach,
        layerdrop=0.0,  # a layer that is left out has no state to weigh
        apply_spec_augment=False,  # it draws from numpy's global generator
        mask_time_prob=0.0,
    )
    return transformers.WavLMModel(config)
