"""Sounds: read by soundfile, mixed to mono, resampled by soxr; nothing else touches the samples."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, MissingExtraError, ParameterError

Quality: TypeAlias = Literal["VHQ", "HQ", "MQ", "LQ", "QQ"]
SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64")
_UNKNOWN_SIZE = 2**31 - 2**16  # writers into a pipe leave the largest number there, whole or signed
QUALITY: Quality = "HQ"  # soxr's name for its default


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Hold one channel of samples, nominally within [-1, 1], and how many of them a second has.

    Raises
    ------
    DataError
        If there are no samples, they are not one channel of float32, or one is not finite.

    Examples
    --------
    >>> beep = Sound(np.sin(np.arange(8000) * 0.3).astype(np.float32), 16000)
    >>> beep.seconds, len(beep.resampled(8000).samples)
    (0.5, 4000)
    """

    samples: np.ndarray
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise DataError(
                f"samples are {self.samples.dtype} of shape {self.samples.shape}; a sound is one channel of "
                "float32: use Sound.of, which mixes channels and converts."
            )
        if not len(self.samples):
            raise DataError("the sound has no samples: leave it out.")
        if not np.isfinite(self.samples).all():
            raise DataError("the sound holds samples that are not finite: export it again.")
        if self.rate < 1:
            raise DataError(f"the sound has a rate of {self.rate} samples a second: it must be positive.")

    @classmethod
    def of(cls, samples: Any, rate: int) -> "Sound":  # Any: whatever numpy makes an array of
        """Return a sound from samples of any real type: ``n`` of one channel, or ``n c`` of several.

        Signed integers are divided by the size of their range (int16 by 32768), uint8 is centred at 128,
        floats are taken as they are. Channels are mixed by their mean.

        Raises
        ------
        DataError
            If the samples are of another type or shape, or there are none.
        """
        samples = np.asarray(samples)
        if samples.ndim not in (1, 2) or samples.dtype.kind not in "fiu" or 0 in samples.shape:
            raise DataError(
                f"samples are {samples.dtype} of shape {samples.shape}: give real numbers, n or n x channels."
            )
        if samples.dtype.kind == "u" and samples.dtype != np.uint8:
            raise DataError(f"samples are {samples.dtype}: of unsigned types only uint8 has a known centre.")
        wide = samples.astype(np.float64)
        if samples.dtype == np.uint8:
            wide = (wide - 128) / 128
        elif samples.dtype.kind == "i":
            wide /= -float(np.iinfo(samples.dtype).min)
        with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused
            mono = (wide.mean(axis=1) if wide.ndim == 2 else wide).astype(np.float32)
        return cls(mono, int(rate))

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def resampled(self, rate: int, quality: Quality = QUALITY) -> "Sound":
        """Return the sound at another rate, by soxr in the quality of that name; itself where it has it.

        Raises
        ------
        MissingExtraError
            If soxr is not installed.
        DataError
            If the sound is too short to leave a sample.
        """
        if rate == self.rate:
            return self
        if rate < 1:
            raise ParameterError(f"a rate of {rate} samples a second makes no sense: give a positive number.")
        soxr = _import("soxr", "resampling a sound")
        samples = soxr.resample(self.samples, self.rate, rate, quality=quality)
        return Sound(np.ascontiguousarray(samples, np.float32), rate)


def read_sound(source: Path | str | bytes, *, name: str = "", most_samples: int | None = None) -> Sound:
    """Return a sound file as one channel of float32 at its own rate; channels are mixed by their mean.

    ``source`` is a path or the bytes of a file; ``name`` is what messages call it. ``most_samples``, over all
    channels, is for files of strangers: silence is packed a thousandfold. Nothing is decoded beyond it.

    Raises
    ------
    DataError
        If it is no sound file, is damaged or empty, has more than ``most_samples`` samples, or holds samples
        that are not finite.
    MissingExtraError
        If soundfile is not installed.
    """
    soundfile = _import("soundfile", "reading a sound")
    name = name or (str(source) if not isinstance(source, bytes) else "the sound")
    try:
        with _opened(source) as stream, soundfile.SoundFile(stream) as file:
            rate, frames = file.samplerate, file.frames
            if most_samples is not None and frames * file.channels > most_samples:
                raise DataError(f"{name} has more than {most_samples} samples: cut it first.")
            samples = file.read(dtype="float32", always_2d=True)
            log = file.extra_info
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise DataError(f"{name} is no readable sound ({_reason(error)}): export it again.") from error
    if not len(samples):
        raise DataError(f"{name} has no samples: leave it out.")
    if len(samples) < frames or _is_cut_off(log):
        raise DataError(f"{name} ends after {len(samples)} samples, before its end: copy it again whole.")
    try:
        return Sound.of(samples, rate)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _opened(source: Path | str | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")


def _is_cut_off(log: str) -> bool:
    """Say whether a header promises more bytes than the file has; one written to a pipe promises the most."""
    sizes = (map(int, found) for found in re.findall(r": (\d+) \(should be (\d+)\)", log))
    return any(found < said < _UNKNOWN_SIZE for said, found in sizes)


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2].strip().rstrip(".") or type(error).__name__


def _import(module: str, purpose: str) -> Any:  # Any: a module that may be absent
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"{purpose} needs {module}: pip install 'alignkit[media]'.") from error
