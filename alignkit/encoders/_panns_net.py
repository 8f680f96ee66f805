"""Cnn14 of PANNs and its published files: six blocks of convolutions on a log-mel picture."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.encoders._weights import fit_state, import_extra, read_state
from alignkit.errors import DataError
from alignkit.media.mel import decibels, mel_filters, power_spectrogram
from alignkit.shapes import Filters, Samples

DIM, CLASSES, BANDS = 2048, 527, 64
WIDTHS = (1, 64, 128, 256, 512, 1024, 2048)
LEAST = 32  # frames: halved five times, one is left
MEL = "logmel_extractor.melW"
REAL = "spectrogram_extractor.stft.conv_real.weight"
CONSTANTS = ("spectrogram_extractor.", "logmel_extractor.")  # the front end as convolutions: ours is in numpy


@dataclass(frozen=True)
class FrontEnd:
    """Say at which rate, with how many bins, which hop and up to which frequency a Cnn14 listens."""

    rate: int
    bins: int
    hop: int
    highest: float

    @cached_property
    def filters(self) -> Filters:
        """The mel filters: 64 bands from 50 Hz on, Slaney's."""
        return mel_filters(self.rate, self.bins, BANDS, span=(50.0, self.highest))

    def picture(self, samples: Samples) -> np.ndarray:
        """Return the log-mel picture of samples at `rate`, frames by 64 bands, of at least 32 frames."""
        samples = np.pad(samples, (0, max(0, LEAST * self.hop - len(samples))))
        power = power_spectrogram(samples, bins=self.bins, hop=self.hop)
        return decibels(power @ self.filters).astype(np.float32)


FRONT_ENDS = {  # Cnn14, Cnn14_16k, Cnn14_8k
    32_000: FrontEnd(32_000, 1024, 320, 14_000.0),
    16_000: FrontEnd(16_000, 512, 160, 8_000.0),
    8_000: FrontEnd(8_000, 256, 80, 4_000.0),
}


def cnn14() -> Any:  # Any: a torch module
    """Return the untrained network, its tensors named as in the published files.

    Examples
    --------
    >>> len(cnn14().state_dict())
    81
    """
    nn = import_extra("torch", "PANNs", "hub").nn
    net = nn.Module()
    net.bn0 = nn.BatchNorm2d(BANDS)
    for number, (before, width) in enumerate(pairwise(WIDTHS), 1):
        block = nn.Module()
        block.conv1 = nn.Conv2d(before, width, 3, padding=1, bias=False)
        block.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        block.bn1, block.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        net.add_module(f"conv_block{number}", block)
    net.fc1 = nn.Linear(DIM, DIM)
    net.fc_audioset = nn.Linear(DIM, CLASSES)
    return net


def load_cnn14(path: Path | str, front: FrontEnd) -> Any:  # Any: a torch module
    """Return the network with the weights of a file, in evaluation mode.

    Raises
    ------
    DataError
        If the file is damaged, a tensor is missing, unknown or of another shape (the first is named), or it
        was trained on another front end.
    """
    state = read_state(path)
    check_front_end(state, front, str(path))
    wanted = {name: tensor for name, tensor in state.items() if not name.startswith(CONSTANTS)}
    torch = import_extra("torch", "PANNs", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = cnn14()
    fit_state(net, wanted, str(path))
    return net.eval()


def check_front_end(state: dict[str, Any], front: FrontEnd, what: str) -> None:
    """Raise DataError unless the constants that a file holds of its front end are those of ``front``."""
    for name in (REAL, MEL):
        if name not in state:
            raise DataError(f"{what} has no {name}, which every Cnn14 has: it is of another model.")
    bins = state[REAL].shape[-1]
    if bins != front.bins:
        rates = {each.bins: rate for rate, each in FRONT_ENDS.items()}
        hint = f"set rate to {rates[bins]}" if bins in rates else "it is of another model"
        raise DataError(
            f"{what} listens with {bins} bins, Cnn14 at {front.rate} Hz with {front.bins}: {hint}."
        )
    mel = state[MEL].double().numpy()
    if mel.shape != front.filters.shape or np.abs(mel - front.filters).max() > 1e-4 * front.filters.max():
        raise DataError(f"{what} has a {MEL} of other mel filters than Cnn14's: it is of another model.")


def run_cnn14(net: Any, pictures: Any) -> Any:  # Any: a torch module and tensors
    """Return 2048 numbers for each of equally long pictures (pictures, frames, 64)."""
    functional = import_extra("torch", "PANNs", "hub").nn.functional
    maps = net.bn0(pictures[:, None].transpose(1, 3)).transpose(1, 3)
    for number in range(1, len(WIDTHS)):
        block = getattr(net, f"conv_block{number}")
        maps = functional.relu(block.bn1(block.conv1(maps)))
        maps = functional.relu(block.bn2(block.conv2(maps)))
        if number < len(WIDTHS) - 1:
            maps = functional.avg_pool2d(maps, 2)
    maps = maps.mean(dim=3)
    return functional.relu(net.fc1(maps.amax(dim=2) + maps.mean(dim=2)))
