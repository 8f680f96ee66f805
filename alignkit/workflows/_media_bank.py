"""Real items behind the rows of a bank: read as what a decoder learns from, or left in their files."""

from pathlib import Path
from typing import Any

import numpy as np

from alignkit.decoders._base import Fitted
from alignkit.errors import DataError
from alignkit.media.audio import SUFFIXES as SOUNDS
from alignkit.media.audio import Sound, read_sound
from alignkit.media.pictures import SUFFIXES as PICTURES
from alignkit.media.pictures import import_pillow, read_picture
from alignkit.spaces import Embeddings

COLUMNS = ("path", "file", "filename")


def bank_paths(bank: Embeddings, root: Path | None = None, column: str = "") -> np.ndarray:
    """Return the path of the item behind each row, from its metadata or, if it has none, from its id.

    Raises
    ------
    DataError
        If no column holds paths, or the first path leads nowhere.
    """
    known = bank.items.column_names
    chosen = column or next((name for name in COLUMNS if name in known), "")
    values = bank.column(chosen, "of paths").to_pylist() if chosen else bank.ids.to_pylist()
    base = root if root is not None else Path()
    paths = np.array([str(base / str(value)) for value in values], dtype=object)
    if len(paths) and not Path(paths[0]).is_file():
        raise DataError(
            f"{paths[0]}, the item behind the first row of {bank.name}, is no file: say with --media in "
            "which folder the items lie, and with --column which metadata names them."
        )
    return paths


def read_medium(path: str) -> "Sound | np.ndarray":
    """Return the sound or the picture in a file, by its suffix.

    Raises
    ------
    DataError
        If it is neither, or damaged.
    """
    suffix = Path(path).suffix.lower()
    if suffix in SOUNDS:
        return read_sound(path)
    if suffix in PICTURES:
        return read_picture(path)
    raise DataError(f"{path} is neither a sound nor a picture that is known by its suffix: convert it.")


def learning_items(
    decoder: Fitted, paths: np.ndarray, *, seconds: float | None = None, size: int | None = None
) -> np.ndarray:
    """Return what ``decoder`` learns from: sounds of one length and rate, pictures of one size, or the paths.

    Sounds are resampled to the decoder's rate and cut or padded with silence to ``seconds`` (that of the
    longest, at most 10); pictures are cut to their middle square and scaled to ``size`` points (64).
    """
    rate = getattr(decoder, "rate", None)
    if decoder.facts.returns == "retrieved":
        return paths
    if rate is not None:
        sounds = [_sound(path).resampled(rate) for path in paths]
        length = round((seconds or min(10.0, max(each.seconds for each in sounds))) * rate)
        return np.stack([_fitted(each.samples, length) for each in sounds])
    return np.stack([_square(read_picture(path), size or 64) for path in paths])


def _sound(path: str) -> Sound:
    medium = read_medium(path)
    if not isinstance(medium, Sound):
        raise DataError(f"{path} is no sound, and the decoder learns from sounds: choose another decoder.")
    return medium


def _fitted(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def _square(picture: np.ndarray, size: int) -> Any:  # Any: an array of what Pillow, untyped, gives
    pillow = import_pillow("scaling a picture")
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = pillow.fromarray(picture[top : top + side, left : left + side])
    return np.array(cut.resize((size, size), pillow.Resampling.BICUBIC))
