"""YAMNet's network, a MobileNet on log-mel patches, out of a table of its layers' numbers."""

import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.encoders._weights import import_extra
from alignkit.errors import DataError
from alignkit.media.mel import mel_filters, power_spectrogram
from alignkit.shapes import Filters, Samples

RATE, WINDOW, HOP, BINS, BANDS = 16_000, 400, 160, 512, 64
PATCH, STEP = 96, 48  # frames of a patch (0.96 s), and from one patch to the next
LEAST = WINDOW + (PATCH - 1) * HOP  # 0.975 s: what a shorter sound is padded to
DIM, CLASSES = 1024, 521
STEM, FIRST, LAST = 32, 3, 31  # channels of the first layer; numbers of the first and the last table
# a block is a 3 x 3 layer of each channel by itself, then a 1 x 1 layer: channels after it, and its stride
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def patches(samples: Samples, *, step: int = STEP, offset: float = 0.001) -> np.ndarray:
    """Return the log-mel patches of samples at `RATE`: patches, 96 frames, 64 bands; a rest is dropped.

    A sound shorter than 0.975 s is padded with zeros at its end. ``offset`` is added to magnitudes, so that
    silence has a logarithm; VGGish takes 0.01, and patches side by side (``step`` 96).

    Examples
    --------
    >>> patches(np.zeros(16000)).shape, patches(np.zeros(80000)).shape
    ((1, 96, 64), (9, 96, 64))
    """
    samples = np.pad(samples, (0, max(0, LEAST - len(samples))))
    power = power_spectrogram(samples, bins=BINS, hop=HOP, window=WINDOW, center=False)
    mel = np.log(np.sqrt(power) @ _filters() + offset).astype(np.float32)
    return np.stack([mel[at : at + PATCH] for at in range(0, len(mel) - PATCH + 1, step)])


def read_yamnet(path: Path | str) -> dict[str, np.ndarray]:
    """Return the tables of an ``.npz``: ``w3``, ``b3`` (first layer) to ``w31``, ``b31`` (classes).

    Weights are as TensorFlow Lite keeps them: out, height, width, in; 1, height, width, channels where each
    channel goes by itself; batch norms are folded in.

    Raises
    ------
    DataError
        If the file is damaged, or a table is missing or of another shape: the first is named.
    """
    path = Path(path)
    if not path.is_file():
        state = "are a folder" if path.is_dir() else "do not exist"
        raise DataError(f"the weights {path} {state}: give the .npz of YAMNet's tables.")
    if not zipfile.is_zipfile(path):
        raise DataError(f"the weights {path} are cut off or no .npz: give the .npz of YAMNet's tables.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files if name[:1] in "wb"}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"the weights {path} are a damaged .npz: copy the file again whole.") from error
    for name, shape in layout():
        if name not in found:
            raise DataError(f"{path} has no {name}: it is cut short, or of another model.")
        if found[name].shape != shape:
            raise DataError(f"{path} has {name} of shape {found[name].shape}, YAMNet {shape}: another model.")
    stranger = next((name for name in found if name not in dict(layout())), None)
    if stranger is not None:
        raise DataError(f"{path} has {stranger}, which YAMNet does not know: it is of another model.")
    return found


def layout() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and shape of every table.

    Examples
    --------
    >>> dict(layout())["w31"]
    (521, 1024)
    """
    shapes = [(STEM, 3, 3, 1)]
    for before, after in pairwise((STEM, *(channels for channels, _ in BLOCKS))):
        shapes += [(1, 3, 3, before), (after, 1, 1, before)]
    for number, shape in enumerate(shapes, FIRST):
        yield f"w{number}", shape
        yield f"b{number}", (shape[3] if shape[0] == 1 else shape[0],)
    yield f"w{LAST}", (CLASSES, DIM)
    yield f"b{LAST}", (CLASSES,)


def run_yamnet(tables: dict[str, Any], maps: Any) -> Any:  # Any: torch tensors
    """Return 1024 numbers for each patch (patches, 96, 64): the last maps, averaged over their places."""
    torch = import_extra("torch", "YAMNet", "hub")
    pad, convolve = torch.nn.functional.pad, torch.nn.functional.conv2d
    maps, number = maps[:, None], FIRST
    strides = (2, *(stride for _, each in BLOCKS for stride in (each, 1)))
    for number, stride in enumerate(strides, FIRST):
        weight, bias = tables[f"w{number}"], tables[f"b{number}"]
        alone = weight.shape[0] == 1
        kernel = weight.permute(3, 0, 1, 2) if alone else weight.permute(0, 3, 1, 2)
        if kernel.shape[-1] > 1:  # TensorFlow's "same": an odd point of padding goes to the end
            maps = pad(maps, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
        maps = convolve(maps, kernel, bias, stride, groups=len(kernel) if alone else 1).clamp(0, 6)
    return maps.mean(dim=(2, 3))


@cache
def _filters() -> Filters:
    span = (125.0, 7_500.0)
    return mel_filters(RATE, BINS, BANDS, span=span, scale="htk", equal_area=False, straight_in="mel")
