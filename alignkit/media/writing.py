"""Write sounds as WAV and pictures as PNG, and draw a sound as a picture of its mel spectrogram."""

import io
from typing import Any

import numpy as np

from alignkit.errors import DataError, MissingExtraError
from alignkit.media.audio import Sound
from alignkit.media.mel import decibels, mel_filters, power_spectrogram
from alignkit.media.pictures import import_pillow

BANDS, FRAMES, WINDOW = 96, 400, 1024
RANGE = 80.0  # decibels below the loudest that are still told apart


def sound_bytes(sound: Sound) -> bytes:
    """Return a WAV file of 16 bits; samples beyond [-1, 1] are cut.

    Raises
    ------
    MissingExtraError
        If soundfile is not installed.

    Examples
    --------
    >>> sound_bytes(Sound(np.zeros(10, np.float32), 8000))[:4]
    b'RIFF'
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("writing a sound needs soundfile: pip install 'alignkit[media]'.") from error
    file = io.BytesIO()
    soundfile.write(file, np.clip(sound.samples, -1, 1), sound.rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def picture_bytes(picture: np.ndarray) -> bytes:
    """Return a PNG file of a ``uint8`` picture, height x width x 3.

    Raises
    ------
    DataError
        If it is no such picture.

    Examples
    --------
    >>> picture_bytes(np.zeros((2, 3, 3), np.uint8))[1:4]
    b'PNG'
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise DataError(f"a picture is uint8, height x width x 3; this is {picture.dtype} {picture.shape}.")
    file = io.BytesIO()
    import_pillow("writing a picture").fromarray(picture).save(file, format="PNG")
    return file.getvalue()


def shown(values: np.ndarray) -> np.ndarray:
    """Return numbers from 0 to 1 (height x width, or x 3) as a picture; cut beyond, grey from one channel.

    Examples
    --------
    >>> shown(np.array([[0.0, 2.0]])).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3):
        raise DataError(f"an item of shape {values.shape} is no picture: height x width, or x 3, is one.")
    whole = values.dtype == np.uint8
    grey = values if whole else np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2) if values.ndim == 2 else grey


def spectrogram_picture(sound: Sound) -> np.ndarray:
    """Return the mel spectrogram as a picture: time to the right, frequency upwards, 80 dB of range.

    The colours are matplotlib's viridis, which keeps its order in grey.

    Examples
    --------
    >>> spectrogram_picture(Sound(np.sin(np.arange(8000, dtype=np.float32)), 8000)).shape
    (96, 63, 3)
    """
    samples = sound.samples
    if len(samples) <= WINDOW // 2:
        samples = np.pad(samples, (0, WINDOW))
    hop = max(WINDOW // 8, len(samples) // FRAMES)
    filters = mel_filters(sound.rate, WINDOW * 2, BANDS, span=(30.0, sound.rate / 2), scale="htk")
    power = power_spectrogram(samples, bins=WINDOW * 2, window=WINDOW, hop=hop)
    levels = decibels(power @ filters)
    strength = np.clip((levels - levels.max()) / RANGE + 1, 0, 1)
    return np.rint(255 * _viridis(strength.T[::-1])).astype(np.uint8)


def _viridis(strength: np.ndarray) -> Any:  # Any: what matplotlib's untyped call returns, an array
    from matplotlib import colormaps

    return colormaps["viridis"](strength)[..., :3]
