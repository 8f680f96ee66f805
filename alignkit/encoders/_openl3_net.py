"""OpenL3's audio network, its pictures of a second of sound, and its weights in torchopenl3's files."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.encoders._weights import fit_state, import_extra, read_state
from alignkit.errors import DataError
from alignkit.media.mel import decibels, power_spectrogram, to_hertz, to_mel, triangles
from alignkit.shapes import Filters, Samples

Listening: TypeAlias = Literal["trained", "v0.4"]

RATE, HOP = 48_000, 242  # a window is one second
WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)  # channels of a layer; the picture is halved after a pair
PARTS = {6144: (4, 3), 512: (1, 1)}  # into how many maxima of frequency and time the last maps are pooled
RANGE = 80.0  # decibels below the loudest point of a window
EPSILON = 1e-3  # Keras' in a batch norm
CONSTANTS = "speclayer."  # the front end as convolutions: ours is in numpy
REAL, MEL = "speclayer.dft_real_kernels", "speclayer.mel_basis"


@dataclass(frozen=True)
class FrontEnd:
    """Say with how many bins and mel bands (None: all frequencies) OpenL3 looks at a second of sound.

    ``listening`` chooses between two mel spectrograms that were both released: ``"trained"`` is kapre 0.1's,
    of training, of openl3 up to 0.3 and of torchopenl3 (HTK's scale, power, zeros at both ends); ``"v0.4"``
    is openl3's from 0.4 on (Slaney's scale, magnitudes, zeros at the end). Without mel bands they agree.
    """

    bins: int
    bands: int | None
    listening: Listening = "trained"

    @cached_property
    def filters(self) -> Filters:
        """The mel filters from 0 to 24 kHz, of equal area; bands narrower than a bin may be empty."""
        scale = "htk" if self.listening == "trained" else "slaney"
        edges = np.linspace(0.0, to_mel(np.array(RATE / 2), scale), (self.bands or 0) + 2)
        corners = to_hertz(edges, scale)
        shapes = triangles(np.linspace(0.0, RATE / 2, self.bins // 2 + 1), corners)
        return shapes * (2.0 / (corners[2:] - corners[:-2]))

    def picture(self, window: Samples) -> np.ndarray:
        """Return the picture of one second: frequencies by frames, in decibels from -80 to 0.

        0 is the loudest point of the window, so a picture does not tell how loud the sound is.
        """
        if self.bands is None:
            heard = np.sqrt(power_spectrogram(window, bins=self.bins, hop=HOP, center=False))
        elif self.listening == "trained":
            heard = np.sqrt(self._power(window, even=True) @ self.filters)
        else:
            heard = np.sqrt(self._power(window, even=False)) @ self.filters
        levels = decibels(heard)  # of magnitudes, as kapre does: half of what is usual
        return np.maximum(levels - levels.max(), -RANGE).T.astype(np.float32)

    def _power(self, window: Samples, *, even: bool) -> np.ndarray:
        """Return a power spectrogram with a frame every 242 samples, zeros filling both ends or the last."""
        count = -(-len(window) // HOP)
        lacking = max(0, (count - 1) * HOP + self.bins - len(window))
        before = lacking // 2 if even else 0
        padded = np.pad(window, (before, lacking - before))
        return power_spectrogram(padded, bins=self.bins, hop=HOP, center=False)


FRONT_ENDS = {"linear": (512, None), "mel128": (2048, 128), "mel256": (2048, 256)}  # bins, mel bands


def windows(samples: Samples, hop: int) -> np.ndarray:
    """Return seconds of samples at `RATE`, ``hop`` samples apart: the first is centred on the first sample.

    Half a second of zeros goes before them, and zeros after them fill the last window.

    Examples
    --------
    >>> windows(np.ones(10), 4800).shape, windows(np.ones(48000), 4800).shape
    ((1, 48000), (6, 48000))
    """
    lacking = RATE - (len(samples) + RATE // 2)
    after = lacking if lacking > 0 else lacking % hop
    padded = np.pad(samples, (RATE // 2, after))
    return np.lib.stride_tricks.sliding_window_view(padded, RATE)[::hop]


def dim_of(size: int) -> int:
    """Return how many numbers a row of a published size has."""
    return WIDTHS[-1] * PARTS[size][0] * PARTS[size][1]


def openl3_net() -> Any:  # Any: a torch module
    """Return the untrained network, its tensors named as in torchopenl3's files.

    Examples
    --------
    >>> len(openl3_net().state_dict())
    56
    """
    nn = import_extra("torch", "OpenL3", "hub").nn
    net = nn.Module()
    for number, (before, width) in enumerate(pairwise((1, *WIDTHS)), 1):
        net.add_module(f"batch_normalization_{number}", nn.BatchNorm2d(before, eps=EPSILON))
        name = "audio_embedding_layer" if number == len(WIDTHS) else f"conv2d_{number}"
        net.add_module(name, nn.Conv2d(before, width, 3, padding=1))
    return net


def load_openl3(path: Path | str, front: FrontEnd) -> Any:  # Any: a torch module
    """Return the network with the weights of a file, in evaluation mode.

    Raises
    ------
    DataError
        If the file is damaged, a tensor is missing, unknown or of another shape (the first is named), or it
        was trained on other pictures.
    """
    state = read_state(path)
    check_front_end(state, front, str(path))
    torch = import_extra("torch", "OpenL3", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = openl3_net()
    fit_state(net, {k: v for k, v in state.items() if not k.startswith(CONSTANTS)}, str(path))
    return net.eval()


def check_front_end(state: dict[str, Any], front: FrontEnd, what: str) -> None:
    """Raise DataError where a file holds constants of its front end and they are not those of ``front``.

    Weights that were converted from Keras hold none, and are believed.
    """
    bins = state[REAL].shape[-1] if REAL in state else front.bins
    bands = state[MEL].shape[0] if MEL in state else None
    if bins != front.bins or (REAL in state and bands != front.bands):
        names = {facts: name for name, facts in FRONT_ENDS.items()}
        hint = (
            f"set input_repr to {names[bins, bands]}" if (bins, bands) in names else "it is of another model"
        )
        raise DataError(f"{what} holds other pictures than {names[front.bins, front.bands]}: {hint}.")
    if MEL in state:
        trained = FrontEnd(front.bins, front.bands).filters.T
        held = state[MEL].double().numpy()
        if held.shape != trained.shape or np.abs(held - trained).max() > 1e-4 * trained.max():
            raise DataError(f"{what} has a {MEL} of other mel filters than OpenL3's: it is of another model.")


def run_openl3(net: Any, pictures: Any, size: int) -> Any:  # Any: a torch module and tensors
    """Return a row for each picture (pictures, frequencies, frames): maxima of the last maps, by place."""
    functional = import_extra("torch", "OpenL3", "hub").nn.functional
    maps = net.batch_normalization_1(pictures[:, None])
    for number in range(1, len(WIDTHS)):
        maps = getattr(net, f"conv2d_{number}")(maps)
        maps = functional.relu(getattr(net, f"batch_normalization_{number + 1}")(maps))
        if number % 2 == 0:
            maps = functional.max_pool2d(maps, 2)
    maps = net.audio_embedding_layer(maps)
    high, long = PARTS[size]
    maps = functional.max_pool2d(maps, (maps.shape[2] // high, maps.shape[3] // long))
    return maps.permute(0, 2, 3, 1).flatten(1)  # channels last, as Keras flattens
